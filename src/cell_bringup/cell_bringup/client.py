"""Client of a running cell: latest topics, and services and actions with timeouts.

The methods block; the node spins in a thread of its own. Tests of whole cells and the demo use the same client as the `cell`
command.
"""

from __future__ import annotations

import contextlib
import getpass
import math
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import rclpy
from cell_common.action_calls import in_executor
from cell_common.calls import REPEAT_AFTER_S, may_be_repeated
from cell_common.qos import events, latched
from rclpy.action.client import ActionClient
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
from rclpy.task import Future

from cell_interfaces.action import RunJob
from cell_interfaces.msg import BagRecord, CellStatus, CommandInfo, Inventory, JobState, WeighJobList
from cell_interfaces.srv import AdjustStock, ControlJob, SetJob, StartWeighJob

__all__ = ['CellClient', 'CellError', 'connected']

T = TypeVar('T')
RequestT = TypeVar('RequestT')
ANSWER_S = 5.0
POLL_S = 0.05
# A command that the node receives later is refused: nobody watches for its effect any more.
VALID_S = 5


class CellError(Exception):
    """The cell rejected a command or did not respond; the text says what to do."""


class CellResponse(Protocol):
    """Response of a service of the cell: every one has these fields.

    Attributes:
        code: ResultCode; 0 = OK.
        message: For the operator, with the remedy if the code is not OK.
    """

    code: int
    message: str


ResponseT = TypeVar('ResponseT', bound=CellResponse)


class ServiceType(Protocol[RequestT, ResponseT]):
    """Class that is generated from a .srv file."""

    Request: type[RequestT]
    Response: type[ResponseT]


