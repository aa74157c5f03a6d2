"""Control program of the rtde backend: whether it may run, runs, and is still ours; and the hold that ends all motion.

Only the cell may end the program. Any other end (the pendant, another client, a reboot, a crashed process) is a hold: nothing
moves before an operator has recovered the robot. Runs in the backend's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from cell_common.alarm_text import sentence
from cell_common.error_code import ErrorCode

from cell_robot import recovery
from cell_robot.backends.base import Logger
from cell_robot.backends.rtde.control_requests import ControlRequests
from cell_robot.backends.rtde.kinematics_monitor import KinematicsMonitor
from cell_robot.backends.rtde.steps import ArmOptions, StepError, safety_error
from cell_robot.clients.rtde import CHECK_CABLE
from cell_robot.control_process.codec import (
    ENDED,
    UPLOAD_TIMEOUT_S,
    ControlSettings,
    SetToolAndPayload,
    StopArm,
    TryPath,
)
from cell_robot.control_process.supervisor import ControlProcess
from cell_robot.motion.plan_steps import ArmPosition, PlanStep, moves_together
from cell_robot.motion.poses import matrix_to_pose, pose_to_matrix
from cell_robot.motion.recipe import CellRecipe
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.protocols.rtde.snapshot import RobotSnapshot
from cell_robot.robot_modes import RuntimeState

# The answer of the control process can be faster than the data package that shows its effect.
LATE_DATA_S = 0.1
SETTLE_S = 0.5
"""A switched output, a sensor, the tool or the end of a move appears in the data within this time."""
END_TIMEOUT_S = 1.0
"""The controller's watchdog ends a control script without its client within this time."""
LATE_START_S = 10.0
"""A control script whose start has failed may still begin to run within this time; it is then stopped."""
# A braked stop is asked for first and given a moment; the kill that follows works in any case.
BRAKE_RAD_S2, BRAKE_S = 4.0, 0.1
STOP_TRIES = 3
LOCAL_MODE = 'The robot is in local mode. Switch it to remote control on the pendant.'
SLIDER_AT_ZERO = 'The speed slider on the pendant is at 0 %: the arm waits. Raise it to go on, or stop the robot.'
PAUSED = 'The program on the robot is paused. Resume it on the pendant, or recover the robot.'
REPLACED = 'another program has taken the place of the control program on the robot'


