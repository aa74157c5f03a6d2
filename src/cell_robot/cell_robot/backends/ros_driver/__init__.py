"""Backend `ros_driver`: motion and state through the Universal Robots ROS 2 driver."""
