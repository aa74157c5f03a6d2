"""The robot node: the cell's one way to the robot, whatever the link."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from cell_common.alarms import AlarmReporter
from cell_common.commands import expiry_error
from cell_common.diagnostics import Diagnostics
from cell_common.ids import new_id
from cell_common.inbox import ExecutorQueue
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import node_main
from cell_common.timers import create_steady_timer
from rclpy.action.server import ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as RosFuture
from rclpy.time import Time
from sensor_msgs.msg import JointState

from cell_common import alarms
from cell_interfaces.action import RecoverRobot, TriggerRobot
from cell_interfaces.msg import ResultCode, RobotState
from cell_interfaces.srv import RobotCommand, RobotPreflight
from cell_robot.backends.base import Answer, Check, Command, LinkState, Outcome, Phase, failed, not_sent
from cell_robot.backends.factory import make_backend
from cell_robot.conversions import FEEDBACK, RESULTS, check_messages, health, joint_message, state_message, verdict
from cell_robot.model_publisher import ModelPublisher
from cell_robot.parameters import RobotParameters
from cell_robot.progress import Teller
from cell_robot.trigger_admission import TriggerDesk

T = TypeVar('T')
PERIOD_S = 1.0
KEPT_S = 2
"""Seconds a result can be asked for; every goal kept is listed in every status message, which makes each trigger slower."""
HAND_OVER_S = 0.002
"""How long the node's thread stands back for the link's thread, which sends and is answered: the two share one interpreter."""
NOT_CLEAR = 'Look at the cause of the stop and at the area, then confirm that the area is clear.'
RECOVERING = 'The robot is being recovered. Wait for its end.'


class RobotNode(Node):
    """Offers robot/trigger, start_program, stop, recover, preflight and state, and joint_states where they are known."""

    def __init__(self, **options: Any) -> None:
        super().__init__('robot', **options)
        parameters = declare_parameters(self, RobotParameters)
        self._backend = make_backend(parameters, self, self.get_logger())
        self._alarm_delay = parameters.alarm_delay
        self._desk = TriggerDesk()
        self._begun: dict[bytes, tuple[Command, Future[Outcome] | Outcome]] = {}
        self._recovering = False
        self._recoveries = 0
        self._missing_since: Time | None = self.get_clock().now()
        self._changed = self.create_guard_condition(self._publish)
        self._inbox: ExecutorQueue[Callable[[], None]] = ExecutorQueue(self, lambda work: work())
        self._alarms = AlarmReporter(self)
        self._states = self.create_publisher(RobotState, 'robot/state', latched())
        self._joints = self.create_publisher(JointState, 'joint_states', events(10))
        Diagnostics(self, self._backend.name).add(
            'link', lambda: health(self._backend.name, self._backend.state(), self._desk.last)
        )
        together = ReentrantCallbackGroup()
        self._servers = [
            ActionServer(
                self,
                TriggerRobot,
                'robot/trigger',
                self._trigger,
                handle_accepted_callback=self._accepted,
                callback_group=together,
                result_timeout=KEPT_S,
            ),
            ActionServer(self, RecoverRobot, 'robot/recover', self._recover, callback_group=together, result_timeout=KEPT_S),
        ]
        self.create_service(RobotCommand, 'robot/start_program', self._start_program, callback_group=together)
        self.create_service(RobotCommand, 'robot/stop', self._stop, callback_group=together)
        self.create_service(RobotPreflight, 'robot/preflight', self._preflight, callback_group=together)
        create_steady_timer(self, PERIOD_S, self._publish)
        if parameters.backend != 'letters':  # which know no joints
            create_steady_timer(self, 1.0 / parameters.joint_rate, self._publish_joints)
        self._model = ModelPublisher(self, parameters)
        self._backend.start(self._changed.trigger)

    def destroy_node(self) -> None:
        """Give up the link, then the node."""
        self._backend.close()
        for server in self._servers:
            server.destroy()
        super().destroy_node()

    def _accepted(self, goal: Any) -> None:
        """Hand a trigger to the link at once: as a task of the executor it would leave some milliseconds later."""
        asked = goal.request
        command = Command(asked.trigger_id, asked.event, asked.tray)

        def told(phase: Phase) -> None:
            goal.publish_feedback(TriggerRobot.Feedback(state=FEEDBACK[phase]))

        self._begun[bytes(goal.goal_id.uuid)] = command, self._begin(command, told)
        goal.execute()

    async def _trigger(self, goal: Any) -> TriggerRobot.Result:
        outcome = await self._finish(*self._begun.pop(bytes(goal.goal_id.uuid)))
        (goal.succeed if outcome.phase is Phase.DONE else goal.abort)()
        return TriggerRobot.Result(code=outcome.code, message=outcome.message, outcome=RESULTS[outcome.phase])

    async def _start_program(self, request: Any, response: Any) -> Any:
        late = expiry_error(request.command, self._now_ns())
        outcome = not_sent(ResultCode.EXPIRED, late) if late else await self._start()
        response.code, response.message = outcome.code, outcome.message
        return response

    async def _stop(self, request: Any, response: Any) -> Any:
        late = expiry_error(request.command, self._now_ns())
        answer = Answer(ResultCode.EXPIRED, late) if late else await self._answer(self._backend.stop())
        response.code, response.message = answer.code, answer.message
        return response

    async def _recover(self, goal: Any) -> RecoverRobot.Result:
        def step(text: str, number: int, count: int) -> None:
            self.get_logger().info(f'recovery {number}/{count}: {text}')
            goal.publish_feedback(RecoverRobot.Feedback(step=text, number=number, count=count))

        answer = self._refuse_recovery(goal.request)
        if answer is None:
            self._recovering = True
            answer = await self._answer(
                self._backend.recover(lambda text, number, count: self._inbox.put(lambda: step(text, number, count)))
            )
            self._recovering = False
        if answer.code == ResultCode.OK:
            self._recoveries += 1
            self._alarms.clear_alarm('outcome_unknown')
        self._changed.trigger()
        (goal.succeed if answer.code == ResultCode.OK else goal.abort)()
        return RecoverRobot.Result(code=answer.code, message=answer.message)

    def _refuse_recovery(self, request: Any) -> Answer | None:
        late = expiry_error(request.command, self._now_ns())
        if late:
            return Answer(ResultCode.EXPIRED, late)
        if not request.area_is_clear:
            return Answer(ResultCode.INVALID_ARGUMENT, NOT_CLEAR)
        if self._recovering:
            return Answer(ResultCode.ROBOT_BUSY, RECOVERING)
        if self._desk.busy:
            return Answer(ResultCode.ROBOT_BUSY, 'The robot is busy with a trigger. Wait for its end.')
        return None

    async def _start(self) -> Outcome:
        command = Command(new_id(), 'START_PROGRAM')
        return await self._finish(command, self._begin(command, lambda _: None))

    def _begin(self, command: Command, told: Callable[[Phase], None]) -> Future[Outcome] | Outcome:
        """Let the backend carry out one event.

        `told` hears of the acknowledgement in the thread that brings it (feedback may be published from any: rcl_publish is
        thread-safe), and before that of SENT only where it takes longer than HAND_OVER_S: to tell it at once would cost the
        acknowledgement a millisecond. The books are kept in the node's own thread.
        """
        if self._recovering:
            return not_sent(ResultCode.ROBOT_BUSY, RECOVERING)
        refusal = self._desk.admit(command)
        if refusal is not None:
            return refusal

        teller = Teller(told)

        def tell(phase: Phase) -> None:
            try:
                teller.tell(phase)
            except Exception as error:  # the link goes on without it
                self.get_logger().warning(f'{command.trigger_id}: {phase.name} could not be told: {error!r}')

        def note(phase: Phase) -> None:
            if phase is Phase.SENT:
                tell(phase)
            self._desk.progress(phase, self._now_ns())
            self._changed.trigger()

        def progress(phase: Phase) -> None:
            if phase is Phase.ACKNOWLEDGED:
                tell(phase)
            self._inbox.put(lambda: note(phase))

        try:
            future = self._backend.trigger(command, progress)
            teller.wait(HAND_OVER_S)
            return future
        except Exception as error:
            broken: Future[Outcome] = Future()
            broken.set_exception(error)
            return broken

    async def _finish(self, command: Command, begun: Future[Outcome] | Outcome) -> Outcome:
        """Wait for the end of what was begun, and keep the books of it."""
        if isinstance(begun, Outcome):
            return begun
        try:
            outcome = await self._here(begun)
        except Exception as error:  # whatever broke, the trigger may have left: its outcome is unknown
            self.get_logger().error(f'backend {self._backend.name} failed: {error!r}')
            outcome = failed(error)
        self._desk.end(outcome, self._now_ns())
        self._report(command, outcome)
        return outcome

    def _report(self, command: Command, outcome: Outcome) -> None:
        if outcome.phase is Phase.UNKNOWN:
            self.get_logger().warning(f'{command.event} {command.trigger_id}: {outcome.message}')
            self._alarms.raise_alarm(
                'outcome_unknown',
                alarms.HIGH,
                outcome.message,
                consequence='The job waits. The step is not done again by itself.',
                action='Look where the piece is, then resolve the step on the job page.',
            )
        elif outcome.phase is not Phase.NOT_SENT:
            self._alarms.clear_alarm('outcome_unknown')
        self._changed.trigger()

    async def _preflight(self, _request: Any, response: Any) -> Any:
        try:
            checks = await self._here(self._backend.preflight())
        except Exception as error:
            self.get_logger().error(f'backend {self._backend.name} failed: {error!r}')
            checks = [Check('link', False, f'The robot link failed ({error!r}); see the log.')]
        if self._recovering or self._desk.busy:
            checks.append(Check('free', False, RECOVERING if self._recovering else 'A trigger is under way. Wait for its end.'))
        response.checks = check_messages(checks)
        response.code, response.message = verdict(checks)
        return response

    async def _answer(self, future: Future[Answer]) -> Answer:
        try:
            return await self._here(future)
        except Exception as error:
            self.get_logger().error(f'backend {self._backend.name} failed: {error!r}')
            return Answer(ResultCode.INTERNAL, f'The robot link failed ({error!r}); see the log.')

    async def _here(self, future: Future[T]) -> T:
        """Wait on the node's executor for what a backend's thread will bring."""
        waiting = RosFuture(executor=self.executor)
        future.add_done_callback(lambda _: self._inbox.put(lambda: waiting.set_result(None)))
        await waiting
        return future.result()

    def _publish(self) -> None:
        state = self._backend.state()
        self._watch(state)
        now = self.get_clock().now().to_msg()
        self._states.publish(state_message(now, self._backend.name, state, self._desk.last, self._recoveries))

    def _publish_joints(self) -> None:
        joints = self._backend.state().joints
        if joints is not None:
            self._joints.publish(joint_message(self.get_clock().now().to_msg(), joints))
            self._model.move(joints)

    def _watch(self, state: LinkState) -> None:
        """Raise an alarm when the robot is missing for too long, once."""
        if state.connected:
            self._missing_since = None
            self._alarms.clear_alarm('not_connected')
            return
        now = self.get_clock().now()
        self._missing_since = self._missing_since or now
        if (now - self._missing_since).nanoseconds >= self._alarm_delay * 1e9:
            self._alarms.raise_alarm(
                'not_connected', alarms.HIGH, state.message, consequence='The robot cannot pick.', action=self._backend.advice
            )

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


main = node_main(RobotNode)
