"""The pkg command of ros2."""
