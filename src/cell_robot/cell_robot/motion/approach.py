"""Moves into a target and out of it: solved joints, the rounded corner before the approach, and the straight retreat.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.path_check import ArmCell, MoveError
from cell_robot.motion.poses import Matrix
from cell_robot.motion.recipe import ApproachTarget
from cell_robot.motion.timed_path import corner_points

BESIDE_M = 0.05
"""A tool within this distance of the axis of an approach, and below its start, leaves along the axis before any other move."""
LIFTED_M = 0.002
DEEP_M = 0.05
"""A tool this far below a target, against its own approach axis, is not in it."""
ROUNDED_SHARE = 0.7
"""Largest share of an approach that a corner may round: the rest is straight, inside the tray."""
SEARCH_STEPS = 12


@dataclass(frozen=True)
class SolvedTarget:
    """Joints of a target, as every plan uses them."""

    above: JointVector
    """At the start of the approach, radians."""
    at: JointVector
    """At the target."""
    blend: float
    """Radius of the rounded corner at the start of the approach, meters; 0 = the arm stops there."""


def solve_target(cell: ArmCell, camera: JointVector, target: ApproachTarget, blend: float) -> SolvedTarget:
    """Return the joints of a target and the radius of its corner, all moves checked.

    Args:
        cell: Arm, tool and limits.
        camera: Joints from which every target is reached, radians.
        target: Target.
        blend: Radius that the recipe allows, meters.

    Raises:
        MoveError: A move is not possible.
    """
    above = cell.solve(target.above, camera)
    cell.joint_move(camera, above)
    line = cell.linear_move(above, target.pose)
    radius = min(blend, ROUNDED_SHARE * target.approach)
    return SolvedTarget(above, line[-1], radius if radius > 0.0 and _corner_is_free(cell, camera, above, line, radius) else 0.0)


def _corner_is_free(cell: ArmCell, camera: JointVector, above: JointVector, line: Sequence[JointVector], radius: float) -> bool:
    """Return whether the rounded corner between the move from the camera and the line down stays within the motion limits."""
    center = cell.tcp(above)[:3, 3]
    span = np.array(camera) - np.array(above)
    if np.linalg.norm(cell.tcp(camera)[:3, 3] - center) < 2.0 * radius:
        return False  # a corner takes at most half of a move
    near, far = 0.0, 0.5
    for _ in range(SEARCH_STEPS):
        share = (near + far) / 2.0
        outside = np.linalg.norm(cell.tcp(tuple(np.array(above) + share * span))[:3, 3] - center) >= radius
        near, far = (near, share) if outside else (share, far)
    begin = tuple(float(value) for value in np.array(above) + far * span)
    end = next((joints for joints in line if np.linalg.norm(cell.tcp(joints)[:3, 3] - center) >= radius), line[-1])
    try:
        cell.check_path([tuple(map(float, point)) for point in corner_points(begin, above, end)])
    except MoveError:
        return False
    return True


class Retraction:
    """Straight retreats from all targets of a recipe."""

    def __init__(self, targets: Sequence[ApproachTarget]) -> None:
        self._poses = np.array([target.pose[:3, 3] for target in targets]).reshape(-1, 3)
        self._axes = np.array([target.axis for target in targets]).reshape(-1, 3)
        self._lengths = np.array([target.approach for target in targets])
        self._along_tool = np.array([target.along_tool for target in targets], bool)

    def end(self, tool: Matrix) -> Matrix | None:
        """Return the tool pose at the end of the retreat; None when the tool is in no target.

        Straight above a target everything below the start of its approach counts; against the tool's own axis only the
        approach itself.

        Args:
            tool: Tool pose, wherever the arm was stopped.
        """
        offset = tool[:3, 3] - self._poses
        depth = (offset * self._axes).sum(axis=1)
        beside = np.linalg.norm(offset - depth[:, None] * self._axes, axis=1)
        inside = (beside <= BESIDE_M) & (~self._along_tool | (depth > -DEEP_M))
        left = np.where(inside, self._lengths - depth, -np.inf)
        # Straight up first: a tray is left over its rim, whatever else is near.
        for kind in (~self._along_tool, self._along_tool):
            chosen = np.where(kind, left, -np.inf)
            if len(chosen) and (index := int(np.argmax(chosen))) >= 0 and chosen[index] > LIFTED_M:
                end = tool.copy()
                end[:3, 3] += chosen[index] * self._axes[index]
                return end
        return None
