"""Arm of the rtde backend: incoming data, the control process, and execution of one step at a time.

Everything here runs in the backend's event loop. A safety stop, a dead control process or missing data aborts a step
immediately. The arm is then released: the control process is killed and the program on the controller stopped, so that no
move can continue.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from cell_common.error_code import ErrorCode

from cell_robot import recovery
from cell_robot.backends.base import Logger
from cell_robot.backends.rtde.data_feed import RobotDataFeed
from cell_robot.backends.rtde.steps import ArmOptions, NoPieceError, StepError, has_arrived
from cell_robot.clients.dashboard import open_dashboard
from cell_robot.control_process.codec import (
    ControlReport,
    ControlRequest,
    MoveJoints,
    MoveLine,
    MoveStarted,
    RequestDone,
    SetOutput,
    SetToolAndPayload,
    StopArm,
)
from cell_robot.control_process.supervisor import ControlProcess
from cell_robot.motion.plan import GripStep, MoveStep, PlanStep
from cell_robot.motion.poses import matrix_to_pose
from cell_robot.motion.recipe import CellRecipe
from cell_robot.protocols.dashboard.codec import DashboardError, parse_bool
from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.protocols.rtde.snapshot import RobotSnapshot
from cell_robot.robot_modes import RuntimeState

T = TypeVar('T')
POLL_S = 0.05
REQUEST_TIMEOUT_S = 2.0
SETTLE_S = 0.5
"""A switched output, a sensor or the end of a move appears in the data within this time."""
END_TIMEOUT_S = 1.0
"""The controller's watchdog ends a control script without its client within this time."""
MAX_MOVE_S = 60.0
"""Maximum duration of a move, whatever the speed slider is set to."""
BRAKE_RAD_S2 = 4.0
STOP_TRIES = 3


