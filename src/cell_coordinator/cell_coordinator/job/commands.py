"""The desk where people's commands arrive: checks them, passes them to the job, keeps the audit."""

from __future__ import annotations

from typing import Any

from cell_common.calls import ServiceCallError, call_service
from cell_common.commands import expiry_error
from cell_common.ids import new_id
from cell_common.time import to_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cell_coordinator.health import StatusBoard, sentence
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Event, Resolution
from cell_coordinator.job.executor import Carrier, GivenUpError
from cell_coordinator.job.machine import Refused
from cell_coordinator.job.model import Job, State
from cell_coordinator.job.publisher import JobAnnouncer
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import Command, JobStore, StorageFailedError
from cell_interfaces.msg import ResultCode
from cell_interfaces.srv import ControlJob, RobotCommand, RobotPreflight

PREFLIGHT_S = 5.0
"""The robot node asks the controller, which may be slow."""
_NAMES = {
    getattr(ControlJob.Request, name): name
    for name in ('PAUSE', 'RESUME', 'CANCEL', 'RESOLVE_DONE', 'RESOLVE_NOT_DONE', 'RESOLVE_REMOVED')
}
_RESOLUTIONS = {'RESOLVE_DONE': Resolution.DONE, 'RESOLVE_NOT_DONE': Resolution.NOT_DONE, 'RESOLVE_REMOVED': Resolution.REMOVED}


