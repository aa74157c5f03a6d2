"""Process that holds ur_rtde's control connection, its supervisor, and the protocol between the two."""
