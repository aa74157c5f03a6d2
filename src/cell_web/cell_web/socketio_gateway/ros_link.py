"""Link between the Socket.IO servers and the cell, over ROS topics, services and actions.

Commands run as coroutines on the node's executor; their results go to the servers' asyncio loop.
Events of the cell are passed to the callbacks of `CellEvents` on that loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol, TypeVar

from builtin_interfaces.msg import Duration
from cell_common.calls import ServiceCallError, call_service, wait_for
from cell_common.ids import new_id
from cell_common.inbox import ExecutorQueue
from cell_common.qos import events, latched, sensor_stream
from cell_common.services import create_client
from cell_common.time import to_ns
from rclpy.action.client import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import Trigger

from cell_interfaces.action import RunJob, TriggerRobot
from cell_interfaces.msg import (
    BenchmarkSet,
    CommandInfo,
    ComponentCaptured,
    Inventory,
    JobInvalid,
    JobState,
    MatchResult,
    ReloadRequired,
    ResultCode,
)
from cell_interfaces.srv import CaptureComponent, ResetStock, SetBenchmark, SetJob
from cell_web.socketio_gateway.cell_link import CaptureEvent, CellEvents, CellResult, JobRefusal
from cell_web.socketio_gateway.overlays import OverlayCache

__all__ = ['RosLink']

T = TypeVar('T')
VALID_FOR_S = 10
OVERLAY_WAIT_S = 0.3
"""The image of a frame may arrive after the message about it: the one with the verdict is drawn after the verdict."""
OVERLAY_LIMIT_S = 5.0
"""The first image takes longer: node ocr loads what draws it when it is wanted for the first time."""
START_WAIT_S = 3.0
"""A job that is refused is refused within this time; one that still runs has begun."""
DISCOVERY_S, POLL_S = 3.0, 0.1
ACTIVE_STATES = frozenset({JobState.RUNNING, JobState.PAUSED, JobState.WAITING_RELOAD})


class GatewayResponse(Protocol):
    """A service response with the cell's result code."""

    code: int
    message: str


