"""Action client of robot/trigger. One goal at a time; anything unconfirmed is reported as UNKNOWN.

A trigger moves the arm, so it must not be sent twice. When no answer arrives, this client cannot know whether the arm has
moved. It never retries; the operator decides.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from action_msgs.msg import GoalStatus
from cell_common.calls import wait_for
from cell_common.error_code import ErrorCode
from cell_common.qos import latched
from rclpy.action.client import ActionClient, ClientGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from cell_coordinator.job.events import RobotOutcome
from cell_interfaces.action import TriggerRobot
from cell_interfaces.msg import RobotState

# Looks whether the robot node is still there: a goal of a node that died is never answered.
POLL_PERIOD_S = 0.25
LOST_AFTER_S = 3.0
"""A server that is missing for this time has stopped. A robot/state that arrives this long after the goal and names another
trigger shows a restart: the robot node publishes every 0.5 s and at each change, so an older state is not mistaken for it."""
_CODES = {
    RobotOutcome.SUCCEEDED: ErrorCode.OK,
    RobotOutcome.NOT_SENT: ErrorCode.ROBOT_NOT_CONNECTED,
    RobotOutcome.REFUSED: ErrorCode.ROBOT_REFUSED,
    RobotOutcome.UNKNOWN: ErrorCode.ROBOT_OUTCOME_UNKNOWN,
    RobotOutcome.INTERRUPTED: ErrorCode.ROBOT_STOPPED,
}


@dataclass(frozen=True)
class TriggerResult:
    """Outcome of a trigger.

    Attributes:
        outcome: UNKNOWN unless the robot node has confirmed another one.
        message: Of the robot node, or why the outcome is unknown; for the operator.
    """

    outcome: RobotOutcome
    message: str

    @property
    def code(self) -> ErrorCode:
        """The result code for this outcome."""
        return _CODES[self.outcome]


class RobotClient:
    """Client of the robot node.

    Loss of the robot node is noticed in two ways. Its action server disappears from the graph, or robot/state reports other
    trigger ids than ours, which shows a restart within the discovery's delay.
    """

    def __init__(self, node: Node, accept_timeout: float, trigger_timeout: float) -> None:
        """Create the client; the timeouts in seconds are the parameters of the same names."""
        self._node = node
        self._accept_timeout = accept_timeout
        self._trigger_timeout = trigger_timeout
        self._client = ActionClient(node, TriggerRobot, 'robot/trigger')
        self._state: tuple[float, RobotState] | None = None
        node.create_subscription(RobotState, 'robot/state', self._on_state, latched())

    async def trigger(self, trigger_id: str, event: str, tray: int = 0, continues: str = '') -> TriggerResult:
        """Send one trigger and wait for its outcome. It is never sent twice.

        Args:
            trigger_id: Unique id; the robot node rejects an id that it has seen.
            event: "PART_<number>", PLACE, REJECT, BENCHMARK, HOME or START_PROGRAM.
            tray: Tray to pick from, 1..255; 0 for other events.
            continues: Id of the interrupted trigger whose rest is to be executed; "" = a new event.

        Returns:
            NOT_SENT and REFUSED mean that nothing has moved; UNKNOWN that it may have.
        """
        if not await self._wait_for_server():
            return TriggerResult(RobotOutcome.NOT_SENT, 'the robot node was not found: is it running?')
        goal = TriggerRobot.Goal(trigger_id=trigger_id, event=event, tray=tray, continues=continues)
        sent = self._client.send_goal_async(goal)
        # The goal may have arrived although its acceptance did not.
        if not await wait_for(self._node, sent, self._accept_timeout):
            return TriggerResult(RobotOutcome.UNKNOWN, 'the robot node did not answer')
        handle: ClientGoalHandle = sent.result()
        if not handle.accepted:
            return TriggerResult(RobotOutcome.NOT_SENT, 'the robot node did not accept the trigger')
        result: Future = handle.get_result_async()
        error = await self._wait_for_result(result, trigger_id)
        return TriggerResult(RobotOutcome.UNKNOWN, error) if error else trigger_result(result.result())

    def close(self) -> None:
        """Destroy the action client."""
        self._client.destroy()

    async def _wait_for_server(self) -> bool:
        """Wait for the robot node for at most the accept timeout; shortly after a start it may not be discovered yet."""
        deadline = time.monotonic() + self._accept_timeout
        while not self._client.server_is_ready():
            if time.monotonic() > deadline:
                return False
            await wait_for(self._node, Future(executor=self._node.executor), POLL_PERIOD_S)
        return True

    async def _wait_for_result(self, result: Future, trigger_id: str) -> str:
        """Wait for the result; return "" if it arrived, else the reason why it never will."""
        started = time.monotonic()
        gone_since: float | None = None
        while not await wait_for(self._node, result, POLL_PERIOD_S):
            now = time.monotonic()
            # Discovery flickers on a loaded machine; only a lasting absence counts.
            gone_since = None if self._client.server_is_ready() else gone_since or now
            if gone_since is not None and now - gone_since > LOST_AFTER_S:
                return 'the robot node has stopped'
            if now - started > LOST_AFTER_S and self._trigger_lost(started, trigger_id):
                return 'the robot node was restarted meanwhile'
            if now - started > self._trigger_timeout:
                return f'no outcome within {self._trigger_timeout:g} s'
        return ''

    def _trigger_lost(self, started: float, trigger_id: str) -> bool:
        """Return True if robot/state, received well after the start, names another trigger as the latest.

        A state received earlier may have been published before the robot node got the trigger.
        """
        if self._state is None:
            return False
        received, state = self._state
        # The robot node admits one trigger at a time, so another id as the latest means that ours is not known there.
        return received > started + LOST_AFTER_S and state.last_trigger_id != trigger_id

    def _on_state(self, state: RobotState) -> None:
        self._state = time.monotonic(), state


def trigger_result(response: TriggerRobot.Impl.GetResultService.Response) -> TriggerResult:
    """Return the outcome of a finished goal.

    An unknown goal and a defect of the server arrive as zeros, and zero is SUCCEEDED. The outcome therefore counts only if the
    status of the goal agrees with it.

    Args:
        response: Response of the action's result service.
    """
    outcome = RobotOutcome(response.result.outcome)
    if (outcome is RobotOutcome.SUCCEEDED) != (response.status == GoalStatus.STATUS_SUCCEEDED):
        message = response.result.message or 'the robot node does not know this trigger'
        return TriggerResult(RobotOutcome.UNKNOWN, message)
    return TriggerResult(outcome, response.result.message)
