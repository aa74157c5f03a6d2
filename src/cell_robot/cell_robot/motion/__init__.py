"""Where the arm may go: kinematics, straight lines, and the recipe of waypoints. No ROS, no sockets."""
