"""Entry point of `ros2 node`."""
