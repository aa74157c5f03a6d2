"""Backend `rtde`: motion by ur_rtde, state by RTDE."""
