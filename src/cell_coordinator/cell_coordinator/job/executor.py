"""Carries the job's effects out through the other nodes, and brings the answers back as events."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

from cell_common.calls import ServiceCallError, call_service, wait_for
from cell_common.ids import new_id
from cell_common.time import NS_PER_S
from cell_common.timers import create_steady_timer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.task import Future

from cell_coordinator.job import events as ev
from cell_coordinator.job.conversions import time_message, verdict_of
from cell_coordinator.job.events import Effect, Event, TriggerOutcome
from cell_coordinator.job.model import Job
from cell_coordinator.job.reject_archiver import RejectKeeper
from cell_coordinator.job.robot_client import RobotLink
from cell_coordinator.parameters import CoordinatorParameters
from cell_interfaces.msg import ComponentCaptured, MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import BookPiece, GetInventory, MatchPart, ReadText

RETRY_AFTER_S = 0.5
_ANSWER_MARGIN_S = 1.0
_TRY_AGAIN = {
    ResultCode.NOT_READY,
    ResultCode.TIMED_OUT,
    ResultCode.STORAGE_FAILED,
    ResultCode.INTERNAL,
    ResultCode.NO_FRAME,
    ResultCode.ENGINE_FAILED,
    ResultCode.SOURCE_UNAVAILABLE,
}
_READ = (OcrResult.OK, OcrResult.NO_TEXT)


class GivenUpError(Exception):
    """A node did not do its part in time; the text says which and why, `code` is its ResultCode."""

    def __init__(self, message: str, code: int = ResultCode.TIMED_OUT) -> None:
        """Take the sentence for people and the code."""
        super().__init__(message)
        self.code = code


class Carrier:
    """Clients of the nodes that a pick job needs."""

    def __init__(self, node: Node, parameters: CoordinatorParameters, robot: RobotLink) -> None:
        """Make the clients; set `feed` and `job` before the first effect."""
        self._node = node
        self._parameters = parameters
        self._robot = robot
        group = ReentrantCallbackGroup()
        self._read = node.create_client(ReadText, 'ocr/read', callback_group=group)
        self._match = node.create_client(MatchPart, 'matching/match', callback_group=group)
        self._book = node.create_client(BookPiece, 'inventory/book', callback_group=group)
        self._stock = node.create_client(GetInventory, 'inventory/get', callback_group=group)
        self._rejects = RejectKeeper(node)
        self._reading, self._verdict = OcrResult(), MatchResult()
        self.feed: Callable[[Event], None] = lambda _event: None
        self.job: Callable[[], Job]
        self.captured: Callable[[ComponentCaptured], None] = lambda _captured: None
        self._work: dict[type[Any], Callable[[Any], Coroutine[Any, Any, Event]]] = {
            ev.SendTrigger: self._send_trigger,
            ev.LookUpStock: self._look_up_stock,
            ev.ReadFrame: self._read_frame,
            ev.JudgeReading: self._judge,
            ev.BookOut: self._book_out,
        }

    def carry_out(self, effect: Effect) -> None:
        """Begin an effect; its answer comes as an event. Before the node is spun it waits for that."""
        if type(effect) not in self._work:
            return
        executor = self._node.executor
        if executor is not None:
            executor.create_task(self._run, effect)
            return

        def later() -> None:
            self._node.destroy_timer(timer)
            self.carry_out(effect)

        timer = create_steady_timer(self._node, 0.0, later)

    async def read(
        self, newer_than_ns: int, wanted: Callable[[], bool] = lambda: True, frames: int = 0, *, careful: bool = False
    ) -> OcrResult:
        """Read frames later than a stamp, again and again until it worked.

        Args:
            newer_than_ns: ROS time, nanoseconds.
            wanted: Whether it is still worth trying again.
            frames: At most so many when the first is not certain; 0 = as many as the text reader is set up for.
            careful: Read the first frame in several ways.

        Raises:
            GivenUpError: No reading came about in time.
        """
        timeout = self._parameters.read_timeout
        request = ReadText.Request(
            request_id=new_id(),
            newer_than=time_message(newer_than_ns),
            frames=frames,
            careful=careful,
            timeout=Duration(seconds=timeout).to_msg(),
        )

        def problem(response: ReadText.Response) -> str:
            return '' if response.result.status in _READ else response.result.message or 'no frame was read'

        response = await self._insist(self._read, request, timeout + _ANSWER_MARGIN_S, wanted, problem)
        return response.result

    async def match(self, part_number: str, reading: OcrResult, wanted: Callable[[], bool] = lambda: True) -> Any:
        """Judge a reading against a part; returns a MatchResult.

        Raises:
            GivenUpError: The matcher refused, or did not answer in time.
        """
        request = MatchPart.Request(request_id=reading.request_id, expected_part_number=part_number, ocr=reading)
        return (await self._insist(self._match, request, self._parameters.call_timeout, wanted)).result

    async def stock(self, part_number: str, wanted: Callable[[], bool] = lambda: False) -> dict[int, int]:
        """Return tray -> pieces of a part, from the ledger itself; asked once more as long as it is `wanted`.

        Raises:
            GivenUpError: The inventory refused, or did not answer in time.
        """
        request = GetInventory.Request(part_number=part_number)
        response = await self._insist(self._stock, request, self._parameters.call_timeout, wanted)
        return {tray.tray: tray.count for part in response.inventory.parts for tray in part.trays}

    async def _run(self, effect: Any) -> None:
        try:
            event = await self._work[type(effect)](effect)
        except GivenUpError as problem:
            event = ev.EffectFailed(self._now(), effect.ticket, str(problem))
        except Exception as defect:  # a defect must stop the job, not the node
            self._node.get_logger().error(f'defect while carrying out {effect}: {defect!r}')
            event = self._broken(effect)
        self.feed(event)

    def _broken(self, effect: Any) -> Event:
        text = "a defect in the coordinator, see the node's log"
        if isinstance(effect, ev.SendTrigger):
            return ev.TriggerEnded(self._now(), effect.ticket, TriggerOutcome.UNKNOWN, text)
        return ev.EffectFailed(self._now(), effect.ticket, text)

    async def _send_trigger(self, effect: ev.SendTrigger) -> Event:
        if effect.event == 'REJECT':
            self._rejects.rejected(self._verdict)
        ended = await self._robot.trigger(effect.trigger_id, effect.event, effect.tray)
        return ev.TriggerEnded(self._now(), effect.ticket, ended.outcome, ended.message)

    async def _look_up_stock(self, effect: ev.LookUpStock) -> Event:
        trays = await self.stock(effect.part_number, self._still(effect.ticket))
        return ev.StockSeen(self._now(), effect.ticket, tuple(sorted(trays.items())))

    async def _read_frame(self, effect: ev.ReadFrame) -> Event:
        self._reading = await self.read(effect.newer_than_ns, self._still(effect.ticket), careful=effect.careful)
        stamp = self._reading.header.stamp
        return ev.ReadEnded(self._now(), effect.ticket, stamp.sec * NS_PER_S + stamp.nanosec)

    async def _judge(self, effect: ev.JudgeReading) -> Event:
        reading, job = self._reading, self.job()
        self._verdict = result = await self.match(effect.part_number, reading, self._still(effect.ticket))
        self.captured(
            ComponentCaptured(
                stamp=reading.header.stamp, job_id=job.job_id, piece=job.piece, attempt=job.attempt, ocr=reading, match=result
            )
        )
        return ev.Judged(self._now(), effect.ticket, verdict_of(result))

    async def _book_out(self, effect: ev.BookOut) -> Event:
        request = BookPiece.Request(
            job_id=effect.job_id,
            piece=effect.piece,
            part_number=effect.part_number,
            tray=effect.tray,
            outcome=int(effect.outcome),
            reason=effect.reason,
        )
        await self._insist(self._book, request, self._parameters.call_timeout, self._still(effect.ticket))
        return ev.BookingDone(self._now(), effect.ticket)

    async def _insist(
        self,
        client: Any,
        request: Any,
        timeout: float,
        wanted: Callable[[], bool],
        problem_of: Callable[[Any], str] = lambda _response: '',
    ) -> Any:
        """Call until it works: these calls move nothing and may be repeated."""
        deadline = time.monotonic() + self._parameters.retry_time
        while True:
            try:
                response = await call_service(self._node, client, request, timeout)
                problem = response.message if response.code != ResultCode.OK else problem_of(response)
                if response.code == ResultCode.OK and not problem:
                    return response
                if response.code not in (ResultCode.OK, *_TRY_AGAIN):
                    raise GivenUpError(problem, response.code)
            except ServiceCallError as error:
                problem = str(error)
            if time.monotonic() > deadline or not wanted():
                raise GivenUpError(f'{client.srv_name}: {problem}')
            await wait_for(self._node, Future(executor=self._node.executor), RETRY_AFTER_S)

    def _still(self, ticket: int) -> Callable[[], bool]:
        return lambda: self.job().ticket == ticket

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
