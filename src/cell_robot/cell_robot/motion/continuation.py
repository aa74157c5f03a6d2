"""Continuation of an interrupted plan: which part of a step was reached, and the steps that remain, checked again.

Pure: no ROS, sockets, files or clock.

Three facts decide: the place of the arm, the read-back of the gripper and its part sensor. If one of them is missing or does
not fit, the state of the step is in doubt and an operator decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cell_robot.motion.kinematics import JointVector, max_joint_difference
from cell_robot.motion.path_check import ArmCell, MoveError
from cell_robot.motion.plan import GripStep, MoveStep, Planner, PlanStep, ReachError
from cell_robot.motion.poses import Matrix, interpolate, pose_distance, pose_to_matrix

OFF_PATH_RAD = 0.02
"""An arm that brakes on a joint move stays closer to it; farther away it was pushed."""
OFF_LINE_M, OFF_LINE_RAD = 0.010, math.radians(2.0)
"""The same for a straight line; calibration moves the tool by some millimeters."""
MOVED_RAD = 0.005
"""A standing arm that differs by more was moved."""


class DoubtError(Exception):
    """It is uncertain which part of a step was reached; the text gives the reason."""


@dataclass(frozen=True)
class ArmEvidence:
    """Data about arm and gripper at one time."""

    joints: JointVector
    """rad."""
    closed: bool | None
    """Read-back of the gripper; None = unknown or in between."""
    holds: bool | None
    """Part sensor; None = no sensor, or no data."""


@dataclass(frozen=True)
class PlanProgress:
    """Place in a plan: the step that is being executed."""

    steps: tuple[PlanStep, ...]
    index: int
    before: ArmEvidence
    """At the start of this step."""
    count: int = 1
    """Number of steps that are executed as one: moves with rounded corners between them."""

    @property
    def step(self) -> PlanStep:
        """The step that is being executed."""
        return self.steps[self.index]


def first_remaining(cell: ArmCell, progress: PlanProgress, now: ArmEvidence) -> int:
    """Return the index of the first step that is not complete.

    Args:
        cell: Arm and tool.
        progress: Place in the plan when it was interrupted.
        now: Data of the arm, which stands still.

    Raises:
        DoubtError: The data does not show how far the step got.
    """
    before, step = progress.before, progress.step
    if now.holds is None or now.closed is None or before.holds is None or before.closed is None:
        raise DoubtError('the gripper does not report what it holds')
    if isinstance(step, MoveStep):
        if (now.closed, now.holds) != (before.closed, before.holds):
            raise DoubtError('the gripper has changed during the move')
        return progress.index + _reached_move(cell, progress, now.joints)
    if max_joint_difference(now.joints, before.joints) > MOVED_RAD:
        raise DoubtError('the arm has moved while the gripper worked')
    # The gripper has done its work although the step did not end.
    if (now.closed, now.holds) == (step.closed, step.holds):
        return progress.index + 1
    if (now.closed, now.holds) == (before.closed, before.holds):
        return progress.index
    raise DoubtError('the gripper is neither as before the step nor as after it')


def change_text(before: ArmEvidence, now: ArmEvidence) -> str:
    """Return how a standing arm has changed between two times, "" when it has not.

    Args:
        before: Evidence right after the stop.
        now: Current evidence.
    """
    if max_joint_difference(before.joints, now.joints) > MOVED_RAD:
        return 'the arm was moved'
    if before.closed != now.closed:
        return 'the gripper was switched'
    return 'the part sensor has changed' if before.holds != now.holds else ''


def continue_plan(planner: Planner, cell: ArmCell, progress: PlanProgress, now: ArmEvidence) -> list[PlanStep]:
    """Return the rest of an interrupted plan from where the arm stands; every move is checked again.

    Args:
        planner: Planner of the recipe.
        cell: Arm, tool and limits.
        progress: Place in the plan when it was interrupted.
        now: Data of the arm, which stands still.

    Raises:
        DoubtError: The data does not show how far the step got.
        ReachError: A move is not possible from here.
    """
    joints = now.joints
    result: list[PlanStep] = []
    try:
        for step in progress.steps[first_remaining(cell, progress, now) :]:
            if isinstance(step, GripStep):
                result.append(step)
                continue
            result += _move_again(planner, cell, step, joints)
            joints = step.joints
    except MoveError as error:
        raise ReachError(f'The move from here is not possible: {error}. Recover the robot, or move it by hand.') from error
    return result


def _move_again(planner: Planner, cell: ArmCell, step: MoveStep, start: JointVector) -> Sequence[PlanStep]:
    """Return the move to the end of a step from another start.

    Raises:
        MoveError: It is not possible.
    """
    if step.pose is None:
        return planner.joint_move(step.label, start, step.joints)
    cell.linear_move(start, pose_to_matrix(step.pose))
    meters, radians = pose_distance(cell.tcp(start), pose_to_matrix(step.pose))
    return [planner.linear_move(step.label, step.pose, step.joints, max(meters, radians), step.speed)]


def _reached_move(cell: ArmCell, progress: PlanProgress, now: JointVector) -> int:
    """Return which of the moves that are executed as one the arm has reached, from 0.

    In a rounded corner the arm is on neither of its two moves: the first one then ends at the corner, close by.

    Args:
        cell: Arm and tool.
        progress: Place in the plan; its step is a move.
        now: Joints of the standing arm, radians.

    Raises:
        DoubtError: The arm is on none of them.
    """
    start = progress.before.joints
    for number in range(progress.count):
        step = progress.steps[progress.index + number]
        assert isinstance(step, MoveStep)
        corner = float(np.linalg.norm(cell.tcp(step.joints)[:3, 3] - cell.tcp(now)[:3, 3]))
        in_corner = number + 1 < progress.count and corner <= step.blend
        if in_corner or _is_on_the_way(cell, step, start, now):
            return number
        start = step.joints
    step = progress.step
    raise DoubtError(f'the arm is not on its path {step.label if isinstance(step, MoveStep) else ""}')


def _is_on_the_way(cell: ArmCell, step: MoveStep, start: JointVector, now: JointVector) -> bool:
    """Return whether an arm stands on the path of a move, within the tolerances above.

    Args:
        cell: Arm and tool.
        step: The move.
        start: Joints at its start, radians.
        now: Joints of the standing arm, radians.
    """
    if step.pose is None:
        share = _share(np.array(start), np.array(step.joints), np.array(now))
        nearest = [one + share * (other - one) for one, other in zip(start, step.joints, strict=True)]
        return max_joint_difference(nearest, now) <= OFF_PATH_RAD
    first, last, tool = cell.tcp(start), cell.tcp(step.joints), cell.tcp(now)
    share = _share(first[:3, 3], last[:3, 3], tool[:3, 3])
    meters, radians = pose_distance(interpolate(first, last, share), tool)
    return meters <= OFF_LINE_M and radians <= OFF_LINE_RAD


def _share(first: Matrix, last: Matrix, point: Matrix) -> float:
    """Return where on a segment (0..1) a point is closest; vectors of one length."""
    line = last - first
    length = float(line @ line)
    return max(0.0, min(1.0, float((point - first) @ line) / length)) if length > 0.0 else 0.0
