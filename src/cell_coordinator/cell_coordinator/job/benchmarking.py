"""Readings outside a job: benchmarks of known-good parts, and single captures.

A benchmark is the reading of a known-good part that an operator has put at the benchmark position. Trigger BENCHMARK presents
the part, the matcher stores its reading, and HOME returns it. A capture reads the part in view: nothing moves or is stored.
"""

from __future__ import annotations

from cell_common.calls import ServiceCallError, call_service
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.qos import latched
from cell_common.services import create_client
from cell_common.time import now_ns, seconds_to_ns, to_ns
from cell_common.timers import create_steady_timer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cell_coordinator.job.commands import OperatorCommands
from cell_coordinator.job.events import RobotOutcome
from cell_coordinator.job.executor import CallFailedError, EffectExecutor
from cell_coordinator.job.machine import CommandRejected
from cell_coordinator.job.publisher import JobPublisher
from cell_coordinator.job.robot_client import RobotClient
from cell_coordinator.parameters import CoordinatorParameters
from cell_interfaces.msg import BenchmarkSet, CommandInfo, ComponentCaptured, OcrResult
from cell_interfaces.srv import GetBenchmarks, StoreBenchmark

# The matcher may start after the coordinator.
RESTORE_PERIOD_S = 0.5


class BenchmarkService:
    """Implementation of set_benchmark and capture_component.

    It uses the same reading and matching calls as a job, but no state machine: after a failure nothing has to be reconciled.
    """

    def __init__(
        self,
        node: Node,
        *,
        commands: OperatorCommands,
        executor: EffectExecutor,
        robot: RobotClient,
        publisher: JobPublisher,
        settings: CoordinatorParameters,
    ) -> None:
        """Store the collaborators and create the client of the matcher."""
        self._node = node
        self._commands = commands
        self._executor = executor
        self._robot = robot
        self._publisher = publisher
        self._settings = settings
        self._store = create_client(node, StoreBenchmark, 'matching/store_benchmark', ReentrantCallbackGroup())
        self._stored = create_client(node, GetBenchmarks, 'matching/benchmarks', ReentrantCallbackGroup())
        self._benchmark = node.create_publisher(BenchmarkSet, 'benchmark_set', latched())
        self._latched: BenchmarkSet | None = None
        self._restore_timer = create_steady_timer(node, RESTORE_PERIOD_S, self._restore, ReentrantCallbackGroup())

    async def capture(self, command: CommandInfo, part_number: str) -> ComponentCaptured:
        """Read the camera's view and compare it with a part; nothing moves.

        Args:
            command: Its age is checked.
            part_number: Part to compare with; "" = that of the newest benchmark.

        Returns:
            The reading and the matcher's verdict, which is also published on component_captured.

        Raises:
            CommandRejected: The command is too old, there is no part to compare with, or another node failed.
        """
        self._commands.require_fresh(command)
        part_number = part_number or (self._latched.part_number if self._latched else '')
        if not part_number:
            raise CommandRejected(
                ErrorCode.INVALID_ARGUMENT,
                'there is neither a job nor a benchmark to compare with: set one, or give a part number',
            )
        try:
            reading = await self._executor.read(now_ns(self._node))
            result = await self._executor.match(part_number, reading)
        except CallFailedError as error:
            raise CommandRejected(error.code, str(error)) from error
        capture = ComponentCaptured(stamp=reading.header.stamp, attempt=1, ocr=reading, match=result)
        self._publisher.publish_capture(capture)
        return capture

    async def set_benchmark(self, command: CommandInfo, part_number: str) -> BenchmarkSet:
        """Let the robot present a known-good part, store its reading, and let the robot return the part.

        Args:
            command: Its age is checked before the arm moves, not after.
            part_number: A part of the catalogue.

        Returns:
            The benchmark with its version, which is also published on benchmark_set.

        Raises:
            CommandRejected: The benchmark was not set; the message tells which step failed.
        """
        self._commands.require_fresh(command)
        with self._commands.reserve_robot(f'the benchmark of {part_number} is being set'):
            reading = await self._present_part(part_number)
            version = await self._store_benchmark(command, part_number, reading)
        benchmark = BenchmarkSet(
            stamp=self._node.get_clock().now().to_msg(),
            part_number=part_number,
            version=version,
            texts=[line.text for line in reading.texts],
            frames=max(1, reading.frames),
            operator_id=command.operator_id,
        )
        self._publish(benchmark)
        return benchmark

    def _publish(self, benchmark: BenchmarkSet) -> None:
        self._latched = benchmark
        self._benchmark.publish(benchmark)

    async def _restore(self) -> None:
        """Publish the newest stored benchmark, as soon as the matcher answers after a start of this node.

        The topic is latched by this process only, so a restart would empty it. The timer repeats the call until it succeeds or
        a new benchmark is set.
        """
        if self._latched:
            self._restore_timer.cancel()
            return
        if not self._stored.service_is_ready():
            return
        try:
            answer = await call_service(self._node, self._stored, GetBenchmarks.Request(), self._settings.call_timeout)
        except ServiceCallError:
            return  # tried again
        if answer.code != ErrorCode.OK or self._latched:
            return
        self._restore_timer.cancel()
        if answer.benchmarks:
            self._publish(max(answer.benchmarks, key=lambda benchmark: to_ns(benchmark.stamp)))

    async def _present_part(self, part_number: str) -> OcrResult:
        """Present the part, read it, and return it in every case; return a reading with text.

        Raises:
            CommandRejected: A trigger or the reading failed, or no text was read.
        """
        try:
            await self._executor.stock(part_number)  # rejects an unknown part before the arm moves
            # Before the trigger: only a part that comes into view after it can be the benchmark.
            picked_ns = now_ns(self._node)
            await self._trigger('BENCHMARK')
            shown_ns = now_ns(self._node)
            settled_ns = shown_ns + seconds_to_ns(self._settings.settle_time)
            try:
                frames = self._settings.benchmark_frames
                reading = await self._executor.read(settled_ns, picked_ns=picked_ns, shown_ns=shown_ns, frames=frames)
            finally:
                # Also after a failed reading: the arm must not stand in front of the camera with the part.
                await self._trigger('HOME')
        except CallFailedError as error:
            raise CommandRejected(error.code, str(error)) from error
        if reading.status != OcrResult.OK:
            raise CommandRejected(
                ErrorCode.INVALID_ARGUMENT, 'no text was read on the part: check its position, light and focus'
            )
        return reading

    async def _store_benchmark(self, command: CommandInfo, part_number: str, reading: OcrResult) -> int:
        """Let the matcher store a reading, and return the version of the benchmark.

        Raises:
            CommandRejected: The matcher rejected it or did not answer.
        """
        request = StoreBenchmark.Request(command=command, part_number=part_number, ocr=reading)
        request.command.valid_for.sec = request.command.valid_for.nanosec = 0  # its age was checked before the arm moved
        try:
            response = await call_service(self._node, self._store, request, self._settings.call_timeout)
        except ServiceCallError as error:
            raise CommandRejected(ErrorCode.TIMED_OUT, str(error)) from error
        if response.code != ErrorCode.OK:
            raise CommandRejected(response.code, response.message)
        return int(response.version)

    async def _trigger(self, event: str) -> None:
        """Trigger the robot outside a job, and wait for its outcome.

        Raises:
            CommandRejected: Any outcome but success, an unknown one included; the text names the event.
        """
        result = await self._robot.trigger(f'benchmark-{new_id()}', event)
        if result.outcome is not RobotOutcome.SUCCEEDED:
            raise CommandRejected(result.code, f'{event}: {result.message}')
