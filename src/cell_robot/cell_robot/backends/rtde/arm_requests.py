"""Requests to the control process that execute steps of a plan.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from cell_robot.control_process.codec import BlendedMove, MoveJoints, MoveLine, MovePath
from cell_robot.motion.plan_steps import MoveStep


def move_request(step: MoveStep) -> MoveJoints | MoveLine:
    """Return the request of one move."""
    if step.pose is None:
        return MoveJoints(step.joints, step.speed, step.acceleration)
    return MoveLine(step.pose, step.speed, step.acceleration)


def path_request(steps: Sequence[MoveStep]) -> MovePath:
    """Return the request of moves with rounded corners between them."""

    def end(step: MoveStep) -> tuple[float, ...]:
        return step.joints if step.pose is None else step.pose

    return MovePath(
        tuple(BlendedMove(step.pose is not None, end(step), step.speed, step.acceleration, step.blend) for step in steps)
    )
