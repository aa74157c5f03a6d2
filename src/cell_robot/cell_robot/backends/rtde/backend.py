"""Backend `rtde`: events become plans by the recipe, plans are carried out through ur_rtde in a process of its own.

An event whose motion has begun and whose end was not seen is unknown, and the arm is held: nothing moves again before a person
has recovered the robot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from cell_common.background import AsyncioThread
from cell_common.runner import StartError

from cell_interfaces.msg import ResultCode
from cell_robot import recovery
from cell_robot.backends.base import Answer, Backend, Check, Command, Joints, LinkState, Outcome, Phase, Step, not_sent
from cell_robot.backends.letters.backend import Log
from cell_robot.backends.rtde.arm import Arm
from cell_robot.backends.rtde.recovery import recover
from cell_robot.backends.rtde.steps import ArmOptions, NoPieceError, StepError
from cell_robot.motion.kinematics import JOINTS, JointVector
from cell_robot.motion.plan import MOVE, PART, Piece, PlanError, Planner, ReachError, UnknownEventError
from cell_robot.motion.plan import Step as PlanStep
from cell_robot.motion.recipe import Recipe
from cell_robot.motion.recipe_file import RecipeError, load_recipe
from cell_robot.parameters import RobotParameters
from cell_robot.protocols.dashboard.codec import DashboardError, truth
from cell_robot.protocols.rtde.transport import Receiver
from cell_robot.protocols.rtde.view import NAMES, PLAYING, STOPPED
from cell_robot.tray_stock import TrayStock

if TYPE_CHECKING:
    from rclpy.node import Node

BOOKED_S = 1.0
"""The ledger's entry of the piece taken before may arrive so much later than the next event."""
LATE_DATA_S = 0.1
"""Older data is worth a warning."""
HOLDS_BY_EVENT = {'PLACE': Piece.NONE, 'REJECT': Piece.NONE, 'BENCHMARK': Piece.BENCHMARK}


@dataclass
class _Running:
    """The trigger being carried out."""

    command: Command
    progress: Callable[[Phase], None]
    begun: bool = False
    """The controller has taken a move, or the gripper was switched."""

    def tell_begun(self) -> None:
        """Say once that the robot is busy with it."""
        if not self.begun:
            self.begun = True
            self.progress(Phase.ACKNOWLEDGED)


