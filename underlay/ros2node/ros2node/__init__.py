"""Command `ros2 node`."""
