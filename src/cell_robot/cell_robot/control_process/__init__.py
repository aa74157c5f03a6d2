"""The process that holds the RTDE control connection, and its supervisor."""
