"""RTDE, the controller's real-time data interface (TCP 30004), protocol version 2, the client's side. No ROS, no sockets.

Source of the layouts: Universal Robots, "Real-Time Data Exchange (RTDE) Guide". All numbers are big-endian.
"""
