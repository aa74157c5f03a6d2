"""A cell with one robot backend for tests: coordinator, ledger, robot node, simulated controller, and a vision substitute.

Everything except the child processes of a backend runs in this process, so that a case takes no longer than the arm. The
vision substitute reads every piece without error, because the robot is under test here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import yaml
from cell_common.qos import latched
from cell_common.testing import NodeGraph, free_port, wait_until
from cell_coordinator.node import CoordinatorNode
from cell_inventory.node import InventoryNode
from cell_robot.backends.trigger import TriggerPhase
from cell_robot.node import RobotNode
from cell_robot.recipe_file import load_recipe
from cell_robot.robot_modes import RuntimeState
from cell_sim.node import WorldNode
from cell_sim.testing.motion_monitor import CommandInterval, MotionMonitor
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.letters_program import LettersProgram
from cell_sim.world.ground_truth import read_ground_truth
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import ViewPhase
from rclpy.action.client import ActionClient
from rclpy.node import Node

from cell_interfaces.action import RecoverRobot, RunJob
from cell_interfaces.msg import CellStatus, CommandInfo, JobState, MatchResult, OcrResult, ResultCode, RobotState, TextReading
from cell_interfaces.srv import AdjustStock, ControlJob, GetInventory, MatchPart, ReadText

CONFIG = Path(__file__).resolve().parents[1] / 'config'
BACKENDS = ('letters', 'rtde', 'ros_driver')
OWN_PROGRAM = ('letters', 'hub')
"""Backends over which a program on the controller moves the arm."""
JOBS = Path(__file__).parent / 'data' / 'robot_jobs.yaml'
SECOND_LOOK_S = 1.0
READY_S = 30.0
SETTLE_S = 0.2
STARTS = 5
SLOW_MACHINE = {'watchdog_frequency': 1.0, 'stale_data': 1.5, 'dashboard_timeout': 3.0}
"""Controller and nodes share one process here, so none of them is as punctual as on separate machines."""
RESTING = (JobState.PAUSED, JobState.WAITING_RELOAD, JobState.DONE, JobState.CANCELLED, JobState.FAILED)
ENDED = RESTING[2:]
Row = tuple[int, str, int, int, int]


class VisionSubstitute(Node):
    """Camera, OCR and matcher in one: reads a piece that stands still before the camera, and none that moves."""

    def __init__(self, world: WorldNode, **options: Any) -> None:
        super().__init__('vision', **options)
        self._world = world
        self.verified: list[str] = []
        """Serials of the pieces that were matched to the ordered part."""
        self.create_service(ReadText, 'ocr/read', self._read)
        self.create_service(MatchPart, 'matching/match', self._match)

    def _view(self) -> PhysicalPart | None:
        view = self._world.simulation.world.view(0.0)
        return view.piece if view.phase is ViewPhase.STILL else None

    def _read(self, request: ReadText.Request, response: ReadText.Response) -> ReadText.Response:
        piece = self._view()
        newer = request.newer_than.sec * 10**9 + request.newer_than.nanosec
        stamp = max(self.get_clock().now().nanoseconds, newer + 1)
        readable = piece is not None and not piece.unreadable
        result = OcrResult(status=OcrResult.OK if readable else OcrResult.NO_TEXT, read_time=0.01)
        result.header.stamp.sec, result.header.stamp.nanosec = divmod(stamp, 10**9)
        if readable:
            result.texts = [TextReading(text=f'{piece.part_number} {piece.serial}', score=0.9)]
        response.result = result
        return response

    def _match(self, request: MatchPart.Request, response: MatchPart.Response) -> MatchPart.Response:
        text = request.ocr.texts[0].text if request.ocr.texts else ''
        part, _, serial = text.partition(' ')
        verdict = MatchResult.UNREADABLE
        if part:
            verdict = MatchResult.MATCH if part == request.expected_part_number else MatchResult.MISMATCH
        if verdict == MatchResult.MATCH:
            self.verified.append(serial)
        response.result = MatchResult(
            header=request.ocr.header,
            expected_part_number=request.expected_part_number,
            part_number=part,
            verdict=verdict,
            text=text,
            score=0.9,
        )
        return response


class RobotCell:
    """One backend, one arm, one ledger."""

    def __init__(
        self,
        graph: NodeGraph,
        folder: Path,
        backend: str,
        *,
        seed: int = 7,
        wrong_share: float = 0.2,
        time_scale: float = 20.0,
        grip_time: float = 0.3,
        **robot: Any,
    ) -> None:
        self.graph, self.backend, self.folder = graph, backend, folder
        self.truth_file = folder / 'truth.jsonl'
        self.address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        self.port = robot.pop('robot_port', 0) or free_port()
        catalogue, recipe = str(CONFIG / 'parts.yaml'), self._recipe(grip_time)
        database = f'sqlite:///{folder}/cell.db'
        self.states = graph.collect(RobotState, 'robot/state', latched())
        self.jobs = graph.collect(JobState, 'job', latched(100))
        self.statuses = graph.collect(CellStatus, 'status', latched())
        self.world = graph.add(
            WorldNode(
                **graph.options(
                    catalogue_file=catalogue,
                    seed=seed,
                    wrong_share=wrong_share,
                    time_scale=time_scale,
                    camera=False,
                    scale_port=0,
                    robot_port=self.port if backend in OWN_PROGRAM else 0,
                    framing='bare' if backend == 'hub' else 'line',
                    ur_address=self.address,
                    recipe_file=recipe,
                    truth_file=str(self.truth_file),
                )
            )
        )
        if backend == 'ros_driver':
            self._add_driver(time_scale)
        self.inventory = graph.add(InventoryNode(**graph.options(database_url=database, catalogue_file=catalogue)))
        wait_until(lambda: self.world.simulation.stock_sync.started, READY_S, 'the trays are set up')
        settings = {
            'catalogue_file': catalogue,
            'backend': backend,
            'recipe_file': recipe,
            'robot_address': self.address,
            'port': self.port,
            'driver_namespace': 'driver',
            **SLOW_MACHINE,
            **robot,
        }
        self._monitor_motion(recipe)
        self.robot = graph.add(RobotNode(**graph.options(**settings)))
        self._record_commands()
        self.vision = graph.add(VisionSubstitute(self.world, **graph.options()))
        self.coordinator = graph.add(
            CoordinatorNode(
                **graph.options(
                    database_url=database, settle_time=0.0, needed_subsystems=['robot'], trigger_timeout=40.0, call_timeout=5.0
                )
            )
        )
        self._runner = ActionClient(graph.node, RunJob, 'run_job')
        self._recovery = ActionClient(graph.node, RecoverRobot, 'robot/recover')
        self.wait_ready()

    @property
    def controller(self) -> Controller:
        return self.world.simulation.ur.controller

    @property
    def job(self) -> JobState | None:
        return self.jobs[-1] if self.jobs else None

    @property
    def state(self) -> RobotState | None:
        return self.states[-1] if self.states else None

    def wait_ready(self, timeout: float = READY_S) -> None:
        wait_until(
            lambda: self.state is not None and self.state.connected and self.statuses and self.statuses[-1].ready,
            timeout,
            f'{self.backend}: ready; {self.state and self.state.message}',
        )

    def wait_settled(self, condition: Callable[[], object] = lambda: True, seconds: float = SETTLE_S) -> None:
        """Wait until the backend has been ready, and a condition true, for a time without interruption."""
        since = time.monotonic()

        def settled() -> bool:
            nonlocal since
            ready = self.state is not None and self.state.connected and self.statuses and self.statuses[-1].ready
            if not ready or not condition():
                since = time.monotonic()
            return time.monotonic() - since >= seconds

        wait_until(settled, READY_S, f'{self.backend}: ready for {seconds:g} s')

    def inject(self, fault: str, value: float = 0.0, device: str = 'ur') -> None:
        self.world.run(self.world.simulation.inject(device, fault, value), 30.0)

    def run_in_world(self, work: Callable[[], None]) -> None:
        """Call a function in the thread of the simulated controller."""

        async def call() -> None:
            work()

        self.world.run(call(), 30.0)

    def start(self, part_number: str, quantity: int) -> str:
        """Start a job and return its id; retry while an outdated status refuses it."""
        for _ in range(STARTS - 1):
            try:
                return self._start(part_number, quantity)
            except AssertionError as error:
                if 'not ready' not in str(error):
                    raise
                self.wait_settled(seconds=1.0)
        return self._start(part_number, quantity)

    def _start(self, part_number: str, quantity: int) -> str:
        wait_until(self._runner.server_is_ready, READY_S, 'run_job')
        known = {job.job_id for job in list(self.jobs)}
        command = CommandInfo(operator_id='ann')
        goal = RunJob.Goal(part_number=part_number, quantity=quantity, command=command)
        sent = self.graph.request(lambda: self._runner.send_goal_async(goal))
        wait_until(sent.done, READY_S, 'a reply to the goal')
        self.result = self.graph.request(sent.result().get_result_async)

        def running() -> set[str]:
            assert not self.result.done() or self.result.result().result.job.job_id, self.result.result().result.message
            return {job.job_id for job in list(self.jobs) if job.state == JobState.RUNNING} - known

        return str(wait_until(running, READY_S, 'the job runs').pop())

    def run(self, part_number: str, quantity: int, timeout: float = 60.0) -> JobState:
        """Run a job to its end; the operator resumes it after rejects."""
        job_id = self.start(part_number, quantity)
        while (job := self.wait_rest(job_id, timeout)).state == JobState.PAUSED and not job.unresolved_trigger:
            self.control(ControlJob.Request.RESUME)
        return job

    def wait_rest(self, job_id: str, timeout: float = 60.0) -> JobState:
        wait_until(
            lambda: self.job is not None and self.job.job_id == job_id and self.job.state in RESTING,
            timeout,
            f'{self.backend}: the job rests; last: {self.job and (self.job.state, self.job.step, self.job.reason)}',
        )
        return self.job

    def control(self, action: int) -> JobState:
        """Control the job; return when the topic shows the result, too.

        An answer that the gripper sensor contradicts is given again after another look, as the message asks for.
        """
        answer = self._control(action)
        if 'overrules the sensor' in answer.message and answer.code != ResultCode.OK:
            looked_at = time.monotonic()
            wait_until(lambda: time.monotonic() - looked_at > SECOND_LOOK_S, READY_S, 'a second look')
            answer = self._control(action)
        assert answer.code == ResultCode.OK, answer.message
        wait_until(lambda: _time(self.job) >= _time(answer.job), READY_S, 'the job on its topic')
        return answer.job

    def _control(self, action: int) -> ControlJob.Response:
        command = CommandInfo(operator_id='ann')
        return self.graph.call(ControlJob, 'control_job', ControlJob.Request(action=action, command=command))

    def recover(self, timeout: float = 40.0) -> Any:
        """Recover the robot through the robot node, as the operator does after a check; return the result."""
        wait_until(self._recovery.server_is_ready, READY_S, 'robot/recover')
        goal = RecoverRobot.Goal(command=CommandInfo(operator_id='ann'), area_is_clear=True)
        sent = self.graph.request(lambda: self._recovery.send_goal_async(goal))
        wait_until(sent.done, READY_S, 'a reply of robot/recover')
        result = self.graph.request(sent.result().get_result_async)
        wait_until(result.done, timeout, 'the end of robot/recover')
        return result.result().result

    def refill(self, part_number: str) -> None:
        """Fill the trays of a part and record it in the ledger."""
        command = CommandInfo(operator_id='ann')
        request = AdjustStock.Request(part_number=part_number, count=-1, reason='filled', command=command)
        answer = self.graph.call(AdjustStock, 'inventory/reload', request)
        assert answer.code == ResultCode.OK, answer.message

    def ledger(self) -> list[Row]:
        """Return the ledger entries of jobs, oldest first: (kind, part number, tray, delta, piece)."""
        answer = self.graph.call(GetInventory, 'inventory/get', GetInventory.Request(max_events=1000))
        assert answer.code == ResultCode.OK
        rows = [event for event in answer.events if event.job_id]
        rows.sort(key=lambda event: event.sequence)
        return [(event.kind, event.part_number, event.tray, event.delta, event.piece) for event in rows]

    def entries(self, job_id: str) -> list[tuple[int, int]]:
        """Return (kind, piece) of the ledger entries of one job, oldest first."""
        answer = self.graph.call(GetInventory, 'inventory/get', GetInventory.Request(max_events=1000))
        rows = sorted((event for event in answer.events if event.job_id == job_id), key=lambda event: event.sequence)
        return [(event.kind, event.piece) for event in rows]

    def truth(self) -> list[dict[str, Any]]:
        return read_ground_truth(self.truth_file)

    def _recipe(self, grip_time: float) -> str:
        """Write a recipe with the time of the gripper in seconds, which passes in real time; return its path."""
        recipe = yaml.safe_load((CONFIG / 'recipe.yaml').read_text())
        recipe['gripper'] |= {'close_time': grip_time, 'open_time': grip_time}
        file = self.folder / 'recipe.yaml'
        file.write_text(yaml.safe_dump(recipe))
        return str(file)

    def violations(self) -> list[str]:
        """Return the motions since the last reset of the monitor that were not commanded."""
        return self.monitor.violations([*self.commands], own_program=self.backend in OWN_PROGRAM)

    def _monitor_motion(self, recipe: str) -> None:
        """Monitor every cycle of the controller."""
        self.monitor = MotionMonitor(load_recipe(recipe).cell.tcp)
        self.commands: list[CommandInterval] = []

        def update(controller: Controller) -> None:
            free = controller.may_move and controller.runtime == RuntimeState.PLAYING
            program = controller.program
            self.monitor.update(
                time.monotonic(),
                controller.motion.joints,
                free=free,
                doing=program.doing if isinstance(program, LettersProgram) else '',
            )

        self.world.simulation.ur.add_cycle_callback(update)

    def _record_commands(self) -> None:
        """Record each command that the robot node passes to its backend, with its start and end."""
        backend = self.robot.backend

        def recorded(name: str, begin: Callable[..., Future[Any]], *arguments: Any) -> Future[Any]:
            commanded = CommandInterval(name, time.monotonic())
            self.commands.append(commanded)
            future = begin(*arguments)
            future.add_done_callback(lambda done: _end(commanded, done))
            return future

        def trigger(command: Any, progress: Any, begin: Any = backend.trigger) -> Future[Any]:
            moves = command.event != 'START_PROGRAM' or self.backend in OWN_PROGRAM
            return recorded(command.trigger_id, begin, command, progress) if moves else begin(command, progress)

        def recover(step: Any, begin: Any = backend.recover) -> Future[Any]:
            return recorded('recover', begin, step)

        backend.trigger, backend.recover = trigger, recover

    def _add_driver(self, time_scale: float) -> None:
        from cell_sim.ur_driver.node import UrDriverNode

        options = self.graph.options(robot_ip=self.address, time_scale=time_scale) | {'namespace': 'cell/driver'}
        self.driver = self.graph.add(UrDriverNode(**options))


def _end(commanded: CommandInterval, future: Future[Any]) -> None:
    """Record the end of a command with its outcome."""
    commanded.ended = time.monotonic()
    if not future.cancelled() and future.exception() is None:
        outcome = future.result()
        commanded.succeeded = outcome.code == ResultCode.OK if commanded.recovery else outcome.phase is TriggerPhase.DONE


def _time(job: JobState) -> tuple[int, int]:
    return job.stamp.sec, job.stamp.nanosec


def job_file() -> list[dict[str, Any]]:
    """Return the jobs of the job file."""
    return list(yaml.safe_load(JOBS.read_text()))
