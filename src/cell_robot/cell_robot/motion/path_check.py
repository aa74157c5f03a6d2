"""Is a move possible, is it allowed, how long may it take: asked before the arm gets any command."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from cell_robot.motion.kinematics import Arm, JointVector, farthest, forward, nearest, singularity
from cell_robot.motion.poses import Matrix, between, distance

STEP_M = 0.01
STEP_RAD = math.radians(5.0)
JUMP_RAD = math.radians(30.0)
"""More than this between two points of a straight line means that the arm would have to fold over."""
LATE_FACTOR = 1.5
LATE_S = 2.0
FULL_TURN = (-2.0 * math.pi, 2.0 * math.pi)


class MoveError(ValueError):
    """A move cannot be made; the text says why."""


@dataclass(frozen=True)
class Bounds:
    """Where the arm may be."""

    low: tuple[float, float, float]
    """Corner of the box that the tool centre point and the flange stay in, metres, base frame."""
    high: tuple[float, float, float]
    joints: tuple[tuple[float, float], ...] = field(default=(FULL_TURN,) * 6)
    """Lowest and highest angle of each joint, radians."""


@dataclass(frozen=True)
class Cell:
    """An arm with its tool in its place."""

    arm: Arm
    tool: Matrix
    """Transform from the flange to the tool centre point."""
    bounds: Bounds

    def tcp(self, joints: Sequence[float]) -> Matrix:
        """Return the transform from the base to the tool centre point."""
        return forward(self.arm, joints) @ self.tool

    def solve(self, tcp: Matrix, near: Sequence[float]) -> JointVector:
        """Return the joints that put the tool there, turned least from `near`.

        Raises:
            MoveError: It is out of reach or outside the bounds.
        """
        flange = tcp @ np.linalg.inv(self.tool)
        joints = nearest(self.arm, flange, near, self.bounds.joints)
        if joints is None:
            raise MoveError(f'{_place(tcp)} is out of reach within the joint limits')
        self.check(joints)
        return joints

    def check(self, joints: Sequence[float]) -> None:
        """Check one stand of the arm.

        Raises:
            MoveError: A joint is beyond its limits, or the tool is outside the box.
        """
        for number, (angle, (low, high)) in enumerate(zip(joints, self.bounds.joints, strict=True), 1):
            if not low <= angle <= high:
                raise MoveError(
                    f'joint {number} at {math.degrees(angle):.1f} deg is outside {math.degrees(low):.0f} to '
                    f'{math.degrees(high):.0f} deg'
                )
        flange = forward(self.arm, joints)
        for name, place in (('tool', flange @ self.tool), ('flange', flange)):
            if not self._inside(place):
                raise MoveError(f'the {name} at {_place(place)} is outside the workspace')

    def line(self, start: Sequence[float], end: Matrix) -> list[JointVector]:
        """Return the joints along the straight way of the tool from `start` to `end`, both included.

        Raises:
            MoveError: The way leaves the reach or the bounds, or passes a singularity.
        """
        result = [tuple(start)]
        self.check(start)
        for place in _points(self.tcp(start), end):
            joints = self.solve(place, result[-1])
            if farthest(joints, result[-1]) > JUMP_RAD:
                raise MoveError(f'the arm would fold over at {_place(place)}')
            if near := singularity(self.arm, joints):
                raise MoveError(f'the straight way passes a singularity at {_place(place)}: {near}')
            result.append(joints)
        return result

    def swing(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Check a move in which all joints turn evenly from `start` to `end`.

        Raises:
            MoveError: The tool leaves the box on the way, or a joint its limits.
        """
        steps = max(1, math.ceil(farthest(start, end) / STEP_RAD))
        for step in range(steps + 1):
            share = step / steps
            self.check([(1 - share) * one + share * other for one, other in zip(start, end, strict=True)])

    def _inside(self, place: Matrix) -> bool:
        bounds = self.bounds
        return all(low <= value <= high for low, value, high in zip(bounds.low, place[:3, 3], bounds.high, strict=True))


def seconds(way: float, speed: float, acceleration: float) -> float:
    """Return how long a move from rest to rest takes: `way` in metres or radians, speed and acceleration in the same unit."""
    way = abs(way)
    if way < speed * speed / acceleration:
        return 2.0 * math.sqrt(way / acceleration)
    return way / speed + speed / acceleration


def deadline(way: float, speed: float, acceleration: float, scaling: float = 1.0) -> float:
    """Return after how many seconds a move counts as stuck; `scaling` is the speed slider, more than 0 and at most 1."""
    return seconds(way, speed * scaling, acceleration) * LATE_FACTOR + LATE_S


def _points(start: Matrix, end: Matrix) -> Iterator[Matrix]:
    """Points after `start`, close enough to each other that nothing happens between them."""
    metres, radians = distance(start, end)
    steps = max(1, math.ceil(metres / STEP_M), math.ceil(radians / STEP_RAD))
    return (between(start, end, step / steps) for step in range(1, steps + 1))


def _place(transform: Matrix) -> str:
    x, y, z = (1000.0 * value for value in transform[:3, 3])
    return f'({x:.0f}, {y:.0f}, {z:.0f}) mm'
