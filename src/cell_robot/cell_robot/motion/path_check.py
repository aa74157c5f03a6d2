"""Checks of moves before the arm gets any command: reach, limits, singularities and duration.

Pure: no ROS, sockets, files or clock.

Moves are sampled: straight lines every STEP_M, joint moves every STEP_RAD. The tool center point and the flange are checked
against the box here; `link_limits` checks the other links.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cell_robot.motion.kinematics import (
    ArmModel,
    JointVector,
    forward_kinematics,
    max_joint_difference,
    near_singularity,
    nearest_solution,
)
from cell_robot.motion.link_limits import LinkLimitError, LinkLimits, densify, link_capsules
from cell_robot.motion.poses import Matrix, interpolate, pose_distance

STEP_M = 0.01
STEP_RAD = math.radians(5.0)
JUMP_RAD = math.radians(30.0)
"""A larger joint step between two points of a straight line means that the arm would have to change its configuration."""
LATE_FACTOR = 1.5
LATE_S = 2.0
# The range of each joint of a UR arm without limits of the installation.
FULL_TURN_RANGE = (-2.0 * math.pi, 2.0 * math.pi)


class MoveError(ValueError):
    """A move is impossible or not allowed; the text gives the reason."""


@dataclass(frozen=True)
class WorkspaceLimits:
    """Box and joint ranges that the arm must stay in."""

    low: tuple[float, float, float]
    """Corner of the box for the tool center point and the flange, meters, base frame."""
    high: tuple[float, float, float]
    joints: tuple[tuple[float, float], ...] = field(default=(FULL_TURN_RANGE,) * 6)
    """Lowest and highest angle of each joint, radians."""


@dataclass(frozen=True)
class ArmCell:
    """An arm with its tool and its limits in one cell."""

    arm: ArmModel
    tool: Matrix
    """Transform from the flange to the tool center point."""
    limits: WorkspaceLimits
    link_limits: LinkLimits | None = None
    """Space of all links; None = only tool center point and flange are checked."""

    def tcp(self, joints: Sequence[float]) -> Matrix:
        """Return the transform from the base to the tool center point."""
        return forward_kinematics(self.arm, joints) @ self.tool

    def solve(self, tcp: Matrix, near: Sequence[float]) -> JointVector:
        """Return the joints that reach a tool pose and turn least from `near`.

        Args:
            tcp: Transform from the base to the tool center point.
            near: Joint angles before the move, radians.

        Raises:
            MoveError: The pose is out of reach or outside the limits.
        """
        flange = tcp @ np.linalg.inv(self.tool)
        joints = nearest_solution(self.arm, flange, near, self.limits.joints)
        if joints is None:
            raise MoveError(f'{_position_text(tcp)} is out of reach within the joint limits')
        self.check(joints)
        return joints

    def check(self, joints: Sequence[float]) -> None:
        """Check one joint vector.

        Raises:
            MoveError: A joint is beyond its limits, or the tool or flange is outside the box.
        """
        for number, (angle, (low, high)) in enumerate(zip(joints, self.limits.joints, strict=True), 1):
            if not low <= angle <= high:
                raise MoveError(
                    f'joint {number} at {math.degrees(angle):.1f} deg is outside {math.degrees(low):.0f} to '
                    f'{math.degrees(high):.0f} deg'
                )
        flange = forward_kinematics(self.arm, joints)
        # The flange, too: a long tool may be inside the box while the wrist is in the wall.
        for name, frame in (('tool', flange @ self.tool), ('flange', flange)):
            if not self._is_inside(frame):
                raise MoveError(f'the {name} at {_position_text(frame)} is outside the workspace')

    def linear_move(self, start: Sequence[float], end: Matrix) -> list[JointVector]:
        """Return the joints along a straight line of the tool, start and end included.

        Args:
            start: Joint angles at the start, radians.
            end: Transform from the base to the tool center point at the end.

        Raises:
            MoveError: The line leaves the reach or the limits, or passes a singularity.
        """
        result = [tuple(start)]
        self.check(start)
        for point in _sample_line(self.tcp(start), end):
            # From point to point the nearest solution: the arm keeps its configuration.
            joints = self.solve(point, result[-1])
            # The controller would follow the line with another configuration, or stop in the middle of it.
            if max_joint_difference(joints, result[-1]) > JUMP_RAD:
                raise MoveError(f'the arm would fold over at {_position_text(point)}')
            if singularity := near_singularity(self.arm, joints):
                raise MoveError(f'the straight line passes a singularity at {_position_text(point)}: {singularity}')
            result.append(joints)
        self._check_links(result)
        return result

    def joint_move(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Check a move that interpolates all joints linearly; both joint vectors in radians.

        Args:
            start: Six angles, radians.
            end: Six angles, radians.

        Raises:
            MoveError: The tool leaves the box on its path, or a joint exceeds its limits.
        """
        self.check(start)
        self.check(end)  # between two allowed angles every angle is allowed
        path = densify(np.array([start, end], float))
        *_, flange, tool = np.moveaxis(link_capsules(self.arm, self.tool, path, 0.0)[:, :, 1], 1, 0)
        limits = self.limits
        for name, points in (('tool', tool), ('flange', flange)):
            outside = ((points < limits.low) | (points > limits.high)).any(axis=1)
            if outside.any():
                raise MoveError(f'the {name} at {_point_text(points[int(np.argmax(outside))])} is outside the workspace')
        self._check_links([tuple(start), tuple(end)])

    def check_path(self, path: Sequence[JointVector]) -> None:
        """Check joint vectors along a path, close to each other.

        Raises:
            MoveError: A joint, the tool, the flange or a link leaves its limits.
        """
        for joints in path:
            self.check(joints)
        self._check_links(path)

    def tool_travel(self, start: Sequence[float], end: Sequence[float], step_rad: float = STEP_RAD) -> float:
        """Return the meters of the tool per radian of the leading joint where a joint move is fastest; 0 for no move.

        Args:
            start: Joint angles at the start, radians.
            end: Joint angles at the end.
            step_rad: Radians of the leading joint over which the travel is measured.
        """
        length = max_joint_difference(start, end)
        steps = max(1, math.ceil(length / step_rad))
        points = np.array(
            [
                self.tcp([one + step / steps * (other - one) for one, other in zip(start, end, strict=True)])[:3, 3]
                for step in range(steps + 1)
            ]
        )
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).max() * steps / length) if length > 0.0 else 0.0

    def _check_links(self, path: Sequence[JointVector]) -> None:
        """Check the whole arm along a path of joint vectors; without limits of the links in the recipe nothing is checked.

        Raises:
            MoveError: A link exceeds its limits; names link, place and obstacle.
        """
        if self.link_limits is None:
            return
        try:
            self.link_limits.check(self.arm, self.tool, path)
        except LinkLimitError as error:
            raise MoveError(str(error)) from error

    def _is_inside(self, frame: Matrix) -> bool:
        limits = self.limits
        return all(low <= value <= high for low, value, high in zip(limits.low, frame[:3, 3], limits.high, strict=True))


