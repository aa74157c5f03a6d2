"""Node `coordinator`: wires the pick job to ROS. The rules of the job are in `job.machine`.

One thread runs all callbacks. Services that wait for other nodes are coroutines in a reentrant group, so the node goes on
answering meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from cell_common.command_log import open_command_log
from cell_common.database import DatabaseError, StorageFailedError, migrate, open_database
from cell_common.database_worker import DatabaseWorker
from cell_common.diagnostics import Diagnostics, Health
from cell_common.error_code import ErrorCode
from cell_common.parameters import declare_parameters
from cell_common.qos import latched
from cell_common.runner import StartError, node_main
from cell_common.services import ActionCallbacks, create_action_server, create_service
from cell_common.storage_health import StorageHealth
from cell_common.time import now_ns, seconds_to_ns
from cell_common.timers import create_steady_timer
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action.server import CancelResponse, ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from cell_coordinator.health import SubsystemHealth
from cell_coordinator.job.benchmarking import BenchmarkService
from cell_coordinator.job.commands import JobRefused, OperatorCommands
from cell_coordinator.job.conversions import status_to_msg
from cell_coordinator.job.events import Event, StockChanged
from cell_coordinator.job.executor import EffectExecutor
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules
from cell_coordinator.job.model import TERMINAL_STATES, JobState
from cell_coordinator.job.publisher import JobPublisher
from cell_coordinator.job.robot_client import RobotClient
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import JobStore
from cell_coordinator.job.tray_choice import TrayChoice
from cell_coordinator.parameters import CoordinatorParameters
from cell_interfaces import msg
from cell_interfaces.action import RunJob
from cell_interfaces.srv import CaptureComponent, ControlJob, RobotCommand, SetBenchmark, SetJob

__all__ = ['CoordinatorNode', 'main']

# A button is enabled by this status, so it must not be older than a blink.
STATUS_PERIOD_S = 0.5
LONGEST_LOCK_WAIT_S = 1.0
"""Less than `stale_after`: the node's status goes on meanwhile."""
_RESULT_CODES = {
    JobState.DONE: ErrorCode.OK,
    JobState.CANCELLED: ErrorCode.JOB_CANCELLED,
    JobState.FAILED: ErrorCode.JOB_FAILED,
}


class CommandResponse(Protocol):
    """A response to a command."""

    code: int
    message: str


Response = TypeVar('Response', bound=CommandResponse)


