"""Node `coordinator`: the pick job's life. The rules are in `job_machine`; this file wires them to ROS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cell_common.database import DatabaseError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters
from cell_common.qos import latched
from cell_common.runner import StartError, node_main
from cell_common.time import NS_PER_S
from cell_common.timers import create_steady_timer
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action.server import ActionServer, CancelResponse, ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from cell_coordinator.health import StatusBoard
from cell_coordinator.job.benchmarking import Showing
from cell_coordinator.job.commands import Desk
from cell_coordinator.job.conversions import status_message
from cell_coordinator.job.events import StockChanged
from cell_coordinator.job.executor import Carrier
from cell_coordinator.job.machine import JobMachine, JobRules, Refused
from cell_coordinator.job.model import OVER, State
from cell_coordinator.job.publisher import JobAnnouncer
from cell_coordinator.job.robot_client import RobotLink
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import JobStore, StorageFailedError
from cell_coordinator.parameters import CoordinatorParameters
from cell_interfaces.action import RunJob
from cell_interfaces.msg import CellStatus, Inventory, JobState, ResultCode
from cell_interfaces.srv import CaptureComponent, ControlJob, RobotCommand, SetBenchmark, SetJob

STATUS_PERIOD_S = 1.0
_RESULTS = {State.DONE: ResultCode.OK, State.CANCELLED: ResultCode.JOB_CANCELLED, State.FAILED: ResultCode.JOB_FAILED}


class CoordinatorNode(Node):
    """Offers run_job and the services of the pick job; publishes job and status."""

    def __init__(self, **options: Any) -> None:
        """Take up the job of the database.

        Raises:
            StartError: The database cannot be used.
        """
        super().__init__('coordinator', **options)
        self._settings = declare_parameters(self, CoordinatorParameters)
        settings = self._settings
        self._board = StatusBoard(
            self.get_namespace(), settings.subsystems, settings.needed_subsystems, round(settings.stale_after * NS_PER_S)
        )
        self._robot = RobotLink(self, settings.accept_timeout, settings.trigger_timeout)
        self._announcer = JobAnnouncer(self)
        self._carrier = Carrier(self, settings, self._robot)
        store, self._runner = self._open()
        self._desk = Desk(
            self,
            runner=self._runner,
            carrier=self._carrier,
            board=self._board,
            announcer=self._announcer,
            store=store,
            trigger_timeout=settings.trigger_timeout,
        )
        self._showing = Showing(
            self, desk=self._desk, carrier=self._carrier, robot=self._robot, announcer=self._announcer, parameters=settings
        )
        self._job_of_goal: dict[bytes, str] = {}
        self._offer()
        self._take_up()

    def destroy_node(self) -> None:
        """Give up the job and the actions, then the node."""
        self._runner.close()
        self._run_job.destroy()
        self._robot.close()
        super().destroy_node()

    def _open(self) -> tuple[JobStore, JobRunner]:
        rules = JobRules(
            self._settings.read_attempts,
            self._settings.max_consecutive_rejects,
            round(self._settings.settle_time * NS_PER_S),
        )
        try:
            engine = open_database(self._settings.database_url)
            migrate(engine, 'cell_coordinator')
            store = JobStore(engine)
            return store, JobRunner(JobMachine(rules), store)
        except (DatabaseError, StorageFailedError) as problem:
            raise StartError(str(problem)) from problem

    def _offer(self) -> None:
        together = ReentrantCallbackGroup()
        self.create_service(SetJob, 'set_job', self._on_set_job, callback_group=together)
        self.create_service(ControlJob, 'control_job', self._on_control_job, callback_group=together)
        self.create_service(SetBenchmark, 'set_benchmark', self._on_set_benchmark, callback_group=together)
        self.create_service(CaptureComponent, 'capture_component', self._on_capture, callback_group=together)
        self.create_service(RobotCommand, 'start_robot', self._on_start_robot, callback_group=together)
        self._run_job = ActionServer(
            self, RunJob, 'run_job', self._on_run_job, callback_group=together, cancel_callback=self._on_cancel
        )
        self._status = self.create_publisher(CellStatus, 'status', latched())
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 100)
        self.create_subscription(Inventory, 'inventory', self._on_inventory, latched())
        create_steady_timer(self, STATUS_PERIOD_S, self._publish_status)
        Diagnostics(self).add('job', self._health)

    def _take_up(self) -> None:
        self._runner.changed = self._announcer.changed
        self._runner.carry_out = self._carrier.carry_out
        self._carrier.feed = self._runner.feed
        self._carrier.job = lambda: self._runner.job
        self._carrier.captured = self._announcer.captured
        self._announcer.begin(self._runner.job)
        self._runner.take_up(self._desk.now_ns())

    async def _on_set_job(self, request: SetJob.Request, response: SetJob.Response) -> SetJob.Response:
        async def work() -> str:
            self._desk.check_age(request.command)
            job, response.available = await self._desk.set_job(
                request.part_number, request.quantity, request.command.operator_id
            )
            response.job_id = job.job_id
            return f'{job.quantity} x {job.part_number} set; start it with run_job'

        return await self._answer('set_job', request, response, work, f'{request.quantity} x {request.part_number}')

    async def _on_control_job(self, request: ControlJob.Request, response: ControlJob.Response) -> ControlJob.Response:
        async def work() -> str:
            return self._desk.control(request)

        await self._answer('control_job', request, response, work, f'action {request.action}')
        response.job = self._announcer.state
        return response

    async def _on_set_benchmark(self, request: SetBenchmark.Request, response: SetBenchmark.Response) -> SetBenchmark.Response:
        async def work() -> str:
            response.benchmark = await self._showing.benchmark(request.command, request.part_number)
            return f'benchmark {response.benchmark.version} of {request.part_number}: {", ".join(response.benchmark.texts)}'

        return await self._answer('set_benchmark', request, response, work, request.part_number)

    async def _on_capture(
        self, request: CaptureComponent.Request, response: CaptureComponent.Response
    ) -> CaptureComponent.Response:
        async def work() -> str:
            job = self._runner.job
            part_number = request.part_number or ('' if job.over else job.part_number)
            response.capture = await self._showing.capture(request.command, part_number)
            return str(response.capture.match.reason)

        return await self._answer('capture_component', request, response, work, request.part_number)

    async def _on_start_robot(self, request: RobotCommand.Request, response: RobotCommand.Response) -> RobotCommand.Response:
        async def work() -> str:
            response.code, message = await self._desk.start_robot(request)
            return message

        return await self._answer('start_robot', request, response, work, '')

    async def _answer(self, name: str, request: Any, response: Any, work: Callable[[], Awaitable[str]], told: str) -> Any:
        """Carry a command out, answer with code and message, and keep it in the audit."""
        try:
            response.message = await work()
        except Refused as refusal:
            response.code, response.message = refusal.code, str(refusal)
        self._desk.audit(name, request.command, told, response.code, response.message)
        return response

    async def _on_run_job(self, goal: ServerGoalHandle) -> RunJob.Result:
        request = goal.request
        told = request.job_id or f'{request.quantity} x {request.part_number}'
        try:
            job = await self._desk.start_job(request)
        except Refused as refusal:
            self._desk.audit('run_job', request.command, told, refusal.code, str(refusal))
            goal.abort()
            return RunJob.Result(code=refusal.code, message=str(refusal))
        self._desk.audit('run_job', request.command, told, ResultCode.OK, f'job {job.job_id} begun')
        return await self._follow(goal, job.job_id)

    async def _follow(self, goal: ServerGoalHandle, job_id: str) -> RunJob.Result:
        """Pass each change on as feedback until the job is over."""
        ended = Future(executor=self.executor)
        self._job_of_goal[bytes(goal.goal_id.uuid)] = job_id

        def tell(state: JobState) -> None:
            if state.job_id != job_id:
                return
            goal.publish_feedback(RunJob.Feedback(job=state))
            if State(state.state) in OVER and not ended.done():
                ended.set_result(state)

        self._announcer.listeners.append(tell)
        tell(self._announcer.state)
        state = await ended
        self._announcer.listeners.remove(tell)
        del self._job_of_goal[bytes(goal.goal_id.uuid)]
        result = _RESULTS[State(state.state)]
        if result == ResultCode.OK:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        message = f'{state.placed} placed, {state.rejected} rejected' + (f': {state.reason}' if state.reason else '')
        return RunJob.Result(code=result, message=message, job=state)

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        if self._job_of_goal.get(bytes(goal.goal_id.uuid)) != self._runner.job.job_id:
            return CancelResponse.REJECT
        try:
            self._desk.cancel(goal.request.command.operator_id)
        except Refused as refusal:
            self.get_logger().warning(f'run_job cannot be cancelled: {refusal}')
            return CancelResponse.REJECT
        return CancelResponse.ACCEPT

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now = self._desk.now_ns()
        changes = [self._board.hear(status.name, status.level[0], status.message, now) for status in message.status]
        if any(changes):
            self._publish_status()

    def _on_inventory(self, _inventory: Inventory) -> None:
        self._runner.feed(StockChanged(self._desk.now_ns()))

    def _publish_status(self) -> None:
        now = self._desk.now_ns()
        self._status.publish(
            status_message(self._board.lines(now), not self._board.failing(now), self.get_clock().now().to_msg())
        )

    def _health(self) -> Health:
        job = self._runner.job
        if self._runner.trouble:
            return Health(2, self._runner.trouble)
        values = {'job': job.job_id, 'state': job.state.name, 'step': job.step.name}
        return Health(1, job.reason, values) if job.state is State.PAUSED and job.fault else Health(0, '', values)


main = node_main(CoordinatorNode)