def move_duration(length: float, speed: float, acceleration: float) -> float:
    """Return the seconds of a move from rest to rest with a trapezoidal speed profile.

    Args:
        length: Meters or radians; the sign is ignored.
        speed: Cruise speed in the same unit per second.
        acceleration: In the same unit per second squared.
    """
    length = abs(length)
    if length < speed * speed / acceleration:
        return 2.0 * math.sqrt(length / acceleration)
    return length / speed + speed / acceleration


def move_deadline(length: float, speed: float, acceleration: float, scaling: float = 1.0) -> float:
    """Return the seconds after which a move counts as stuck.

    LATE_FACTOR and LATE_S leave room for the controller's own ramps and for blending of speeds near limits.

    Args:
        length: Meters or radians.
        speed: Cruise speed in the same unit per second.
        acceleration: In the same unit per second squared.
        scaling: Speed slider, above 0 and at most 1.
    """
    return move_duration(length, speed * scaling, acceleration) * LATE_FACTOR + LATE_S


def _sample_line(start: Matrix, end: Matrix) -> Iterator[Matrix]:
    """Yield points after `start`, at most STEP_M and STEP_RAD apart."""
    meters, radians = pose_distance(start, end)
    steps = max(1, math.ceil(meters / STEP_M), math.ceil(radians / STEP_RAD))
    return (interpolate(start, end, step / steps) for step in range(1, steps + 1))


def _position_text(transform: Matrix) -> str:
    return _point_text(transform[:3, 3])


def _point_text(point: Sequence[float] | NDArray[np.float64]) -> str:
    x, y, z = (1000.0 * value for value in point)
    return f'({x:.0f}, {y:.0f}, {z:.0f}) mm'
