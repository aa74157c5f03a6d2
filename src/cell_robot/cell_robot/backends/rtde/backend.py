"""Backend `rtde`: plans events from the recipe and executes them through ur_rtde in a separate process.

An event whose motion has started and whose end was not seen is unknown, and the arm is held: nothing moves again before an
operator has recovered the robot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cell_common.background import AsyncioThread
from cell_common.error_code import ErrorCode
from cell_common.runner import StartError

from cell_robot.backends.base import Backend, CommandResult, JointPositions, LinkState, Logger, PreflightCheck, ProgressCallback
from cell_robot.backends.rtde.arm import RtdeArm
from cell_robot.backends.rtde.control_program import SLIDER_AT_ZERO
from cell_robot.backends.rtde.interruption import InterruptedTrigger, in_doubt, interrupted
from cell_robot.backends.rtde.preflight import plan_refusal, preflight
from cell_robot.backends.rtde.recovery import recover
from cell_robot.backends.rtde.setup import ArmSetup, make_setup
from cell_robot.backends.rtde.steps import NoPieceError, NotStartedError, StepError
from cell_robot.backends.rtde.teaching import FREEDRIVE_ON, RtdeTeaching
from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase, not_sent
from cell_robot.clients.rtde import RtdeReceiver
from cell_robot.motion.continuation import DoubtError
from cell_robot.motion.kinematics import JOINTS
from cell_robot.motion.plan import (
    MOVE,
    PART,
    GripperContent,
    PlanError,
    Planner,
    PlanStep,
    ReachError,
)
from cell_robot.motion.plan_steps import untaught_text
from cell_robot.motion.recipe import CellRecipe
from cell_robot.parameters import RobotParameters
from cell_robot.protocols.rtde.snapshot import ANALOG_NAMES, OPTIONAL_NAMES, OUTPUT_NAMES
from cell_robot.protocols.rtde.software import unsupported_version
from cell_robot.recovery import hold_text

if TYPE_CHECKING:
    from rclpy.node import Node

START_TIMEOUT_S = 1.0
CLOSE_TIMEOUT_S = 5.0
LEDGER_WAIT_S = 1.0
"""Maximum delay of the ledger entry of the previous piece after the next event."""
LEDGER_POLL_S = 0.01
OLD_DATA_S = 0.1
"""Age of data from which the state carries a warning."""
CONTENT_AFTER = {
    'PLACE': GripperContent.NONE,
    'REJECT': GripperContent.NONE,
    'BENCHMARK': GripperContent.BENCHMARK,
}
"""Event -> content of the gripper after it."""


@dataclass
class _ActiveTrigger:
    command: TriggerCommand
    progress: Callable[[TriggerPhase], None]
    started: bool = False
    """The controller has accepted a move, or the gripper was switched."""
    empty_slot: str = ''
    """Message about an empty slot, after which the next one is tried; "" before."""

    def notify_started(self) -> None:
        """Report once that the robot is busy."""
        if not self.started:
            self.started = True
            self.progress(TriggerPhase.ACKNOWLEDGED)


class RtdeBackend(Backend):
    """Plans and executes the motion of the arm.

    Public methods may be called from any thread; they queue a coroutine in the event loop. `state` reads attributes that the
    loop replaces as a whole.
    """

    name = 'rtde'
    disconnected_advice = 'Switch the robot on; check the network cable.'
    continues_triggers = True

    def __init__(self, setup: ArmSetup) -> None:
        """Store the collaborators; `start` opens the connection."""
        self._setup = setup
        self._options, self._recipe, self._stock = setup.options, setup.recipe, setup.stock
        self._planner = Planner(setup.recipe)
        self._active: _ActiveTrigger | None = None
        self._recovering = False
        self._step_times = ''
        self._content = GripperContent.UNKNOWN
        self._picked_at_sequence = -1
        """Last known ledger entry when the last piece was picked."""
        self._on_change: Callable[[], None] = lambda: None

    def start(self, on_change: Callable[[], None]) -> None:
        """Connect to the robot."""
        self._on_change = on_change
        self._background = AsyncioThread(self.name)
        self._arm = self._background.run(self._make_arm(), START_TIMEOUT_S)
        self._interrupted = InterruptedTrigger(self._arm, self._planner, self._recipe.cell)
        self._teaching = RtdeTeaching(self._arm, self._recipe, self._background, self._teaching_refusal, self._use_recipe)
        self._background.submit(self._receive())

    def close(self) -> None:
        """End the control process and close the connection."""
        self._on_change = lambda: None
        if self._background.loop.is_closed():
            return
        self._background.run(self._arm.close(), CLOSE_TIMEOUT_S)
        self._background.close()

    def state(self) -> LinkState:
        """Return the current state."""
        arm, latest = self._arm, self._arm.latest
        if latest is None:
            return LinkState(message=arm.disconnect_reason)
        age = arm.age
        untaught = self._recipe.untaught
        blocked = self._hold_message() or arm.fault_message() or (untaught_text(untaught) if untaught else '')
        waits = SLIDER_AT_ZERO if latest.slider_at_zero and arm.uses_program else ''
        waits = FREEDRIVE_ON if self._teaching.freedrive else waits
        message = blocked or waits or (f'The data of the robot is {age:.2f} s old.' if age > OLD_DATA_S else '')
        return LinkState(
            connected=arm.fresh,
            peer=self._options.address,
            robot_mode=latest.mode,
            safety_mode=latest.safety,
            program_state=latest.program,
            speed_scaling=latest.scaling,
            data_age=max(0.0, age),
            message=message,
            blocked=bool(blocked),
            joints=JointPositions(JOINTS, latest.joints, latest.speeds) if arm.fresh else None,
            tool=latest.tool if arm.fresh else (),
            step_times=self._step_times,
        )

    def trigger(self, command: TriggerCommand, progress: Callable[[TriggerPhase], None]) -> Future[TriggerOutcome]:
        """Execute an event."""
        return self._background.submit(self._trigger(_ActiveTrigger(command, progress)))

    def stop(self) -> Future[CommandResult]:
        """Abort a running trigger; the arm is then held until it is recovered. Without one nothing is held."""
        return self._background.submit(self._stop())

    def recover(self, on_step: ProgressCallback) -> Future[CommandResult]:
        """Recover the robot."""
        return self._background.submit(self._recover(on_step))

    def preflight(self) -> Future[list[PreflightCheck]]:
        """Check data, remote control, safety, mode, hold, program and gripper."""
        return self._background.submit(self._preflight())

    @property
    def teaching(self) -> RtdeTeaching:
        """Teaching of the arm."""
        return self._teaching

    @property
    def control_pid(self) -> int:
        """Process id of the control process, 0 without one."""
        return self._arm.control_pid

    # The methods below run in the event loop's thread.

    async def _make_arm(self) -> RtdeArm:
        return RtdeArm(self._options, self._recipe, self._setup.log, self._notify)

    def _receive(self) -> Coroutine[None, None, None]:
        options, arm = self._options, self._arm
        vacuum = self._recipe.gripper.vacuum
        wanted = (*OPTIONAL_NAMES, *(ANALOG_NAMES if vacuum is not None and vacuum.analog_input is not None else ()))
        receiver = RtdeReceiver(options.address, options.frequency, OUTPUT_NAMES, arm, wanted, unsupported_version)
        arm.software = lambda: receiver.version
        self._background.submit(arm.gripper.run())
        return receiver.run()

    def _notify(self) -> None:
        self._on_change()

    def _hold_message(self) -> str:
        if message := self._interrupted.message:
            return message
        reason = self._arm.hold_reason
        return hold_text(reason) if reason else ''

    def _gripper_content(self) -> GripperContent:
        """Return the content of the gripper; the sensor takes precedence over the recorded one."""
        sensor = self._arm.sensor
        if sensor is None:
            return self._content
        if not sensor:
            return GripperContent.NONE
        return GripperContent.BENCHMARK if self._content is GripperContent.BENCHMARK else GripperContent.HELD

    async def _trigger(self, trigger: _ActiveTrigger) -> TriggerOutcome:
        if self._active is not None or self._recovering:
            return not_sent(ErrorCode.ROBOT_BUSY, 'The robot is busy. Wait for its end.')
        self._active = trigger
        try:
            return await (self._continue(trigger) if trigger.command.continues else self._plan_and_execute(trigger))
        finally:
            self._active = None
            self._on_change()

    async def _plan_and_execute(self, trigger: _ActiveTrigger) -> TriggerOutcome:
        """Check, plan, and only then move.

        Planned twice: first to refuse an impossible event before anything is started, then from where the arm stands once the
        program runs.
        """
        command, arm = trigger.command, self._arm
        if command.event.startswith(MOVE) and not self._setup.allow_moves:
            return not_sent(ErrorCode.NOT_SUPPORTED, 'Moves to named poses are only for the simulated robot.')
        await arm.wait_for_fresh()
        if refusal := self._refusal() or await self._remote_refusal() or self._refusal():
            return refusal
        try:
            await self._wait_for_ledger(command)
            self._plan(command)
            if message := await arm.ensure_control():
                return self._refusal() or not_sent(ErrorCode.NOT_READY, f'Nothing was sent. {message}')
            steps = self._plan(command)
        except PlanError as error:
            return plan_refusal(error)
        return self._refusal() or await self._execute(trigger, steps)

    async def _continue(self, trigger: _ActiveTrigger) -> TriggerOutcome:
        """Execute the rest of an interrupted trigger, from where the arm stands; the operator has asked for it."""
        command, arm, interrupted_trigger = trigger.command, self._arm, self._interrupted
        if (kept := interrupted_trigger.find(command)) is None:
            return in_doubt(command, 'its interruption is not known any more')
        await arm.wait_for_fresh()
        if refusal := interrupted_trigger.refusal(command):
            interrupted_trigger.renew(command)
            return refusal
        try:
            interrupted_trigger.steps(kept)
            if message := await arm.ensure_control(recovering=True):
                interrupted_trigger.renew(command)
                return interrupted(command, message, 'Then press Continue.')
            steps = interrupted_trigger.steps(kept)
        except (DoubtError, ReachError) as error:
            interrupted_trigger.forget()
            return in_doubt(command, str(error))
        interrupted_trigger.forget()
        arm.hold_reason = ''
        self._content = kept.content
        return await self._execute(trigger, steps)

    async def _execute(self, trigger: _ActiveTrigger, steps: list[PlanStep]) -> TriggerOutcome:
        """Execute a plan and keep the record of what the gripper holds."""
        command, arm = trigger.command, self._arm
        if not trigger.empty_slot:
            trigger.progress(TriggerPhase.SENT)
        # Until the plan has ended it is unknown what the gripper holds; a sensor, if there is one, still tells.
        before, self._content = self._content, GripperContent.UNKNOWN if steps else self._content
        if command.event.startswith(PART):
            self._picked_at_sequence = self._stock.sequence
        arm.expects_piece = arm.sensor is True and bool(steps)
        try:
            await arm.run_steps(steps, trigger.notify_started)
        except NoPieceError as error:
            self._content = GripperContent.NONE
            return await self._try_next_slot(trigger, str(error))
        except NotStartedError as error:
            self._content = before
            return not_sent(ErrorCode.ROBOT_STOPPED, f'Nothing moved: {hold_text(str(error))}')
        except StepError as error:
            return await self._interrupted.keep(command, before, error) or self._unknown_outcome(trigger, error)
        trigger.notify_started()
        self._record_times(command.event)
        after = GripperContent.HELD if command.event.startswith(PART) else CONTENT_AFTER.get(command.event, before)
        returned = command.event == 'HOME' and before is GripperContent.BENCHMARK
        self._content = GripperContent.NONE if returned else after
        return TriggerOutcome(TriggerPhase.DONE, ErrorCode.OK, f'{command.event} done.', trigger.empty_slot)

    async def _try_next_slot(self, trigger: _ActiveTrigger, message: str) -> TriggerOutcome:
        """Pick from the slot after an empty one, once; an event that found two empty slots is refused."""
        refused = TriggerOutcome(TriggerPhase.REFUSED, ErrorCode.ROBOT_REFUSED, message)
        command = trigger.command
        if trigger.empty_slot or not command.event.startswith(PART) or self._refusal() is not None:
            return refused
        steps = self._planner.plan_next_slot(command.event, command.tray, self._arm.position, self._stock.counts)
        if steps is None:
            return refused
        trigger.empty_slot = message
        self._setup.log.warning(f'{message} Trying the next slot.')
        return await self._execute(trigger, steps)

    def _record_times(self, event: str) -> None:
        """Keep and log how long each step of an event took."""
        if times := self._arm.step_times:
            parts = ', '.join(f'{label} {seconds:.2f} s' for label, seconds in times)
            self._step_times = f'{event} {sum(seconds for _, seconds in times):.2f} s: {parts}'
            self._setup.log.info(self._step_times)

    def _unknown_outcome(self, trigger: _ActiveTrigger, error: StepError) -> TriggerOutcome:
        return TriggerOutcome(
            TriggerPhase.UNKNOWN,
            error.code,
            f'It is unknown whether the robot did {trigger.command.event}: {str(error).rstrip(".")}. Look where the piece '
            'is, recover the robot, then answer at the job.',
        )

    def _refusal(self) -> TriggerOutcome | None:
        """Return why nothing may move now, None when moves are allowed."""
        arm = self._arm
        if arm.latest is None or not arm.fresh:
            return not_sent(ErrorCode.ROBOT_NOT_CONNECTED, f'Nothing was sent. {arm.fault_message()}')
        if message := self._hold_message() or arm.fault_message():
            return not_sent(ErrorCode.ROBOT_STOPPED, f'Nothing was sent. {message}')
        if self._teaching.freedrive:
            return not_sent(ErrorCode.ROBOT_BUSY, f'Nothing was sent. {FREEDRIVE_ON} End it first.')
        if arm.latest.slider_at_zero:
            return not_sent(ErrorCode.NOT_READY, 'Nothing was sent. The speed slider on the pendant is at 0 %. Raise it.')
        return None

    async def _remote_refusal(self) -> TriggerOutcome | None:
        """Return why the cell may not command the robot, None when it may."""
        if not (message := await self._arm.remote_refusal()):
            return None
        return not_sent(ErrorCode.NOT_READY, f'Nothing was sent. {message}')

    def _teaching_refusal(self) -> str:
        """Return why freedrive is not possible, "" when it is."""
        if self._active is not None or self._recovering:
            return 'The robot is busy. Wait for its end.'
        return self._hold_message() or self._arm.fault_message()

    def _use_recipe(self, recipe: CellRecipe) -> None:
        self._recipe, self._planner = recipe, Planner(recipe)  # an interrupted trigger keeps its plan
        self._on_change()

    def _plan(self, command: TriggerCommand) -> list[PlanStep]:
        content = self._gripper_content()
        counts, closed = self._stock.counts, self._arm.closed
        return self._planner.plan(command.event, command.tray, self._arm.position, content, counts, closed=closed)

    async def _wait_for_ledger(self, command: TriggerCommand) -> None:
        """Wait for the ledger entry of the previous piece, so that its slot is not visited twice."""
        if not command.event.startswith(PART):
            return
        deadline = asyncio.get_running_loop().time() + LEDGER_WAIT_S
        while self._stock.sequence == self._picked_at_sequence and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LEDGER_POLL_S)

    async def _stop(self) -> CommandResult:
        """Abort the running steps, which releases the arm; freedrive ends."""
        if self._teaching.freedrive:
            return await self._teaching.switch(False)
        if self._arm.abort('the operator stopped the robot'):
            return CommandResult(ErrorCode.OK, 'The robot is stopping. Recover it before it moves again.')
        return CommandResult(ErrorCode.OK, 'The robot was not moving by a command of the cell.')

    async def _recover(self, on_step: ProgressCallback) -> CommandResult:
        if self._active is not None or self._recovering:
            return CommandResult(ErrorCode.ROBOT_BUSY, 'The robot is busy. Wait for its end.')
        self._recovering = True
        self._interrupted.forget()
        try:
            return await recover(self._arm, self._planner, self._setup.stops, on_step)
        finally:
            self._recovering = False
            self._on_change()

    async def _preflight(self) -> list[PreflightCheck]:
        """Return all checks, in the order in which an operator would look; without data the others mean nothing."""
        return await preflight(self._arm, self._recipe, self._planner, self._hold_message(), self._gripper_content())


def make_rtde(parameters: RobotParameters, node: Node, log: Logger) -> Backend:
    """Return the backend, not started.

    Args:
        parameters: Of the robot node.
        node: Subscribes to the inventory.
        log: Logger for any thread.

    Raises:
        StartError: ur_rtde or the recipe is missing, or the recipe is invalid.
    """
    if find_spec('rtde_control') is None:
        raise StartError(
            'backend rtde needs the Python package ur_rtde, which has no wheel for this Python: use Python 3.10 '
            'to 3.12, or backend letters or ros_driver'
        )
    return RtdeBackend(make_setup(parameters, parameters.robot_address, node, log))
