"""Moves as timed joint waypoints, for a controller that only follows joint trajectories.

Pure: no ROS, sockets, files or clock.

Straight lines come as joints along the line (`ArmCell.linear_move`). The speed profile along the path is trapezoidal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cell_robot.motion.kinematics import JointVector, max_joint_difference
from cell_robot.motion.path_check import ArmCell, move_duration
from cell_robot.motion.poses import pose_distance, pose_to_matrix
from cell_robot.motion.timed_path import PathMove, TimedPath

SAMPLE_S = 0.08
"""Time between waypoints; controllers interpolate positions and speeds with a cubic."""
PROBE = 1e-4
"""Share of the path over which its direction is measured."""
PROBE_S = 0.002


@dataclass(frozen=True)
class TimedWaypoint:
    """Joint positions and speeds at one time."""

    time: float
    """Seconds from the start."""
    joints: JointVector
    """rad."""
    speeds: JointVector
    """rad/s."""


def time_path(
    path: Sequence[JointVector], length: float, speed: float, acceleration: float, limits: JointVector
) -> list[TimedWaypoint]:
    """Return waypoints from rest at the first point to rest at the last one; the first point is left out.

    A path that is too fast for a joint is timed again, as a whole and with its shape unchanged.

    Args:
        path: Joint vectors at equal distances along the path; at least two.
        length: Length of the path: meters, or radians of the joint that turns most.
        speed: Maximum speed, in the unit of the length per second.
        acceleration: In the unit of the length.
        limits: Maximum speed of each joint, rad/s; the whole move is slowed down to keep them.
    """
    points = np.array(path)
    waypoints = _sample(points, length, speed, acceleration)
    excess = max(abs(value) / limit for point in waypoints for value, limit in zip(point.speeds, limits, strict=True))
    if excess <= 1.0:
        return waypoints
    # Slower in time by the factor `excess`: speeds scale with 1/excess, accelerations with its square.
    return _sample(points, length, speed / excess, acceleration / excess**2)


class BlendedMoveLike(Protocol):
    """A move of a path, as `control_process.codec.BlendedMove`."""

    @property
    def line(self) -> bool:
        """A straight line of the tool; otherwise a joint move."""

    @property
    def end(self) -> Sequence[float]:
        """Tool pose of a line, joints of a joint move."""

    @property
    def speed(self) -> float:
        """m/s, or rad/s of the leading joint."""

    @property
    def acceleration(self) -> float:
        """In the same unit per second."""

    @property
    def blend(self) -> float:
        """Radius of the rounded corner, meters."""


def blend_path(cell: ArmCell, start: JointVector, moves: Sequence[BlendedMoveLike], limits: JointVector) -> list[TimedWaypoint]:
    """Return waypoints of several moves with rounded corners, from rest to rest; the first point is left out.

    Args:
        cell: Arm and tool.
        start: Joints at the start, radians.
        moves: Each begins where the one before ends.
        limits: Maximum speed of each joint, rad/s; the whole path is slowed down to keep them.

    Raises:
        MoveError: A straight line is not possible.
    """
    parts, begin = [], start
    for move in moves:
        points = np.array(cell.linear_move(begin, pose_to_matrix(move.end)) if move.line else [begin, tuple(move.end)])
        end = _to_tuple(points[-1])
        length = pose_distance(cell.tcp(begin), cell.tcp(end))[0] if move.line else max_joint_difference(begin, end)
        parts.append(PathMove(_along(points), length, move.speed, move.acceleration, move.blend))
        begin = end
    path = TimedPath(parts, lambda joints: cell.tcp(joints)[:3, 3])
    count = max(2, math.ceil(path.duration / SAMPLE_S))
    times = [path.duration * number / count for number in range(1, count + 1)]
    waypoints = [TimedWaypoint(time, path.joints(time), _speeds(path, time)) for time in times[:-1]]
    excess = max(
        (abs(value) / limit for point in waypoints for value, limit in zip(point.speeds, limits, strict=True)), default=1.0
    )
    slower = max(1.0, excess)
    return [
        *(
            TimedWaypoint(point.time * slower, point.joints, tuple(value / slower for value in point.speeds))
            for point in waypoints
        ),
        TimedWaypoint(path.duration * slower, begin, (0.0,) * len(begin)),
    ]


def _along(points: NDArray[np.float64]) -> Callable[[float], JointVector]:
    return lambda share: _to_tuple(_joints_at(points, max(0.0, min(share, 1.0))))


def _speeds(path: TimedPath, time: float) -> JointVector:
    """Return the joint speeds of a path at a time, rad/s."""
    low, high = np.array(path.joints(time - PROBE_S)), np.array(path.joints(time + PROBE_S))
    return _to_tuple((high - low) / (2.0 * PROBE_S))


def profile_at(time: float, length: float, speed: float, acceleration: float) -> tuple[float, float]:
    """Return distance and speed `time` seconds after the start of a move from rest to rest.

    Args:
        time: Seconds; clipped to the duration of the move.
        length: Length of the move, positive.
        speed: Maximum speed; not reached on a short move.
        acceleration: Of the ramps.
    """
    total = move_duration(length, speed, acceleration)
    time = max(0.0, min(time, total))
    top = min(speed, math.sqrt(length * acceleration))
    rise = top / acceleration
    if time < rise:
        return acceleration * time * time / 2.0, acceleration * time
    if time <= total - rise:
        return top * (time - rise / 2.0), top
    left = total - time
    return length - acceleration * left * left / 2.0, acceleration * left


def _sample(points: NDArray[np.float64], length: float, speed: float, acceleration: float) -> list[TimedWaypoint]:
    """Return waypoints at equal times, at most SAMPLE_S apart; `points` has the shape (points, joints)."""
    total = move_duration(length, speed, acceleration)
    count = max(2, math.ceil(total / SAMPLE_S))
    result = []
    for number in range(1, count):
        time = total * number / count
        done, rate = profile_at(time, length, speed, acceleration)
        joints, direction = _interpolate(points, done / length)
        result.append(TimedWaypoint(time, _to_tuple(joints), _to_tuple(direction * (rate / length))))
    return [*result, TimedWaypoint(total, _to_tuple(points[-1]), (0.0,) * points.shape[1])]


def _interpolate(points: NDArray[np.float64], share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the joints at a share (0..1) of the path, and their change per share."""
    low, high = max(0.0, share - PROBE), min(1.0, share + PROBE)
    return _joints_at(points, share), (_joints_at(points, high) - _joints_at(points, low)) / (high - low)


def _joints_at(points: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    index = share * (len(points) - 1)
    low = min(int(index), len(points) - 2)
    result: NDArray[np.float64] = points[low] + (points[low + 1] - points[low]) * (index - low)
    return result


def _to_tuple(values: NDArray[np.float64]) -> JointVector:
    return tuple(float(value) for value in values)
