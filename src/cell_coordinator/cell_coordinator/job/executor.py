"""Executes the job's effects through other nodes and returns their answers as events.

Calls that move nothing (read, match, stock, booking) are repeated for a while, because a node may be restarting. A trigger
moves the arm and is sent once, by `robot_client`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from cell_common.calls import ServiceCallError, call_service, wait_for
from cell_common.ids import new_id
from cell_common.ros_time import to_msg
from cell_common.services import create_client
from cell_common.time import now_ns
from cell_common.timers import create_steady_timer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.task import Future

from cell_coordinator.job import events as ev
from cell_coordinator.job.conversions import booking_to_msg, capture_to_msg, reading_from_msg, verdict_from_msg
from cell_coordinator.job.events import AnsweredEffect, Effect, Event, RobotOutcome
from cell_coordinator.job.model import PickJob
from cell_coordinator.job.reject_archiver import RejectArchiver
from cell_coordinator.job.robot_client import RobotClient
from cell_coordinator.parameters import CoordinatorParameters
from cell_interfaces.msg import ComponentCaptured, Inventory, MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import BookPiece, GetInventory, MatchPart, ReadText

# A booking is repeated without end, so the ledger is not asked more often than this.
RETRY_PERIOD_S = 0.5
_RESPONSE_MARGIN_S = 1.0  # ocr/read answers after its own timeout; the call must outlive that
_RETRYABLE = {
    ResultCode.NOT_READY,
    ResultCode.TIMED_OUT,
    ResultCode.STORAGE_FAILED,
    ResultCode.INTERNAL,
    ResultCode.NO_FRAME,
    ResultCode.ENGINE_FAILED,
    ResultCode.SOURCE_UNAVAILABLE,
}
_READ = (OcrResult.OK, OcrResult.NO_TEXT)


class CallFailedError(Exception):
    """A call to another node failed, retries included; the text names the service and the reason.

    Attributes:
        code: ResultCode of the response; TIMED_OUT if there was none.
    """

    def __init__(self, message: str, code: int = ResultCode.TIMED_OUT) -> None:
        """Store the message for the operator and the ResultCode."""
        super().__init__(message)
        self.code = code


class ServiceResponse(Protocol):
    """Fields that every response of the cell has."""

    code: int
    message: str


class EffectExecutor:
    """Clients of the nodes that a pick job needs.

    Each effect runs as a task of the node's executor, so `execute` returns at once. A task always ends with an event: an
    effect without an answer would leave the job in its step for ever.
    """

    def __init__(
        self,
        node: Node,
        settings: CoordinatorParameters,
        robot: RobotClient,
        *,
        on_event: Callable[[Event], None],
        current_job: Callable[[], PickJob],
        on_capture: Callable[[ComponentCaptured], None],
    ) -> None:
        """Create the clients.

        Args:
            node: Node of the clients.
            settings: Timeouts.
            robot: Client of the robot node.
            on_event: Called with the answer to each effect.
            current_job: Returns the job; calls for an effect that is no longer its latest are not retried.
            on_capture: Called with each reading of the job and its verdict.
        """
        self._node = node
        self._settings = settings
        self._robot = robot
        self._on_event = on_event
        self._current_job = current_job
        self._on_capture = on_capture
        self._rejects = RejectArchiver(node)
        group = ReentrantCallbackGroup()
        self._read = create_client(node, ReadText, 'ocr/read', group)
        self._match = create_client(node, MatchPart, 'matching/match', group)
        self._book = create_client(node, BookPiece, 'inventory/book', group)
        self._last_stock: dict[str, int] = {}
        self._stock = create_client(node, GetInventory, 'inventory/get', group)

    def execute(self, effect: Effect) -> None:
        """Start an effect; an answer arrives as an event. Records need no execution.

        Args:
            effect: RequestReload and records are handled by publisher and store.
        """
        if isinstance(effect, ev.ArchiveReject):
            self._rejects.archive(effect)
        elif isinstance(effect, AnsweredEffect):
            self._start(effect)

    async def read(
        self,
        after_ns: int,
        *,
        picked_ns: int = 0,
        shown_ns: int = 0,
        frames: int = 0,
        careful: bool = False,
        retry_while: Callable[[], bool] = lambda: False,
    ) -> OcrResult:
        """Read text on frames that are newer than a stamp.

        Args:
            after_ns: ROS time in nanoseconds.
            picked_ns: The part must have come into view after this time; 0 = any frame.
            shown_ns: When the robot reported that it shows the part; 0 = unknown.
            frames: Maximum number of frames to combine if the first is not certain; 0 = the OCR node's default.
            careful: Read the first frame in several ways, which takes seconds.
            retry_while: A failed reading is repeated while this returns True.

        Raises:
            CallFailedError: No frame was read.
        """
        timeout = self._settings.read_timeout
        request = ReadText.Request(
            request_id=new_id(),
            newer_than=to_msg(after_ns),
            picked_at=to_msg(picked_ns),
            shown_at=to_msg(shown_ns),
            frames=frames,
            careful=careful,
            timeout=Duration(seconds=timeout).to_msg(),
        )
        response = await self._call_with_retry(self._read, request, timeout + _RESPONSE_MARGIN_S, retry_while, _reading_error)
        return response.result

    async def match(self, part_number: str, reading: OcrResult, retry_while: Callable[[], bool] = lambda: False) -> MatchResult:
        """Compare a reading with a part.

        Args:
            part_number: Ordered part.
            reading: The message of the OCR node, unchanged.
            retry_while: A failed call is repeated while this returns True.

        Returns:
            The matcher's verdict with its evidence.

        Raises:
            CallFailedError: The matcher rejected the call or did not answer.
        """
        request = MatchPart.Request(request_id=reading.request_id, expected_part_number=part_number, ocr=reading)
        return (await self._call_with_retry(self._match, request, self._settings.call_timeout, retry_while)).result

    async def stock(self, part_number: str, retry_while: Callable[[], bool] = lambda: False) -> dict[int, int]:
        """Return the pieces of a part by tray number, from the ledger and not from its topic, which may lag.

        Args:
            part_number: A part of the catalogue.
            retry_while: A failed call is repeated while this returns True.

        Raises:
            CallFailedError: The inventory rejected the call or did not answer.
        """
        if not part_number.strip():  # which would ask for the stock of all parts
            raise CallFailedError('part_number is empty: give a part of the catalogue', ResultCode.INVALID_ARGUMENT)
        request = GetInventory.Request(part_number=part_number)
        response = await self._call_with_retry(self._stock, request, self._settings.call_timeout, retry_while)
        return {tray.tray: tray.count for part in response.inventory.parts for tray in part.trays}

    def on_inventory(self, inventory: Inventory) -> None:
        """Store the published counts for `last_stock`.

        They word refusals while the ledger does not answer. A job itself always asks the ledger.

        Args:
            inventory: Counts of all parts; it replaces the last one.
        """
        self._last_stock = {part.part_number: part.total for part in inventory.parts}

    def last_stock(self, part_number: str) -> int:
        """Return the pieces of a part as they were published last; 0 for an unknown part."""
        return self._last_stock.get(part_number, 0)

    def _start(self, effect: AnsweredEffect) -> None:
        """Run an effect as a task of the node's executor."""
        executor = self._node.executor
        if executor is not None:
            executor.create_task(self._run, effect)
            return

        # A restored job may have effects before the node is added to an executor.
        def retry() -> None:
            self._node.destroy_timer(timer)
            self._start(effect)

        timer = create_steady_timer(self._node, 0.0, retry)

    async def _run(self, effect: AnsweredEffect) -> None:
        """Execute an effect and report its answer; an unexpected error becomes an answer, too."""
        try:
            event = await self._answer_to(effect)
        except CallFailedError as error:
            refused = error.code not in _RETRYABLE
            event = ev.EffectFailed(now_ns(self._node), effect.effect_id, str(error), refused)
        except Exception as error:  # a defect must stop the job, not the node
            self._node.get_logger().error(f'defect while executing {effect}: {error!r}')
            event = self._defect_event(effect)
        self._on_event(event)

    async def _answer_to(self, effect: AnsweredEffect) -> Event:
        """Execute an effect and return its answer.

        Raises:
            CallFailedError: A call to another node failed.
        """
        match effect:
            case ev.SendTrigger():
                return await self._send_trigger(effect)
            case ev.QueryStock():
                return await self._query_stock(effect)
            case ev.ReadFrame():
                return await self._read_frame(effect)
            case ev.MatchReading():
                return await self._match_reading(effect)
            case ev.BookPiece():
                return await self._book_piece(effect)

    def _defect_event(self, effect: AnsweredEffect) -> Event:
        """Return the answer to an effect whose execution raised an unexpected error.

        A trigger may have been sent before the error, so its outcome is UNKNOWN.
        """
        message = "a defect in the coordinator, see the node's log"
        if isinstance(effect, ev.SendTrigger):
            return ev.TriggerFinished(now_ns(self._node), effect.effect_id, RobotOutcome.UNKNOWN, message)
        return ev.EffectFailed(now_ns(self._node), effect.effect_id, message)

    async def _send_trigger(self, effect: ev.SendTrigger) -> Event:
        result = await self._robot.trigger(effect.trigger_id, effect.event, effect.tray, effect.continues)
        return ev.TriggerFinished(now_ns(self._node), effect.effect_id, result.outcome, result.message)

    async def _query_stock(self, effect: ev.QueryStock) -> Event:
        trays = await self.stock(effect.part_number, self._still_current(effect))
        return ev.StockReceived(now_ns(self._node), effect.effect_id, tuple(sorted(trays.items())))

    async def _read_frame(self, effect: ev.ReadFrame) -> Event:
        """Read a frame for the job; the call is repeated while the job waits for it.

        Raises:
            CallFailedError: No frame was read.
        """
        result = await self.read(
            effect.after_ns,
            picked_ns=effect.picked_ns,
            shown_ns=effect.shown_ns,
            careful=effect.careful,
            retry_while=self._still_current(effect),
        )
        return ev.ReadFinished(now_ns(self._node), effect.effect_id, reading_from_msg(result))

    async def _match_reading(self, effect: ev.MatchReading) -> Event:
        reading = effect.reading.message
        result = await self.match(effect.part_number, reading, self._still_current(effect))
        self._on_capture(capture_to_msg(effect, reading, result))
        return ev.VerdictReceived(now_ns(self._node), effect.effect_id, verdict_from_msg(result))

    async def _book_piece(self, effect: ev.BookPiece) -> Event:
        request = booking_to_msg(effect)
        await self._call_with_retry(self._book, request, self._settings.call_timeout, self._still_current(effect))
        return ev.BookingConfirmed(now_ns(self._node), effect.effect_id)

    async def _call_with_retry(
        self,
        client: Client,
        request: object,
        timeout: float,
        retry_while: Callable[[], bool],
        error_of: Callable[[Any], str] = lambda _response: '',
    ) -> Any:
        """Call a service that moves nothing, and repeat the call for at most `retry_time` if the error may pass.

        Args:
            client: Client of the service.
            request: Sent unchanged each time; services with side effects are idempotent under its ids.
            timeout: Seconds for one call.
            retry_while: No repetition once this returns False, e.g. because the job was canceled.
            error_of: Returns an error that a response with code OK reports in another field; "" = none.

        Returns:
            The first response without an error.

        Raises:
            CallFailedError: The call failed.
        """
        deadline = time.monotonic() + self._settings.retry_time
        while True:
            try:
                response: ServiceResponse = await call_service(self._node, client, request, timeout)
                error = response.message if response.code != ResultCode.OK else error_of(response)
                if response.code == ResultCode.OK and not error:
                    return response
                # A rejection will not change by repeating it.
                if response.code not in (ResultCode.OK, *_RETRYABLE):
                    raise CallFailedError(error, response.code)
            except ServiceCallError as call_error:
                error = str(call_error)
            if time.monotonic() > deadline or not retry_while():
                raise CallFailedError(f'{client.srv_name}: {error}')
            await wait_for(self._node, Future(executor=self._node.executor), RETRY_PERIOD_S)

    def _still_current(self, effect: AnsweredEffect) -> Callable[[], bool]:
        """Return a function that is True as long as the job waits for this effect."""
        return lambda: self._current_job().effect_id == effect.effect_id


def _reading_error(response: ReadText.Response) -> str:
    """Return why a reading does not count; a frame without text is a reading."""
    if response.result.status in _READ:
        return ''
    return response.result.message or 'no frame was read'
