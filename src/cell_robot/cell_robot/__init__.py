"""The one connection to the robot."""
