"""Framework of the ros2 command."""
