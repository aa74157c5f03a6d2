"""Timing of several moves in a row whose corners are rounded: the arm does not stop between them.

Pure: no ROS, sockets, files or clock.

As on the controller, a corner is rounded inside a sphere around the waypoint: the path leaves the first move where it enters
the sphere and joins the second move where it leaves the sphere. Outside of the corners each move keeps its own trapezoid of
speed. Within a corner the tool's speed changes evenly from that of the first move to that of the second one; nothing is faster
than the move that it belongs to, and nothing accelerates more.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cell_robot.motion.kinematics import JointVector

CORNER_POINTS = 14
"""Points of a rounded corner."""
SEARCH_STEPS = 12
"""Halvings when the border of the sphere is searched."""
PROBE = 1e-4
"""Share of a move over which the tool's travel is measured."""
SHORTEST = 1e-9

JointPath = Callable[[float], JointVector]
"""Share of a move (0..1) -> joint angles, radians."""
ToolPosition = Callable[[JointVector], NDArray[np.float64]]
"""Joint angles -> position of the tool center point, meters, shape (3,)."""


@dataclass(frozen=True)
class PathMove:
    """One move of a path."""

    joints_at: JointPath
    length: float
    """Radians of the leading joint, or meters of a straight line."""
    speed: float
    """In the unit of the length per second."""
    acceleration: float
    blend: float = 0.0
    """Radius in meters within which the corner to the next move is rounded; 0 = the arm stops there."""


@dataclass(frozen=True)
class _Piece:
    """Part of a path with one trapezoid of speed; a corner is a piece of its own, in meters of the tool."""

    joints_at: JointPath
    length: float
    top: float
    acceleration: float
    begin: float = 0.0
    end: float = 0.0
    first_travel: float = 1.0
    """Meters of the tool per unit of the length at the begin of the piece."""
    last_travel: float = 1.0
    slowest: float = 0.0
    """Lower speed of the two moves of a corner, m/s."""

    @property
    def peak(self) -> float:
        """Highest speed that is reached."""
        possible = math.sqrt(max(0.0, self.acceleration * self.length + (self.begin**2 + self.end**2) / 2.0))
        return max(min(self.top, possible), self.begin, self.end)

    @property
    def duration(self) -> float:
        """Seconds."""
        if self.length <= SHORTEST:
            return 0.0
        peak = self.peak
        rise, fall = (peak - self.begin) / self.acceleration, (peak - self.end) / self.acceleration
        ramps = rise * (peak + self.begin) / 2.0 + fall * (peak + self.end) / 2.0
        if ramps < self.length:
            return rise + fall + (self.length - ramps) / peak
        # The speed changes evenly from one end to the other, as in a corner, or the ramps fill the whole length.
        even = peak <= max(self.begin, self.end)
        return 2.0 * self.length / max(self.begin + self.end, SHORTEST) if even else rise + fall

    def done(self, time: float) -> float:
        """Return the length that is done `time` seconds after the begin."""
        total = self.duration
        if time >= total:
            return self.length
        peak = self.peak
        rise, fall = (peak - self.begin) / self.acceleration, (peak - self.end) / self.acceleration
        if rise + fall > total + SHORTEST:
            change = (self.end - self.begin) / total
            return self.begin * time + change * time * time / 2.0
        if time < rise:
            return self.begin * time + self.acceleration * time * time / 2.0
        if time > total - fall:
            left = total - time
            return self.length - self.end * left - self.acceleration * left * left / 2.0
        return rise * (peak + self.begin) / 2.0 + peak * (time - rise)


