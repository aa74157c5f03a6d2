"""The gripper's part sensor as a line of robot/preflight, which robot node, coordinator and page share.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

__all__ = ['CHECK_NAME', 'GripperSensor', 'sensor_from_checks']

CHECK_NAME = 'gripper sensor'
"""Name of the line in robot/preflight. The line never fails the pre-flight."""


class GripperSensor(enum.Enum):
    """What the sensor reports; the value is the message of the line.

    RobotPreflight has no field for it, so the text is the protocol: change a value here and every user follows.
    """

    HOLDS = 'holds a piece'
    EMPTY = 'empty'
    UNKNOWN = 'no sensor'
    """There is no sensor, or no data from it."""


def sensor_from_checks(checks: Iterable[tuple[str, str]]) -> GripperSensor:
    """Return the sensor's state from the (name, message) lines of a pre-flight; UNKNOWN if the line is missing.

    Args:
        checks: Lines of robot/preflight, in any order. A message of another release also counts as UNKNOWN.
    """
    message = next((text for name, text in checks if name == CHECK_NAME), '')
    return next((state for state in GripperSensor if state.value == message), GripperSensor.UNKNOWN)
