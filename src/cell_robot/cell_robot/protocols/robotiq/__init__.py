"""Text protocol of a Robotiq gripper's URCap (TCP port 63352 of the robot).

Pure: no ROS, sockets, files or clock.
"""

from cell_robot.protocols.robotiq.codec import (
    GripperStatus,
    ObjectStatus,
    RobotiqError,
    decode_value,
    encode_get,
    encode_move,
)

__all__ = ['GripperStatus', 'ObjectStatus', 'RobotiqError', 'decode_value', 'encode_get', 'encode_move']
