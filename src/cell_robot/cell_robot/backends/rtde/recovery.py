"""Recovery of a robot after a stop: executes the steps of `cell_robot.recovery`.

The order of the steps and their limits come from UR's user manual: a protective stop may be unlocked 5 s after it at the
earliest, and after an emergency stop come power on and brake release.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from cell_common.error_code import ErrorCode

from cell_robot import recovery
from cell_robot.backends.base import CommandResult, ProgressCallback
from cell_robot.backends.rtde.arm import RtdeArm
from cell_robot.backends.rtde.control_program import LATE_DATA_S
from cell_robot.backends.rtde.steps import StepError
from cell_robot.control_process.codec import ENDED
from cell_robot.motion.plan import Planner, ReachError
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.rtde.snapshot import RobotSnapshot
from cell_robot.recovery import ProtectiveStopCounter, RecoveryFacts, RecoveryStep
from cell_robot.robot_modes import RobotMode, RuntimeState, SafetyMode

CONNECT_TIMEOUT_S = 4.0
"""Time for a broken connection to come back."""
POWER_TIMEOUT_S, READY_TIMEOUT_S = 30.0, 10.0
"""Joints and brakes of a real arm take some seconds."""
UNLOCK_RETRY_S = 1.0
UNLOCK_TRIES = 3
GOAL_S = 0.3
"""Time for the data to show that the goal of a refused command is reached already."""


class RecoveryError(Exception):
    """A recovery step failed; the text gives the reason and the remedy."""


async def recover(arm: RtdeArm, planner: Planner, stops: ProtectiveStopCounter, on_step: ProgressCallback) -> CommandResult:
    """Recover a robot; the operator has confirmed that the area is clear.

    Args:
        arm: The arm; its hold is removed directly before the retraction.
        planner: Plans the retraction from wherever the arm stands.
        stops: Counts unlocked protective stops; too many in a window are refused.
        on_step: Called at the start of each step.

    Returns:
        OK with the arm at rest, or why the robot was not recovered. A failed recovery leaves the arm held.
    """
    # A release that still runs would stop the program that this recovery starts.
    await arm.wait_released()
    await arm.wait_until(lambda _: True, CONNECT_TIMEOUT_S)
    try:
        facts = await _gather_facts(arm, stops)
        if reason := recovery.refusal_reason(facts) or _pendant_only(arm, facts):
            return CommandResult(_refusal_code(facts), reason)
        sequence = _RecoverySequence(arm, planner, stops, facts)
        await sequence.run(on_step)
    except (DashboardError, StepError, ReachError, RecoveryError) as error:
        # Some steps remove the hold; whatever has failed, the arm must not take triggers now.
        arm.hold_reason = arm.hold_reason or 'a recovery failed'
        return CommandResult(ErrorCode.ROBOT_REFUSED, f'The robot was not recovered: {str(error).rstrip(".")}.')
    piece = ' The gripper holds a piece.' if arm.sensor else ''
    stopped = " A program that was not the cell's has been stopped." if sequence.foreign else ''
    return CommandResult(ErrorCode.OK, f'The robot is ready; nothing moves before the next command.{stopped}{piece}')


async def _gather_facts(arm: RtdeArm, stops: ProtectiveStopCounter) -> RecoveryFacts:
    """Return what decides whether and how the robot can be recovered; remote control is asked only if all else allows it."""
    latest = arm.latest
    if latest is None or not arm.fresh:
        return RecoveryFacts(False, SafetyMode.UNKNOWN, RobotMode.UNKNOWN, False, 0)
    left = stops.left(asyncio.get_running_loop().time())
    facts = RecoveryFacts(True, latest.safety, latest.mode, True, left)
    if recovery.refusal_reason(facts):
        return facts
    remote = await arm.remote_control()
    return RecoveryFacts(True, latest.safety, latest.mode, remote, left)


def _pendant_only(arm: RtdeArm, facts: RecoveryFacts) -> str:
    """Return why this recovery needs the pendant, "" when it does not."""
    if arm.has_dashboard or (facts.safety in recovery.FREE_TO_MOVE and facts.mode == RobotMode.RUNNING):
        return ''
    return 'The driver has no dashboard client. Clear the stop and switch the arm on at the pendant, then recover the robot.'


def _refusal_code(facts: RecoveryFacts) -> ErrorCode:
    """Return the result code of a refused recovery."""
    if not facts.fresh:
        return ErrorCode.ROBOT_NOT_CONNECTED
    return ErrorCode.ROBOT_STOPPED if facts.safety not in recovery.FREE_TO_MOVE else ErrorCode.ROBOT_REFUSED


class _RecoverySequence:
    """One running recovery."""

    def __init__(self, arm: RtdeArm, planner: Planner, stops: ProtectiveStopCounter, facts: RecoveryFacts) -> None:
        self._arm, self._planner, self._stops, self._facts = arm, planner, stops, facts
        self._loop = asyncio.get_running_loop()
        self.foreign = arm.foreign_program
        """The program that runs is not the cell's."""
        self._handlers: Mapping[RecoveryStep, Callable[[], Awaitable[None]]] = {
            RecoveryStep.WAIT: self._wait,
            RecoveryStep.POPUPS: self._close_popups,
            RecoveryStep.UNLOCK: self._unlock,
            RecoveryStep.POWER: self._power_on,
            RecoveryStep.BRAKES: self._release_brakes,
            RecoveryStep.READY: self._wait_ready,
            RecoveryStep.STOP: self._stop_program,
            RecoveryStep.UPLOAD: self._start_control,
            RecoveryStep.RETRACT: self._retract,
        }

    async def run(self, on_step: ProgressCallback) -> None:
        """Execute every step, in order.

        Raises:
            DashboardError: The dashboard refused a command.
            StepError: The arm did not retract.
            ReachError: The arm cannot retract from its position.
            RecoveryError: Another step failed.
        """
        steps = recovery.recovery_steps(self._facts)
        for number, step in enumerate(steps, 1):
            on_step(self._step_text(step), number, len(steps))
            if step in self._handlers:
                await self._handlers[step]()

    def _step_text(self, step: RecoveryStep) -> str:
        """Return the text of a step for the operator, with the cause of the stop in its first line."""
        if step is RecoveryStep.STOP and self.foreign:
            return "Stopping a program on the robot that is not the cell's."
        if step is not RecoveryStep.CAUSE:
            return f'{step.value}.'
        stopped = self._facts.safety not in recovery.FREE_TO_MOVE
        name = recovery.stop_name(self._facts.safety)
        reason = (name if stopped else self._arm.hold_reason) or 'none is known; the control program is restarted'
        return f'{step.value}: {reason.rstrip(".")}.'

    async def _wait(self) -> None:
        await asyncio.sleep(max(0.0, self._arm.stopped_at + recovery.UNLOCK_AFTER_S - self._loop.time()))

    async def _close_popups(self) -> None:
        with contextlib.suppress(DashboardError):  # nothing to close, or a driver without the command
            await self._arm.dashboard('close popup', 'close safety popup')

    async def _unlock(self) -> None:
        """Unlock with retries, because the controller's clock may be slightly behind ours."""
        # Counted before the attempt: a refused unlock is also one that an operator should look at.
        self._stops.add(self._loop.time())
        for left in reversed(range(UNLOCK_TRIES)):
            try:
                await self._arm.dashboard('unlock protective stop')
                break
            except DashboardError:
                if await self._arm.wait_until(lambda now: now.safety in recovery.FREE_TO_MOVE, GOAL_S):
                    return
                if not left:
                    raise
                await asyncio.sleep(UNLOCK_RETRY_S)

    async def _power_on(self) -> None:
        if self._facts.mode == RobotMode.POWER_OFF:
            await self._order('power on', lambda now: now.mode not in (RobotMode.POWER_OFF, RobotMode.POWER_ON))
        # The operator at the pendant may have released the brakes in the meantime.
        await self._wait_for_mode(RobotMode.IDLE, POWER_TIMEOUT_S, RobotMode.RUNNING)

    async def _release_brakes(self) -> None:
        await self._order('brake release', lambda now: now.mode == RobotMode.RUNNING)
        await self._wait_for_mode(RobotMode.RUNNING, POWER_TIMEOUT_S)

    async def _wait_ready(self) -> None:
        if not await self._arm.wait_until(lambda now: not recovery.not_movable_reason(now.safety, now.mode), READY_TIMEOUT_S):
            raise RecoveryError(self._arm.fault_message() or 'safety did not become NORMAL')

    async def _stop_program(self) -> None:
        await self._arm.close()
        if error := await self._arm.stop_program():
            raise RecoveryError(error)

    async def _start_control(self) -> None:
        if error := await self._arm.ensure_control(recovering=True):
            raise RecoveryError(error)

    async def _retract(self) -> None:
        """Move the arm back along its approach, with the hold removed for this move.

        After a failure the arm is held again: by `RtdeArm.run_steps`, or by `recover` if nothing could be planned.

        Raises:
            RecoveryError: The robot is not connected.
            StepError: The move failed.
            ReachError: The arm cannot move straight out of where it stands.
        """
        if self._arm.latest is None:
            raise RecoveryError(self._arm.disconnect_reason)
        self._require_program()
        # A held arm gets no moves, and the retraction is one.
        self._arm.hold_reason = ''
        await self._arm.run_steps([*self._planner.retract(self._arm.position)], lambda: None)
        await self._arm.wait_until(lambda now: now.runtime == RuntimeState.STOPPED, LATE_DATA_S)
        self._require_program()

    def _require_program(self) -> None:
        """Check that nobody has ended the program since its start: such a stop is not undone by this recovery.

        Raises:
            RecoveryError: It was ended.
        """
        if not self._arm.uses_program:
            raise RecoveryError(ENDED)

    async def _order(self, command: str, reached: Callable[[RobotSnapshot], bool]) -> None:
        """Send a command; a refusal counts for nothing when its goal is reached already, for example at the pendant."""
        try:
            await self._arm.dashboard(command)
        except DashboardError:
            if not await self._arm.wait_until(reached, GOAL_S):
                raise

    async def _wait_for_mode(self, mode: RobotMode, timeout_s: float, *beyond: RobotMode) -> None:
        """Wait for a mode of the arm, with a timeout in seconds; `beyond` are modes that can only follow it.

        Raises:
            RecoveryError: Timeout.
        """
        if not await self._arm.wait_until(lambda now: now.mode in (mode, *beyond), timeout_s):
            raise RecoveryError(f'the arm did not become {recovery.MODES[mode]} within {timeout_s:g} s. Look at the pendant')