class RtdeArm(RobotDataFeed):
    """Receives the data of one arm and owns its control process."""

    def __init__(self, options: ArmOptions, recipe: CellRecipe, log: Logger, on_change: Callable[[], None]) -> None:
        super().__init__(options)
        self._recipe, self._log, self._on_change = recipe, log, on_change
        self._control: ControlProcess | None = None
        self._abort: asyncio.Future[StepError] | None = None
        self._answers: dict[int, asyncio.Future[RequestDone]] = {}
        self._on_started: Callable[[], None] = lambda: None
        self.expects_piece = False
        """The gripper holds a piece, and the sensor must confirm it while the arm moves."""
        self.stopped_at = 0.0
        """Time of the last safety stop, seconds of the loop's clock."""
        self.hold_reason = ''
        """Reason why nothing may move before a recovery; "" = moves are allowed."""
        self._release_task: asyncio.Task[None] | None = None
        self._script_runs = False
        """The data has shown that the control script of the control process runs."""

    # Data.

    def connected(self) -> None:
        """Data begins to arrive."""
        self.packet_loss.restart()
        self._log.info(f'robot {self.address} connected')

    def package(self, values: dict[str, RtdeValue]) -> None:
        """Store a data package and react to stops."""
        former, now = self._update(values)
        if now.safety not in recovery.FREE_TO_MOVE and (former is None or former.safety != now.safety):
            self.stopped_at = self._received_at
        self._monitor(now)
        if self._script_runs and now.runtime == RuntimeState.STOPPED and self._abort is None:
            self._script_ended()
        if former is None or (former.safety, former.mode, former.runtime) != (now.safety, now.mode, now.runtime):
            self._on_change()

    def lost(self, reason: str) -> None:
        """The data connection is gone."""
        if self.latest is not None:
            self._log.warning(f'robot {self.address} lost: {reason}')
        self.latest = None
        self.disconnect_reason = f'The robot is not connected: {reason}. Switch it on, check the network cable.'
        self._set_abort(f'the connection to the robot was lost ({reason})')
        self._on_change()

    @property
    def ready(self) -> bool:
        """Whether the control script runs."""
        return self._control is not None and self._control.ready

    @property
    def control_pid(self) -> int:
        """Process id of the control process, 0 without one."""
        return self._control.pid if self._control is not None and not self._control.over else 0

    @property
    def sensor(self) -> bool | None:
        """Whether a piece is in the gripper; None without a sensor or data."""
        pin = self._recipe.gripper.part_input
        return None if pin is None or self.latest is None else bool(self.latest.inputs >> pin & 1)

    @property
    def closed(self) -> bool:
        """Whether the output that closes the gripper is on."""
        return self.latest is not None and bool(self.latest.outputs >> self._recipe.gripper.close_output & 1)

    def fault_message(self) -> str:
        """Return why the arm cannot move, with the remedy; "" when it can."""
        if self.latest is None:
            return self.disconnect_reason
        if not self.fresh:
            return f'The newest data of the robot is {self.age:.1f} s old. Check the network cable.'
        return recovery.not_movable_reason(self.latest.safety, self.latest.mode)

    async def dashboard(self, *commands: str) -> str:
        """Send commands to the dashboard and return the reply to the last one.

        Raises:
            DashboardError: No answer, or a refusal.
        """
        reply = ''
        async with open_dashboard(self.address) as client:
            for command in commands:
                reply = await client.ask(command)
        return reply

    # The control process.

    async def ensure_control(self) -> str:
        """Start the control script unless it runs; returns an error message, "" when it runs. Nothing moves."""
        if self.ready:
            return ''
        if message := self.fault_message():
            return message
        try:
            if not parse_bool(await self.dashboard('is in remote control')):
                return 'The robot is in local mode. Switch it to remote control on the pendant.'
        except DashboardError as error:
            return f'{error}.'
        if not await self.wait_until(lambda now: now.runtime == RuntimeState.STOPPED, END_TIMEOUT_S):
            return 'Another program runs on the robot. Stop it on the pendant, or recover the robot.'
        return await self._start_control()

    async def _start_control(self) -> str:
        if self._control is not None and not self._control.over:
            return 'The control program is being started. Try again.'
        control = self._control = ControlProcess(self._on_report, self._on_control_end)
        if error := await control.start(self.address, self._options.watchdog):
            return f'The control program cannot be started: {error}.'
        if not await self.wait_until(lambda now: now.runtime == RuntimeState.PLAYING, END_TIMEOUT_S):
            await control.kill('the control script does not run')
            return 'The control program does not run on the robot. Look at the pendant.'
        self._script_runs = True
        tool = matrix_to_pose(self._recipe.cell.tool)
        try:
            await self._request(SetToolAndPayload(tool, self._recipe.payload, self._recipe.center_of_gravity))
        except StepError as error:
            await control.kill(str(error))
            return f'The robot did not accept tool and payload: {error}.'
        self._on_change()
        return ''

    def _script_ended(self) -> None:
        """Kill a control process whose script ended while the arm stood; after a reboot ur_rtde reports it as running."""
        self._script_runs = False
        if self._control is not None:
            self._kill_task = self._loop.create_task(self._control.kill('the control script on the robot has ended'))

    def _on_control_end(self, reason: str) -> None:
        self._script_runs = False
        if reason:
            self._log.warning(f'control process ended: {reason}')
        if self.latest is not None and not self.fresh:
            reason = f'no data for {self.age:.1f} s, and {reason}' if reason else reason
        self._set_abort(reason)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(StepError(reason))
        self._on_change()

    def _on_report(self, report: ControlReport) -> None:
        if isinstance(report, MoveStarted):
            self._on_started()
        elif isinstance(report, RequestDone):
            answer = self._answers.pop(report.number, None)
            if answer is not None and not answer.done():
                answer.set_result(report)

    # Steps.

    async def run_steps(self, steps: list[PlanStep], on_started: Callable[[], None]) -> None:
        """Execute steps in order; `on_started` is called when the controller has accepted the first one.

        Raises:
            StepError: A step failed; the arm has been released.
            NoPieceError: The gripper closed without a piece; the arm has finished its moves without one.
        """
        self._abort, self._on_started = self._loop.create_future(), on_started
        missing: NoPieceError | None = None
        try:
            for step in steps:
                try:
                    await self._run_step(step, on_started)
                except NoPieceError as error:
                    missing = error
                    opening = GripStep(False, self._recipe.gripper.open_time, False, str(error))
                    await self._run_step(opening, on_started)
        except StepError as error:
            self.release(str(error))
            raise
        finally:
            self._abort, self._on_started = None, lambda: None
        if missing is not None:
            raise missing

    async def _run_step(self, step: PlanStep, on_started: Callable[[], None]) -> None:
        if isinstance(step, MoveStep):
            await self._move(step)
            return
        on_started()
        await self._grip(step)

    async def _move(self, step: MoveStep) -> None:
        request: MoveJoints | MoveLine = (
            MoveJoints(step.joints, step.speed, step.acceleration)
            if step.pose is None
            else MoveLine(step.pose, step.speed, step.acceleration)
        )
        done = await self._wait_for_move(step, self._send(request))
        if not done.ok:
            raise StepError(f'{done.text} on the way {step.label}')
        if not await self._wait_for_data(lambda now: has_arrived(step, self._before, now)):
            raise StepError(f'the arm did not arrive on the way {step.label}')

    async def _wait_for_move(self, step: MoveStep, answer: asyncio.Future[RequestDone]) -> RequestDone:
        """Wait for the end of a move; its deadline is stretched while the speed slider is below 100 %."""
        spent, started = 0.0, self._loop.time()
        while not answer.done():
            polled_at = self._loop.time()
            await self._wait(answer, POLL_S)
            latest, now = self.latest, self._loop.time()
            if latest is None or self.age > 2.0 * self._options.stale:
                raise StepError(f'no data for {self.age:.1f} s on the way {step.label}')
            spent += (now - polled_at) * latest.scaling
            if spent > step.seconds or now - started > MAX_MOVE_S:
                raise StepError(f'the move {step.label} did not end in time')
        return answer.result()

    async def _grip(self, step: GripStep) -> None:
        gripper = self._recipe.gripper
        outputs = {gripper.close_output: step.closed}
        if gripper.open_output is not None:
            outputs[gripper.open_output] = not step.closed
        self.expects_piece = False
        for pin, on in outputs.items():
            done = await self._wait(self._send(SetOutput(pin, on)), REQUEST_TIMEOUT_S)
            if done is None or not done.ok:
                raise StepError('the gripper was not switched')
        if not await self._wait_for_data(lambda now: all(bool(now.outputs >> pin & 1) == on for pin, on in outputs.items())):
            raise StepError('the output of the gripper did not switch')
        await self._wait(self._never(), step.seconds)
        if self.sensor is not None and not await self._wait_for_data(lambda _: self.sensor == step.holds):
            raise NoPieceError(step.missing) if step.holds else StepError(step.missing)
        self.expects_piece = step.holds and self.sensor is not None

    async def _wait_for_data(self, condition: Callable[[RobotSnapshot], bool]) -> bool:
        """Wait until the data satisfies a condition, or until the step is aborted.

        Raises:
            StepError: The step is aborted.
        """
        waiting: asyncio.Future[bool] = asyncio.ensure_future(self.wait_until(condition, SETTLE_S))
        try:
            result = await self._wait(waiting, SETTLE_S + POLL_S)
            return result is True
        finally:
            waiting.cancel()

    async def _wait(self, future: asyncio.Future[T], timeout_s: float) -> T | None:
        """Wait for a future with a timeout; returns its result, None on timeout.

        Raises:
            StepError: The step is aborted.
        """
        watched: set[asyncio.Future[T] | asyncio.Future[StepError]] = {future}
        if self._abort is not None:
            watched.add(self._abort)
        await asyncio.wait(watched, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._abort is not None and self._abort.done():
            raise self._abort.result()
        return future.result() if future.done() else None

    async def _request(self, request: ControlRequest) -> None:
        done = await self._wait(self._send(request), REQUEST_TIMEOUT_S)
        if done is None or not done.ok:
            raise StepError('no answer' if done is None else done.text)

    def _never(self) -> asyncio.Future[None]:
        """Return a future that never completes."""
        return self._loop.create_future()

    def _send(self, request: ControlRequest) -> asyncio.Future[RequestDone]:
        if self._control is None or not self._control.ready:
            raise StepError('the control program has ended')
        answer: asyncio.Future[RequestDone] = self._loop.create_future()
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._answers[self._control.send(request)] = answer
        return answer

    # Aborts.

    def _monitor(self, now: RobotSnapshot) -> None:
        """Abort a step when the arm was stopped or lost its piece."""
        if self._abort is None:
            return
        if now.safety not in recovery.FREE_TO_MOVE:
            self._set_abort(recovery.stop_cause(now.safety), ErrorCode.ROBOT_STOPPED)
        elif now.runtime == RuntimeState.STOPPED:
            self._set_abort('the program on the robot was stopped', ErrorCode.ROBOT_STOPPED)
        elif self.expects_piece and self.sensor is False:
            self._set_abort('the piece was lost from the gripper')

    def abort(self, reason: str) -> bool:
        """Abort the running steps; returns whether there were any."""
        return self._set_abort(reason, ErrorCode.ROBOT_STOPPED)

    def _set_abort(self, reason: str, code: ErrorCode = ErrorCode.ROBOT_OUTCOME_UNKNOWN) -> bool:
        if self._abort is None or self._abort.done():
            return False
        self._abort.set_result(StepError(reason, code))
        return True

    def release(self, reason: str) -> None:
        """Hold the arm until it is recovered, and stop everything that could move it."""
        self.hold_reason = self.hold_reason or reason
        self.expects_piece = False
        if self._release_task is None or self._release_task.done():
            self._release_task = self._loop.create_task(self._release(reason))
        self._on_change()

    async def wait_released(self) -> None:
        """Wait until a release has ended."""
        if self._release_task is not None:
            await asyncio.wait([self._release_task])

    async def _release(self, reason: str) -> None:
        control = self._control
        if control is not None and control.ready:
            with contextlib.suppress(StepError):
                answer = self._send(StopArm(BRAKE_RAD_S2))
                await asyncio.wait([answer], timeout=2 * POLL_S)
        if control is not None:
            await control.kill('')
        for _ in range(STOP_TRIES):
            error = await self.stop_program()
            if not error:
                return
        self._log.error(f'after "{reason}" the program on the robot was not stopped: {error}')

    async def stop_program(self) -> str:
        """Stop any program on the robot; returns an error message, "" when none runs."""
        try:
            await self.dashboard('stop')
        except DashboardError as error:
            if self.fresh and self.latest is not None and self.latest.runtime == RuntimeState.STOPPED:
                return ''
            return f'{error}. Stop the program on the pendant.'
        if not await self.wait_until(lambda now: now.runtime == RuntimeState.STOPPED, END_TIMEOUT_S):
            return 'The program on the robot did not stop. Stop it on the pendant.'
        return ''

    async def close(self) -> None:
        """End the control process."""
        if self._control is not None:
            await self._control.kill('')
