"""Validates operator commands and forwards them to the job runner.

Each command first checks what can change while it waits for another node, then waits, then checks it again. The state machine
has the last word: it rejects a command that its state does not allow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cell_common.calls import ServiceCallError, call_service
from cell_common.commands import expiry_error
from cell_common.error_code import ErrorCode
from cell_common.gripper_sensor import GripperSensor, sensor_from_checks
from cell_common.ids import new_id
from cell_common.services import create_client
from cell_common.time import now_ns, to_ns
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cell_coordinator.health import SubsystemHealth, not_ready_message
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Event, Resolution
from cell_coordinator.job.executor import CallFailedError, EffectExecutor
from cell_coordinator.job.machine import CommandRejected, SensorContradiction
from cell_coordinator.job.model import JobState, PickJob
from cell_coordinator.job.publisher import JobPublisher
from cell_coordinator.job.runner import JobRunner
from cell_interfaces.action import RunJob
from cell_interfaces.msg import CommandInfo
from cell_interfaces.srv import ControlJob, RobotCommand, RobotPreflight

PREFLIGHT_TIMEOUT_S = 5.0
"""The robot node queries the controller, which may be slow."""
SENSOR_TIMEOUT_S = 2.0
"""After it an answer counts as one without a sensor."""
OVERRULE_MIN_S, OVERRULE_MAX_S = 0.5, 60.0
"""Time after a contradicted answer in which the same answer overrules the sensor; a double click is too early."""
_ACTIONS = {
    getattr(ControlJob.Request, name): name
    for name in ('PAUSE', 'RESUME', 'CANCEL', 'RESOLVE_DONE', 'RESOLVE_NOT_DONE', 'RESOLVE_REMOVED')
}
_RESOLUTIONS = {'RESOLVE_DONE': Resolution.DONE, 'RESOLVE_NOT_DONE': Resolution.NOT_DONE, 'RESOLVE_REMOVED': Resolution.REMOVED}


class JobRefused(CommandRejected):
    """A job was not set.

    Attributes:
        available: Pieces in the trays of the part; 0 if the stock is unknown.
    """

    def __init__(self, cause: CommandRejected, available: int) -> None:
        """Store the cause's code and text, and the pieces in the trays of the part."""
        super().__init__(cause.code, str(cause))
        self.available = available


