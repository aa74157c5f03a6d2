"""The launch command of ros2."""
