"""Backend `rtde`: motion through ur_rtde in a separate process, state through RTDE."""
