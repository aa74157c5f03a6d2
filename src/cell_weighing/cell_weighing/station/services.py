"""Services of weigh_station: each command is checked, run after the whole journal, and audited.

Order of one command: expiry is checked; journal pages are processed until none is left; then the
rest of the journal and the command run in one step of the database thread. A bag that was weighed
before the command was given is therefore judged before it takes effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from cell_common.command_log import CommandLog
from cell_common.commands import expiry_error
from cell_common.database_worker import DatabaseWorker
from cell_common.services import create_service
from cell_common.time import now_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sqlalchemy.exc import SQLAlchemyError

from cell_interfaces.msg import CommandInfo, ResultCode
from cell_interfaces.srv import EndWeighJob, GetBag, RecordBag, ReopenWeighJob, RetryDelivery, StartWeighJob, UndoVoid, VoidBag
from cell_weighing.bag_api import BadRequestError, recorded_bag, validate_bag
from cell_weighing.boot_clock import monotonic_now
from cell_weighing.delivery.outbox import NotDeadLetterError
from cell_weighing.delivery.service import DeliveryService, NoApplicationError, pluralize
from cell_weighing.domain.event_order import MonotonicStamp
from cell_weighing.domain.jobs import Bag, JobActiveError, JobError, JobForm, WeighingJob, tare_warning, validate_request
from cell_weighing.station.conversions import bag_message, fill_bag_delivery, job_message
from cell_weighing.station.job_store import NoSuchBagError, NoSuchJobError
from cell_weighing.station.store import KeyReusedError, StationSnapshot, WeighStore

# The width of column reading_id: a UUID as text.
LONGEST_KEY = 36
Handler = Callable[[Any, Any], Awaitable[Any]]
KINDS: Mapping[type, str] = {
    StartWeighJob: 'start_job',
    EndWeighJob: 'end_job',
    ReopenWeighJob: 'reopen_job',
    RecordBag: 'record_bag',
    VoidBag: 'void_bag',
    UndoVoid: 'undo_void',
    GetBag: 'get_bag',
    RetryDelivery: 'retry',
}
"""Name of each service below weighing/."""
CODES: Mapping[type[Exception], int] = {
    BadRequestError: ResultCode.INVALID_ARGUMENT,
    JobError: ResultCode.INVALID_ARGUMENT,
    JobActiveError: ResultCode.WEIGH_JOB_ACTIVE,
    KeyReusedError: ResultCode.KEY_REUSED,
    NoSuchJobError: ResultCode.NO_WEIGH_JOB,
    NoSuchBagError: ResultCode.UNKNOWN_BAG,
    NotDeadLetterError: ResultCode.NOT_REFUSED,
    NoApplicationError: ResultCode.NOT_READY,
}
"""Result code of each error that a command may raise; an error of the database is STORAGE_FAILED."""
REJECTIONS: tuple[type[Exception], ...] = (*CODES, SQLAlchemyError)

T = TypeVar('T')
ChangedBag = TypeVar('ChangedBag', VoidBag.Response, UndoVoid.Response)


class Request(Protocol):
    """Request of a service that carries a command."""

    command: CommandInfo

    def get_fields_and_field_types(self) -> dict[str, str]:
        """Return the type of each field by name."""
        ...


class Response(Protocol):
    """Response of a service: a result code and a message for the operator."""

    code: int
    message: str


@dataclass(frozen=True)
class WeighJobRules:
    """Site rules for new weigh jobs.

    Attributes:
        stations: Stations that may have jobs.
        default_tolerance: Share of the target, used when a request names no tolerance.
    """

    stations: list[str]
    default_tolerance: Decimal


@dataclass(frozen=True)
class WeighingServices:
    """Creates the services and runs their commands in the database thread.

    Attributes:
        node: Owner of the services.
        store: Jobs and bags.
        delivery: Delivery to the web application.
        worker: Database thread.
        rules: Site rules for new jobs.
        on_changed: Called in the node's thread after each command.
        stamp: Returns the current moment on the clock that stamps readings.
        commands: Audits the commands, and answers a repeated request id with its first answer.
    """

    node: Node
    store: WeighStore
    delivery: DeliveryService
    worker: DatabaseWorker
    rules: WeighJobRules
    on_changed: Callable[[StationSnapshot], None]
    stamp: Callable[[], MonotonicStamp] = monotonic_now
    commands: CommandLog | None = None

    def create_services(self) -> None:
        """Create the services of the node."""
        # Each command awaits the database thread; in an exclusive group one slow command would
        # block the others' checks.
        group = ReentrantCallbackGroup()
        for kind, name in KINDS.items():
            create_service(self.node, kind, f'weighing/{name}', self.handlers()[name], group, self.commands)

    def handlers(self) -> dict[str, Handler]:
        """Return name -> coroutine function of request and response; a replay asks them without a service."""
        return {
            'start_job': self._start_job,
            'end_job': self._end_job,
            'reopen_job': self._reopen_job,
            'record_bag': self._record_bag,
            'void_bag': self._void_bag,
            'undo_void': self._undo_void,
            'get_bag': self._get_bag,
            'retry': self._retry,
        }

    async def _start_job(self, request: StartWeighJob.Request, response: StartWeighJob.Response) -> StartWeighJob.Response:
        warnings: list[str] = []

        def start() -> WeighingJob:
            form = JobForm(
                company=request.company,
                station=request.station,
                target=request.target_weight,
                unit=request.unit,
                quantity=request.quantity,
                tolerance=request.tolerance,
                tare=request.tare,
            )
            job_request = validate_request(form, self.rules.stations, self.rules.default_tolerance)
            warnings.append(tare_warning(job_request))
            return self.store.start_job(job_request, self._now(), request.command.operator_id, self.stamp())

        job = await self._execute(request.command, start, response)
        if job:
            response.weigh_job_id = job.job_id
            warning = f'. Warning: {warnings[0]}' if warnings[0] else ''
            response.message = f'weigh job {job.job_id} has started at station {job.station}{warning}'
        return response

    async def _end_job(self, request: EndWeighJob.Request, response: EndWeighJob.Response) -> EndWeighJob.Response:
        def end() -> WeighingJob:
            return self.store.end_job(request.station, request.reason, self._now(), request.command.operator_id, self.stamp())

        job = await self._execute(request.command, end, response)
        if job:
            response.job = job_message(job)
            response.message = f'weigh job {job.job_id} has ended with {job.bags_completed} of {job.quantity} bags'
        return response

    async def _reopen_job(self, request: ReopenWeighJob.Request, response: ReopenWeighJob.Response) -> ReopenWeighJob.Response:
        def reopen() -> WeighingJob:
            return self.store.reopen_job(
                request.weigh_job_id,
                request.station,
                request.quantity,
                _require_reason(request.reason),
                self._now(),
                request.command.operator_id,
                self.stamp(),
            )

        job = await self._execute(request.command, reopen, response)
        if job:
            response.job = job_message(job)
            response.message = (
                f'weigh job {job.job_id} is active again at station {job.station}: {job.bags_completed} of {job.quantity} bags'
            )
        return response

    async def _record_bag(self, request: RecordBag.Request, response: RecordBag.Response) -> RecordBag.Response:
        def record() -> tuple[Bag, WeighingJob | None, bool]:
            posted = validate_bag(request.weight, request.unit, request.scale_id, request.station)
            reading_id = _require_key(request.reading_id)
            reading = posted.to_reading(reading_id, self._now(), self.stamp().monotonic_ns)
            return self.store.record_external(reading, posted.station)

        result = await self._execute(request.command, record, response, bags=lambda done: [done[0]] if done[2] else [])
        if result:
            bag, job, _ = result
            recorded = recorded_bag(bag, job)
            response.bag, response.job_complete, response.message = bag_message(bag), recorded.job_complete, recorded.message
        return response

    async def _void_bag(self, request: VoidBag.Request, response: VoidBag.Response) -> VoidBag.Response:
        return await self._change_bag(request, response, self.store.void_bag, 'is voided and no longer counts')

    async def _undo_void(self, request: UndoVoid.Request, response: UndoVoid.Response) -> UndoVoid.Response:
        return await self._change_bag(request, response, self.store.undo_void, 'counts again')

    async def _change_bag(
        self,
        request: VoidBag.Request | UndoVoid.Request,
        response: ChangedBag,
        change: Callable[[int, str, int, str], Bag],
        effect: str,
    ) -> ChangedBag:
        """Change whether a bag counts; a reason is required.

        Args:
            request: Names bag, reason and operator.
            response: Receives the bag as it is now.
            change: Method of the store: bag id, reason, UTC in nanoseconds, operator id.
            effect: For the message, after "bag 17".
        """

        def work() -> Bag:
            return change(request.bag_id, _require_reason(request.reason), self._now(), request.command.operator_id)

        bag = await self._execute(request.command, work, response)
        if bag:
            response.bag, response.message = bag_message(bag), f'bag {bag.bag_id} {effect}'
        return response

    async def _get_bag(self, request: GetBag.Request, response: GetBag.Response) -> GetBag.Response:
        try:
            bag, delivery = await self.worker.run(lambda: self.store.bag_delivery(request.bag_id))
        except REJECTIONS as error:
            response.code, response.message = int(CODES.get(type(error), ResultCode.STORAGE_FAILED)), str(error)
            return response
        response.code = ResultCode.OK
        fill_bag_delivery(response, bag, delivery)
        return response

    async def _retry(self, request: RetryDelivery.Request, response: RetryDelivery.Response) -> RetryDelivery.Response:
        count = await self._execute(request.command, lambda: self.delivery.retry(request.bag_id), response)
        if count is not None:
            response.count = count
            response.message = f'resending {pluralize(count, "rejected bag")}' if count else 'resending bags'
        return response

    async def _execute(
        self,
        command: CommandInfo,
        work: Callable[[], T],
        response: Response,
        bags: Callable[[T], list[Bag]] = lambda _: [],
    ) -> T | None:
        """Run or reject a command, and set the result code of the response.

        Args:
            command: The request's command.
            work: Runs in the database thread.
            response: Receives code and, on failure, message.
            bags: Returns the new bags of a result.
        """
        if message := expiry_error(command, self._now()):
            response.code, response.message = ResultCode.EXPIRED, message
            return None
        try:
            # Page by page: between two pages other work of the thread, and other writers of the
            # database, get their turn.
            while page := await self.worker.run(self._catch_up_page):
                self.on_changed(page)
            result, changed = await self.worker.run(lambda: self._after_journal(work, bags))
        except REJECTIONS as error:
            response.code, response.message = int(CODES.get(type(error), ResultCode.STORAGE_FAILED)), str(error)
            return None
        self.on_changed(changed)
        response.code = ResultCode.OK
        return result

    def _catch_up_page(self) -> StationSnapshot | None:
        bags = self.store.catch_up_page()
        return None if bags is None else self.store.snapshot(bags)

    def _after_journal(self, work: Callable[[], T], bags: Callable[[T], list[Bag]]) -> tuple[T, StationSnapshot]:
        """Process the journal, then run a command: the order of weighing and commands is kept."""
        self.store.adopt_jobs(self._now())
        caught_up = self.store.catch_up()
        result = work()
        return result, self.store.snapshot(caught_up + bags(result))

    def _now(self) -> int:
        return now_ns(self.node)


def _require_reason(text: str) -> str:
    """Return a reason.

    Raises:
        JobError: It is empty.
    """
    if not text.strip():
        raise JobError('give a reason: it stays with the record')
    return text


def _require_key(text: str) -> str:
    """Return the idempotency key of a posted bag.

    Raises:
        BadRequestError: 400: it is not 1 to LONGEST_KEY printable ASCII characters, the width of its column.
    """
    if not 1 <= len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
        raise BadRequestError(400, 'reading_id', f'reading_id must be 1 to {LONGEST_KEY} printable ASCII characters')
    return text