class RtdeBackend(Backend):
    """Drives the arm itself."""

    name = 'rtde'
    advice = 'Switch the robot on; check the network cable.'

    def __init__(
        self,
        options: ArmOptions,
        recipe: Recipe,
        stock: TrayStock,
        repeats: recovery.Repeats,
        log: Log,
        *,
        allow_moves: bool = False,
    ) -> None:
        """Do nothing yet.

        Args:
            options: Where the robot is, and how it is listened to.
            recipe: Where the arm goes.
            stock: Pieces in the trays.
            repeats: How many protective stops may be unlocked.
            log: Where to write; from any thread.
            allow_moves: Whether MOVE_<named pose> is an event.
        """
        self._options, self._recipe, self._stock, self._log = options, recipe, stock, log
        self._planner, self._repeats, self._allow_moves = Planner(recipe), repeats, allow_moves
        self._running: _Running | None = None
        self._recovering = False
        self._piece = Piece.UNKNOWN
        self._taken_at = -1
        """Ledger entry known when the last piece was taken."""
        self._changed: Callable[[], None] = lambda: None

    def start(self, changed: Callable[[], None]) -> None:
        """Begin to listen to the robot."""
        self._changed = changed
        self._background = AsyncioThread(self.name)
        self._arm = self._background.run(self._make_arm(), BOOKED_S)
        self._background.submit(self._listening())

    def close(self) -> None:
        """End the control process and stop listening."""
        self._changed = lambda: None
        if self._background.loop.is_closed():
            return
        self._background.run(self._arm.close(), BOOKED_S * 5)
        self._background.close()

    def state(self) -> LinkState:
        """Return what is known now."""
        arm, seen = self._arm, self._arm.seen
        if seen is None:
            return LinkState(message=arm.why_lost)
        age = arm.age
        blocked = self._held() or arm.trouble()
        message = blocked or (f'The data of the robot is {age:.2f} s old.' if age > LATE_DATA_S else '')
        return LinkState(
            connected=arm.fresh,
            peer=self._options.address,
            robot_mode=seen.mode,
            safety_mode=seen.safety,
            program_state=seen.program,
            speed_scaling=seen.scaling,
            data_age=max(0.0, age),
            message=message,
            blocked=bool(blocked),
            joints=Joints(JOINTS, seen.joints, seen.speeds) if arm.fresh else None,
        )

    def trigger(self, command: Command, progress: Callable[[Phase], None]) -> Future[Outcome]:
        """Carry an event out."""
        return self._background.submit(self._trigger(_Running(command, progress)))

    def stop(self) -> Future[Answer]:
        """Stop the arm; it is held until it is recovered."""
        return self._background.submit(self._stop())

    def recover(self, step: Step) -> Future[Answer]:
        """Bring the robot back."""
        return self._background.submit(self._recover(step))

    def preflight(self) -> Future[list[Check]]:
        """Check remote control, safety, mode, program, gripper, data and that nothing is held."""
        return self._background.submit(self._preflight())

    @property
    def control_pid(self) -> int:
        """Process id of the control process, 0 when there is none."""
        return self._arm.control_pid

    # From here on: the event loop's thread.

    async def _make_arm(self) -> Arm:
        return Arm(self._options, self._recipe, self._log, self._tell)

    def _listening(self) -> Coroutine[Any, Any, None]:
        options = self._options
        return Receiver(options.address, options.frequency, NAMES, self._arm).run()

    def _tell(self) -> None:
        self._changed()

    def _held(self) -> str:
        return f'Held: {self._arm.held}. Look at the area, then recover the robot.'.replace('..', '.') if self._arm.held else ''

    def _in_hand(self) -> Piece:
        """What is in the gripper: the sensor knows it better."""
        sensor = self._arm.sensor
        if sensor is None:
            return self._piece
        if not sensor:
            return Piece.NONE
        return Piece.BENCHMARK if self._piece is Piece.BENCHMARK else Piece.HELD

    async def _trigger(self, running: _Running) -> Outcome:
        if self._running is not None or self._recovering:
            return not_sent(ResultCode.ROBOT_BUSY, 'The robot is busy. Wait for its end.')
        self._running = running
        try:
            return await self._carry_out(running)
        finally:
            self._running = None
            self._changed()

    async def _carry_out(self, running: _Running) -> Outcome:
        """Check, plan, and only then move."""
        command, arm = running.command, self._arm
        if command.event.startswith(MOVE) and not self._allow_moves:
            return not_sent(ResultCode.NOT_SUPPORTED, 'Moves to named poses are only for the simulated robot.')
        await arm.hear_anew()
        if refusal := self._refusal():
            return refusal
        try:
            await self._booked(command)
            self._plan(command)
            if problem := await arm.open():
                return not_sent(ResultCode.NOT_READY, f'Nothing was sent. {problem}')
            steps = self._plan(command)
        except PlanError as problem:
            return _refused_plan(problem)
        return self._refusal() or await self._do(running, steps)

    async def _do(self, running: _Running, steps: list[PlanStep]) -> Outcome:
        command, arm = running.command, self._arm
        running.progress(Phase.SENT)
        before, self._piece = self._piece, Piece.UNKNOWN if steps else self._piece
        self._taken_at = self._stock.sequence if command.event.startswith(PART) else self._taken_at
        arm.carrying = arm.sensor is True and bool(steps)
        try:
            await arm.run(steps, running.tell_begun)
        except NoPieceError as problem:
            self._piece = Piece.NONE
            return Outcome(Phase.REFUSED, ResultCode.ROBOT_REFUSED, str(problem))
        except StepError as problem:
            return self._ended_badly(running, problem)
        running.tell_begun()
        after = Piece.HELD if command.event.startswith(PART) else HOLDS_BY_EVENT.get(command.event, before)
        self._piece = Piece.NONE if command.event == 'HOME' and before is Piece.BENCHMARK else after
        return Outcome(Phase.DONE, ResultCode.OK, f'{command.event} done.')

    def _ended_badly(self, running: _Running, problem: StepError) -> Outcome:
        event = running.command.event
        return Outcome(
            Phase.UNKNOWN,
            problem.code,
            f'It is unknown whether the robot did {event}: {str(problem).rstrip(".")}. Look where the piece is, '
            'recover the robot, then resolve the step.',
        )

    def _refusal(self) -> Outcome | None:
        """Say why nothing may move now."""
        arm = self._arm
        if arm.seen is None or not arm.fresh:
            return not_sent(ResultCode.ROBOT_NOT_CONNECTED, f'Nothing was sent. {arm.trouble()}')
        if problem := self._held() or arm.trouble():
            return not_sent(ResultCode.ROBOT_STOPPED, f'Nothing was sent. {problem}')
        return None

    def _plan(self, command: Command) -> list[PlanStep]:
        return self._planner.plan(
            command.event, command.tray, self._stand(), self._in_hand(), self._stock.counts, closed=self._arm.closed
        )

    def _stand(self) -> JointVector:
        return self._arm.seen.joints if self._arm.seen is not None else ()

    async def _booked(self, command: Command) -> None:
        """Let the ledger's entry of the piece before arrive, so that its slot is not visited twice."""
        if not command.event.startswith(PART):
            return
        deadline = asyncio.get_running_loop().time() + BOOKED_S
        while self._stock.sequence == self._taken_at and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)

    async def _stop(self) -> Answer:
        if self._arm.interrupt('a person stopped the robot'):
            return Answer(ResultCode.OK, 'The robot was told to stop. Recover it before it moves again.')
        return Answer(ResultCode.OK, 'The robot was not moving by a command of the cell.')

    async def _recover(self, step: Step) -> Answer:
        if self._running is not None or self._recovering:
            return Answer(ResultCode.ROBOT_BUSY, 'The robot is busy. Wait for its end.')
        self._recovering = True
        try:
            return await recover(self._arm, self._planner, self._repeats, step)
        finally:
            self._recovering = False
            self._changed()

    async def _preflight(self) -> list[Check]:
        arm, seen = self._arm, self._arm.seen
        if seen is None or not arm.fresh:
            return [Check('data fresh', False, arm.trouble())]
        stopped = '' if seen.safety in recovery.FREE else arm.trouble()
        return [
            Check('data fresh', True, f'{1e3 * arm.age:.0f} ms old'),
            await self._remote(),
            Check('safety', not stopped, stopped or 'NORMAL'),
            Check('mode', bool(stopped) or not arm.trouble(), stopped or arm.trouble() or 'RUNNING'),
            Check('not held', not arm.held, self._held() or 'nothing is to be recovered'),
            self._program(seen.runtime),
            self._gripper(),
        ]

    async def _remote(self) -> Check:
        try:
            remote = truth(await self._arm.ask('is in remote control'))
        except DashboardError as problem:
            return Check('remote control', False, f'{problem}. Look at the controller.')
        return Check('remote control', remote, 'yes' if remote else 'Switch it to remote control on the pendant.')

    def _program(self, runtime: int) -> Check:
        if self._arm.ready:
            good = runtime == PLAYING
            return Check(
                'program', good, 'the control program runs' if good else 'The control program is paused. Recover the robot.'
            )
        good = runtime == STOPPED
        return Check(
            'program',
            good,
            'the control program is sent when the job begins'
            if good
            else 'Another program runs on the robot. Stop it on the pendant, or recover the robot.',
        )

    def _gripper(self) -> Check:
        piece = self._in_hand()
        if piece is Piece.UNKNOWN:
            return Check('gripper empty', True, 'the gripper has no sensor: look at it')
        empty = piece is Piece.NONE
        return Check(
            'gripper empty', empty, 'yes' if empty else f'It holds {piece.value}. Take it out by hand, or with REJECT.'
        )


