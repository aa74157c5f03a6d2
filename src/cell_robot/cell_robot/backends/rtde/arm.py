"""The arm as the rtde backend drives it: data that comes in, the control process, and one step at a time.

Everything here runs in the backend's event loop. What ends a step from outside (a stop of the safety system, the control
process gone, data that does not come) ends it at once: the arm is then let go of, which means that the control process is
killed and the program on the controller stopped, so that nothing can go on by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

from cell_interfaces.msg import ResultCode
from cell_robot import recovery
from cell_robot.backends.letters.backend import Log
from cell_robot.backends.rtde.robot_state import Heard
from cell_robot.backends.rtde.steps import ArmOptions, NoPieceError, StepError, arrived
from cell_robot.control_process.codec import Begun, Done, MoveJoints, MoveLine, Report, Request, SetOutput, Setup, Stop
from cell_robot.control_process.supervisor import ControlProcess
from cell_robot.motion.plan import Grip, Move, Step
from cell_robot.motion.poses import pose
from cell_robot.motion.recipe import Recipe
from cell_robot.protocols.dashboard.codec import DashboardError, truth
from cell_robot.protocols.dashboard.transport import connected
from cell_robot.protocols.rtde.codec import Value
from cell_robot.protocols.rtde.view import PLAYING, STOPPED, View

T = TypeVar('T')
LOOK_S = 0.05
REQUEST_S = 2.0
SETTLE_S = 0.5
"""A switched output, a sensor or an arm that has arrived shows in the data within this time."""
ENDING_S = 1.0
"""A control script whose client has gone is ended by its watchdog within this time."""
LONGEST_S = 60.0
"""No move may take longer, whatever the speed slider says."""
BRAKE_RAD_S2 = 4.0
STOP_TRIES = 3


class Arm(Heard):
    """One arm: listens to its data, owns its control process."""

    def __init__(self, options: ArmOptions, recipe: Recipe, log: Log, changed: Callable[[], None]) -> None:
        """Know nothing yet."""
        super().__init__(options)
        self._recipe, self._log, self._changed = recipe, log, changed
        self._control: ControlProcess | None = None
        self._abort: asyncio.Future[StepError] | None = None
        self._answers: dict[int, asyncio.Future[Done]] = {}
        self._begun: Callable[[], None] = lambda: None
        self.carrying = False
        """A piece is in the gripper, and the sensor must say so as long as the arm moves."""
        self.stopped_at = 0.0
        """When the safety system was first seen to have stopped it, seconds of the loop's clock."""
        self.held = ''
        """Why nothing may move until the robot is recovered; "" = it may."""
        self._letting_go: asyncio.Task[None] | None = None
        self._script_runs = False
        """The data has shown that the control script of the control process runs."""

    # Data.

    def connected(self) -> None:
        """Data begins to come."""
        self.continuity.restart()
        self._log.info(f'robot {self.address} connected')

    def package(self, values: dict[str, Value]) -> None:
        """Take a package in."""
        former, now = self._hear(values)
        if now.safety not in recovery.FREE and (former is None or former.safety != now.safety):
            self.stopped_at = self._seen_at
        self._watch(now)
        if self._script_runs and now.runtime == STOPPED and self._abort is None:
            self._script_ended()
        if former is None or (former.safety, former.mode, former.runtime) != (now.safety, now.mode, now.runtime):
            self._changed()

    def lost(self, why: str) -> None:
        """Data comes no more."""
        if self.seen is not None:
            self._log.warning(f'robot {self.address} lost: {why}')
        self.seen, self.why_lost = None, f'The robot is not connected: {why}. Switch it on, check the network cable.'
        self._interrupt(f'the connection to the robot was lost ({why})')
        self._changed()

    @property
    def ready(self) -> bool:
        """Whether the control script runs."""
        return self._control is not None and self._control.ready

    @property
    def control_pid(self) -> int:
        """Process id of the control process, 0 when there is none."""
        return self._control.pid if self._control is not None and not self._control.over else 0

    @property
    def sensor(self) -> bool | None:
        """Whether a piece is in the gripper; None when there is no sensor or no data."""
        pin = self._recipe.gripper.part_input
        return None if pin is None or self.seen is None else bool(self.seen.inputs >> pin & 1)

    @property
    def closed(self) -> bool:
        """Whether the gripper is told to be closed."""
        return self.seen is not None and bool(self.seen.outputs >> self._recipe.gripper.close_output & 1)

    def trouble(self) -> str:
        """Say why the arm cannot move, and what to do; "" when it can."""
        if self.seen is None:
            return self.why_lost
        if not self.fresh:
            return f'The newest data of the robot is {self.age:.1f} s old. Check the network cable.'
        return recovery.trouble(self.seen.safety, self.seen.mode)

    async def ask(self, *commands: str) -> str:
        """Ask the dashboard, and return its reply to the last command.

        Raises:
            DashboardError: It did not answer, or refused.
        """
        reply = ''
        async with connected(self.address) as dashboard:
            for command in commands:
                reply = await dashboard.ask(command)
        return reply

    # The control process.

    async def open(self) -> str:
        """See to it that the control script runs; return what is in the way, "" when it runs. Nothing moves."""
        if self.ready:
            return ''
        if trouble := self.trouble():
            return trouble
        try:
            if not truth(await self.ask('is in remote control')):
                return 'The robot is in local mode. Switch it to remote control on the pendant.'
        except DashboardError as problem:
            return f'{problem}.'
        if not await self.until(lambda seen: seen.runtime == STOPPED, ENDING_S):
            return 'Another program runs on the robot. Stop it on the pendant, or recover the robot.'
        return await self._start_control()

    async def _start_control(self) -> str:
        if self._control is not None and not self._control.over:
            return 'The control program is being started. Try again.'
        control = self._control = ControlProcess(self._report, self._control_ended)
        if problem := await control.start(self.address, self._options.watchdog):
            return f'The control program cannot be started: {problem}.'
        if not await self.until(lambda seen: seen.runtime == PLAYING, ENDING_S):
            await control.kill('the control script does not run')
            return 'The control program does not run on the robot. Look at the pendant.'
        self._script_runs = True
        cell = self._recipe.cell
        try:
            await self._ask(Setup(pose(cell.tool), self._recipe.payload, self._recipe.center_of_gravity))
        except StepError as problem:
            await control.kill(str(problem))
            return f'The robot did not take tool and payload: {problem}.'
        self._changed()
        return ''

    def _script_ended(self) -> None:
        """End a control process whose script has ended while the arm stood; after a reboot ur_rtde says that it still runs."""
        self._script_runs = False
        if self._control is not None:
            self._ending = self._loop.create_task(self._control.kill('the control script on the robot has ended'))

    def _control_ended(self, why: str) -> None:
        self._script_runs = False
        if why:
            self._log.warning(f'control process ended: {why}')
        if self.seen is not None and not self.fresh:
            why = f'no data came for {self.age:.1f} s, and {why}' if why else why
        self._interrupt(why)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(StepError(why))
        self._changed()

    def _report(self, report: Report) -> None:
        if isinstance(report, Begun):
            self._begun()
        elif isinstance(report, Done) and (answer := self._answers.pop(report.number, None)) and not answer.done():
            answer.set_result(report)

    # Steps.

    async def run(self, steps: list[Step], begun: Callable[[], None]) -> None:
        """Do the steps one after the other; `begun` is called when the controller has taken the first one.

        Raises:
            StepError: One did not end as it should; the arm has been let go of.
            NoPieceError: The gripper closed on nothing; the arm has gone its way to the end without a piece.
        """
        self._abort, self._begun = self._loop.create_future(), begun
        missing: NoPieceError | None = None
        try:
            for step in steps:
                try:
                    await self._do(step, begun)
                except NoPieceError as problem:
                    missing = problem
                    await self._do(Grip(False, self._recipe.gripper.open_time, False, str(problem)), begun)
        except StepError as problem:
            self.let_go(str(problem))
            raise
        finally:
            self._abort, self._begun = None, lambda: None
        if missing is not None:
            raise missing

    async def _do(self, step: Step, begun: Callable[[], None]) -> None:
        if isinstance(step, Move):
            await self._move(step)
            return
        begun()
        await self._grip(step)

    async def _move(self, step: Move) -> None:
        request: MoveJoints | MoveLine = (
            MoveJoints(step.joints, step.speed, step.acceleration)
            if step.pose is None
            else MoveLine(step.pose, step.speed, step.acceleration)
        )
        answer = self._send(request)
        spent, began = 0.0, self._loop.time()
        while not answer.done():
            looked = self._loop.time()
            await self._wait(answer, LOOK_S)
            seen, now = self.seen, self._loop.time()
            if seen is None or self.age > 2.0 * self._options.stale:
                raise StepError(f'no data came for {self.age:.1f} s on the way {step.label}')
            spent += (now - looked) * seen.scaling
            if spent > step.seconds or now - began > LONGEST_S:
                raise StepError(f'the move {step.label} did not end in time')
        done = answer.result()
        if not done.ok:
            raise StepError(f'{done.text} on the way {step.label}')
        if not await self._until(lambda seen: arrived(step, self._before, seen)):
            raise StepError(f'the arm did not arrive on the way {step.label}')

    async def _grip(self, step: Grip) -> None:
        gripper = self._recipe.gripper
        wanted = {gripper.close_output: step.closed}
        if gripper.open_output is not None:
            wanted[gripper.open_output] = not step.closed
        self.carrying = False
        for pin, on in wanted.items():
            done = await self._wait(self._send(SetOutput(pin, on)), REQUEST_S)
            if done is None or not done.ok:
                raise StepError('the gripper was not switched')
        if not await self._until(lambda seen: all(bool(seen.outputs >> pin & 1) == on for pin, on in wanted.items())):
            raise StepError('the output of the gripper did not switch')
        await self._wait(self._nothing(), step.seconds)
        if self.sensor is not None and not await self._until(lambda _seen: self.sensor == step.holds):
            raise NoPieceError(step.missing) if step.holds else StepError(step.missing)
        self.carrying = step.holds and self.sensor is not None

    async def _until(self, condition: Callable[[View], bool]) -> bool:
        """Wait for what the data says, with everything that may end a step."""
        waiting: asyncio.Future[bool] = asyncio.ensure_future(self.until(condition, SETTLE_S))
        try:
            result = await self._wait(waiting, SETTLE_S + LOOK_S)
            return result is True
        finally:
            waiting.cancel()

    async def _wait(self, future: asyncio.Future[T], seconds: float) -> T | None:
        """Wait for something at most so long; return its result, None when it did not come.

        Raises:
            StepError: Something ends the step.
        """
        watched: set[asyncio.Future[Any]] = {future}
        if self._abort is not None:
            watched.add(self._abort)
        await asyncio.wait(watched, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._abort is not None and self._abort.done():
            raise self._abort.result()
        return future.result() if future.done() else None

    async def _ask(self, request: Request) -> None:
        done = await self._wait(self._send(request), REQUEST_S)
        if done is None or not done.ok:
            raise StepError('no answer' if done is None else done.text)

    def _nothing(self) -> asyncio.Future[None]:
        """Return what never comes."""
        return self._loop.create_future()

    def _send(self, request: Request) -> asyncio.Future[Done]:
        if self._control is None or not self._control.ready:
            raise StepError('the control program has ended')
        answer: asyncio.Future[Done] = self._loop.create_future()
        answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._answers[self._control.send(request)] = answer
        return answer

    # Ends.

    def _watch(self, seen: View) -> None:
        """End a step whose arm was stopped, or lost its piece."""
        if self._abort is None:
            return
        if seen.safety not in recovery.FREE:
            self._interrupt(recovery.cause(seen.safety), ResultCode.ROBOT_STOPPED)
        elif seen.runtime == STOPPED:
            self._interrupt('the program on the robot was stopped', ResultCode.ROBOT_STOPPED)
        elif self.carrying and self.sensor is False:
            self._interrupt('the piece was lost from the gripper')

    def interrupt(self, why: str) -> bool:
        """End what is being done; return whether anything was."""
        return self._interrupt(why, ResultCode.ROBOT_STOPPED)

    def _interrupt(self, why: str, code: int = ResultCode.ROBOT_OUTCOME_UNKNOWN) -> bool:
        if self._abort is None or self._abort.done():
            return False
        self._abort.set_result(StepError(why, code))
        return True

    def let_go(self, why: str) -> None:
        """Hold the arm until it is recovered, and see to it that nothing goes on."""
        self.held = self.held or why
        self.carrying = False
        if self._letting_go is None or self._letting_go.done():
            self._letting_go = self._loop.create_task(self._let_go(why))
        self._changed()

    async def let_go_done(self) -> None:
        """Wait until the arm has been let go of."""
        if self._letting_go is not None:
            await asyncio.wait([self._letting_go])

    async def _let_go(self, why: str) -> None:
        control = self._control
        if control is not None and control.ready:
            with contextlib.suppress(StepError):
                answer = self._send(Stop(BRAKE_RAD_S2))
                await asyncio.wait([answer], timeout=2 * LOOK_S)
        if control is not None:
            await control.kill('')
        for _ in range(STOP_TRIES):
            problem = await self.stop_program()
            if not problem:
                return
        self._log.error(f'after "{why}" the program on the robot was not stopped: {problem}')

    async def stop_program(self) -> str:
        """Stop whatever program runs; return what is in the way, "" when none runs."""
        try:
            await self.ask('stop')
        except DashboardError as problem:
            if self.fresh and self.seen is not None and self.seen.runtime == STOPPED:
                return ''
            return f'{problem}. Stop the program on the pendant.'
        if not await self.until(lambda seen: seen.runtime == STOPPED, ENDING_S):
            return 'The program on the robot did not stop. Stop it on the pendant.'
        return ''

    async def close(self) -> None:
        """End the control process."""
        if self._control is not None:
            await self._control.kill('')
