"""Joint trajectories: validation of goals, and interpolation between waypoints.

Source: ros2_controllers, user documentation of joint_trajectory_controller ("Trajectory Representation" and the parameters
`allow_partial_joints_goal` and `allow_nonzero_velocity_at_trajectory_end`, both false): linear between waypoints with
positions only, cubic if both have velocities.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# A defect of a client must not fill the memory.
MAX_POINTS = 100_000


class TrajectoryError(ValueError):
    """The trajectory is rejected; the text has the cause."""


@dataclass(frozen=True)
class TrajectoryPoint:
    """One waypoint.

    Attributes:
        time: Seconds from the start.
        joints: Radians, in the order of the controller.
        speeds: rad/s; () = not given.
    """

    time: float
    joints: tuple[float, ...]
    speeds: tuple[float, ...] = ()


class Trajectory:
    """Accepted trajectory, starting at the current joints."""

    def __init__(self, start: Sequence[float], points: Sequence[TrajectoryPoint]) -> None:
        """Validate the waypoints.

        Args:
            start: Current joints, radians.
            points: Waypoints with the joints in the order of `start`.

        Raises:
            TrajectoryError: The waypoints are invalid.
        """
        _check(points, len(start))
        self._points = [TrajectoryPoint(0.0, tuple(start), (0.0,) * len(start)), *points]

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return self._points[-1].time

    @property
    def end(self) -> tuple[float, ...]:
        """Final joints."""
        return self._points[-1].joints

    def at(self, time: float) -> tuple[float, ...]:
        """Return the joints at a time after the start.

        Args:
            time: Seconds, not negative; after the end the final joints are returned.
        """
        if time >= self.duration:
            return self.end
        index = next(number for number, point in enumerate(self._points) if point.time > time)
        before, after = self._points[index - 1], self._points[index]
        span = after.time - before.time
        share = (time - before.time) / span
        if before.speeds and after.speeds:
            return tuple(
                _cubic(share, span, *values)
                for values in zip(before.joints, after.joints, before.speeds, after.speeds, strict=True)
            )
        return tuple(one + (other - one) * share for one, other in zip(before.joints, after.joints, strict=True))


def joint_order(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return the index in `names` of each known joint.

    Args:
        names: Joint names of a goal, in its order.
        known: Joint names of the controller; all of them are required, because partial goals are
            not allowed.

    Raises:
        TrajectoryError: A joint is missing, unknown or repeated.
    """
    if sorted(names) != sorted(known):
        raise TrajectoryError(f'the joints {", ".join(names) or "(none)"} are not those of the controller')
    return [list(names).index(name) for name in known]


def _check(points: Sequence[TrajectoryPoint], joints: int) -> None:
    if not 0 < len(points) <= MAX_POINTS:
        raise TrajectoryError(f'the trajectory has {len(points)} points')
    last = 0.0
    for number, point in enumerate(points):
        if len(point.joints) != joints or len(point.speeds) not in (0, joints):
            raise TrajectoryError(f'point {number} has the wrong number of values')
        if not all(map(math.isfinite, (*point.joints, *point.speeds, point.time))):
            raise TrajectoryError(f'point {number} has a value that is not a finite number')
        # The first waypoint may be at time 0: it then replaces the current position.
        if point.time <= last and not (number == 0 and point.time == 0.0):
            raise TrajectoryError(f'the time of point {number} is not later than that of the previous point')
        last = point.time
    if any(points[-1].speeds):
        raise TrajectoryError('the trajectory does not end at rest')


def _cubic(share: float, span: float, start: float, end: float, start_speed: float, end_speed: float) -> float:
    """Return the cubic Hermite spline at a share of a segment; `span` in seconds."""
    squared, cubed = share * share, share**3
    return (
        (2 * cubed - 3 * squared + 1) * start
        + (cubed - 2 * squared + share) * span * start_speed
        + (3 * squared - 2 * cubed) * end
        + (cubed - squared) * span * end_speed
    )
