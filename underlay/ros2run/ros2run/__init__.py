"""The run command of ros2."""