def _refused_plan(problem: PlanError) -> Outcome:
    code = (
        ResultCode.UNKNOWN_EVENT
        if isinstance(problem, UnknownEventError)
        else ResultCode.OUT_OF_REACH
        if isinstance(problem, ReachError)
        else ResultCode.ROBOT_REFUSED
    )
    return not_sent(code, str(problem))


def make_rtde(parameters: RobotParameters, node: Node, log: Log) -> Backend:
    """Return the backend, not started.

    Raises:
        StartError: ur_rtde or the recipe is missing, or the recipe has problems.
    """
    if find_spec('rtde_control') is None:
        raise StartError(
            'backend rtde needs the Python package ur_rtde, which has no wheel for this Python: use Python 3.10 '
            'to 3.12, or backend letters or ros_driver'
        )
    if not parameters.recipe_file:
        raise StartError('set parameter recipe_file to the recipe (config/recipe.yaml), which tells where the arm goes')
    try:
        recipe = load_recipe(parameters.recipe_file)
    except RecipeError as problem:
        raise StartError(str(problem)) from problem
    options = ArmOptions(
        parameters.robot_address, parameters.receive_frequency, parameters.stale_data, parameters.watchdog_frequency
    )
    return RtdeBackend(
        options,
        recipe,
        TrayStock(node),
        recovery.Repeats(parameters.max_recoveries, parameters.recovery_window),
        log,
        allow_moves=parameters.allow_moves,
    )
