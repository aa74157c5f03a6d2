"""The way to the robot node: one trigger at a time, with an outcome that is never better than what is known."""

from __future__ import annotations

import time
from dataclasses import dataclass

from action_msgs.msg import GoalStatus
from cell_common.calls import wait_for
from cell_common.qos import latched
from rclpy.action.client import ActionClient, ClientGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from cell_coordinator.job.events import TriggerOutcome
from cell_interfaces.action import TriggerRobot
from cell_interfaces.msg import ResultCode, RobotState

LOOK_EVERY_S = 0.25
FORGOTTEN_AFTER_S = 3.0
"""The robot node publishes its last trigger every second: three times another one means that ours is not known there."""
_CODES = {
    TriggerOutcome.SUCCEEDED: ResultCode.OK,
    TriggerOutcome.NOT_SENT: ResultCode.ROBOT_NOT_CONNECTED,
    TriggerOutcome.REFUSED: ResultCode.ROBOT_REFUSED,
    TriggerOutcome.UNKNOWN: ResultCode.ROBOT_OUTCOME_UNKNOWN,
}


@dataclass(frozen=True)
class Ended:
    """How a trigger ended."""

    outcome: TriggerOutcome
    message: str

    @property
    def code(self) -> int:
        """The ResultCode that says the same."""
        return int(_CODES[self.outcome])


class RobotLink:
    """Client of robot/trigger."""

    def __init__(self, node: Node, accept_timeout: float, trigger_timeout: float) -> None:
        """Make the client; times in seconds, as in the parameters of the same names."""
        self._node = node
        self._accept_timeout = accept_timeout
        self._trigger_timeout = trigger_timeout
        self._client = ActionClient(node, TriggerRobot, 'robot/trigger')
        self._state: tuple[float, RobotState] | None = None
        node.create_subscription(RobotState, 'robot/state', self._on_state, latched())

    async def trigger(self, trigger_id: str, event: str, tray: int = 0) -> Ended:
        """Send one trigger and wait for its end; never sends it twice."""
        if not await self._server():
            return Ended(TriggerOutcome.NOT_SENT, 'the robot node is not there: is it running?')
        sent = self._client.send_goal_async(TriggerRobot.Goal(trigger_id=trigger_id, event=event, tray=tray))
        if not await wait_for(self._node, sent, self._accept_timeout):
            return Ended(TriggerOutcome.UNKNOWN, 'the robot node did not answer')
        handle: ClientGoalHandle = sent.result()
        if not handle.accepted:
            return Ended(TriggerOutcome.NOT_SENT, 'the robot node did not take the trigger')
        result: Future = handle.get_result_async()
        lost = await self._wait(result, trigger_id)
        return Ended(TriggerOutcome.UNKNOWN, lost) if lost else _ended(result.result())

    def close(self) -> None:
        """Give the client up."""
        self._client.destroy()

    async def _server(self) -> bool:
        deadline = time.monotonic() + self._accept_timeout
        while not self._client.server_is_ready():
            if time.monotonic() > deadline:
                return False
            await wait_for(self._node, Future(executor=self._node.executor), LOOK_EVERY_S)
        return True

    async def _wait(self, result: Future, trigger_id: str) -> str:
        """Wait for the result; return why it will not come, "" when it is there."""
        begun = time.monotonic()
        gone_since: float | None = None
        while not await wait_for(self._node, result, LOOK_EVERY_S):
            now = time.monotonic()
            gone_since = None if self._client.server_is_ready() else gone_since or now
            if gone_since is not None and now - gone_since > FORGOTTEN_AFTER_S:
                return 'the robot node has gone'
            if now - begun > FORGOTTEN_AFTER_S and self._forgotten(begun, trigger_id):
                return 'the robot node was restarted meanwhile'
            if now - begun > self._trigger_timeout:
                return f'no outcome within {self._trigger_timeout:g} s'
        return ''

    def _forgotten(self, begun: float, trigger_id: str) -> bool:
        if self._state is None:
            return False
        heard, state = self._state
        return heard > begun + FORGOTTEN_AFTER_S and state.last_trigger_id != trigger_id

    def _on_state(self, state: RobotState) -> None:
        self._state = time.monotonic(), state


def _ended(response: TriggerRobot.Impl.GetResultService.Response) -> Ended:
    """Read the result; a goal that the server does not know, or a defect there, comes as zeros and is not a success."""
    outcome = TriggerOutcome(response.result.outcome)
    if (outcome is TriggerOutcome.SUCCEEDED) != (response.status == GoalStatus.STATUS_SUCCEEDED):
        return Ended(TriggerOutcome.UNKNOWN, response.result.message or 'the robot node does not know this trigger')
    return Ended(outcome, response.result.message)
