"""Backend `ros_driver`: motion through Universal_Robots_ROS2_Driver in place of ur_rtde."""
