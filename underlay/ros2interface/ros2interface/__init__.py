"""Command `ros2 interface`."""