class OperatorCommands:
    """Commands of the operator; each raises CommandRejected if it is not allowed.

    Coroutines run in the node's one thread. Between two `await` nothing else runs, so no lock is needed there.
    """

    def __init__(
        self,
        node: Node,
        *,
        runner: JobRunner,
        executor: EffectExecutor,
        health: SubsystemHealth,
        publisher: JobPublisher,
        trigger_timeout: float,
    ) -> None:
        """Store the collaborators and create the clients of the robot node; `trigger_timeout` is in seconds."""
        self._node = node
        self._runner = runner
        self._executor = executor
        self._health = health
        self._publisher = publisher
        self._trigger_timeout = trigger_timeout
        self._start_program = create_client(node, RobotCommand, 'robot/start_program', ReentrantCallbackGroup())
        self._preflight = create_client(node, RobotPreflight, 'robot/preflight', ReentrantCallbackGroup())
        self._robot_reserved_for = ''
        self._contradicted: tuple[str, str, str] | None = None
        self._contradicted_s = -OVERRULE_MAX_S

    def require_fresh(self, command: CommandInfo) -> None:
        """Reject a command that is older than its validity.

        Raises:
            CommandRejected: EXPIRED.
        """
        error = expiry_error(command, now_ns(self._node))
        if error:
            raise CommandRejected(ErrorCode.EXPIRED, error)

    def require_ready(self) -> None:
        """Reject while a needed node fails.

        Raises:
            CommandRejected: NOT_READY; the message names each failing node.
        """
        failing = self._health.not_ready(time.monotonic_ns())
        if failing:
            raise CommandRejected(ErrorCode.NOT_READY, not_ready_message(failing))

    def require_robot_free(self) -> None:
        """Reject while a job or another command uses the robot.

        A job that is READY does not use it yet.

        Raises:
            CommandRejected: JOB_ACTIVE or WRONG_STATE.
        """
        job = self._runner.job
        if not job.finished and job.state is not JobState.READY:
            raise CommandRejected(
                ErrorCode.JOB_ACTIVE, f'a job for {job.part_number} is {job.state.name}: finish or cancel it first'
            )
        if self._robot_reserved_for:
            raise CommandRejected(ErrorCode.WRONG_STATE, f'{self._robot_reserved_for}: wait until that is done')

    @contextmanager
    def reserve_robot(self, purpose: str) -> Iterator[None]:
        """Keep jobs and other commands from using the robot meanwhile.

        Args:
            purpose: Reason for rejected commands, e.g. "the benchmark of X is being set".

        Raises:
            CommandRejected: The robot is not free, or the cell is not ready.
        """
        self.require_robot_free()
        self.require_ready()
        self._robot_reserved_for = purpose
        try:
            yield
        finally:
            self._robot_reserved_for = ''

    async def set_job(self, part_number: str, quantity: int, command: CommandInfo) -> tuple[PickJob, int]:
        """Create a job that the trays can serve; return it with the number of pieces in the trays.

        A job that is READY is replaced. Nothing moves before `start_job`.

        Args:
            part_number: A part of the catalogue.
            quantity: Pieces to place, 1 or more.
            command: Its age is checked.

        Raises:
            JobRefused: The job cannot be set. This is also published on job_invalid.
        """
        refusal: CommandRejected | None = None
        try:
            self.require_fresh(command)
            self.require_robot_free()
        except CommandRejected as error:
            refusal = error
        # A refusal also names the stock, so the ledger is asked in any case.
        available = self._executor.last_stock(part_number)
        try:
            available = await self._available(part_number)
        except CommandRejected as error:
            refusal = refusal or error
        try:
            if refusal is not None:
                raise refusal
            if quantity < 1:
                raise CommandRejected(ErrorCode.INVALID_ARGUMENT, f'quantity is {quantity}: give 1 to {available}')
            if quantity > available:
                raise CommandRejected(
                    ErrorCode.NOT_ENOUGH_STOCK,
                    f'{quantity} x {part_number} ordered, {available} in the trays: order fewer or refill first',
                )
            created_ns = now_ns(self._node)
            operator_id = command.operator_id
            job = PickJob(new_id(), part_number, quantity, operator_id, created_ns=created_ns, changed_ns=created_ns)
            self.require_robot_free()
            self._runner.set_job(job)
        except CommandRejected as error:
            self._publisher.publish_invalid(error.code, str(error), part_number, quantity, available)
            raise JobRefused(error, available) from error
        return job, available

    async def start_job(self, request: RunJob.Goal) -> PickJob:
        """Start the job that set_job created, or create one and start it.

        Args:
            request: `job_id` names a job that was set; "" creates one of `quantity` and `part_number`.

        Returns:
            The running job.

        Raises:
            CommandRejected: The job cannot start; nothing has moved.
        """
        self.require_fresh(request.command)
        self.require_robot_free()
        self._require_job(request.job_id)
        # An invalid quantity is rejected by set_job below, with a message about the stock.
        if request.job_id or request.quantity > 0:
            self.require_ready()
            await self._run_preflight()
        if not request.job_id:
            # The pre-flight may take seconds, so the age counts only once.
            checked = CommandInfo(operator_id=request.command.operator_id)  # its age was checked above
            await self.set_job(request.part_number, request.quantity, checked)
        self.require_robot_free()
        self._require_job(request.job_id)
        self._runner.dispatch(ev.Start(now_ns(self._node)))
        return self._runner.job

    async def control_job(self, request: ControlJob.Request) -> str:
        """Pause, resume, cancel or resolve; return the message for the operator.

        An answer that the gripper's sensor contradicts is rejected. The same operator overrules the sensor with the same
        answer again.

        Args:
            request: `action` is one of the constants of ControlJob.

        Raises:
            CommandRejected: The state of the job does not allow it.
        """
        self.require_fresh(request.command)
        action = _ACTIONS.get(request.action)
        if action is None:
            raise CommandRejected(ErrorCode.INVALID_ARGUMENT, f'action is {request.action}: give 0 to {max(_ACTIONS)}')
        if self._runner.job.finished:
            raise CommandRejected(ErrorCode.NO_JOB, 'no job is active')
        sensor = GripperSensor.UNKNOWN
        # Only these depend on the gripper; Pause must not wait for the robot node.
        if action == 'CANCEL' or action in _RESOLUTIONS:
            sensor = await self._gripper_sensor()
        self._dispatch(action, request.command.operator_id, sensor)
        job = self._runner.job
        return job.reason or f'the job is {job.state.name}'

    def cancel(self, operator_id: str) -> None:
        """Cancel the active job, by a canceled goal of run_job. The gripper sensor is not asked: a cancel callback cannot wait.

        Args:
            operator_id: Of the goal.

        Raises:
            CommandRejected: No job is active, or a trigger must be resolved first.
        """
        self._runner.dispatch(ev.Cancel(now_ns(self._node), operator_id))

    def clear_job(self, reset: CommandInfo) -> None:
        """Clear a job that is not running after all trays were reset; a failing database is logged."""
        try:
            reset_ns = to_ns(reset.issued_at)
            reset_id = f'{reset_ns}/{reset.request_id}'
            self._runner.clear(reset_id, reset_ns, f'the stock was reset by {reset.operator_id}')
        except CommandRejected as error:
            self._node.get_logger().error(f'the job is not cleared after a reset of the stock: {error}')

    async def start_robot(self, request: RobotCommand.Request) -> tuple[int, str]:
        """Start the robot's program; return code and message of the robot node.

        Args:
            request: Passed on with the operator's `command`, so the robot node checks its age as well.

        Raises:
            CommandRejected: A job is running, or the robot node does not answer.
        """
        self.require_fresh(request.command)
        if self._runner.job.state is JobState.RUNNING or self._robot_reserved_for:
            raise CommandRejected(ErrorCode.JOB_ACTIVE, 'the robot is busy with a job: pause it first')
        try:
            response = await call_service(
                self._node, self._start_program, RobotCommand.Request(command=request.command), self._trigger_timeout
            )
        except ServiceCallError as error:
            raise CommandRejected(ErrorCode.TIMED_OUT, str(error)) from error
        return response.code, response.message

    def _require_job(self, job_id: str) -> None:
        """Refuse a command for another job than the current one; "" means the current one.

        Raises:
            CommandRejected: NO_JOB.
        """
        if job_id and self._runner.job.job_id != job_id:
            raise CommandRejected(ErrorCode.NO_JOB, f'job {job_id} is not set: set it again')

    async def _run_preflight(self) -> None:
        """Ask the robot node whether the robot is fit for a job.

        Raises:
            CommandRejected: It is not, or the robot node does not answer.
        """
        try:
            response = await call_service(self._node, self._preflight, RobotPreflight.Request(), PREFLIGHT_TIMEOUT_S)
        except ServiceCallError as error:
            raise CommandRejected(ErrorCode.TIMED_OUT, str(error)) from error
        if response.code != ErrorCode.OK:
            raise CommandRejected(response.code, f'the robot is not fit for a job: {response.message}')

    async def _available(self, part_number: str) -> int:
        """Return the pieces of a part in the trays, from the ledger.

        Raises:
            CommandRejected: Unknown part, or the inventory does not answer.
        """
        try:
            return sum((await self._executor.stock(part_number)).values())
        except CallFailedError as error:
            raise CommandRejected(error.code, str(error)) from error

    async def _gripper_sensor(self) -> GripperSensor:
        """Return the state of the gripper sensor; UNKNOWN if the robot node does not answer.

        An answer about a piece must be possible then, too.
        """
        try:
            response = await call_service(self._node, self._preflight, RobotPreflight.Request(), SENSOR_TIMEOUT_S)
        except ServiceCallError:
            return GripperSensor.UNKNOWN
        return sensor_from_checks((check.name, check.message) for check in response.checks)

    def _dispatch(self, action: str, operator_id: str, sensor: GripperSensor) -> None:
        """Dispatch a command; remember a contradicted answer, so that its repetition overrules the sensor.

        A second click within OVERRULE_MIN_S is no decision, and after OVERRULE_MAX_S the view into the cell is an old one.

        Raises:
            CommandRejected: The command is not allowed now, or the gripper sensor contradicts the answer.
        """
        now = time.monotonic()
        # The trigger's id: an overrule for one step must not count for the next.
        answer = (action, operator_id, self._runner.job.trigger_id)
        early = now - self._contradicted_s < OVERRULE_MIN_S
        overrule = answer == self._contradicted and not early and now - self._contradicted_s <= OVERRULE_MAX_S
        try:
            self._runner.dispatch(self._event(action, operator_id, sensor, overrule))
        except SensorContradiction as error:
            if not (answer == self._contradicted and early):
                self._contradicted, self._contradicted_s = answer, now
            advice = 'Look again. The same answer within 60 s overrules the sensor.'
            raise CommandRejected(error.code, f'{error}. {advice}') from error
        self._contradicted = None

    def _event(self, action: str, operator_id: str, sensor: GripperSensor, overrule: bool) -> Event:
        """Return the event of the state machine for an action of control_job."""
        now = now_ns(self._node)
        if action == 'PAUSE':
            return ev.Pause(now, operator_id)
        if action == 'RESUME':
            return ev.Resume(now, operator_id)
        if action == 'CANCEL':
            return ev.Cancel(now, operator_id, sensor)
        return ev.Resolve(now, _RESOLUTIONS[action], operator_id, sensor, overrule)
