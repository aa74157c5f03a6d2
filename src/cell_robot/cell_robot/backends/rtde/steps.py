"""What a step of the arm needs to know, and how it may end."""

from __future__ import annotations

from dataclasses import dataclass

from cell_interfaces.msg import ResultCode
from cell_robot.motion.kinematics import farthest
from cell_robot.motion.plan import Move
from cell_robot.motion.poses import distance, matrix
from cell_robot.protocols.rtde.view import View

ARRIVED_RAD, ARRIVED_M = 0.01, 0.002
STANDS_RAD = 2e-4
"""Joints that turn no further from one package to the next stand; what they may still turn is too little to be seen."""


class StepError(Exception):
    """A step did not end as it should; the text says why. Whether anything moved is not known unless it is said."""

    def __init__(self, text: str, code: int = ResultCode.ROBOT_OUTCOME_UNKNOWN) -> None:
        """Take the sentence for people and the code."""
        super().__init__(text)
        self.code = code


class NoPieceError(StepError):
    """The gripper closed on nothing."""


@dataclass(frozen=True)
class ArmOptions:
    """What a deployment chooses for the arm."""

    address: str
    frequency: float
    """Hz."""
    stale: float
    """Seconds."""
    watchdog: float
    """Hz."""


def arrived(step: Move, before: View | None, seen: View) -> bool:
    """Return whether the arm stands where a move should end; of straight moves the controller's own kinematics tells.

    The data may be a cycle older than the news that a move has ended; it then shows an arm on its last millimetres. Not every
    driver gives speeds, so two packages are held against each other.
    """
    if before is None or farthest(before.joints, seen.joints) > STANDS_RAD:
        return False
    if step.pose is None:
        return farthest(seen.joints, step.joints) < ARRIVED_RAD
    metres, radians = distance(matrix(seen.tool), matrix(step.pose))
    return metres < ARRIVED_M and radians < ARRIVED_RAD
