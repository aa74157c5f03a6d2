"""Dashboard server of the UR controller (TCP port 29999), client side.

Pure: no ROS, sockets, files or clock.
"""

from cell_robot.protocols.dashboard.codec import (
    DashboardClosedError,
    DashboardError,
    DashboardTimeouts,
    encode,
    parse_bool,
    require_ok,
)

__all__ = ['DashboardClosedError', 'DashboardError', 'DashboardTimeouts', 'encode', 'parse_bool', 'require_ok']
