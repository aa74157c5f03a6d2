"""Robot node: the only connection between the cell and the robot, whatever the backend.

The executor has one thread, the backend others. Futures of the backend wake coroutines of the node through an `ExecutorQueue`;
a guard condition publishes the state after each change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from cell_common.alarm_text import short_cause
from cell_common.alarms import AlarmReporter
from cell_common.command_log import open_own_command_log
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError
from cell_common.diagnostics import Diagnostics
from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.services import ActionCallbacks, create_action_server, create_service
from cell_common.time import now_ns, seconds_to_ns
from cell_common.timers import create_steady_timer
from geometry_msgs.msg import PoseStamped
from rclpy.action.server import ActionServer, ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import JointState

from cell_interfaces.action import RecoverRobot, TriggerRobot
from cell_interfaces.msg import RobotState
from cell_interfaces.srv import RobotCommand, RobotPreflight
from cell_robot.backends.base import Backend, CommandResult, LinkState, PreflightCheck, backend_failed
from cell_robot.backends.factory import make_backend
from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase, not_sent
from cell_robot.conversions import (
    FEEDBACK,
    RESULTS,
    joint_message,
    link_health,
    preflight_lines,
    preflight_result,
    state_message,
    tool_message,
)
from cell_robot.description import BASE
from cell_robot.model_publisher import ModelPublisher
from cell_robot.motion.plan import PART
from cell_robot.parameters import RobotParameters
from cell_robot.progress import ProgressReporter
from cell_robot.teaching.services import TeachingServices, wait_in_executor
from cell_robot.trigger_admission import TriggerAdmission

__all__ = ['RESULT_TIMEOUT_S', 'RobotNode', 'main']

T = TypeVar('T')
StartedTrigger = Future[TriggerOutcome] | TriggerOutcome
"""Running trigger, or the outcome of one that was refused."""
# The page covers a state that is older than 2 s.
STATE_PERIOD_S = 0.5
RESULT_TIMEOUT_S = 2
"""Seconds a result can be requested. Every kept goal is in every status message, which slows each trigger."""
FEEDBACK_WAIT_S = 0.002
"""Time the node's thread yields to the backend's thread for the acknowledgement: both share one interpreter."""
NOT_CLEAR = 'Look at the cause of the stop and at the area, then confirm that the area is clear.'
RECOVERING = 'The robot is being recovered. Wait for its end.'


class RobotNode(Node):
    """Provides robot/trigger, start_program, stop, recover, preflight and state, and joint_states if they are known."""

    def __init__(self, **options: Any) -> None:
        """Open the command log, start the backend, then create interfaces and timers.

        Args:
            options: Passed to `rclpy.node.Node`, e.g. `parameter_overrides` in tests.

        Raises:
            ParameterError: A parameter is out of range.
            StartError: The database, the catalogue or the recipe cannot be used.
        """
        super().__init__('robot', **options)
        parameters = declare_parameters(self, RobotParameters)
        try:
            self._commands = open_own_command_log(self, parameters.database_url)
        except DatabaseError as error:
            raise StartError(str(error)) from error
        self._backend = make_backend(parameters, self, self.get_logger())
        self._alarm_delay_ns = seconds_to_ns(parameters.alarm_delay)
        self._admission = TriggerAdmission()
        self._started: dict[bytes, tuple[TriggerCommand, StartedTrigger]] = {}
        self._recovering = False
        self._recoveries = 0
        self._disconnected_since_ns: int | None = time.monotonic_ns()
        self._state_changed = self.create_guard_condition(self._publish_state)
        self._queue: ExecutorQueue[Callable[[], None]] = ExecutorQueue(self, lambda work: work())
        self._alarms = AlarmReporter(self)
        self._states = self.create_publisher(RobotState, 'robot/state', latched())
        self._joints = self.create_publisher(JointState, 'joint_states', events(10))
        self._tool = self.create_publisher(PoseStamped, 'robot/tool_pose', events(10))
        self._base_frame = parameters.frame_prefix + BASE
        Diagnostics(self, self._backend.name).add(
            'link', lambda: link_health(self._backend.name, self._backend.state(), self._admission.last)
        )
        self._action_servers = self._create_interfaces()
        self._model = ModelPublisher(self, parameters)
        self._teaching = TeachingServices(self, self._backend, parameters.recipe_file, self._commands, self._model.use_recipe)
        create_steady_timer(self, STATE_PERIOD_S, self._publish_state)
        if self._backend.reports_joints:
            create_steady_timer(self, 1.0 / parameters.joint_rate, self._publish_joints)
        self._backend.start(self._state_changed.trigger)

    def _create_interfaces(self) -> list[ActionServer]:
        group = ReentrantCallbackGroup()
        create_service(self, RobotCommand, 'robot/start_program', self._on_start_program, group, self._commands)
        create_service(self, RobotCommand, 'robot/stop', self._on_stop, group, self._commands, repeatable=True)
        create_service(self, RobotPreflight, 'robot/preflight', self._on_preflight, group)
        return [
            create_action_server(
                self,
                TriggerRobot,
                'robot/trigger',
                self._execute_trigger,
                ActionCallbacks(accepted=self._on_trigger_accepted),
                group,
                RESULT_TIMEOUT_S,
            ),
            create_action_server(
                self,
                RecoverRobot,
                'robot/recover',
                self._execute_recovery,
                ActionCallbacks(commands=self._commands),
                group,
                RESULT_TIMEOUT_S,
            ),
        ]

    @property
    def backend(self) -> Backend:
        """Backend that drives the robot."""
        return self._backend

    def destroy_node(self) -> None:
        """Close the backend, then the node."""
        self._backend.close()
        for server in self._action_servers:
            server.destroy()
        self._teaching.close()
        if self._commands is not None:
            self._commands.close()
        super().destroy_node()

    def _on_trigger_accepted(self, goal: ServerGoalHandle) -> None:
        """Send the trigger here: as a task of the executor it would leave some milliseconds later."""
        request = goal.request
        command = TriggerCommand(request.trigger_id, request.event, request.tray, request.continues)

        def publish(phase: TriggerPhase) -> None:
            goal.publish_feedback(TriggerRobot.Feedback(state=FEEDBACK[phase]))

        self._started[bytes(goal.goal_id.uuid)] = command, self._start_trigger(command, publish)
        goal.execute()

    async def _execute_trigger(self, goal: ServerGoalHandle) -> TriggerRobot.Result:
        """Wait for the outcome of a trigger that was sent when its goal was accepted; only DONE succeeds."""
        outcome = await self._await_outcome(*self._started.pop(bytes(goal.goal_id.uuid)))
        (goal.succeed if outcome.phase is TriggerPhase.DONE else goal.abort)()
        return TriggerRobot.Result(code=outcome.code, message=outcome.message, outcome=RESULTS[outcome.phase])

    async def _on_start_program(self, request: RobotCommand.Request, response: RobotCommand.Response) -> RobotCommand.Response:
        error = expiry_error(request.command, now_ns(self))
        outcome = not_sent(ErrorCode.EXPIRED, error) if error else await self._start_program()
        response.code, response.message = outcome.code, outcome.message
        return response

    async def _start_program(self) -> TriggerOutcome:
        command = TriggerCommand(new_id(), 'START_PROGRAM')
        return await self._await_outcome(command, self._start_trigger(command, lambda _: None))

    async def _on_stop(self, request: RobotCommand.Request, response: RobotCommand.Response) -> RobotCommand.Response:
        error = expiry_error(request.command, now_ns(self))
        result = CommandResult(ErrorCode.EXPIRED, error) if error else await self._await_result(self._backend.stop())
        response.code, response.message = result.code, result.message
        return response

    async def _execute_recovery(self, goal: ServerGoalHandle) -> RecoverRobot.Result:
        """Recover the robot if it may be, and publish the steps as feedback."""

        def publish(text: str, number: int, count: int) -> None:
            self.get_logger().info(f'recovery {number}/{count}: {text}')
            goal.publish_feedback(RecoverRobot.Feedback(step=text, number=number, count=count))

        def on_step(text: str, number: int, count: int) -> None:
            self._queue.put(lambda: publish(text, number, count))

        result = self._recovery_refusal(goal.request)
        if result is None:
            self._recovering = True
            result = await self._await_result(self._backend.recover(on_step))
            self._recovering = False
        if result.code == ErrorCode.OK:
            self._recoveries += 1
            self._alarms.clear_alarm('outcome_unknown')
        self._state_changed.trigger()
        (goal.succeed if result.code == ErrorCode.OK else goal.abort)()
        return RecoverRobot.Result(code=result.code, message=result.message)

    def _recovery_refusal(self, request: RecoverRobot.Goal) -> CommandResult | None:
        """Return why a recovery may not start, None when it may."""
        if error := expiry_error(request.command, now_ns(self)):
            return CommandResult(ErrorCode.EXPIRED, error)
        if not request.area_is_clear:
            return CommandResult(ErrorCode.INVALID_ARGUMENT, NOT_CLEAR)
        if self._recovering:
            return CommandResult(ErrorCode.ROBOT_BUSY, RECOVERING)
        if self._admission.busy:
            return CommandResult(ErrorCode.ROBOT_BUSY, 'The robot is busy with a trigger. Wait for its end.')
        return None

    def _start_trigger(self, command: TriggerCommand, publish: Callable[[TriggerPhase], None]) -> StartedTrigger:
        """Admit a trigger and pass it to the backend; `publish` sends its feedback to the client.

        Args:
            command: The event.
            publish: Called with SENT and ACKNOWLEDGED, from more than one thread.

        Returns:
            A future of the backend, or the outcome of a trigger that was refused.
        """
        if self._recovering:
            return not_sent(ErrorCode.ROBOT_BUSY, RECOVERING)
        if command.continues and not self._backend.continues_triggers:
            return not_sent(ErrorCode.NOT_SUPPORTED, f'Backend {self._backend.name} cannot continue a trigger.')
        refusal = self._admission.admit(command)
        if refusal is not None:
            return refusal

        def log_error(phase: TriggerPhase, error: Exception) -> None:
            self.get_logger().warning(f'{command.trigger_id}: feedback {phase.name} was not published: {error!r}')

        reporter = ProgressReporter(publish, self._record_progress, self._queue.put, log_error)
        try:
            future = self._backend.trigger(command, reporter.report)
            reporter.wait_acknowledged(FEEDBACK_WAIT_S)
            return future
        except Exception as error:
            failed: Future[TriggerOutcome] = Future()
            failed.set_exception(error)
            return failed

    def _record_progress(self, phase: TriggerPhase) -> None:
        self._admission.progress(phase, now_ns(self))
        self._state_changed.trigger()

    async def _await_outcome(self, command: TriggerCommand, started: StartedTrigger) -> TriggerOutcome:
        """Wait for the end of a trigger and record it."""
        if isinstance(started, TriggerOutcome):
            return started
        try:
            outcome = await self._await_in_executor(started)
        except Exception as error:  # the trigger may have left: its outcome is unknown
            self.get_logger().error(f'backend {self._backend.name} failed: {error!r}')
            outcome = backend_failed(error)
        self._admission.finish(outcome, now_ns(self))
        self._update_outcome_alarm(command, outcome)
        return outcome

    def _update_outcome_alarm(self, command: TriggerCommand, outcome: TriggerOutcome) -> None:
        """Raise or clear the alarm about an unknown outcome; a trigger that was not sent says nothing about the one before."""
        if outcome.phase is TriggerPhase.UNKNOWN:
            self.get_logger().warning(f'{command.event} {command.trigger_id}: {outcome.message}')
            self._alarms.raise_known('outcome_unknown', cause=short_cause(outcome.message), event=command.event)
        elif outcome.phase not in (TriggerPhase.NOT_SENT, TriggerPhase.INTERRUPTED):
            self._alarms.clear_alarm('outcome_unknown')
        if outcome.phase is TriggerPhase.DONE and command.event.startswith(PART):
            if outcome.note:
                self._alarms.raise_known('slot_empty', part=command.event.removeprefix(PART))
            else:
                self._alarms.clear_alarm('slot_empty')
        self._state_changed.trigger()

    async def _on_preflight(
        self, _request: RobotPreflight.Request, response: RobotPreflight.Response
    ) -> RobotPreflight.Response:
        """Return the checks of the backend, and that no trigger or recovery is active. A defect of the backend fails them."""
        try:
            checks = await self._await_in_executor(self._backend.preflight())
        except Exception as error:
            self.get_logger().error(f'backend {self._backend.name} failed: {error!r}')
            checks = [PreflightCheck('link', False, f'The robot backend failed ({error!r}); see the log.')]
        if self._recovering:
            checks.append(PreflightCheck('free', False, RECOVERING))
        elif self._admission.busy:
            checks.append(PreflightCheck('free', False, 'A trigger is active. Wait for its end.'))
        response.checks = preflight_lines(checks)
        response.code, response.message = preflight_result(checks)
        return response

    async def _await_result(self, future: Future[CommandResult]) -> CommandResult:
        """Wait for the end of a stop or recovery; a backend that raises gives INTERNAL."""
        try:
            return await self._await_in_executor(future)
        except Exception as error:
            self.get_logger().error(f'backend {self._backend.name} failed: {error!r}')
            return CommandResult(ErrorCode.INTERNAL, f'The robot backend failed ({error!r}); see the log.')

    async def _await_in_executor(self, future: Future[T]) -> T:
        """Await a future of the backend's thread in the node's executor.

        rclpy's futures may be completed in the executor's thread only, hence the queue.
        """
        return await wait_in_executor(self, self._queue, future)

    def _publish_state(self) -> None:
        state = self._backend.state()
        self._update_connection_alarm(state)
        stamp = self.get_clock().now().to_msg()
        self._states.publish(state_message(stamp, self._backend.name, state, self._admission.last, self._recoveries))

    def _publish_joints(self) -> None:
        state, stamp = self._backend.state(), self.get_clock().now().to_msg()
        if state.joints is not None:
            self._joints.publish(joint_message(stamp, state.joints))
            self._model.move(state.joints)
        if state.tool:
            self._tool.publish(tool_message(stamp, self._base_frame, state.tool))

    def _update_connection_alarm(self, state: LinkState) -> None:
        """Raise an alarm once the robot is disconnected for longer than `alarm_delay`."""
        if state.connected:
            self._disconnected_since_ns = None
            self._alarms.clear_alarm('not_connected')
            return
        now = time.monotonic_ns()  # steady: a clock that is set back must not delay the alarm
        if self._disconnected_since_ns is None:
            self._disconnected_since_ns = now
        if now - self._disconnected_since_ns >= self._alarm_delay_ns:
            self._alarms.raise_known('not_connected', advice=self._backend.disconnected_advice)


main = node_main(RobotNode)
