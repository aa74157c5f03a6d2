"""Command `ros2 param`."""
