"""Components shown to the camera outside a job: benchmarks and single captures."""

from __future__ import annotations

from typing import Any

from cell_common.calls import ServiceCallError, call_service
from cell_common.ids import new_id
from cell_common.qos import latched
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cell_coordinator.job.commands import Desk
from cell_coordinator.job.events import TriggerOutcome
from cell_coordinator.job.executor import Carrier, GivenUpError
from cell_coordinator.job.machine import Refused
from cell_coordinator.job.publisher import JobAnnouncer
from cell_coordinator.job.robot_client import RobotLink
from cell_coordinator.parameters import CoordinatorParameters
from cell_interfaces.msg import BenchmarkSet, ComponentCaptured, OcrResult, ResultCode
from cell_interfaces.srv import StoreBenchmark

NANOSECONDS = 1_000_000_000


class Showing:
    """Carries out set_benchmark and capture_component."""

    def __init__(
        self,
        node: Node,
        *,
        desk: Desk,
        carrier: Carrier,
        robot: RobotLink,
        announcer: JobAnnouncer,
        parameters: CoordinatorParameters,
    ) -> None:
        """Take what it works with."""
        self._node = node
        self._desk = desk
        self._carrier = carrier
        self._robot = robot
        self._announcer = announcer
        self._parameters = parameters
        self._store = node.create_client(StoreBenchmark, 'matching/store_benchmark', callback_group=ReentrantCallbackGroup())
        self._published = node.create_publisher(BenchmarkSet, 'benchmark_set', latched())

    async def capture(self, command: Any, part_number: str) -> ComponentCaptured:
        """Read what the camera sees now and judge it; nothing moves.

        Raises:
            Refused: Too old, no part to compare with, or a node did not do its part.
        """
        self._desk.check_age(command)
        if not part_number:
            raise Refused(ResultCode.INVALID_ARGUMENT, 'say which part it should be (part_number): there is no job')
        try:
            reading = await self._carrier.read(self._desk.now_ns(), lambda: False)
            result = await self._carrier.match(part_number, reading, lambda: False)
        except GivenUpError as problem:
            raise Refused(problem.code, str(problem)) from problem
        capture = ComponentCaptured(stamp=reading.header.stamp, attempt=1, ocr=reading, match=result)
        self._announcer.captured(capture)
        return capture

    async def benchmark(self, command: Any, part_number: str) -> BenchmarkSet:
        """Let the robot show the known-good part, keep its reading, and let the robot lay it back.

        Raises:
            Refused: It could not be done; the text says how far it came.
        """
        self._desk.check_age(command)
        self._desk.check_free()
        self._desk.check_ready()
        self._desk.busy_with = f'the benchmark of {part_number} is being set'
        try:
            reading = await self._show(part_number)
            version = await self._keep(command, part_number, reading)
        finally:
            self._desk.busy_with = ''
        benchmark = BenchmarkSet(
            stamp=self._node.get_clock().now().to_msg(),
            part_number=part_number,
            version=version,
            texts=[found.text for found in reading.texts],
            frames=max(1, reading.frames),
            operator_id=command.operator_id,
        )
        self._published.publish(benchmark)
        return benchmark

    async def _show(self, part_number: str) -> OcrResult:
        try:
            await self._carrier.stock(part_number)
            await self._trigger('BENCHMARK')
            settled = self._desk.now_ns() + round(self._parameters.settle_time * NANOSECONDS)
            try:
                reading = await self._carrier.read(settled, lambda: False, self._parameters.benchmark_frames)
            finally:
                await self._trigger('HOME')
        except GivenUpError as problem:
            raise Refused(problem.code, str(problem)) from problem
        if reading.status != OcrResult.OK:
            raise Refused(ResultCode.INVALID_ARGUMENT, 'no text was read on the part: check its position, light and focus')
        return reading

    async def _keep(self, command: Any, part_number: str, reading: OcrResult) -> int:
        request = StoreBenchmark.Request(command=command, part_number=part_number, ocr=reading)
        request.command.valid_for.sec = request.command.valid_for.nanosec = 0  # its age was checked before the arm moved
        try:
            answer = await call_service(self._node, self._store, request, self._parameters.call_timeout)
        except ServiceCallError as problem:
            raise Refused(ResultCode.TIMED_OUT, str(problem)) from problem
        if answer.code != ResultCode.OK:
            raise Refused(answer.code, answer.message)
        return int(answer.version)

    async def _trigger(self, event: str) -> None:
        ended = await self._robot.trigger(f'benchmark-{new_id()}', event)
        if ended.outcome is not TriggerOutcome.SUCCEEDED:
            raise Refused(ended.code, f'{event}: {ended.message}')
