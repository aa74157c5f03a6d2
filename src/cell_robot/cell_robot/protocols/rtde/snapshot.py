"""Robot state from one RTDE data package, and the count of lost packages.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.robot_modes import ProgramState, RuntimeState

OUTPUT_NAMES = (
    'timestamp',
    'actual_q',
    'actual_TCP_pose',
    'robot_mode',
    'safety_mode',
    'runtime_state',
    'actual_digital_input_bits',
    'actual_digital_output_bits',
)
"""Output variables that the node needs."""
OPTIONAL_NAMES = ('actual_qd', 'speed_scaling', 'target_speed_fraction', 'tcp_offset', 'actual_TCP_speed', 'payload')
"""Output variables that not every firmware has; the node does without them."""
ANALOG_NAMES = ('standard_analog_input0', 'standard_analog_input1')
"""Output variables that are only requested where the recipe needs them."""
PROGRAMS: Mapping[int, ProgramState] = {
    RuntimeState.STOPPING: ProgramState.STOPPED,
    RuntimeState.STOPPED: ProgramState.STOPPED,
    RuntimeState.PLAYING: ProgramState.PLAYING,
    RuntimeState.PAUSING: ProgramState.PAUSED,
    RuntimeState.PAUSED: ProgramState.PAUSED,
    RuntimeState.RESUMING: ProgramState.PLAYING,
}
# RobotState carries it as uint8.
_MAX_SAFETY = 255
SLIDER_ZERO = 0.001
TOLERANCE = 0.05
"""Share of a period by which a timestamp may be early."""


@dataclass(frozen=True)
class RobotSnapshot:
    """State of the robot at one time."""

    timestamp: float
    """Seconds since the controller started."""
    joints: tuple[float, ...]
    """rad."""
    speeds: tuple[float, ...]
    """rad/s."""
    tool: tuple[float, ...]
    """Tool center point in the base frame: meters and a rotation vector."""
    mode: int
    """A value of RobotMode."""
    safety: int
    """A value of SafetyMode, or a higher number of RTDE's safety_mode."""
    runtime: int
    """A value of RuntimeState."""
    scaling: float
    """0..1."""
    inputs: int
    """Digital inputs, one bit per pin."""
    outputs: int
    """Digital outputs, one bit per pin."""
    slider: float | None = None
    """Speed slider of the pendant, 0..1; None where the controller does not report it."""
    tcp_offset: tuple[float, ...] | None = None
    """Tool center point from the flange, as set on the controller; None where the controller does not report it."""
    analog: tuple[float | None, float | None] = (None, None)
    """Analog inputs 0 and 1: volts, or amperes, as they are set on the pendant; None where they are not reported."""

    tool_speed: float | None = None
    """m/s; None where it is not reported."""
    payload: float | None = None
    """kg, as set on the controller; None where it is not reported."""

    @property
    def slider_at_zero(self) -> bool:
        """Whether the speed slider keeps a running program from moving the arm."""
        if self.slider is not None:
            return self.slider < SLIDER_ZERO
        return self.runtime == RuntimeState.PLAYING and self.scaling < SLIDER_ZERO

    @property
    def shown(self) -> tuple[int, int, int, bool]:
        """What the published state shows besides joints and age."""
        return self.safety, self.mode, self.runtime, self.slider_at_zero

    @property
    def program(self) -> ProgramState:
        """State of the program on the controller."""
        return PROGRAMS.get(self.runtime, ProgramState.UNKNOWN)


def parse_snapshot(values: Mapping[str, RtdeValue]) -> RobotSnapshot:
    """Return the snapshot of a package that holds OUTPUT_NAMES, and OPTIONAL_NAMES where the controller has them.

    Values outside the range of their message are clipped: a newer safety mode must not end the node.

    Args:
        values: Of `RtdeRecipe.unpack`, which has checked their types.
    """

    def number(name: str) -> float:
        return cast('float', values[name])

    def integer(name: str) -> int:
        return cast('int', values[name])

    def analog(pin: int) -> float | None:
        return number(ANALOG_NAMES[pin]) if ANALOG_NAMES[pin] in values else None

    def vector(name: str) -> tuple[float, ...]:
        return cast('tuple[float, ...]', values[name])

    joints = vector('actual_q')
    slider = number('target_speed_fraction') if 'target_speed_fraction' in values else None
    return RobotSnapshot(
        number('timestamp'),
        joints,
        vector('actual_qd') if 'actual_qd' in values else (0.0,) * len(joints),
        vector('actual_TCP_pose'),
        integer('robot_mode'),
        min(_MAX_SAFETY, max(0, integer('safety_mode'))),
        integer('runtime_state'),
        max(0.0, min(1.0, number('speed_scaling') if 'speed_scaling' in values else slider if slider is not None else 1.0)),
        integer('actual_digital_input_bits'),
        integer('actual_digital_output_bits'),
        slider,
        vector('tcp_offset') if 'tcp_offset' in values else None,
        (analog(0), analog(1)),
        math.hypot(*vector('actual_TCP_speed')[:3]) if 'actual_TCP_speed' in values else None,
        number('payload') if 'payload' in values else None,
    )


class PacketLossCounter:
    """Counts received and missing packages by the timestamps of the controller.

    The controller drops packages when its send buffer is full. Arrival times say nothing about that, timestamps do.
    """

    def __init__(self, frequency: float) -> None:
        """Expect `frequency` packages per second."""
        self._frequency = frequency
        self._first: float | None = None
        self._since_first = self._before = 0
        self.received = 0
        self.missed = 0

    def restart(self) -> None:
        """Start a new connection; packages between two connections do not count as missing."""
        self._first, self._before = None, self.missed

    def take(self, timestamp: float) -> None:
        """Count a package; `timestamp` in seconds since the controller started."""
        self.received += 1
        if self._first is None:
            self._first, self._since_first = timestamp, 0
        self._since_first += 1
        due = math.floor((timestamp - self._first) * self._frequency + TOLERANCE) + 1  # a late package is not missing
        self.missed = max(self.missed, self._before + due - self._since_first)
