"""An action server that lets a goal begin sooner than rclpy's own.

Before a goal may begin, rclpy's puts its id into the text of two debug messages, whether that level is logged or not (numpy
takes a tenth of a millisecond to spell out such an array, several times that when its code is cold), and publishes all goals as
ACCEPTED, which a client takes in just when the first feedback comes. A goal that begins at once is published once here, as
EXECUTING.

It overrides a private method of rclpy.action.server.ActionServer (7.1): test_actions.py fails when another release has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from action_msgs.msg import GoalInfo, GoalStatus
from rclpy.action.server import ActionServer, GoalResponse, RCLError, ServerGoalHandle
from rclpy.executors import await_or_execute
from rclpy.task import Future

__all__ = ['HexGoalId', 'LowLatencyActionServer']

_REQUESTS = ('goal', 'result')


class HexGoalId(np.ndarray[Any, np.dtype[np.uint8]]):
    """The 16 bytes of a goal's id; in a text they are hexadecimal digits."""

    def __format__(self, specification: str) -> str:
        return format(self.tobytes().hex(), specification)


class LowLatencyActionServer(ActionServer):
    """rclpy's action server with a shorter way from the request to the goal's begin."""

    def take_data(self) -> dict[str, Any]:
        """Take what has come, as the method of the same name in rclpy does."""
        data: dict[str, Any] = super().take_data()
        for kind in _REQUESTS:
            if kind in data:
                identity = data[kind][1].goal_id
                identity._uuid = identity.uuid.view(HexGoalId)  # the setter would make a plain array of it
        return data

    async def _execute_goal_request(self, request_header_and_message: tuple[Any, Any]) -> None:
        """Accept or reject a goal, and let it begin; as the method of the same name in rclpy does, except for the above."""
        header, request = request_header_and_message
        info = GoalInfo(goal_id=request.goal_id)
        with self._lock:
            known = self._handle.goal_exists(info)
        accepted = not known and await await_or_execute(self._goal_callback, request.goal) == GoalResponse.ACCEPT
        goal = self._register_goal(info, request.goal) if accepted else None
        response = self._action_type.Impl.SendGoalService.Response(accepted=goal is not None, stamp=info.stamp)
        try:
            self._handle.send_goal_response(header, response)
        except RCLError:
            self._logger.warning('a goal could not be answered (the client may have gone)')
            return
        if goal is not None:
            await await_or_execute(self._handle_accepted_callback, goal)
            if goal.status == GoalStatus.STATUS_ACCEPTED:  # it waits; one that has begun or ended has published that
                self._handle.publish_status()

    def _register_goal(self, info: GoalInfo, asked: Any) -> ServerGoalHandle | None:
        """Keep books of a goal; None when ROS does not take it."""
        info.stamp = self._node.get_clock().now().to_msg()
        try:
            with self._lock:
                goal = ServerGoalHandle(self, info, asked)
        except RuntimeError as error:
            self._logger.error(f'goal {info.goal_id.uuid} was not taken: {error}')
            return None
        key = bytes(info.goal_id.uuid)
        self._goal_handles[key] = goal
        self._result_futures[key] = Future()
        self.add_future(self._result_futures[key])
        return goal
