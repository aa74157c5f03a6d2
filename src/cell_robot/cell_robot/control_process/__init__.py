"""Process that holds ur_rtde's control connection, its supervisor, and the protocol between the two.

ur_rtde 1.6.5 may block for minutes, or crash its process, when the connection stalls or the program on the robot is replaced.
So it lives in a process that can be killed, with a heartbeat and a deadline for each request.
"""
