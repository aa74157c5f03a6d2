"""Entry point of `ros2 interface`."""
