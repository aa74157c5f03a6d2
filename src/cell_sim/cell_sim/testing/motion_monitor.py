"""Was every motion of the arm commanded? A judge for tests: cycles of the controller and commands go in, violations come out.

Two kinds of robot are judged. One is driven move by move (`rtde`, `ros_driver`): it may move while a command is under way and,
when that ended badly, for the moment that stopping it takes; a recovery may only take the tool straight up. The other carries
letters out by a program of its own (`letters`): it may end what it was told at any later time, and does everything once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from cell_robot.motion.kinematics import JointVector, farthest
from cell_robot.motion.poses import Matrix, distance

MOVED_RAD = 1e-6
GAP_S = 0.3
"""An arm that stood for longer than this and moves again, moves anew."""
STOPPING_S = 2.0
"""Stopping takes at most so long: the controller's watchdog ends a program after 1 s without its client."""
SETTLING_S = 0.1
"""After a good end: the news of it and the controller's cycle are not in step."""
BESIDE_M, TURNED_RAD = 0.003, 0.02
"""A retraction stays so near to the vertical line."""
HOME = 'HOME'
"""What a recovery over letters lets the program do."""


@dataclass
class CommandInterval:
    """Something that the robot was told to do."""

    name: str
    """Id of a trigger; "recover" of a recovery."""
    begun: float
    """Seconds, by the clock of the cycles."""
    ended: float | None = None
    """When its outcome was given; None = it is under way."""
    well: bool = False
    """It was done."""

    @property
    def recovery(self) -> bool:
        """Whether it is a recovery."""
        return self.name == 'recover'

    def covers(self, time: float, more: float = 0.0) -> bool:
        """Return whether it was under way at a time, or had ended no longer than `more` seconds before."""
        return self.begun <= time and (self.ended is None or time <= self.ended + more)


@dataclass
class MotionSegment:
    """A motion from standstill to standstill."""

    doing: str
    """What the robot's own program was carrying out."""
    times: list[float] = field(default_factory=list)
    joints: list[JointVector] = field(default_factory=list)
    free: bool = True
    """Power, brakes, safety and a running program let the arm move all the time."""

    def __str__(self) -> str:
        turned = farthest(self.joints[0], self.joints[-1])
        return f'motion of {self.times[-1] - self.times[0]:.2f} s, {turned:.3f} rad{f", in {self.doing}" if self.doing else ""}'


class MotionMonitor:
    """Remembers how the arm moved."""

    def __init__(self, tcp: Callable[[Sequence[float]], Matrix]) -> None:
        """Have seen nothing; `tcp` tells where the tool is (base frame, metres)."""
        self._tcp = tcp
        self._stand: JointVector | None = None
        self._free = True
        self._doing = ''
        self.segments: list[MotionSegment] = []
        self.started: list[str] = []
        """What the robot's own program has begun, in order."""

    def update(self, time: float, joints: JointVector, *, free: bool, doing: str = '') -> None:
        """Take a cycle of the controller in.

        Args:
            time: Seconds.
            joints: Radians.
            free: Whether the arm may move from now on: power, brakes, safety, and a program that runs.
            doing: What the robot's own program is carrying out; "" = nothing.
        """
        if doing and doing != self._doing:
            self.started.append(doing)
        if self._stand is None:
            self._stand = joints
        if farthest(joints, self._stand) > MOVED_RAD:
            self._move(time, self._stand, joints, doing or self._doing, free or self._free)
            self._stand = joints
        self._free, self._doing = free, doing

    def forget(self) -> None:
        """Begin anew with the arm where it is."""
        self.segments, self.started = [], []

    def _move(self, time: float, start: JointVector, joints: JointVector, doing: str, free: bool) -> None:
        last = self.segments[-1] if self.segments else None
        if last is None or time > last.times[-1] + GAP_S or doing != last.doing:
            last = MotionSegment(doing, [time], [start])
            self.segments = [*self.segments, last]
        last.times.append(time)
        last.joints.append(joints)
        last.free = last.free and free

    def violations(self, commands: Sequence[CommandInterval], *, own_program: bool) -> list[str]:
        """Return every motion that nobody had asked for.

        Args:
            commands: All that the robot was told since the watch began, in order.
            own_program: The robot carries commands out by a program of its own.
        """
        found = []
        for segment in [*self.segments]:
            if not segment.free:
                found.append(f'{segment}: power, safety or the program did not let the arm move')
            wrong = _in_program(segment, commands) if own_program else self._explained_by(segment, commands)
            found += [f'{segment}: {wrong}'] if wrong else []
        twice = {doing for doing in self.started if self.started.count(doing) > 1}
        return found + [f'{doing} was carried out more than once' for doing in sorted(twice)]

    def _explained_by(self, segment: MotionSegment, commands: Sequence[CommandInterval]) -> str:
        if not any(command.covers(segment.times[0], SETTLING_S) for command in commands):
            return 'it began when no command was under way'
        recovering: dict[int, list[Matrix]] = {}
        for time, joints in zip(segment.times, segment.joints, strict=True):
            asked = [
                number
                for number, command in enumerate(commands)
                if command.covers(time, SETTLING_S if command.well else STOPPING_S)
            ]
            if not asked:
                return 'it went on after the command had ended'
            if commands[asked[-1]].recovery:
                recovering.setdefault(asked[-1], []).append(self._tcp(joints))
        return next((wrong for tools in recovering.values() if (wrong := _not_straight_up(tools))), '')


def _not_straight_up(tools: Sequence[Matrix]) -> str:
    """Say how a tool did not go straight up; "" when it did."""
    heights = [float(tool[2, 3]) for tool in tools]
    beside = max(float(np.hypot(*(tool[:2, 3] - tools[0][:2, 3]))) for tool in tools)
    turned = max(distance(tools[0], tool)[1] for tool in tools)
    sinks = max(highest - height for highest, height in zip(accumulate(heights, max), heights, strict=True))
    if beside <= BESIDE_M and turned <= TURNED_RAD and sinks <= BESIDE_M:
        return ''
    return (
        'a recovery took the tool elsewhere than straight up: '
        f'{1e3 * beside:.0f} mm aside, {1e3 * sinks:.0f} mm down, turned {turned:.3f} rad'
    )


def _in_program(segment: MotionSegment, commands: Sequence[CommandInterval]) -> str:
    event, _, number = segment.doing.partition(' ')
    if not segment.doing:
        return 'the program moves without having been told anything'
    begin = segment.times[0]
    asked = any(
        (command.name == number or (command.recovery and event == HOME)) and command.begun <= begin for command in commands
    )
    return '' if asked else 'nobody had triggered it'
