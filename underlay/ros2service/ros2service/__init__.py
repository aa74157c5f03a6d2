"""Command `ros2 service`."""