class RosLink:
    """Implements `CellLink` for one node.

    Methods of `CellLink` are called on the servers' loop; everything below "on the node's executor"
    runs in the executor's thread. `_on_executor` is the only bridge between them.
    """

    def __init__(self, node: Node, loop: asyncio.AbstractEventLoop, command_timeout: float, motion_timeout: float) -> None:
        """Create the clients; `listen` subscribes.

        Args:
            node: Node that owns the clients.
            loop: Event loop of the servers.
            command_timeout: For services and acceptance of a goal, seconds.
            motion_timeout: For movements of the robot, seconds.
        """
        self._node, self._loop = node, loop
        self._command_timeout, self._motion_timeout = command_timeout, motion_timeout
        self._group = ReentrantCallbackGroup()
        self._set_job = self._client(SetJob, 'set_job')
        self._set_benchmark = self._client(SetBenchmark, 'set_benchmark')
        self._capture = self._client(CaptureComponent, 'capture_component')
        self._reset = self._client(ResetStock, 'inventory/reset')
        self._camera = {True: self._client(Trigger, 'camera/start'), False: self._client(Trigger, 'camera/stop')}
        self._trigger = ActionClient(node, TriggerRobot, 'robot/trigger', callback_group=self._group)
        self._run_job = ActionClient(node, RunJob, 'run_job', callback_group=self._group)
        self._job = JobState()
        self._expected: JobState | None = None
        self._reset_stock: Inventory | None = None
        self._overlays = OverlayCache()
        self._overlay_arrived: Future = Future()
        self._frames: Subscription | None = None
        self._wishes: ExecutorQueue[bool] = ExecutorQueue(node, self._watch)
        self._on_frame: Callable[[bytes], None] = lambda _jpeg: None

    def listen(self, callbacks: CellEvents) -> None:
        """Subscribe to the cell's topics and pass events to the callbacks.

        Args:
            callbacks: Called on the servers' loop. Latched messages older than this node are not
                passed on as events.
        """
        node, call = self._node, self._loop.call_soon_threadsafe
        self._on_frame = callbacks.on_frame
        started_ns = int(node.get_clock().now().nanoseconds)

        def on_inventory(message: Inventory) -> None:
            reset = self._reset_stock
            # Counts from before the last reset may arrive after its answer. A new database begins at 1 again, but later.
            if reset is None or message.sequence >= reset.sequence or to_ns(message.stamp) > to_ns(reset.stamp):
                call(callbacks.on_stock, _stock_of(message))

        async def pass_benchmark(message: BenchmarkSet) -> None:
            image = await self._image(lambda: self._overlays.newest(to_ns(message.stamp)))
            call(callbacks.on_benchmark, message.part_number, tuple(message.texts), image)

        def on_benchmark(message: BenchmarkSet) -> None:
            if to_ns(message.stamp) > started_ns:  # not the latched one of an earlier day
                self._create_task(partial(pass_benchmark, message))

        def on_invalid(message: JobInvalid) -> None:
            call(callbacks.on_job_refused, JobRefusal(message.part_number, message.requested, message.available))

        def on_reload(message: ReloadRequired) -> None:
            call(callbacks.on_reload, message.part_number)

        async def pass_capture(message: ComponentCaptured) -> None:
            image = await self._image(lambda: self._overlays.of(to_ns(message.ocr.header.stamp)))
            match = message.match.verdict == MatchResult.MATCH
            texts = tuple(text.text for text in message.ocr.texts)
            call(callbacks.on_capture, CaptureEvent(texts, match, float(message.match.score), image))

        def on_captured(message: ComponentCaptured) -> None:
            self._create_task(partial(pass_capture, message))

        node.create_subscription(Inventory, 'inventory', on_inventory, latched())
        node.create_subscription(BenchmarkSet, 'benchmark_set', on_benchmark, latched())
        node.create_subscription(JobInvalid, 'job_invalid', on_invalid, events())
        node.create_subscription(ReloadRequired, 'reload_required', on_reload, events())
        node.create_subscription(ComponentCaptured, 'component_captured', on_captured, events())
        node.create_subscription(JobState, 'job', self._on_job, latched())
        node.create_subscription(CompressedImage, 'ocr/overlay/compressed', self._on_overlay, sensor_stream())

    # -- commands, called on the servers' loop ----------------------------------------------------------------------

    async def set_job(self, who: str, part_number: str, quantity: int) -> CellResult:
        """Set the next pick job."""
        request = SetJob.Request(command=self._command(who), part_number=part_number, quantity=quantity)
        return await self._on_executor(self._set_next_job(request))

    async def start(self, who: str, *, run_job: bool) -> CellResult:
        """Start the robot's program, then the job that waits."""
        return await self._on_executor(self._start(who, run_job))

    async def reset_stock(self, who: str) -> CellResult:
        """Set every tray to its first count; the coordinator then clears a job that does not run."""
        return await self._on_executor(self._reset_all(who))

    async def set_camera(self, who: str, running: bool) -> CellResult:
        """Start or stop the camera; it stays on while a job needs it."""
        del who  # the camera's services carry no command information
        if not running and self._job.state in ACTIVE_STATES:
            return CellResult(False, 'the camera stays on: a pick job needs it. Your video has ended.')
        return await self._on_executor(self._ask_camera(running))

    async def set_benchmark(self, who: str, part_number: str) -> CellResult:
        """Let the robot show a known-good part and keep its reading."""
        request = SetBenchmark.Request(command=self._command(who), part_number=part_number)
        return await self._on_executor(self._ask(self._set_benchmark, request, self._motion_timeout))

    async def capture(self, who: str) -> CellResult:
        """Read and judge what the camera sees now."""
        request = CaptureComponent.Request(command=self._command(who))
        return await self._on_executor(self._ask(self._capture, request, self._command_timeout))

    async def trigger(self, who: str, event: str, on_acknowledged: Callable[[], None]) -> CellResult:
        """Trigger an event of the robot node, and report its acknowledgement."""
        return await self._on_executor(self._send_trigger(who, event, on_acknowledged))

    def watch_camera(self, wanted: bool) -> None:
        """Subscribe to the camera's frames, or no longer."""
        self._wishes.put(wanted)

    # -- coroutines on the node's executor --------------------------------------------------------------------------

    async def _ask(self, client: Client, request: object, timeout: float) -> CellResult:
        try:
            response: GatewayResponse = await call_service(self._node, client, request, timeout)
        except ServiceCallError as error:
            return CellResult(False, str(error))
        return CellResult(response.code == ResultCode.OK, response.message)

    async def _ask_camera(self, running: bool) -> CellResult:
        try:
            response = await call_service(self._node, self._camera[running], Trigger.Request(), self._command_timeout)
        except ServiceCallError as error:
            return CellResult(False, str(error))
        return CellResult(bool(response.success), response.message or ('camera started' if running else 'camera stopped'))

    async def _reset_all(self, who: str) -> CellResult:
        request = ResetStock.Request(command=self._command(who), reason='reset from the page')
        try:
            response = await call_service(self._node, self._reset, request, self._command_timeout)
        except ServiceCallError as error:
            return CellResult(False, str(error))
        if response.code != ResultCode.OK or not response.inventory.parts:
            return CellResult(response.code == ResultCode.OK, response.message)
        self._reset_stock = response.inventory
        return CellResult(True, response.message, _stock_of(response.inventory))

    async def _set_next_job(self, request: SetJob.Request) -> CellResult:
        """Set a job, and know it at once: a start that follows would come before the job's state."""
        try:
            response = await call_service(self._node, self._set_job, request, self._command_timeout)
        except ServiceCallError as error:
            return CellResult(False, str(error))
        if response.code == ResultCode.OK and response.job_id and response.job_id != self._job.job_id:
            self._job = self._expected = JobState(
                stamp=self._node.get_clock().now().to_msg(),
                job_id=response.job_id,
                part_number=request.part_number,
                quantity=request.quantity,
                state=JobState.READY,
            )
        return CellResult(response.code == ResultCode.OK, response.message)

    async def _start(self, who: str, run_job: bool) -> CellResult:
        """Start the waiting job, or only the robot's program without one."""
        has_job = run_job or self._job.state == JobState.READY
        if self._job.state in ACTIVE_STATES:
            return CellResult(False, f'a job for {self._job.part_number} is active: finish or cancel it first')
        # A job starts the program itself, as its first step: the robot must get the letter once.
        if not has_job:
            return await self._send_trigger(who, 'START_PROGRAM', lambda: None)
        goal = self._run_job.send_goal_async(RunJob.Goal(command=self._command(who), job_id=self._job.job_id))
        if not await wait_for(self._node, goal, self._command_timeout) or not goal.result().accepted:
            return CellResult(False, 'the coordinator did not take the job: is it running?')
        ended = goal.result().get_result_async()
        # A job runs for minutes; only an early end is an answer to this command.
        if await wait_for(self._node, ended, START_WAIT_S) and ended.result().result.code != ResultCode.OK:
            return CellResult(False, ended.result().result.message)
        return CellResult(True, f'program started; job for {self._job.quantity} x {self._job.part_number} runs')

    async def _send_trigger(self, who: str, event: str, on_acknowledged: Callable[[], None]) -> CellResult:
        """Send one goal of `robot/trigger`; refused while a pick job is active, because the robot belongs to it."""
        if self._job.state in ACTIVE_STATES:
            return CellResult(False, f'{event}: refused, the robot belongs to the job for {self._job.part_number}')
        if not await self._wait_for_robot():
            return CellResult(False, f'{event}: not sent, the robot node is not there: is it running?')
        trigger_id = new_id()

        def on_feedback(feedback: TriggerRobot.Impl.FeedbackMessage) -> None:
            if feedback.feedback.state == TriggerRobot.Feedback.ACKNOWLEDGED:
                self._node.get_logger().info(f'{who}: trigger {trigger_id} for {event} acknowledged')
                self._loop.call_soon_threadsafe(on_acknowledged)

        self._node.get_logger().info(f'{who}: trigger {trigger_id} for {event}')
        goal = self._trigger.send_goal_async(TriggerRobot.Goal(trigger_id=trigger_id, event=event), on_feedback)
        if not await wait_for(self._node, goal, self._command_timeout):
            return CellResult(False, f'{event}: outcome unknown, the robot node did not answer. Look at the robot.')
        if not goal.result().accepted:
            return CellResult(False, f'{event}: refused by the robot node')
        result = goal.result().get_result_async()
        if not await wait_for(self._node, result, self._motion_timeout):
            return CellResult(False, f'{event}: outcome unknown, no end within {self._motion_timeout:g} s. Look at the robot.')
        outcome = result.result().result
        done = outcome.outcome == TriggerRobot.Result.SUCCEEDED
        return CellResult(done, f'{event}: {outcome.message or ("done" if done else "not done")}')

    async def _wait_for_robot(self) -> bool:
        """Wait until the robot node is discovered, which takes a moment after a start; return whether it is."""
        for _ in range(round(DISCOVERY_S / POLL_S)):
            if self._trigger.server_is_ready():
                return True
            await wait_for(self._node, Future(executor=self._node.executor), POLL_S)
        return bool(self._trigger.server_is_ready())

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _client(self, kind: type, name: str) -> Client:
        return create_client(self._node, kind, name, self._group)

    def _command(self, who: str) -> CommandInfo:
        now = self._node.get_clock().now().to_msg()
        return CommandInfo(
            request_id=new_id(),
            operator_id=who,
            issued_at=now,
            valid_for=Duration(sec=VALID_FOR_S),
            role='operator',
            origin='Socket.IO',
        )

    async def _on_executor(self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the node's executor and wait for it on this loop."""
        answer: asyncio.Future[T] = self._loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if not answer.done():
                answer.set_exception(error) if error is not None else answer.set_result(result)  # type: ignore[arg-type]

        async def run() -> None:
            try:
                result = await work
            except Exception as error:
                self._loop.call_soon_threadsafe(settle, None, error)
            else:
                self._loop.call_soon_threadsafe(settle, result, None)

        self._create_task(run)
        return await answer

    def _create_task(self, function: Callable[[], Coroutine[object, object, object]]) -> None:
        """Run a coroutine in the executor's thread.

        Raises:
            RuntimeError: The node is not spinning.
        """
        executor = self._node.executor
        if executor is None:
            raise RuntimeError('the node has no executor: it is not spinning')

        async def run() -> None:  # rclpy takes a coroutine function, not a partial of one
            await function()

        executor.create_task(run)

    def _on_job(self, message: JobState) -> None:
        """Keep the job's state, unless it is older than the job that was set by this node."""
        expected = self._expected
        if expected is None or message.job_id == expected.job_id or to_ns(message.stamp) > to_ns(expected.stamp):
            self._job, self._expected = message, None

    def _on_overlay(self, message: CompressedImage) -> None:
        self._overlays.add(to_ns(message.header.stamp), bytes(message.data))
        arrived, self._overlay_arrived = self._overlay_arrived, Future(executor=self._node.executor)
        arrived.set_result(None)

    async def _image(self, find: Callable[[], bytes]) -> bytes:
        """Return an overlay image; empty when none has arrived within OVERLAY_LIMIT_S."""
        await wait_for(self._node, Future(executor=self._node.executor), OVERLAY_WAIT_S)
        end = time.monotonic() + OVERLAY_LIMIT_S
        while not (image := find()) and await wait_for(self._node, self._overlay_arrived, end - time.monotonic()):
            pass
        return image

    def _watch(self, wanted: bool) -> None:
        if wanted and self._frames is None:
            self._frames = self._node.create_subscription(
                CompressedImage, 'camera/image_raw/compressed', self._on_image, sensor_stream()
            )
        elif not wanted and self._frames is not None:
            self._node.destroy_subscription(self._frames)
            self._frames = None

    def _on_image(self, message: CompressedImage) -> None:
        self._loop.call_soon_threadsafe(self._on_frame, bytes(message.data))


def _stock_of(message: Inventory) -> dict[str, dict[int, int]]:
    """Return part number -> tray -> pieces."""
    return {part.part_number: {tray.tray: tray.count for tray in part.trays} for part in message.parts}
