"""The commands of weigh_station: each refused or carried out after everything that the journal holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from cell_common.commands import expiry_error
from cell_common.ids import new_id
from cell_common.time import to_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sqlalchemy.exc import SQLAlchemyError

from cell_interfaces.msg import ResultCode
from cell_interfaces.srv import EndWeighJob, ReopenWeighJob, RetryDelivery, StartWeighJob, VoidBag
from cell_weighing.delivery.outbox import NotRefusedError
from cell_weighing.delivery.service import Dispatch, NoApplicationError, counted
from cell_weighing.domain.boot_clock import now_here
from cell_weighing.domain.event_order import Moment
from cell_weighing.domain.jobs import Bag, Job, JobActiveError, JobError, order
from cell_weighing.domain.station_map import Stations
from cell_weighing.station.conversions import bag_message, job_message
from cell_weighing.station.database_worker import Worker
from cell_weighing.station.store import NoSuchBagError, NoSuchJobError, WeighStore
from cell_weighing.storage.tables import CommandRow

T = TypeVar('T')
CODES = {
    JobError: ResultCode.INVALID_ARGUMENT,
    JobActiveError: ResultCode.WEIGH_JOB_ACTIVE,
    NoSuchJobError: ResultCode.NO_WEIGH_JOB,
    NoSuchBagError: ResultCode.UNKNOWN_BAG,
    NotRefusedError: ResultCode.NOT_REFUSED,
    NoApplicationError: ResultCode.NOT_READY,
}


@dataclass(frozen=True)
class Snapshot:
    """What the latched topics show."""

    bags: list[Bag]
    """New since the last snapshot."""
    jobs: list[Job]
    latest: list[Bag]


def snapshot(store: WeighStore, bags: list[Bag]) -> Snapshot:
    """Return what the topics are to show after new bags."""
    return Snapshot(bags, store.jobs(), store.latest_bags())


@dataclass(frozen=True)
class Commands:
    """Offers the services of the node."""

    node: Node
    store: WeighStore
    dispatch: Dispatch
    worker: Worker
    stations: Stations
    default_tolerance: Decimal
    show: Callable[[Snapshot], None]
    """Called in the node's thread with what a command has changed."""
    moment: Callable[[], Moment] = now_here
    """Returns this moment by the clock that also stamps the readings."""

    def offer(self) -> None:
        """Create the services."""
        group = ReentrantCallbackGroup()
        for kind, name, callback in (
            (StartWeighJob, 'start_job', self._start_job),
            (EndWeighJob, 'end_job', self._end_job),
            (ReopenWeighJob, 'reopen_job', self._reopen_job),
            (VoidBag, 'void_bag', self._void_bag),
            (RetryDelivery, 'retry', self._retry),
        ):
            self.node.create_service(kind, f'weighing/{name}', callback, callback_group=group)

    async def _start_job(self, request: StartWeighJob.Request, response: StartWeighJob.Response) -> StartWeighJob.Response:
        def work() -> Job:
            asked = order(
                company=request.company,
                station=request.station,
                target=request.target_weight,
                unit=request.unit,
                quantity=request.quantity,
                tolerance=request.tolerance,
                tare=request.tare,
                stations=self.stations.names,
                default_tolerance=self.default_tolerance,
            )
            return self.store.start_job(asked, self._now(), request.command.operator_id, self.moment())

        job = await self._carry_out(request, work, response)
        if job:
            response.weigh_job_id = job.job_id
            response.message = f'weigh job {job.job_id} has started at station {job.station}'
        return response

    async def _end_job(self, request: EndWeighJob.Request, response: EndWeighJob.Response) -> EndWeighJob.Response:
        job = await self._carry_out(
            request,
            lambda: self.store.end_job(
                request.station, request.reason, self._now(), request.command.operator_id, self.moment()
            ),
            response,
        )
        if job:
            response.job = job_message(job)
            response.message = f'weigh job {job.job_id} has ended with {job.bags_completed} of {job.quantity} bags'
        return response

    async def _reopen_job(self, request: ReopenWeighJob.Request, response: ReopenWeighJob.Response) -> ReopenWeighJob.Response:
        def work() -> Job:
            return self.store.reopen_job(
                request.weigh_job_id,
                request.station,
                request.quantity,
                _reason(request.reason),
                self._now(),
                request.command.operator_id,
                self.moment(),
            )

        job = await self._carry_out(request, work, response)
        if job:
            response.job = job_message(job)
            response.message = (
                f'weigh job {job.job_id} is active again at station {job.station}: {job.bags_completed} of {job.quantity} bags'
            )
        return response

    async def _void_bag(self, request: VoidBag.Request, response: VoidBag.Response) -> VoidBag.Response:
        def work() -> Bag:
            return self.store.void_bag(request.bag_id, _reason(request.reason), self._now(), request.command.operator_id)

        bag = await self._carry_out(request, work, response)
        if bag:
            response.bag = bag_message(bag)
            response.message = f'bag {bag.bag_id} is voided and no longer counts'
        return response

    async def _retry(self, request: RetryDelivery.Request, response: RetryDelivery.Response) -> RetryDelivery.Response:
        count = await self._carry_out(request, lambda: self.dispatch.retry(request.bag_id), response)
        if count is not None:
            response.count = count
            response.message = f'{counted(count, "refused bag")} sent again' if count else 'bags are sent again'
        return response

    async def _carry_out(self, request: Any, work: Callable[[], T], response: Any) -> T | None:
        """Carry a command out or refuse it; its result code goes into the response, and all of it into the audit."""
        result = await self._do(request.command, work, response)
        said = command_row(request, self._now(), int(response.code), response.message)
        try:
            await self.worker.do(lambda: self.store.audit(said))
        except SQLAlchemyError as problem:
            self.node.get_logger().error(f'command {said.command} is missing in the audit: {problem.__cause__ or problem}')
        return result

    async def _do(self, command: Any, work: Callable[[], T], response: Any) -> T | None:
        """Do a command after everything that the journal holds; put its result code into the response."""
        if late := expiry_error(command, self._now()):
            response.code, response.message = ResultCode.EXPIRED, late
            return None
        try:
            result, changed = await self.worker.do(lambda: self._in_order(work))
        except (*CODES, SQLAlchemyError) as problem:
            response.code, response.message = int(CODES.get(type(problem), ResultCode.STORAGE_FAILED)), str(problem)
            return None
        self.show(changed)
        response.code = ResultCode.OK
        return result

    def _in_order(self, work: Callable[[], T]) -> tuple[T, Snapshot]:
        bags = self.store.catch_up()
        result = work()
        return result, snapshot(self.store, bags)

    def _now(self) -> int:
        return int(self.node.get_clock().now().nanoseconds)


def command_row(request: Any, received_ns: int, code: int, message: str) -> CommandRow:
    """Return the audit's entry of a request and its result."""
    fields = [name for name in request.get_fields_and_field_types() if name != 'command']
    arguments = json.dumps({name: getattr(request, name) for name in fields})
    command, name = request.command, type(request).__name__.removesuffix('_Request')
    return CommandRow(
        received_ns=received_ns,
        command=name,
        request_id=(command.request_id or new_id())[:64],
        operator_id=command.operator_id[:64],
        issued_ns=to_ns(command.issued_at),
        arguments=arguments,
        code=code,
        message=message,
    )


def _reason(text: str) -> str:
    if not text.strip():
        raise JobError('give a reason: it stays with the record')
    return text
