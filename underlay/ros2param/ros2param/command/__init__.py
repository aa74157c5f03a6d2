"""Entry point of `ros2 param`."""
