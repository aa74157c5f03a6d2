"""The links to the robot, all behind the interface of `base`."""
