"""Agreement of our kinematics with the controller's: joints and tool pose of one data package describe the same arm.

Pure: no ROS, sockets, files or clock.

A wrong arm model, tool, mounting or calibration shows as a distance between the tool pose that the recipe's model computes
from the joints and the pose that the controller reports.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from cell_robot.motion.kinematics import ARMS, ArmModel, forward_kinematics
from cell_robot.motion.path_check import ArmCell
from cell_robot.motion.poses import Matrix, pose_distance, pose_to_matrix

MAX_M = 0.010
"""Calibration of a real arm moves the tool by a few millimeters at most."""
MAX_RAD = math.radians(2.0)
REMEDY = 'Nothing moves: correct `robot` and `tool` in the recipe'


def disagreement(cell: ArmCell, joints: Sequence[float], tool: Sequence[float], offset: Sequence[float] | None = None) -> str:
    """Return how the controller's tool pose contradicts the recipe, with the remedy; "" when both agree.

    Args:
        cell: Arm and tool of the recipe.
        joints: Joint angles of the package, radians.
        tool: Tool pose of the same package: meters and a rotation vector.
        offset: Tool center point set on the controller, as a pose from the flange; None where it is unknown.
    """
    theirs = pose_to_matrix(tool)
    if _agree(cell.tcp(joints), theirs):
        return ''
    if offset is not None and not flange_disagreement(cell, joints, tool, offset):
        away = _distance_text(cell.tool, pose_to_matrix(offset))
        return f"the tool center point on the controller is {away} away from the recipe's. {REMEDY}, or set it on the pendant"
    return _model_text(cell, joints, theirs, cell.tool)


def flange_disagreement(cell: ArmCell, joints: Sequence[float], tool: Sequence[float], offset: Sequence[float]) -> str:
    """Return how the controller's flange contradicts the recipe's arm model, with the remedy; "" when both agree.

    Args:
        cell: Arm and tool of the recipe.
        joints: Joint angles of the package, radians.
        tool: Tool pose of the same package.
        offset: Tool center point set on the controller, as a pose from the flange.
    """
    on_flange = pose_to_matrix(offset)
    theirs = pose_to_matrix(tool)
    if _agree(forward_kinematics(cell.arm, joints) @ on_flange, theirs):
        return ''
    return _model_text(cell, joints, theirs, on_flange)


def flange_distance(cell: ArmCell, joints: Sequence[float], tool: Sequence[float], offset: Sequence[float]) -> float:
    """Return the meters between the controller's flange and that of the recipe's arm model; arguments as above."""
    theirs = pose_to_matrix(tool) @ np.linalg.inv(pose_to_matrix(offset))
    return pose_distance(forward_kinematics(cell.arm, joints), theirs)[0]


def driver_disagreement(cell: ArmCell, joints: Sequence[float], tool: Sequence[float]) -> str:
    """Return how the tool pose of the official driver contradicts the recipe, with the remedy; "" when both agree.

    The driver does not say which tool center point is set on the controller, and its trajectories do not use it: the recipe's
    and none at all agree both.

    Args:
        cell: Arm and tool of the recipe.
        joints: Joint angles, radians; the arm stands still.
        tool: Tool pose by the driver: meters and a rotation vector, base frame of the controller.
    """
    theirs = pose_to_matrix(tool)
    if _agree(cell.tcp(joints), theirs) or _agree(forward_kinematics(cell.arm, joints), theirs):
        return ''
    bare = _model_text(cell, joints, theirs, np.eye(4))
    return bare if "the controller's arm is" in bare else _model_text(cell, joints, theirs, cell.tool)


def model_mismatch(arm: ArmModel, reported: str) -> str:
    """Return how the model that the dashboard reports contradicts the recipe; "" when it does not, or is unknown.

    Args:
        arm: Arm of the recipe.
        reported: Reply to `get robot model`, such as UR5, UR5e or UR8 Long; the e-Series leaves the e out.
    """
    # The e-Series answers "UR5" for a UR5e. A CB3 arm has other lengths and is not in ARMS.
    found = re.fullmatch(r'ur[\s_]*(\d+)[\s_]*(long)?e?', reported.strip().lower())
    number, long = (found[1], found[2] or '') if found else ('', '')
    known = ARMS.get(f'ur{number}{long}') or ARMS.get(f'ur{number}e')
    if known is None or (known.a, known.d) == (arm.a, arm.d):
        return ''
    return f'the controller drives a {reported.strip()}, the recipe says {arm.name}. {REMEDY}'


def _agree(ours: Matrix, theirs: Matrix) -> bool:
    meters, radians = pose_distance(ours, theirs)
    return meters <= MAX_M and radians <= MAX_RAD


def _model_text(cell: ArmCell, joints: Sequence[float], theirs: Matrix, on_flange: Matrix) -> str:
    """Return a message about the arm, which names the model that would fit, if one does."""
    away = _distance_text(forward_kinematics(cell.arm, joints) @ on_flange, theirs)
    fitting = [arm.name for arm in ARMS.values() if _agree(forward_kinematics(arm, joints) @ on_flange, theirs)]
    if fitting:
        return f"the controller's arm is a {' or '.join(fitting)}, the recipe says {cell.arm.name} ({away} apart). {REMEDY}"
    return (
        f"the tool pose of the controller is {away} away from the recipe's {cell.arm.name} with its tool: model, tool, "
        f'mounting or calibration differ. {REMEDY}'
    )


def _distance_text(one: Matrix, other: Matrix) -> str:
    meters, radians = pose_distance(one, other)
    return f'{1e3 * meters:.0f} mm and {math.degrees(radians):.1f} deg' if np.isfinite(meters) else 'not a number'