class CoordinatorNode(Node):
    """Serves run_job and the services of the pick job; publishes job and status."""

    def __init__(self, **options: Any) -> None:
        """Restore the job of the database.

        Args:
            options: Arguments of rclpy's Node.

        Raises:
            StartError: The database cannot be used.
        """
        super().__init__('coordinator', **options)
        self._settings = settings = declare_parameters(self, CoordinatorParameters)
        self._health = SubsystemHealth(
            self.get_namespace(), settings.subsystems, settings.needed_subsystems, seconds_to_ns(settings.stale_after)
        )
        self._publisher = JobPublisher(self)
        self._robot = RobotClient(self, settings.accept_timeout, settings.trigger_timeout)
        self._effects = EffectExecutor(
            self,
            settings,
            self._robot,
            on_event=self._on_job_event,
            current_job=lambda: self._runner.job,
            on_capture=self._publisher.publish_capture,
        )
        store = self._open_store()
        self._runner = self._create_runner(store)
        self._commands = OperatorCommands(
            self,
            runner=self._runner,
            executor=self._effects,
            health=self._health,
            publisher=self._publisher,
            trigger_timeout=settings.trigger_timeout,
        )
        self._benchmarks = BenchmarkService(
            self,
            commands=self._commands,
            executor=self._effects,
            robot=self._robot,
            publisher=self._publisher,
            settings=settings,
        )
        # A goal may have been rejected as a job while its client still tries to cancel it.
        self._job_of_goal: dict[bytes, str] = {}
        self._create_interfaces()
        self._restore_job()

    def destroy_node(self) -> None:
        """Stop the job and the actions, then destroy the node.

        The runner is closed first: answers that arrive during the shutdown are left to the next start.
        """
        self._runner.close()
        self._run_job.destroy()
        self._robot.close()
        self._worker.close(finish_queue=True)
        super().destroy_node()
        self._engine.dispose()
        self._job_engine.dispose()

    def _open_store(self) -> JobStore:
        """Open the database and bring its tables up to date.

        Raises:
            StartError: It cannot be used.
        """
        try:
            engine = self._engine = open_database(self._settings.database_url)
            # The job is stored in the node's thread, which must answer also while another program locks the database.
            self._job_engine = open_database(self._settings.database_url, LONGEST_LOCK_WAIT_S)
            migrate(engine, 'cell_coordinator')
            self._worker = DatabaseWorker(self)
            self._command_log = open_command_log(self, engine, self._worker)
            self._storage = StorageHealth(self, engine, self._worker)
        except DatabaseError as error:
            raise StartError(str(error)) from error
        return JobStore(self._job_engine)

    def _create_runner(self, store: JobStore) -> JobRunner:
        """Create the runner with the rules of the deployment; it loads the newest job.

        Raises:
            StartError: The database failed.
        """
        settings = self._settings
        rules = JobRules(
            settings.read_attempts,
            settings.max_consecutive_rejects,
            seconds_to_ns(settings.settle_time),
            TrayChoice(settings.tray_choice),
        )
        try:
            return JobRunner(
                JobMachine(rules),
                store,
                on_change=self._publisher.publish,
                execute=self._effects.execute,
                on_storage=lambda error: self._storage.failed(error) if error else self._storage.succeeded(),
                longest_lock_s=settings.retry_time,
            )
        except StorageFailedError as error:
            raise StartError(str(error)) from error

    def _create_interfaces(self) -> None:
        """Create services, action, topics and timers; last of all, so that no request meets a half-made node."""
        callback_group = ReentrantCallbackGroup()
        create_service(self, SetJob, 'set_job', self._on_set_job, callback_group, self._command_log)
        create_service(self, ControlJob, 'control_job', self._on_control_job, callback_group, self._command_log)
        create_service(self, SetBenchmark, 'set_benchmark', self._on_set_benchmark, callback_group, self._command_log)
        create_service(self, CaptureComponent, 'capture_component', self._on_capture, callback_group, self._command_log)
        create_service(self, RobotCommand, 'start_robot', self._on_start_robot, callback_group, self._command_log)
        self._run_job = create_action_server(
            self,
            RunJob,
            'run_job',
            self._on_run_job,
            ActionCallbacks(cancel=self._on_cancel, commands=self._command_log),
            callback_group,
        )
        self._status = self.create_publisher(msg.CellStatus, 'status', latched())
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 100)
        self.create_subscription(msg.Inventory, 'inventory', self._on_inventory, latched())
        self.create_subscription(msg.CommandInfo, 'inventory/last_reset', self._commands.clear_job, latched())
        create_steady_timer(self, STATUS_PERIOD_S, self._publish_status)
        create_steady_timer(self, STATUS_PERIOD_S, lambda: self._runner.retry(time.monotonic()))
        Diagnostics(self).add('job', self._job_health)

    def _restore_job(self) -> None:
        """Publish the stored job, then continue with it.

        In this order: the first publication is the job as stored, before the restart pauses it.
        """
        self._publisher.publish_initial(self._runner.job)
        self._runner.restore(now_ns(self))

    def _on_job_event(self, event: Event) -> None:
        self._runner.dispatch(event)

    async def _on_set_job(self, request: SetJob.Request, response: SetJob.Response) -> SetJob.Response:
        async def run() -> str:
            try:
                job, response.available = await self._commands.set_job(request.part_number, request.quantity, request.command)
            except JobRefused as error:
                response.available = error.available
                raise
            response.job_id = job.job_id
            return f'{job.quantity} x {job.part_number} set; start it with run_job'

        return await self._run_command(response, run)

    async def _on_control_job(self, request: ControlJob.Request, response: ControlJob.Response) -> ControlJob.Response:
        async def run() -> str:
            return await self._commands.control_job(request)

        await self._run_command(response, run)
        response.job = self._publisher.last_state
        return response

    async def _on_set_benchmark(self, request: SetBenchmark.Request, response: SetBenchmark.Response) -> SetBenchmark.Response:
        async def run() -> str:
            response.benchmark = await self._benchmarks.set_benchmark(request.command, request.part_number)
            return f'benchmark {response.benchmark.version} of {request.part_number}: {", ".join(response.benchmark.texts)}'

        return await self._run_command(response, run)

    async def _on_capture(
        self, request: CaptureComponent.Request, response: CaptureComponent.Response
    ) -> CaptureComponent.Response:
        """Capture with the given part, or with that of the active job."""

        async def run() -> str:
            job = self._runner.job
            part_number = request.part_number or ('' if job.finished else job.part_number)
            response.capture = await self._benchmarks.capture(request.command, part_number)
            return str(response.capture.match.reason)

        return await self._run_command(response, run)

    async def _on_start_robot(self, request: RobotCommand.Request, response: RobotCommand.Response) -> RobotCommand.Response:
        async def run() -> str:
            response.code, message = await self._commands.start_robot(request)
            return message

        return await self._run_command(response, run)

    async def _run_command(self, response: Response, run: Callable[[], Awaitable[str]]) -> Response:
        """Run a command, and fill in code and message of its response.

        Args:
            response: Its code stays OK unless `run` raises or sets it.
            run: Executes the command and returns the message for the operator; may raise CommandRejected.
        """
        try:
            response.message = await run()
        except CommandRejected as error:
            response.code, response.message = error.code, str(error)
        return response

    async def _on_run_job(self, goal: ServerGoalHandle) -> RunJob.Result:
        """Start a job and stay until it is finished; a goal that cannot start is aborted with code and message."""
        request = goal.request
        try:
            job = await self._commands.start_job(request)
        except CommandRejected as error:
            goal.abort()
            return RunJob.Result(code=error.code, message=str(error))
        return await self._stream_feedback(goal, job.job_id)

    async def _stream_feedback(self, goal: ServerGoalHandle, job_id: str) -> RunJob.Result:
        """Publish each change of the job as feedback until the job is finished.

        Args:
            goal: The accepted goal of run_job.
            job_id: Job that this goal has started.

        Returns:
            The result. The goal ends as canceled only if its client has asked for it; a job canceled elsewhere aborts the
            goal.
        """
        finished = Future(executor=self.executor)
        self._job_of_goal[bytes(goal.goal_id.uuid)] = job_id

        def on_change(state: msg.JobState) -> None:
            if state.job_id != job_id:
                return
            goal.publish_feedback(RunJob.Feedback(job=state))
            if state.state in TERMINAL_STATES and not finished.done():
                finished.set_result(state)

        self._publisher.add_listener(on_change)
        # The job may have changed between its start and this subscription.
        on_change(self._publisher.last_state)
        state = await finished
        self._publisher.remove_listener(on_change)
        del self._job_of_goal[bytes(goal.goal_id.uuid)]
        code = _RESULT_CODES[JobState(state.state)]
        if code is ErrorCode.OK:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        message = f'{state.placed} placed, {state.rejected} rejected' + (f': {state.reason}' if state.reason else '')
        return RunJob.Result(code=code, message=message, job=state)

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        """Accept a cancel request if the goal's job is the active one and may be canceled now."""
        if self._job_of_goal.get(bytes(goal.goal_id.uuid)) != self._runner.job.job_id:
            return CancelResponse.REJECT
        try:
            self._commands.cancel(goal.request.command.operator_id)
        except CommandRejected as error:
            self.get_logger().warning(f'run_job cannot be canceled: {error}')
            return CancelResponse.REJECT
        return CancelResponse.ACCEPT

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        now = time.monotonic_ns()  # steady: after the clock was set back, the reports of a dead node would stay fresh
        changes = [self._health.update(status.name, status.level[0], status.message, now) for status in message.status]
        if any(changes):
            self._publish_status()

    def _on_inventory(self, inventory: msg.Inventory) -> None:
        """Remember the counts, and let a job that waits for a reload query the ledger."""
        self._effects.on_inventory(inventory)
        self._runner.dispatch(StockChanged(now_ns(self)))

    def _publish_status(self) -> None:
        now = time.monotonic_ns()
        ready = not self._health.not_ready(now)
        self._status.publish(status_to_msg(self._health.statuses(now), ready, self.get_clock().now().to_msg()))

    def _job_health(self) -> Health:
        """Return the health of the pick job: ERROR without storage, WARN while a fault pauses it."""
        job = self._runner.job
        if self._storage.error:
            return Health(2, self._storage.error)
        values = {'job': job.job_id, 'state': job.state.name, 'step': job.step.name}
        warning = job.state is JobState.PAUSED and job.paused_by_fault
        return Health(1, job.reason, values) if warning else Health(0, '', values)


main = node_main(CoordinatorNode)
