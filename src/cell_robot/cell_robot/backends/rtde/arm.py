"""Arm of the rtde backend: execution of one step at a time. Everything here runs in the backend's event loop.

A safety stop, a dead control process or missing data aborts a step immediately. The arm is then released: the control process
is killed and the program on the controller stopped, so that no move can continue.

The end of a move is believed only when two sources agree: the control process reports it, and the data shows the arm at its
goal.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from cell_common.error_code import ErrorCode

from cell_robot.backends.base import Logger
from cell_robot.backends.rtde.arm_requests import move_request, path_request
from cell_robot.backends.rtde.control_program import LATE_DATA_S, SETTLE_S, ControlProgram
from cell_robot.backends.rtde.control_requests import REQUEST_TIMEOUT_S
from cell_robot.backends.rtde.grippers import Gripper, make_gripper
from cell_robot.backends.rtde.steps import (
    STANDSTILL_RAD,
    ArmOptions,
    NoPieceError,
    NotStartedError,
    SafeguardError,
    StepError,
    has_arrived,
)
from cell_robot.clients.rtde import CHECK_CABLE
from cell_robot.control_process.codec import (
    UPLOAD_TIMEOUT_S,
    ControlReport,
    ControlRequest,
    MoveStarted,
    RequestDone,
    SetOutput,
)
from cell_robot.motion.continuation import ArmEvidence, PlanProgress, change_text
from cell_robot.motion.kinematics import JOINTS, max_joint_difference
from cell_robot.motion.plan_steps import GripStep, MoveStep, PlanStep, moves_together
from cell_robot.motion.recipe import CellRecipe
from cell_robot.protocols.dashboard.codec import DashboardError
from cell_robot.protocols.rtde.snapshot import RobotSnapshot
from cell_robot.robot_modes import RobotMode, RuntimeState

T = TypeVar('T')
POLL_S = 0.05
SENSOR_POLL_S = 0.01
REMOTE_PERIOD_S = 0.5
"""Period of the question for remote control while steps run."""
MAX_MOVE_S = 60.0
"""Maximum duration of a move, whatever the speed slider is set to; time at 0 % does not count."""
STUCK_S = 2.0
"""An arm that stands still this long during a move, although the program runs, does not follow the cell."""
STILL_RAD = 2e-4


class RtdeArm(ControlProgram):
    """Executes steps with the control program.

    Attributes:
        gripper: Gripper of the recipe.
    """

    def __init__(self, options: ArmOptions, recipe: CellRecipe, log: Logger, on_change: Callable[[], None]) -> None:
        super().__init__(options, recipe, log, on_change)
        self._on_started: Callable[[], None] = lambda: None
        self.gripper: Gripper = make_gripper(recipe.gripper, self, options.gripper_address or options.address)
        self.progress: PlanProgress | None = None
        """Step that is being executed, or the one that failed last."""
        self._observed: ArmEvidence | None = None
        self.change = ''
        """How the arm has changed since `observe_changes`; "" when it has not."""
        self.step_times: list[tuple[str, float]] = []
        """(name, seconds) of each step of the last event that has ended."""

    @property
    def sensor(self) -> bool | None:
        """Whether a piece is in the gripper; None without a sensor or data."""
        return self.gripper.holds

    @property
    def closed(self) -> bool:
        """Whether the gripper is closed, or its vacuum is on."""
        return self.gripper.closed is True

    @property
    def evidence(self) -> ArmEvidence:
        """Place of the arm, and what the gripper reports; without data the gripper's state is unknown."""
        if self.latest is None:
            return ArmEvidence((math.inf,) * len(JOINTS), None, None)
        return ArmEvidence(self.latest.joints, self.gripper.closed, self.gripper.holds)

    @property
    def at_rest(self) -> bool:
        """Whether fresh data shows the arm at a standstill."""
        before, now = self._before, self.latest
        if before is None or now is None or not self.fresh:
            return False
        return max_joint_difference(before.joints, now.joints) < STANDSTILL_RAD

    def settled(self, progress: PlanProgress) -> bool:
        """Return whether the gripper has ended what a grip step began; the program's end leaves the outputs as they are.

        Args:
            progress: Place in the plan when it was interrupted.
        """
        now, step = self.evidence, progress.step
        if not isinstance(step, GripStep) or now.closed == progress.before.closed:
            return True
        return (now.closed, now.holds) == (step.closed, step.holds)

    def observe_changes(self) -> ArmEvidence:
        """Compare every package with the current one from now on, and return its evidence."""
        self.change, self._observed = '', self.evidence
        return self._observed

    def forget_changes(self) -> None:
        """Stop comparing."""
        self.change, self._observed = '', None

    def lost(self, reason: str, remedy: str = CHECK_CABLE) -> None:
        """The data connection is gone, and with it the certainty that nothing changes.

        Args:
            reason: Cause, for the operator.
            remedy: What to check, a whole sentence.
        """
        super().lost(reason, remedy)
        if self._observed is not None:
            self.change = self.change or 'the connection to the robot was lost'

    def _on_report(self, report: ControlReport) -> None:
        if isinstance(report, MoveStarted):
            self._restart.move_started(self._loop.time())
            self._on_started()
        super()._on_report(report)

    def _monitor(self, now: RobotSnapshot) -> None:
        super()._monitor(now)
        lost = self.gripper.lost
        if self.expects_piece and lost:
            self._set_abort(self.gripper.message or 'the piece was lost from the gripper')
        if self._observed is not None and not self.change:
            off = '' if now.mode == RobotMode.RUNNING else 'the arm was switched off'
            self.change = off or change_text(self._observed, self.evidence)

    # Steps.

    async def run_steps(self, steps: list[PlanStep], on_started: Callable[[], None]) -> None:
        """Execute steps in order; `on_started` is called when the controller has accepted the first one.

        Args:
            steps: Of a plan, checked.
            on_started: Called once, or not at all if nothing has started.

        Raises:
            StepError: A step failed; the arm has been released.
            NotStartedError: The arm has done nothing, and what might have made it is stopped.
            NoPieceError: The gripper closed without a piece; the arm has finished its moves without one.
        """
        before, started = self.latest, False

        def notify_started() -> None:
            nonlocal started
            started = True
            on_started()

        self._abort, self._on_started = self._loop.create_future(), notify_started
        watching = self._loop.create_task(self._watch_remote_control())
        try:
            await self._run_steps(steps, notify_started)
        except NoPieceError:
            raise
        except StepError as error:
            self.release(str(error))
            if not started and not isinstance(error, SafeguardError) and await self._is_untouched(before):
                raise NotStartedError(str(error), error.code) from error
            raise
        finally:
            watching.cancel()
            self._abort, self._on_started = None, lambda: None

    async def _run_steps(self, steps: list[PlanStep], on_started: Callable[[], None]) -> None:
        """Run the steps of an event and record the time of each.

        A missing piece does not end the event at once: the gripper opens, and the arm finishes its move back to the camera.

        Raises:
            NoPieceError: The gripper closed on nothing; raised when all steps have ended.
            StepError: A step failed; the following ones were not started.
        """
        missing: NoPieceError | None = None
        self.step_times = []
        await self._try_paths(steps)
        index = 0
        while index < len(steps):
            together = moves_together(steps, index) if self.paths else steps[index : index + 1]
            # After a missing piece the rest is no success, so it cannot be continued.
            progress = PlanProgress(tuple(steps), index, self.evidence, len(together))
            self.progress = progress if missing is None else None
            began = self._loop.time()
            try:
                await self._run_together(together, on_started)
                self.step_times.append((' + '.join(map(_step_name, together)), self._loop.time() - began))
            except NoPieceError as error:
                missing = error
                await self._run_together([GripStep(False, self._recipe.gripper.open_time, False, str(error))], on_started)
            index += len(together)
        if missing is not None:
            raise missing

    async def _is_untouched(self, before: RobotSnapshot | None) -> bool:
        """Return whether the arm certainly did nothing since `before`, and nothing can make it move any more."""
        if before is None or not self.fresh:
            return False
        await self.wait_released()
        now = self.latest
        return (
            now is not None
            and self.fresh
            and now.runtime == RuntimeState.STOPPED
            and now.outputs == before.outputs
            and max_joint_difference(now.joints, before.joints) < STILL_RAD
        )

    async def _watch_remote_control(self) -> None:
        """Abort the steps when the operator at the pendant takes the robot; a dashboard without an answer is no reason."""
        while True:
            await asyncio.sleep(REMOTE_PERIOD_S)
            with contextlib.suppress(DashboardError):
                if not await self.remote_control():
                    self._set_abort('local mode, switched on at the pendant', ErrorCode.ROBOT_STOPPED)

    async def _run_together(self, steps: Sequence[PlanStep], on_started: Callable[[], None]) -> None:
        """Execute one step, or moves whose corners are rounded."""
        moves = [step for step in steps if isinstance(step, MoveStep)]
        if not moves:
            on_started()
            await self._grip(steps[0])  # type: ignore[arg-type]
        elif len(moves) == 1 or not await self._move_path(moves):
            for step in moves:
                await self._move(step, move_request(step))

    async def _move_path(self, moves: list[MoveStep]) -> bool:
        """Execute moves with rounded corners; returns False when the controller has ignored them and the arm has not moved.

        Raises:
            StepError: The path failed, or its end is not confirmed.
        """
        start = self.latest
        together = replace(moves[-1], label=moves[0].label, seconds=sum(step.seconds for step in moves) + UPLOAD_TIMEOUT_S)
        path = path_request(moves)
        self._restart.begin(self._loop.time())
        try:
            await self._move(together, path)
        except StepError:
            now = self.latest
            stands = start is not None and now is not None and max_joint_difference(start.joints, now.joints) < STILL_RAD
            if self._abort_is_set or not stands or not self.ready or now is None or now.runtime != RuntimeState.PLAYING:
                raise
            self._log.warning('the controller has ignored a path: from now on the arm stops at each corner')
            self.paths = False
            return False
        finally:
            self._restart.end()
        return True

    async def _move(self, step: MoveStep, request: ControlRequest) -> None:
        """Execute one move or path and check in the data that the arm has arrived.

        Raises:
            StepError: The move failed, or its end is not confirmed.
        """
        done = await self._wait_for_move(step, self._send(request))
        if not done.ok:
            self._restart.end()  # a stop may come after the report of the move that it has ended: its reason is the true one
            await self._wait(self._never(), LATE_DATA_S)
            raise StepError(f'{done.text} on the move {step.label}')
        deadline = self._loop.time() + step.seconds
        while not await self._wait_for_data(lambda now: has_arrived(step, self._before, now)):
            # A report that came too early, as that of a path whose start was not seen, does not end a move.
            if self.at_rest or self._loop.time() > deadline:
                raise StepError(f'the arm did not arrive on the move {step.label}')

    async def _wait_for_move(self, step: MoveStep, answer: asyncio.Future[RequestDone]) -> RequestDone:
        """Wait for the end of a move; deadlines are stretched by the speed slider and stand still at 0 %."""
        spent = elapsed = still = 0.0
        before = seen = self.latest
        while not answer.done():
            polled_at = self._loop.time()
            await self._wait(answer, POLL_S)
            latest, passed = self.latest, self._loop.time() - polled_at
            if latest is None or self.age > 2.0 * self._options.stale:
                raise StepError(f'no data for {self.age:.1f} s on the move {step.label}')
            if latest.slider_at_zero:
                still = 0.0
                continue
            spent, elapsed = spent + passed * latest.scaling, elapsed + passed
            if spent > step.seconds or elapsed > MAX_MOVE_S:
                raise StepError(f'the move {step.label} did not end in time')
            news, seen = latest is not seen, latest
            moves = before is None or max_joint_difference(before.joints, latest.joints) > STILL_RAD
            waits = moves or has_arrived(step, before, latest) or self._restart.expected(self._loop.time())
            still = 0.0 if waits else still + passed * news
            before = latest if moves else before
            if still > STUCK_S:
                raise StepError(
                    f'the arm stands still on the move {step.label} although a program runs: another program has taken the '
                    'place of the control program, or something holds the arm'
                )
        return answer.result()

    async def _grip(self, step: GripStep) -> None:
        """Switch the gripper, and check what it holds.

        Raises:
            NoPieceError: It closed without a piece.
            StepError: It was not switched, or still holds a piece after it opened.
        """
        self.expects_piece = False  # while the gripper moves, its sensor may change
        if not await self.gripper.switch(step.closed, step.seconds):
            raise NoPieceError(step.missing) if step.holds else StepError(step.missing)
        self.expects_piece = step.holds and self.sensor is not None

    async def set_outputs(self, outputs: Mapping[int, bool]) -> None:
        """Switch digital outputs, and wait until the data shows them.

        Raises:
            StepError: An output did not switch, or the step is aborted.
        """
        for pin, on in outputs.items():
            done = await self._wait(self._send(SetOutput(pin, on)), REQUEST_TIMEOUT_S)
            if done is None or not done.ok:
                raise StepError('the gripper was not switched')
        if not await self._wait_for_data(lambda now: all(bool(now.outputs >> pin & 1) == on for pin, on in outputs.items())):
            raise StepError('the output of the gripper did not switch')

    async def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds; returns False on timeout.

        Raises:
            StepError: The step is aborted.
        """
        deadline = self._loop.time() + timeout_s
        while not condition():
            left = deadline - self._loop.time()
            if left <= 0.0:
                return False
            await self._wait(self._never(), min(left, SENSOR_POLL_S))
        return True

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

    @property
    def _abort_is_set(self) -> bool:
        return self._abort is not None and self._abort.done()

    def _never(self) -> asyncio.Future[None]:
        """Return a future that never completes."""
        return self._loop.create_future()


def _step_name(step: PlanStep) -> str:
    if isinstance(step, MoveStep):
        return step.label
    return 'closing' if step.closed else 'opening'
