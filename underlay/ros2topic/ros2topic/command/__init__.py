"""Entry point of `ros2 topic`."""