class Desk:
    """Commands of people, as coroutines and functions that raise Refused."""

    def __init__(
        self,
        node: Node,
        *,
        runner: JobRunner,
        carrier: Carrier,
        board: StatusBoard,
        announcer: JobAnnouncer,
        store: JobStore,
        trigger_timeout: float,
    ) -> None:
        """Take what the desk talks to; the time in seconds."""
        self._node = node
        self._runner = runner
        self._carrier = carrier
        self._board = board
        self._announcer = announcer
        self._store = store
        self._trigger_timeout = trigger_timeout
        self._start_program = node.create_client(RobotCommand, 'robot/start_program', callback_group=ReentrantCallbackGroup())
        self._preflight = node.create_client(RobotPreflight, 'robot/preflight', callback_group=ReentrantCallbackGroup())
        self.busy_with = ''
        """What else holds the robot, e.g. a benchmark; "" = nothing."""

    def now_ns(self) -> int:
        """Return the node's time."""
        return int(self._node.get_clock().now().nanoseconds)

    def check_age(self, command: Any) -> None:
        """Refuse a command that is too old."""
        late = expiry_error(command, self.now_ns())
        if late:
            raise Refused(ResultCode.EXPIRED, late)

    def check_ready(self) -> None:
        """Refuse while a needed node does not work, naming each."""
        failing = self._board.failing(self.now_ns())
        if failing:
            raise Refused(ResultCode.NOT_READY, sentence(failing))

    def check_free(self) -> None:
        """Refuse while the robot belongs to a job or to something else."""
        job = self._runner.job
        if not job.over and job.state is not State.READY:
            raise Refused(ResultCode.JOB_ACTIVE, f'a job for {job.part_number} is {job.state.name}: finish or cancel it first')
        if self.busy_with:
            raise Refused(ResultCode.WRONG_STATE, f'{self.busy_with}: wait until that is done')

    async def set_job(self, part_number: str, quantity: int, operator_id: str) -> tuple[Job, int]:
        """Make a job that the trays can serve; return it with the pieces that there are.

        Raises:
            Refused: Told on job_invalid too.
        """
        available = 0
        try:
            self.check_free()
            available = await self._available(part_number)
            if quantity < 1:
                raise Refused(ResultCode.INVALID_ARGUMENT, f'quantity is {quantity}: give 1 to {available}')
            if quantity > available:
                raise Refused(
                    ResultCode.NOT_ENOUGH_STOCK,
                    f'{quantity} x {part_number} asked for, {available} in the trays: order fewer or refill first',
                )
            now = self.now_ns()
            job = Job(new_id(), part_number, quantity, operator_id, created_ns=now, changed_ns=now)
            self.check_free()
            self._runner.put(job)
        except Refused as refusal:
            self._announcer.invalid(refusal.code, str(refusal), part_number, quantity, available)
            raise
        return job, available

    async def start_job(self, request: Any) -> Job:
        """Begin the job that set_job made, or make one and begin it.

        Raises:
            Refused: It cannot begin; nothing has moved.
        """
        self.check_age(request.command)
        self.check_free()
        self._check_set(request.job_id)
        if request.job_id or request.quantity > 0:
            self.check_ready()
            await self._check_robot()
        if not request.job_id:
            await self.set_job(request.part_number, request.quantity, request.command.operator_id)
        self.check_free()
        self._check_set(request.job_id)
        self._runner.feed(ev.Start(self.now_ns()))
        return self._runner.job

    def control(self, request: Any) -> str:
        """Pause, go on with, cancel or resolve; return what was done.

        Raises:
            Refused: The job's state does not allow it.
        """
        self.check_age(request.command)
        name = _NAMES.get(request.action)
        if name is None:
            raise Refused(ResultCode.INVALID_ARGUMENT, f'action is {request.action}: give 0 to {max(_NAMES)}')
        if self._runner.job.over:
            raise Refused(ResultCode.NO_JOB, 'there is no active job')
        self._runner.feed(self._event(name, request.command.operator_id))
        job = self._runner.job
        return job.reason or f'the job is {job.state.name}'

    def cancel(self, who: str) -> None:
        """Cancel the active job.

        Raises:
            Refused: There is none, or a trigger must be resolved first.
        """
        self._runner.feed(ev.Cancel(self.now_ns(), who))

    async def start_robot(self, request: Any) -> tuple[int, str]:
        """Let the robot node start the robot's program; return its answer.

        Raises:
            Refused: A job is running, or the robot node does not answer.
        """
        self.check_age(request.command)
        if self._runner.job.state is State.RUNNING or self.busy_with:
            raise Refused(ResultCode.JOB_ACTIVE, 'the robot is busy with a job: pause it first')
        try:
            answer = await call_service(
                self._node, self._start_program, RobotCommand.Request(command=request.command), self._trigger_timeout
            )
        except ServiceCallError as problem:
            raise Refused(ResultCode.TIMED_OUT, str(problem)) from problem
        return answer.code, answer.message

    def audit(self, name: str, command: Any, arguments: str, code: int, message: str) -> None:
        """Keep what was commanded; a database that refuses is logged and holds nothing up."""
        try:
            self._store.audit(
                Command(
                    self.now_ns(),
                    name,
                    command.request_id or new_id(),
                    command.operator_id,
                    to_ns(command.issued_at),
                    arguments,
                    code,
                    message,
                )
            )
        except StorageFailedError as problem:
            self._node.get_logger().error(f'command {name} is missing in the audit: {problem}')

    def _check_set(self, job_id: str) -> None:
        if job_id and self._runner.job.job_id != job_id:
            raise Refused(ResultCode.NO_JOB, f'job {job_id} is not set: set it again')

    async def _check_robot(self) -> None:
        """Refuse while the robot is not fit for a job, with the line that fails."""
        try:
            answer = await call_service(self._node, self._preflight, RobotPreflight.Request(), PREFLIGHT_S)
        except ServiceCallError as problem:
            raise Refused(ResultCode.TIMED_OUT, str(problem)) from problem
        if answer.code != ResultCode.OK:
            raise Refused(answer.code, f'the robot is not fit for a job: {answer.message}')

    async def _available(self, part_number: str) -> int:
        try:
            return sum((await self._carrier.stock(part_number)).values())
        except GivenUpError as problem:
            raise Refused(problem.code, str(problem)) from problem

    def _event(self, name: str, who: str) -> Event:
        now = self.now_ns()
        if name == 'PAUSE':
            return ev.Pause(now, who)
        if name == 'RESUME':
            return ev.Resume(now, who)
        return ev.Cancel(now, who) if name == 'CANCEL' else ev.Resolve(now, _RESOLUTIONS[name], who)
