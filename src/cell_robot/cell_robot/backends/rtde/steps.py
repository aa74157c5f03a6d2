"""Settings of the arm, errors of its steps, and the check that it has arrived.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.error_code import ErrorCode

from cell_robot import recovery
from cell_robot.motion.kinematics import max_joint_difference
from cell_robot.motion.plan import MoveStep
from cell_robot.motion.poses import pose_distance, pose_to_matrix
from cell_robot.protocols.dashboard.codec import TIMEOUTS, DashboardTimeouts
from cell_robot.protocols.rtde.snapshot import RobotSnapshot

ARRIVED_RAD, ARRIVED_M = 0.01, 0.002
STANDSTILL_RAD = 2e-4
"""Maximum joint change between two packages of an arm that stands still."""


class StepError(Exception):
    """A step failed; the text gives the reason. The position of the arm is unknown unless the text says otherwise.

    Attributes:
        code: ResultCode for the outcome.
    """

    def __init__(self, text: str, code: ErrorCode = ErrorCode.ROBOT_OUTCOME_UNKNOWN) -> None:
        """Store the message for the operator and the code for programs."""
        super().__init__(text)
        self.code = code


class NotStartedError(StepError):
    """The first step failed before the arm did anything: nothing is unknown."""


class SafeguardError(StepError):
    """A safeguard was opened during the step."""


class NoPieceError(StepError):
    """The gripper closed without a piece."""


@dataclass(frozen=True)
class ArmOptions:
    """Settings of the arm and its data connection."""

    address: str
    frequency: float
    """Data packages per second."""
    stale: float
    """Age in seconds from which data is too old for a move."""
    watchdog: float
    """Minimum rate of the control process's watchdog signal, Hz."""
    dashboard: DashboardTimeouts = TIMEOUTS
    upper_registers: bool = False
    """Use ur_rtde's upper range of registers: a fieldbus owns the lower one."""
    gripper_address: str = ''
    """Address of a gripper with a socket of its own; "" = that of the robot."""
    has_dashboard: bool = True
    """False: the official driver runs without its dashboard client."""


def safety_error(safety: int) -> StepError:
    """Return the error of a step that the safety system has stopped."""
    kind = SafeguardError if safety in recovery.SAFEGUARDS else StepError
    return kind(recovery.stop_cause(safety), ErrorCode.ROBOT_STOPPED)


def has_arrived(step: MoveStep, before: RobotSnapshot | None, now: RobotSnapshot) -> bool:
    """Return whether the arm stands at the end of a move; linear moves use the controller's own kinematics.

    The data may be one cycle older than the report that a move has ended, and then shows the arm on its last millimeters.
    Not every driver reports speeds, so two packages are compared.

    Args:
        step: Executed move.
        before: Package before `now`, None when there is none.
        now: Newest package.
    """
    if before is None or max_joint_difference(before.joints, now.joints) > STANDSTILL_RAD:
        return False
    if step.pose is None:
        return max_joint_difference(now.joints, step.joints) < ARRIVED_RAD
    meters, radians = pose_distance(pose_to_matrix(now.tool), pose_to_matrix(step.pose))
    return meters < ARRIVED_M and radians < ARRIVED_RAD
