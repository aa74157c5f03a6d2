"""Entry point of `ros2 service`."""
