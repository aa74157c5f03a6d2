"""Checks that every motion of the arm was commanded. Inputs are controller cycles and commands; outputs are violations.

Two kinds of robot are checked:

- `rtde` and `ros_driver` are driven move by move. The arm may move while a command is active. After a failed command it
  may move for the time that stopping takes. A recovery may only lift the tool straight up.
- `letters` runs a program of its own. It may finish a command at any later time, and executes each one once.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from cell_robot.motion import JointVector, Matrix, max_joint_difference, pose_distance

__all__ = ['CommandInterval', 'MotionMonitor', 'MotionSegment']

# The simulation computes in doubles, so any real motion is far above this.
MOVED_RAD = 1e-6
GAP_S = 0.3
"""Standstill that separates two motion segments."""
STOPPING_S = 2.0
"""Upper limit for stopping: the controller's watchdog ends a program 1 s after its client is gone."""
SETTLING_S = 0.1
"""Tolerance after a successful end: its report and the controller's cycle are not synchronized."""
ASIDE_M, TURNED_RAD = 0.003, 0.02
"""Tolerance of a retraction around the vertical line."""
HOME = 'HOME'
"""Event that a recovery over letters lets the program execute."""


@dataclass
class CommandInterval:
    """Time during which one command was active.

    Attributes:
        name: Id of a trigger; "recover" for a recovery.
        begun: Seconds, by the clock of the cycles.
        ended: Time of its outcome; None = still active.
        succeeded: Whether the outcome was a success.
    """

    name: str
    begun: float
    ended: float | None = None
    succeeded: bool = False

    @property
    def recovery(self) -> bool:
        """Whether the command is a recovery."""
        return self.name == 'recover'

    def covers(self, time: float, margin: float = 0.0) -> bool:
        """Return True if the command was active at a time, or had ended at most `margin` seconds before."""
        return self.begun <= time and (self.ended is None or time <= self.ended + margin)


@dataclass
class MotionSegment:
    """Motion from standstill to standstill.

    Attributes:
        doing: Event that the robot's own program was executing; "" for a driven robot.
        times: Time of each cycle, seconds, from the last standstill on.
        joints: Joint angles at each of these times, radians.
        free: Power, brakes, safety and a running program allowed motion throughout.
    """

    doing: str
    times: list[float] = field(default_factory=list)
    joints: list[JointVector] = field(default_factory=list)
    free: bool = True

    def __str__(self) -> str:
        turned = max_joint_difference(self.joints[0], self.joints[-1])
        return f'motion of {self.times[-1] - self.times[0]:.2f} s, {turned:.3f} rad{f", in {self.doing}" if self.doing else ""}'


class MotionMonitor:
    """Records motion segments and reports unexplained ones.

    `update` may run in the controller's thread while a test reads `violations`: segments are
    appended to a new list, never to the one that a reader may iterate.

    Attributes:
        segments: Motion segments, oldest first; the last one may still grow.
        started: Events that the robot's own program started, in order.
    """

    def __init__(self, tcp: Callable[[Sequence[float]], Matrix]) -> None:
        """Create a monitor without segments.

        Args:
            tcp: Returns the tool center point of joints: a 4 x 4 matrix in the base frame, meters.
        """
        self._tcp = tcp
        self._last: JointVector | None = None
        self._free = True
        self._doing = ''
        self.segments: list[MotionSegment] = []
        self.started: list[str] = []

    def update(self, time: float, joints: JointVector, *, free: bool, doing: str = '') -> None:
        """Process one controller cycle.

        Args:
            time: Seconds.
            joints: Radians.
            free: Whether power, brakes, safety and a running program allow motion from now on.
            doing: Event that the robot's own program is executing; "" = none.
        """
        if doing and doing != self._doing:
            self.started.append(doing)
        if self._last is None:
            self._last = joints
        if max_joint_difference(joints, self._last) > MOVED_RAD:
            # The state before this cycle counts as well: power may go off in the very cycle of the
            # last movement.
            self._move(time, self._last, joints, doing or self._doing, free or self._free)
            self._last = joints
        self._free, self._doing = free, doing

    def reset(self) -> None:
        """Discard all segments; the arm stays where it is."""
        self.segments, self.started = [], []

    def _move(self, time: float, start: JointVector, joints: JointVector, doing: str, free: bool) -> None:
        """Add a movement to the current segment, or begin a new one after a standstill."""
        last = self.segments[-1] if self.segments else None
        if last is None or time > last.times[-1] + GAP_S or doing != last.doing:
            last = MotionSegment(doing, [time], [start])
            self.segments = [*self.segments, last]
        last.times.append(time)
        last.joints.append(joints)
        last.free = last.free and free

    def violations(self, commands: Sequence[CommandInterval], *, own_program: bool) -> list[str]:
        """Return a description of each motion that no command explains.

        Args:
            commands: All commands since the monitor started, in order.
            own_program: The robot executes commands by a program of its own (`letters`).
        """
        found = []
        for segment in [*self.segments]:
            if not segment.free:
                found.append(f'{segment}: power, safety or the program did not allow motion')
            violation = _in_program(segment, commands) if own_program else self._explained_by(segment, commands)
            found += [f'{segment}: {violation}'] if violation else []
        repeated = {doing for doing in self.started if self.started.count(doing) > 1}
        return found + [f'{doing} was executed more than once' for doing in sorted(repeated)]

    def _explained_by(self, segment: MotionSegment, commands: Sequence[CommandInterval]) -> str:
        """Return why the commands do not explain a segment of a driven robot; "" = they do."""
        if not any(command.covers(segment.times[0], SETTLING_S) for command in commands):
            return 'the motion began while no command was active'
        recovering: dict[int, list[Matrix]] = {}
        for time, joints in zip(segment.times, segment.joints, strict=True):
            active = [
                number
                for number, command in enumerate(commands)
                if command.covers(time, SETTLING_S if command.succeeded else STOPPING_S)
            ]
            if not active:
                return 'the motion went on after the command had ended'
            if commands[active[-1]].recovery:
                recovering.setdefault(active[-1], []).append(self._tcp(joints))
        return next((found for tools in recovering.values() if (found := _not_straight_up(tools))), '')


def _not_straight_up(tools: Sequence[Matrix]) -> str:
    """Return how a tool path differs from straight up; "" = it does not."""
    heights = [float(tool[2, 3]) for tool in tools]
    aside = max(float(np.hypot(*(tool[:2, 3] - tools[0][:2, 3]))) for tool in tools)
    turned = max(pose_distance(tools[0], tool)[1] for tool in tools)
    sunk = max(highest - height for highest, height in zip(accumulate(heights, max), heights, strict=True))
    if aside <= ASIDE_M and turned <= TURNED_RAD and sunk <= ASIDE_M:
        return ''
    return (
        'a recovery did not move the tool straight up: '
        f'{1e3 * aside:.0f} mm aside, {1e3 * sunk:.0f} mm down, turned {turned:.3f} rad'
    )


def _in_program(segment: MotionSegment, commands: Sequence[CommandInterval]) -> str:
    """Return why no command explains a segment of the robot's own program; "" = one does."""
    event, _, number = segment.doing.partition(' ')
    if not segment.doing:
        return 'the program moves without a command'
    begun = segment.times[0]
    commanded = any(
        (command.name == number or (command.recovery and event == HOME)) and command.begun <= begun for command in commands
    )
    return '' if commanded else 'no trigger had commanded the motion'
