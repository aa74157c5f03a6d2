"""Straight line of the flange as joints, inverted while the arm proceeds.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math

from cell_robot.motion import (
    ArmModel,
    JointVector,
    Matrix,
    forward_kinematics,
    interpolate,
    max_joint_difference,
    nearest_solution,
    pose_distance,
)

LIMIT = 2.0 * math.pi
"""Limit of every joint in both directions, radians."""
NODE_M, NODE_RAD = 0.01, 0.05
"""Distance between the points of a linear path that are inverted; joints are interpolated between them."""
JUMP_RAD = 0.6
"""A larger joint step between two points means a singularity."""


class MotionError(Exception):
    """The move is impossible; the text has the cause."""


class SingularityError(MotionError):
    """A linear move reached a singularity."""


class LinearPath:
    """Straight line of the flange, inverted point by point as the arm proceeds.

    As on the real arm, an impossible line is found while the arm moves along it, and not when it
    starts.
    """

    def __init__(self, arm: ArmModel, joints: JointVector, end: Matrix) -> None:
        """Plan a path.

        Args:
            arm: Kinematic model.
            joints: Start, radians.
            end: Flange pose, 4 x 4 homogeneous matrix in the base frame, meters.
        """
        self._arm, self._start, self._end = arm, forward_kinematics(arm, joints), end
        meters, radians = pose_distance(self._start, end)
        self._count = max(1, math.ceil(max(meters / NODE_M, radians / NODE_RAD)))
        self._nodes = [joints]

    def __call__(self, share: float) -> JointVector:
        """Return the joints at a share of the path.

        Args:
            share: 0..1; must not decrease by more than the path computed so far.

        Returns:
            Joint angles, radians, interpolated between inverted points at most 10 mm and 0.05 rad
            apart.

        Raises:
            SingularityError: The path reaches a singularity.
        """
        place = max(0.0, min(share, 1.0)) * self._count
        low = min(int(place), self._count - 1)
        while len(self._nodes) < low + 2:
            self._nodes.append(self._next(len(self._nodes) / self._count))
        return joints_between(self._nodes[low], self._nodes[low + 1], place - low)

    def _next(self, share: float) -> JointVector:
        last = self._nodes[-1]
        joints = nearest_solution(self._arm, interpolate(self._start, self._end, share), last, [(-LIMIT, LIMIT)] * 6)
        if joints is None or max_joint_difference(joints, last) > JUMP_RAD:
            raise SingularityError('The linear move reaches a singularity')
        return joints


def joints_between(first: JointVector, second: JointVector, share: float) -> JointVector:
    """Return joints at a share (0..1) of the path between two."""
    return tuple(one + (other - one) * share for one, other in zip(first, second, strict=True))