class CellClient:
    """ROS node with its own context and thread; keeps the latest message of the cell's topics.

    Attributes:
        node: For further subscriptions; its callbacks run in the client's thread.
        status: Latest message of `status`; None before the first. The same for job, inventory and weigh_jobs.
        bags: All bag records since the start, or since they were last cleared.
    """

    def __init__(self, namespace: str = 'cell', domain_id: int | None = None) -> None:
        """Create the node and start its thread; `domain_id` None = ROS_DOMAIN_ID of the environment."""
        self._context = Context()
        self._context.init(domain_id=domain_id)
        self.node = rclpy.create_node(f'cell_cli_{os.getpid()}', namespace=namespace, context=self._context)
        self.status: CellStatus | None = None
        self.job: JobState | None = None
        self.inventory: Inventory | None = None
        self.weigh_jobs: WeighJobList | None = None
        self.bags: list[BagRecord] = []
        self._clients: dict[str, Any] = {}
        self.node.create_subscription(CellStatus, 'status', self._on_status, latched())
        self.node.create_subscription(JobState, 'job', self._on_job, latched())
        self.node.create_subscription(Inventory, 'inventory', self._on_inventory, latched())
        self.node.create_subscription(WeighJobList, 'weighing/job', self._on_weigh_jobs, latched())
        self.node.create_subscription(BagRecord, 'weighing/bag', self.bags.append, events())
        self._run_job = ActionClient(self.node, RunJob, 'run_job')
        # A context of its own: tests run several clients, in several domains, in one process.
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._closed = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Destroy the node and its context; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._executor.shutdown()
        self._thread.join(ANSWER_S)
        self._run_job.destroy()  # otherwise the DDS participant and its threads live until garbage collection
        self.node.destroy_node()
        self._context.try_shutdown()

    def wait_for(self, condition: Callable[[], T], seconds: float, what: str) -> T:
        """Wait until a condition holds, and return its value.

        Args:
            condition: Polled every POLL_S seconds in the calling thread.
            seconds: Timeout.
            what: Completes "The cell did not ...".

        Raises:
            CellError: It did not hold in time.
        """
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise CellError(f'The cell did not {what} within {seconds:g} s.')
            time.sleep(POLL_S)
        return result

    def command(self) -> CommandInfo:
        """Return a command header: request id, operator, issue time and validity.

        The operator is the user of this terminal. After VALID_S seconds the cell rejects the command, so make a new one for
        each call.
        """
        info = CommandInfo(
            request_id=str(uuid.uuid4()), operator_id=getpass.getuser(), origin=f'terminal of {platform.node()}'[:64]
        )
        info.issued_at = self.node.get_clock().now().to_msg()
        info.valid_for.sec = VALID_S
        return info

    def call(self, kind: ServiceType[RequestT, ResponseT], name: str, request: RequestT) -> ResponseT:
        """Call a service; return its response when its code is OK. A request that may be repeated is sent twice if need be.

        Args:
            kind: Service type.
            name: Relative to the cell's namespace.
            request: Its request.

        Raises:
            CellError: No answer, or the answer's code is not OK.
        """
        # Clients live as long as the node: destroying one while the executor waits on it ends the executor.
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, name)
        client = self._clients[name]
        self.wait_for(client.service_is_ready, ANSWER_S, f'offer {name} (is it running?)')
        sent = [client.call_async(request)]
        repeat_at = time.monotonic() + REPEAT_AFTER_S if may_be_repeated(request) else math.inf

        def answered() -> list[Future]:
            if len(sent) == 1 and time.monotonic() > repeat_at:
                sent.append(client.call_async(request))  # the answer may be lost, see cell_common.calls
            return [future for future in sent if future.done()]

        response: ResponseT = self.wait_for(answered, ANSWER_S, f'answer {name}')[0].result()
        # Every response of the cell has a code, so one place turns refusals into exceptions.
        if response.code:
            raise CellError(response.message)
        return response

    def set_job(self, part_number: str, quantity: int) -> str:
        """Set a pick job and return its id; nothing moves yet.

        Args:
            part_number: A part of the catalogue.
            quantity: Pieces to place, 1 or more.

        Raises:
            CellError: The cell refused the job.
        """
        request = SetJob.Request(command=self.command(), part_number=part_number, quantity=quantity)
        return str(self.call(SetJob, 'set_job', request).job_id)

    def run_job(self, job_id: str) -> Future:
        """Start a job that was set; return the future of its result.

        Raises:
            CellError: The goal was not accepted in time. Whether the job can start shows in the result.
        """
        self.wait_for(self._run_job.server_is_ready, ANSWER_S, 'offer run_job (is it running?)')
        goal = RunJob.Goal(command=self.command(), job_id=job_id)
        sent = self.request(lambda: self._run_job.send_goal_async(goal))
        self.wait_for(sent.done, ANSWER_S, 'answer run_job')
        if not sent.result().accepted:
            raise CellError('The cell rejected the job.')
        return self.request(sent.result().get_result_async)

    def request(self, send: Callable[[], Future]) -> Future:
        """Send a request of an action client in the client's thread; see `cell_common.action_calls`.

        Args:
            send: Sends the request and returns its future.
        """
        return in_executor(self._executor, send)

    def control(self, action: int) -> JobState:
        """Pause, resume or cancel the job, or resolve a trigger.

        Args:
            action: A constant of ControlJob.Request.

        Returns:
            The job after it.
        """
        return self.call(ControlJob, 'control_job', ControlJob.Request(command=self.command(), action=action)).job

    def reload(self, part_number: str) -> Inventory:
        """Record a refill of every tray of a part to its capacity."""
        request = AdjustStock.Request(command=self.command(), part_number=part_number, tray=0, count=-1, reason='filled')
        return self.call(AdjustStock, 'inventory/reload', request).inventory

    def start_weigh_job(self, company: str, station: str, target_weight: str, quantity: int) -> int:
        """Start a weigh job in kilograms and return its id.

        Args:
            company: Customer of the bags.
            station: Name of the station, e.g. "A".
            target_weight: Decimal text in kilograms: a float would round it.
            quantity: Bags.
        """
        request = StartWeighJob.Request(
            command=self.command(), company=company, station=station, target_weight=target_weight, unit='kg', quantity=quantity
        )
        return int(self.call(StartWeighJob, 'weighing/start_job', request).weigh_job_id)

    def stock_of(self, part_number: str) -> int | None:
        """Return the pieces of a part by the ledger, None when the part or the ledger is not known."""
        parts = self.inventory.parts if self.inventory else ()
        return next((int(part.total) for part in parts if part.part_number == part_number), None)

    def _on_status(self, status: CellStatus) -> None:
        self.status = status

    def _on_job(self, job: JobState) -> None:
        self.job = job

    def _on_inventory(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def _on_weigh_jobs(self, jobs: WeighJobList) -> None:
        self.weigh_jobs = jobs

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException, ShutdownException):
            self._executor.spin()


@contextlib.contextmanager
def connected(namespace: str = 'cell') -> Iterator[CellClient]:
    """Provide a client for the length of a block."""
    client = CellClient(namespace)
    try:
        yield client
    finally:
        client.close()