class ControlProgram(ControlRequests):
    """Data of one arm, and the control program that moves it.

    Two words matter here. `hold` lets nothing move before a recovery and leaves the robot's program alone. `release` holds,
    and also stops everything that could move the arm.

    Attributes:
        hold_reason: Why nothing may move before a recovery; "" = moves are allowed.
        expects_piece: The gripper holds a piece, and the sensor must confirm it while the arm moves.
    """

    def __init__(self, options: ArmOptions, recipe: CellRecipe, log: Logger, on_change: Callable[[], None]) -> None:
        super().__init__(options, recipe)
        self._log, self._on_change = log, on_change
        self._abort: asyncio.Future[StepError] | None = None
        self._release_task: asyncio.Task[None] | None = None
        self._used = False
        """The cell has used the program, so that an end without a command is a hold."""
        self._kinematics = KinematicsMonitor(recipe.cell)
        self.paths: bool | None = None if recipe.speeds.blend > 0.0 else False
        """Whether the controller executes paths with rounded corners; None = not tried yet."""
        self._failed_start_at = float('-inf')
        self.stopped_at = 0.0
        """Time of the last safety stop, seconds of the loop's clock."""
        self.hold_reason = ''
        """Reason why nothing may move before a recovery; "" = moves are allowed."""
        self.expects_piece = False
        """The gripper holds a piece, and the sensor must confirm it while the arm moves."""

    # Data.

    def connected(self) -> None:
        """Data begins to arrive."""
        self.packet_loss.restart()
        self._log.info(f'robot {self.address} connected')

    def package(self, values: dict[str, RtdeValue]) -> None:
        """Store a data package and react to stops; called up to 500 times a second."""
        former, now = self._update(values)
        if now.safety not in recovery.FREE_TO_MOVE and (former is None or former.safety != now.safety):
            self.stopped_at = self._received_at
        self._monitor(now)
        if self._kinematics.take(now, self._received_at):
            self._set_abort(self._kinematics.contradiction, ErrorCode.ROBOT_STOPPED)
            self._on_change()
        if self._used and now.runtime == RuntimeState.STOPPED and self._abort is None:
            self.release(self._end_reason())
        if now.runtime == RuntimeState.PLAYING:
            self._restart.playing()
            if former is not None and former.runtime != RuntimeState.PLAYING:
                self._stop_late_start()
        if former is None or former.shown != now.shown:
            self._on_change()

    def lost(self, reason: str, remedy: str = CHECK_CABLE) -> None:
        """The data connection is gone, for a reason and with a remedy for the operator; an active step is aborted."""
        if self.latest is not None:
            self._log.warning(f'robot {self.address} lost: {reason}')
        self.latest = None
        self.disconnect_reason = f'The robot is not connected: {reason}. {remedy}'
        self._set_abort(f'the connection to the robot was lost ({reason})')
        self._on_change()

    @property
    def position(self) -> ArmPosition:
        """Where the arm is; with the controller's own tool pose once it has the recipe's tool."""
        if self.latest is None:
            return ArmPosition(())
        return ArmPosition(self.latest.joints, pose_to_matrix(self.latest.tool) if self._kinematics.active else None)

    @property
    def kinematics_text(self) -> str:
        """How the controller's kinematics contradict the recipe, as found while the arm works; "" when they do not."""
        return self._kinematics.contradiction

    @property
    def uses_program(self) -> bool:
        """Whether the cell has started the program, or used it, and has not ended it."""
        return self._used

    @property
    def foreign_program(self) -> bool:
        """Whether a program runs, or is paused, that is not the cell's."""
        stopped = self.latest is None or self.latest.runtime == RuntimeState.STOPPED
        return not stopped and not self.ready and not self._used

    def fault_message(self) -> str:
        """Return why the arm cannot move, with the remedy; "" when it can."""
        if self.latest is None:
            return self.disconnect_reason
        if not self.fresh:
            return f'The newest data of the robot is {self.age:.1f} s old. Check the network cable.'
        if self._kinematics.contradiction:
            return sentence(self._kinematics.contradiction)
        return recovery.not_movable_reason(self.latest.safety, self.latest.mode)

    async def remote_refusal(self) -> str:
        """Return why the cell may not command the robot, with the remedy; "" when it may.

        A robot in local mode belongs to the operator at the pendant: a control program that still runs is stopped and held.
        """
        try:
            if await self.remote_control():
                return ''
        except DashboardError as error:
            return f'{sentence(str(error))} Look at the controller.'
        if self.ready:
            self.release('the robot was switched to local mode')
        return LOCAL_MODE

    # The control program.

    async def ensure_control(self, *, recovering: bool = False) -> str:
        """Start the control script unless it runs; returns an error message, "" when it runs. Nothing moves.

        Args:
            recovering: An operator recovers the robot; otherwise a held robot gets no script.
        """
        if self.ready and not self.hold_reason:
            self._used = True
            return '' if self._plays() else PAUSED
        message = self.fault_message()
        if not message and self._used:
            self.release(ENDED)
            message = recovery.hold_text(ENDED)
        message = message or await self.remote_refusal() or await self._foreign_refusal() or await self.model_refusal()
        if not message and self.hold_reason and not recovering:
            message = recovery.hold_text(self.hold_reason)
        message = message or await self._start_control()
        if not message and not self._used:  # ended since its start
            message = recovery.hold_text(self.hold_reason or ENDED)
        self._on_change()
        return message

    async def _foreign_refusal(self) -> str:
        """Return why the program on the robot keeps the control program away, "" when none runs."""
        if self.ready or await self.wait_until(lambda now: now.runtime == RuntimeState.STOPPED, END_TIMEOUT_S):
            return ''
        return 'Another program runs on the robot. Stop it on the pendant, or recover the robot.'

    async def _start_control(self) -> str:
        """Start the control process with the recipe's tool; return an error message, "" when all is in order.

        Every failure undoes the start, so that no program is left on the robot.
        """
        if self._control is not None and not self._control.over:
            return 'The control program is being started. Try again.'
        control = self._control = ControlProcess(self._on_report, self._on_control_end)
        settings = ControlSettings(self.address, self._options.watchdog, self.outputs, self._options.upper_registers)
        if error := await control.start(settings):
            await self._undo_start(control, '')
            return f'The control program cannot be started: {error}.'
        if not await self.wait_until(lambda now: now.runtime == RuntimeState.PLAYING, END_TIMEOUT_S):
            await self._undo_start(control, 'the control script does not run')
            return 'The control program does not run on the robot. Look at the pendant.'
        self._used = True  # any end without a command holds the arm from here on
        tool = matrix_to_pose(self._recipe.cell.tool)
        try:
            await self.request(SetToolAndPayload(tool, self._recipe.payload, self._recipe.center_of_gravity))
        except StepError as error:
            await self._undo_start(control, str(error))
            return f'The robot did not accept tool and payload: {error}.'
        if message := await self._await_agreement():
            await self._undo_start(control, message)
            self._kinematics.fail(message)
            return sentence(message)
        self._kinematics.begin()
        return ''

    async def _try_paths(self, steps: Sequence[PlanStep]) -> None:
        """Find out whether the controller executes paths, before the first plan with one.

        Within a trigger, because the joints of the trial are rounded: an exact controller moves by a millionth of a radian.

        Raises:
            StepError: The control program has ended over the trial.
        """
        together = any(len(moves_together(steps, index)) > 1 for index in range(len(steps)))
        if self.paths is not None or self.latest is None or not together:
            return
        self.paths = False
        self._restart.begin(self._loop.time())
        try:
            await self.request(TryPath(self.latest.joints), UPLOAD_TIMEOUT_S)
            self.paths = True
        except StepError as error:
            if self._control is not None and (self._control.replaced or str(error) == ENDED):
                self.paths = None  # ended by another client: that says nothing about paths
                raise
            self._log.warning(f'the arm stops at each corner: the controller does not execute paths ({error})')
            if not self.ready:
                raise
        finally:
            await self.wait_until(lambda now: now.runtime == RuntimeState.PLAYING, SETTLE_S)
            self._restart.end()

    async def _await_agreement(self) -> str:
        """Wait until the controller's tool pose shows the recipe's tool; returns the contradiction, "" when there is none."""
        find = self._kinematics.find
        await self.wait_until(lambda now: not find(now), SETTLE_S)
        return find(self.latest) if self.latest is not None else self.disconnect_reason.rstrip('.')

    async def _undo_start(self, control: ControlProcess, reason: str) -> None:
        """End what a failed start has begun: the cell leaves no program without an owner.

        A program that ran and was ended without a command holds the arm, as at any other time.
        """
        if self._used and await self.wait_until(lambda now: now.runtime == RuntimeState.STOPPED, LATE_DATA_S):
            self.release(self._end_reason())
        self._used = False
        self._failed_start_at = self._loop.time()
        await control.kill(reason)
        if self.latest is not None and self.latest.runtime != RuntimeState.STOPPED and (error := await self.stop_program()):
            self._log.error(f'after a failed start: {error}')

    def _stop_late_start(self) -> None:
        """Stop a control script that begins to run after its start was given up."""
        if self._control is None or not self._control.over or self._loop.time() - self._failed_start_at > LATE_START_S:
            return
        self._failed_start_at = float('-inf')
        self._late_stop = self._loop.create_task(self.stop_program())

    def _plays(self) -> bool:
        return self.latest is not None and self.latest.runtime == RuntimeState.PLAYING

    def _on_control_end(self, reason: str) -> None:
        """End what waits for the control process; hold the arm if nobody commanded its end (a `reason` that is not "")."""
        if reason:
            self._log.warning(f'control process ended: {reason}')
        if self.latest is not None and not self.fresh:
            reason = f'no data for {self.age:.1f} s, and {reason}' if reason else reason
        # The report may come before the data is processed.
        if self.latest is not None and self.latest.safety in recovery.SAFEGUARDS:
            self._abort_with(safety_error(self.latest.safety))
        self._set_abort(reason)
        self._fail_answers(reason)
        if self._used and self._abort is None and reason:
            if self._control is not None and self._control.replaced:
                self.hold(REPLACED)
            else:
                self.release(self._end_reason(reason))
        self._on_change()

    def _end_reason(self, detail: str = '') -> str:
        """Return why the program has ended without a command."""
        if self.latest is not None and self.latest.safety not in recovery.FREE_TO_MOVE:
            return recovery.stop_cause(self.latest.safety)
        return f'{ENDED} ({detail})' if detail else ENDED

    # Stops.

    def _monitor(self, now: RobotSnapshot) -> None:
        """Abort running steps when the arm was stopped."""
        if self._abort is None:
            return
        if now.safety not in recovery.FREE_TO_MOVE:
            self._abort_with(safety_error(now.safety))
        elif now.runtime == RuntimeState.STOPPED and not self._restart.expected(self._loop.time()):
            self._set_abort('the program on the robot was stopped', ErrorCode.ROBOT_STOPPED)

    def abort(self, reason: str) -> bool:
        """Abort the running steps; returns whether there were any."""
        return self._set_abort(reason, ErrorCode.ROBOT_STOPPED)

    def _set_abort(self, reason: str, code: ErrorCode = ErrorCode.ROBOT_OUTCOME_UNKNOWN) -> bool:
        return self._abort_with(StepError(reason, code))

    def _abort_with(self, error: StepError) -> bool:
        if self._abort is None or self._abort.done():
            return False
        self._abort.set_result(error)
        return True

    def hold(self, reason: str) -> None:
        """Let nothing move before a recovery; a running program is left alone."""
        self.hold_reason = self.hold_reason or reason
        self.expects_piece = self._used = False
        self._kinematics.pause()
        self._on_change()

    def release(self, reason: str) -> None:
        """Hold the arm until it is recovered, and stop everything that could move it."""
        self.hold(reason)
        if self._release_task is None or self._release_task.done():
            self._release_task = self._loop.create_task(self._release(reason))

    async def wait_released(self) -> None:
        """Wait until a release has ended."""
        if self._release_task is not None:
            await asyncio.wait([self._release_task])

    async def _release(self, reason: str) -> None:
        """Brake, kill the control process, and stop the program on the robot.

        The brake only makes the end smooth for a smooth end; the stop by the dashboard is what counts.
        """
        control = self._control
        if control is not None and control.ready:
            with contextlib.suppress(StepError):
                answer = self._send(StopArm(BRAKE_RAD_S2))
                await asyncio.wait([answer], timeout=BRAKE_S)
        if control is not None:
            await control.kill('')
        for _ in range(STOP_TRIES):
            error = await self.stop_program()
            if not error:
                return
        self._log.error(f'after "{reason}" the program on the robot was not stopped: {error}')

    async def stop_program(self) -> str:
        """Stop any program on the robot; returns an error message, "" when none runs.

        A controller refuses to stop when nothing runs; what counts is the state, not the reply.
        """
        self._used = False
        self._kinematics.forget()
        failure = 'The program on the robot did not stop'
        try:
            await self.dashboard('stop')
        except DashboardError as error:
            failure = str(error)
        if await self.wait_until(lambda now: now.runtime == RuntimeState.STOPPED, END_TIMEOUT_S):
            return ''
        return f'{failure}. Stop the program on the pendant.'

    async def close(self) -> None:
        """End the control process."""
        self._used = False
        self._kinematics.pause()
        self._remote.close()
        if self._control is not None:
            await self._control.kill('')
