"""Dashboard server of the UR controller (TCP port 29999), client side.

Pure: no ROS, sockets, files or clock.
"""

from cell_robot.protocols.dashboard.codec import DashboardError, encode, parse_bool, require_ok

__all__ = ['DashboardError', 'encode', 'parse_bool', 'require_ok']
