"""Wire protocols of the UR controller, without connections; `cell_robot.clients` has those.

Pure: no ROS, sockets, files or clock.
"""

__all__ = ['dashboard', 'rtde']
