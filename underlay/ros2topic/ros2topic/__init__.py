"""Command `ros2 topic`."""