class TimedPath:
    """Joints of a path at each time; it begins and ends at rest."""

    def __init__(self, moves: Sequence[PathMove], tool: ToolPosition) -> None:
        """Time a path.

        Args:
            moves: At least one; each begins where the one before ends.
            tool: Kinematics.
        """
        self._tool = tool
        self._pieces = _with_speeds(self._cut(moves))
        self._ends: list[float] = []
        for piece in self._pieces:
            self._ends.append((self._ends[-1] if self._ends else 0.0) + piece.duration)

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return self._ends[-1]

    def joints(self, time: float) -> JointVector:
        """Return the joints `time` seconds after the start; before and after, those of the ends."""
        index = min(bisect.bisect_left(self._ends, time), len(self._pieces) - 1)
        piece = self._pieces[index]
        into = max(0.0, time - (self._ends[index - 1] if index else 0.0))
        return piece.joints_at(min(1.0, piece.done(into) / piece.length) if piece.length > SHORTEST else 1.0)

    def _cut(self, moves: Sequence[PathMove]) -> list[_Piece]:
        """Return the pieces of a path, without speeds at their ends."""
        pieces: list[_Piece] = []
        entered = 0.0
        for index, move in enumerate(moves):
            radius = move.blend if index + 1 < len(moves) else 0.0
            shared = index > 0 and moves[index - 1].blend > 0.0
            left = self._border(move.joints_at, radius, 0.5 if shared else 0.0, 1.0) if radius > 0.0 else 1.0
            pieces.append(self._part(move, entered, left))
            entered = 0.0
            if radius > 0.0:
                following = moves[index + 1]
                shared = index + 2 < len(moves) and following.blend > 0.0
                entered = self._border(following.joints_at, radius, 0.5 if shared else 1.0, 0.0)
                pieces.append(self._corner(move, left, following, entered))
        return [piece for piece in pieces if piece.length > SHORTEST]

    def _border(self, joints_at: JointPath, radius: float, outside: float, inside: float) -> float:
        """Return the share at which a move crosses the sphere around its end `inside` (share 0 or 1).

        Args:
            joints_at: The move.
            radius: Radius of the sphere, meters.
            outside: Share up to which the corner may take of the move; two corners take half of it each.
            inside: Share of the end.
        """
        center = self._tool(joints_at(inside))
        if np.linalg.norm(self._tool(joints_at(outside)) - center) < radius:
            return outside
        far = inside
        for _ in range(SEARCH_STEPS):
            share = (outside + far) / 2.0
            if np.linalg.norm(self._tool(joints_at(share)) - center) < radius:
                far = share
            else:
                outside = share
        return outside

    def _part(self, move: PathMove, first: float, last: float) -> _Piece:
        path = move.joints_at
        return _Piece(
            lambda share: path(first + share * (last - first)),
            move.length * (last - first),
            move.speed,
            move.acceleration,
            first_travel=self._travel(move, first),
            last_travel=self._travel(move, last),
        )

    def _corner(self, move: PathMove, left: float, following: PathMove, entered: float) -> _Piece:
        """Return the rounded corner between two moves: a parabola in joint space from one border of the sphere to the other."""
        points = corner_points(move.joints_at(left), move.joints_at(1.0), following.joints_at(entered))
        places = np.array([self._tool(tuple(point)) for point in points])
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        length = float(steps.sum())
        # By the path of the tool, not by the parameter of the parabola: its speed must not jump at the borders.
        shares = np.concatenate([[0.0], np.cumsum(steps)]) / max(length, SHORTEST)
        sides = [(one, max(self._travel(one, share), PROBE)) for one, share in ((move, left), (following, entered))]
        acceleration = min(one.acceleration * travel for one, travel in sides)
        slowest = min(one.speed * travel for one, travel in sides)
        return _Piece(lambda share: _at_share(points, shares, share), length, math.inf, acceleration, slowest=slowest)

    def _travel(self, move: PathMove, share: float) -> float:
        """Return the meters of the tool per unit of a move's length at a share of it."""
        low, high = max(0.0, share - PROBE), min(1.0, share + PROBE)
        meters = float(np.linalg.norm(self._tool(move.joints_at(high)) - self._tool(move.joints_at(low))))
        return meters / max((high - low) * move.length, SHORTEST)


def corner_points(first: JointVector, waypoint: JointVector, last: JointVector) -> NDArray[np.float64]:
    """Return the joints along a rounded corner; shape (CORNER_POINTS + 1, 6).

    Args:
        first: Joints at the begin of the corner, radians.
        waypoint: Joints at the corner, which the arm passes by.
        last: Joints at the end of the corner.
    """
    share = np.linspace(0.0, 1.0, CORNER_POINTS + 1)[:, None]
    one, two, three = (np.array(joints, float) for joints in (first, waypoint, last))
    result: NDArray[np.float64] = (1.0 - share) ** 2 * one + 2.0 * share * (1.0 - share) * two + share**2 * three
    return result


def _at_share(points: NDArray[np.float64], shares: NDArray[np.float64], share: float) -> JointVector:
    """Return the joints at a share of the tool's path; `shares` are those of the points."""
    low = min(max(int(np.searchsorted(shares, share)) - 1, 0), len(points) - 2)
    part = (share - shares[low]) / max(shares[low + 1] - shares[low], SHORTEST)
    return tuple(float(value) for value in points[low] + (points[low + 1] - points[low]) * max(0.0, min(part, 1.0)))


def _with_speeds(pieces: list[_Piece]) -> list[_Piece]:
    """Return the pieces with the highest speeds at their borders that speeds and accelerations allow.

    Borders are counted in m/s of the tool; the path begins and ends at rest, and the arm stops where no corner is rounded.
    """
    borders = [0.0] * (len(pieces) + 1)
    for index in range(1, len(pieces)):
        before, after = pieces[index - 1], pieces[index]
        if math.isinf(before.top) or math.isinf(after.top):
            borders[index] = min(before.top * before.last_travel, after.top * after.first_travel)
    for index in range(len(pieces) - 1, 0, -1):
        piece = pieces[index]
        ahead = borders[index + 1] / piece.last_travel if borders[index + 1] else 0.0
        borders[index] = min(borders[index], math.sqrt(ahead**2 + 2.0 * piece.acceleration * piece.length) * piece.first_travel)
    for index, piece in enumerate(pieces[:-1]):
        behind = borders[index] / piece.first_travel if borders[index] else 0.0
        possible = math.sqrt(behind**2 + 2.0 * piece.acceleration * piece.length) * piece.last_travel
        borders[index + 1] = min(borders[index + 1], possible)
    result = []
    for index, piece in enumerate(pieces):
        begin = borders[index] / piece.first_travel if borders[index] else 0.0
        end = borders[index + 1] / piece.last_travel if borders[index + 1] else 0.0
        top = (max(begin, end) or piece.slowest) if math.isinf(piece.top) else piece.top
        result.append(replace(piece, begin=begin, end=end, top=top))
    return result
