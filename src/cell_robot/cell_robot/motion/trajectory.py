"""Moves as timed joint waypoints, for a controller that only follows joints. No ROS, no sockets, no clock.

Straight lines of the tool come as joints along the line (`Cell.line`); the speed along the way rises, holds and falls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.path_check import seconds

SAMPLE_S = 0.08
"""Time from waypoint to waypoint; between them controllers run a cubic through place and speed."""
PROBE = 1e-4
"""Share of the way over which the direction is measured."""


@dataclass(frozen=True)
class Waypoint:
    """Where the joints are at a time."""

    time: float
    """Seconds from the begin."""
    joints: JointVector
    """rad."""
    speeds: JointVector
    """rad/s."""


def timed(path: Sequence[JointVector], way: float, speed: float, acceleration: float, limits: JointVector) -> list[Waypoint]:
    """Return waypoints from rest at the first stand to rest at the last one; the first stand itself is left out.

    Args:
        path: Stands, evenly spread over the way; at least two.
        way: Length of the way: metres, or radians of the joint that turns most.
        speed: Highest speed, in the unit of the way per second.
        acceleration: In the unit of the way.
        limits: Highest speed of each joint, rad/s; the whole move is slowed down to keep them.
    """
    stands = np.array(path)
    waypoints = _sampled(stands, way, speed, acceleration)
    excess = max(abs(value) / limit for point in waypoints for value, limit in zip(point.speeds, limits, strict=True))
    if excess <= 1.0:
        return waypoints
    return _sampled(stands, way, speed / excess, acceleration / excess**2)


def progress(time: float, way: float, speed: float, acceleration: float) -> tuple[float, float]:
    """Return how far along a way from rest to rest one is after `time` seconds, and how fast."""
    total = seconds(way, speed, acceleration)
    time = max(0.0, min(time, total))
    top = min(speed, math.sqrt(way * acceleration))
    rise = top / acceleration
    if time < rise:
        return acceleration * time * time / 2.0, acceleration * time
    if time <= total - rise:
        return top * (time - rise / 2.0), top
    left = total - time
    return way - acceleration * left * left / 2.0, acceleration * left


def _sampled(stands: NDArray[np.float64], way: float, speed: float, acceleration: float) -> list[Waypoint]:
    total = seconds(way, speed, acceleration)
    count = max(2, math.ceil(total / SAMPLE_S))
    result = []
    for number in range(1, count):
        time = total * number / count
        done, rate = progress(time, way, speed, acceleration)
        joints, direction = _along(stands, done / way)
        result.append(Waypoint(time, _tuple(joints), _tuple(direction * (rate / way))))
    return [*result, Waypoint(total, _tuple(stands[-1]), (0.0,) * stands.shape[1])]


def _along(stands: NDArray[np.float64], share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the joints at a share of the way, and their change per share."""
    low, high = max(0.0, share - PROBE), min(1.0, share + PROBE)
    return _stand(stands, share), (_stand(stands, high) - _stand(stands, low)) / (high - low)


def _stand(stands: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    place = share * (len(stands) - 1)
    low = min(int(place), len(stands) - 2)
    result: NDArray[np.float64] = stands[low] + (stands[low + 1] - stands[low]) * (place - low)
    return result


def _tuple(values: NDArray[np.float64]) -> JointVector:
    return tuple(float(value) for value in values)
