"""Triggers that a safeguard has interrupted: whether their rest may be executed, and from where.

The arm was released, so nothing moves when the safeguard closes. Until the rest is executed, every data package is compared
with the first one after the stop: an arm, gripper or sensor that changes leaves the trigger in doubt. Runs in the
backend's event loop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cell_common.error_code import ErrorCode

from cell_robot import recovery
from cell_robot.backends.rtde.arm import RtdeArm
from cell_robot.backends.rtde.control_program import SETTLE_S
from cell_robot.backends.rtde.steps import SafeguardError, StepError
from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase
from cell_robot.motion.continuation import DoubtError, PlanProgress, continue_plan, first_remaining
from cell_robot.motion.path_check import ArmCell
from cell_robot.motion.plan import GripperContent, GripStep, Planner, PlanStep
from cell_robot.robot_modes import RuntimeState

CONTINUE = 'Close and reset the safeguard, then press Continue.'


@dataclass(frozen=True)
class Interruption:
    """A trigger that was stopped during its moves, with the certain place in its plan."""

    command: TriggerCommand
    progress: PlanProgress
    content: GripperContent
    """Content of the gripper before the trigger."""


class InterruptedTrigger:
    """Holds the interrupted trigger of one arm, if there is one.

    At most one is kept: the next trigger, a recovery or a change at the arm ends it.
    """

    def __init__(self, arm: RtdeArm, planner: Planner, cell: ArmCell) -> None:
        self._arm, self._planner, self._cell = arm, planner, cell
        self._kept: Interruption | None = None

    @property
    def message(self) -> str:
        """What the operator should do about the interrupted trigger, "" when there is none."""
        if self._kept is None or self._arm.change:
            return ''
        return f'{self._kept.command.event} was interrupted by the safeguard. {CONTINUE}'

    async def keep(self, command: TriggerCommand, content: GripperContent, error: StepError) -> TriggerOutcome | None:
        """Keep a trigger that has failed, and return its outcome; None when it is unknown how far it got.

        Args:
            command: The trigger.
            content: Content of the gripper before it.
            error: Reason of its end.

        Returns:
            None unless a safeguard stop interrupted it, its program has ended, and the evidence leaves no doubt. A doubt is
            appended to
            the message of `error`.
        """
        self.forget()
        arm, progress = self._arm, self._arm.progress
        if progress is None or not isinstance(error, SafeguardError):
            return None
        await arm.wait_released()
        settle = progress.step.seconds if isinstance(progress.step, GripStep) else 0.0
        await arm.wait_until(lambda _: arm.at_rest and arm.settled(progress), settle + SETTLE_S)
        try:
            if arm.latest is None or arm.latest.runtime != RuntimeState.STOPPED:
                raise DoubtError('the program on the robot has not ended')
            first_remaining(self._cell, progress, arm.observe_changes())
        except DoubtError as doubt:
            arm.forget_changes()
            error.args = (f'{str(error).rstrip(".")}; {doubt}',)
            return None
        self._kept = Interruption(command, progress, content)
        return interrupted(command, 'safeguard stop', CONTINUE)

    def forget(self) -> None:
        """Forget the trigger: another command decides about the arm."""
        self._kept = None
        self._arm.forget_changes()

    def renew(self, command: TriggerCommand) -> None:
        """Keep the interrupted trigger under the id of a command that could not continue it yet.

        The coordinator sends each attempt under a new id, and names the latest one when it tries again.
        """
        if self._kept is not None:
            self._kept = replace(self._kept, command=command)

    def find(self, command: TriggerCommand) -> Interruption | None:
        """Return the trigger that a command continues; None when it is not kept, or another event or tray.

        Args:
            command: Its `continues` names the interrupted trigger.
        """
        kept = self._kept
        if kept is None or kept.command.trigger_id != command.continues:
            return None
        return kept if (kept.command.event, kept.command.tray) == (command.event, command.tray) else None

    def steps(self, kept: Interruption) -> list[PlanStep]:
        """Return the rest of the plan from where the arm stands, all moves checked.

        Args:
            kept: Result of `find`.

        Raises:
            DoubtError: Arm or gripper have changed since the stop.
            ReachError: A move is not possible from here.
        """
        arm = self._arm
        if arm.change:
            raise DoubtError(arm.change)
        if arm.latest is None or not arm.at_rest or arm.latest.runtime not in (RuntimeState.STOPPED, RuntimeState.PLAYING):
            raise DoubtError('the arm does not stand still')
        return continue_plan(self._planner, self._cell, kept.progress, arm.evidence)

    def refusal(self, command: TriggerCommand) -> TriggerOutcome | None:
        """Return why the trigger cannot be continued yet, None when it can."""
        arm = self._arm
        message = arm.fault_message()
        if arm.latest is not None and arm.latest.safety in recovery.SAFEGUARDS:
            return interrupted(command, 'the safeguard is open', CONTINUE)
        if not message and arm.latest is not None and arm.latest.slider_at_zero:
            message = 'The speed slider on the pendant is at 0 %. Raise it.'
        return interrupted(command, message, 'Then press Continue.') if message else None


def interrupted(command: TriggerCommand, reason: str, remedy: str) -> TriggerOutcome:
    """Return the outcome of a trigger that can be continued.

    Args:
        command: The trigger.
        reason: Why it does not run now.
        remedy: What the operator should do.
    """
    message = f'{command.event} was interrupted: {reason.rstrip(".")}. {remedy}'
    return TriggerOutcome(TriggerPhase.INTERRUPTED, ErrorCode.ROBOT_STOPPED, message)


def in_doubt(command: TriggerCommand, reason: str) -> TriggerOutcome:
    """Return the outcome of a trigger that can no longer be continued; an operator resolves it.

    Args:
        command: The trigger.
        reason: What makes its place in the plan uncertain.
    """
    return TriggerOutcome(
        TriggerPhase.UNKNOWN,
        ErrorCode.ROBOT_OUTCOME_UNKNOWN,
        f'It is uncertain how far the robot got with {command.event}: {reason.rstrip(".")}. Look where the piece is, '
        'recover the robot, then answer at the job.',
    )
