"""What a data package says of the robot, and whether any package was missed. No ROS, no sockets, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cell_interfaces.msg import RobotState
from cell_robot.protocols.rtde.codec import Value

NAMES = (
    'timestamp',
    'actual_q',
    'actual_qd',
    'actual_TCP_pose',
    'robot_mode',
    'safety_mode',
    'runtime_state',
    'speed_scaling',
    'actual_digital_input_bits',
    'actual_digital_output_bits',
)
"""Output variables that the node asks for."""
STOPPED, PLAYING = 1, 2
"""Values of runtime_state."""
PROGRAMS: Mapping[int, int] = {
    0: RobotState.PROGRAM_STOPPED,
    STOPPED: RobotState.PROGRAM_STOPPED,
    PLAYING: RobotState.PROGRAM_PLAYING,
    3: RobotState.PROGRAM_PAUSED,
    4: RobotState.PROGRAM_PAUSED,
    5: RobotState.PROGRAM_PLAYING,
}
_HIGHEST_SAFETY = 255
TOLERANCE = 0.05
"""Of a period."""


@dataclass(frozen=True)
class View:
    """One data package."""

    timestamp: float
    """Seconds since the controller started."""
    joints: tuple[float, ...]
    """rad."""
    speeds: tuple[float, ...]
    """rad/s."""
    tool: tuple[float, ...]
    """The tool centre point in the base: metres and a rotation vector."""
    mode: int
    """RobotState.MODE_*."""
    safety: int
    """RobotState.SAFETY_*, or a higher number of RTDE's safety_mode."""
    runtime: int
    """0 stopping, 1 stopped, 2 playing, 3 pausing, 4 paused, 5 resuming."""
    scaling: float
    """0..1."""
    inputs: int
    """Digital inputs, a bit each."""
    outputs: int
    """Digital outputs, a bit each."""

    @property
    def program(self) -> int:
        """RobotState.PROGRAM_*."""
        return PROGRAMS.get(self.runtime, RobotState.PROGRAM_UNKNOWN)


def view(values: Mapping[str, Value]) -> View:
    """Return what a package of NAMES says."""
    found: Mapping[str, Any] = values
    return View(
        found['timestamp'],
        found['actual_q'],
        found['actual_qd'],
        found['actual_TCP_pose'],
        found['robot_mode'],
        min(_HIGHEST_SAFETY, max(0, found['safety_mode'])),
        found['runtime_state'],
        max(0.0, min(1.0, found['speed_scaling'])),
        found['actual_digital_input_bits'],
        found['actual_digital_output_bits'],
    )


class Continuity:
    """Counts packages, and those that should have come and did not, by the controller's own clock."""

    def __init__(self, frequency: float) -> None:
        """Expect so many packages a second."""
        self._frequency = frequency
        self._first: float | None = None
        self._since_first = self._before = 0
        self.received = 0
        self.missed = 0

    def restart(self) -> None:
        """Begin a new connection: what lies between two of them was not missed."""
        self._first, self._before = None, self.missed

    def take(self, timestamp: float) -> None:
        """Count a package."""
        self.received += 1
        if self._first is None:
            self._first, self._since_first = timestamp, 0
        self._since_first += 1
        due = math.floor((timestamp - self._first) * self._frequency + TOLERANCE) + 1  # one that is late is not missed
        self.missed = max(self.missed, self._before + due - self._since_first)
