"""Service calls and action goals on behalf of clients. The methods are coroutines of the server's event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from rclpy.action.client import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from rosbridge_server.interfaces import action_class, check_name, established_service_type, service_class
from rosbridge_server.message_conversion import from_json, to_json
from rosbridge_server.protocol import ProtocolError
from rosbridge_server.ros_thread import RosThread

DISCOVERY_S = 1.0  # a service or action that is not there yet may come up for so long
POLL_S = 0.02


class GoalRefused(Exception):
    """An action server rejected a goal, or is not available."""


class Callers:
    """Clients of services and actions, created at first use and kept.

    A client per service, not per call: discovery of a new client takes longer than most calls.
    """

    def __init__(self, node: Node, ros: RosThread) -> None:
        """Store the collaborators.

        Args:
            node: Owner of the clients.
            ros: Runs functions in the node's executor.
        """
        self._node = node
        self._ros = ros
        self._group = ReentrantCallbackGroup()
        self._services: dict[str, Any] = {}
        self._actions: dict[tuple[str, str], Any] = {}

    async def call(self, service: str, arguments: Any, timeout_s: float) -> dict[str, Any]:
        """Call a service.

        Args:
            service: Name of the service.
            arguments: Values of the request.
            timeout_s: Timeout of the response in seconds; 0 = none.

        Returns:
            Values of the response, as JSON carries them.

        Raises:
            ProtocolError: There is no such service, or it did not answer in time.
            FieldError: The arguments do not fit the request.
        """
        client = await self._service(service)
        request = from_json(client.srv_type.Request, arguments, self._now)
        response = client.call_async(request)
        try:
            return to_json(await asyncio.wait_for(_awaitable(response), timeout_s or None))
        except asyncio.TimeoutError:
            raise ProtocolError('Timeout exceeded while waiting for service response') from None
        finally:
            client.remove_pending_request(response)

    async def send_goal(
        self, action: str, kind: str, arguments: Any, on_feedback: Callable[[dict[str, Any]], None] | None
    ) -> Any:
        """Send a goal and return its handle once it is accepted.

        Args:
            action: Name of the action.
            kind: Its type, as `package/action/Name` or `package/Name`.
            arguments: Values of the goal.
            on_feedback: Called in the event loop with the values of each feedback; None = feedback is dropped.

        Raises:
            GoalRefused: The server is not there or rejected the goal.
            ProtocolError: The type is unknown.
            FieldError: The arguments do not fit the goal.
        """
        client = await self._action(action, kind)
        goal = from_json(client._action_type.Goal, arguments, self._now)
        loop = asyncio.get_running_loop()

        relay = None
        if on_feedback is not None:

            def relay(message: Any) -> None:
                loop.call_soon_threadsafe(_feed_back, on_feedback, message)

        handle = await _awaitable(await self._ros.run(lambda: client.send_goal_async(goal, feedback_callback=relay)))
        if not handle.accepted:
            raise GoalRefused('Action goal was rejected')
        return handle

    async def result(self, handle: Any) -> tuple[dict[str, Any], int]:
        """Wait for the end of a goal and return its result and status (action_msgs/msg/GoalStatus)."""
        response = await _awaitable(await self._ros.run(handle.get_result_async))
        return to_json(response.result), int(response.status)

    async def cancel(self, handle: Any) -> None:
        """Ask the server to cancel a goal."""
        await _awaitable(await self._ros.run(handle.cancel_goal_async))

    def close(self) -> None:
        """Destroy the action clients, which the node does not destroy itself. Runs in the node's executor."""
        for client in self._actions.values():
            client.destroy()
        self._actions.clear()

    def _now(self) -> Any:
        return self._node.get_clock().now().to_msg()

    async def _service(self, service: str) -> Any:
        client = self._services.get(service)
        if client is None or not client.service_is_ready():
            client = await self._discover_service(service)
        return client

    async def _discover_service(self, service: str) -> Any:
        """Return a client whose service is ready; a service that has just been started gets DISCOVERY_S.

        Raises:
            ProtocolError: There is no such service.
        """
        deadline = asyncio.get_running_loop().time() + DISCOVERY_S
        while True:
            client = await self._ros.run(self._service_client, service)
            if client is not None and client.service_is_ready():
                return client
            if asyncio.get_running_loop().time() > deadline:
                raise ProtocolError(f'Service {service} does not exist')
            await asyncio.sleep(POLL_S)

    def _service_client(self, service: str) -> Any:
        """Return the client of a service whose type the graph knows. Runs in the node's executor."""
        name = established_service_type(self._node, service)
        if name is None:
            return None
        kind = service_class(name)
        client = self._services.get(service)
        if client is None or client.srv_type is not kind:
            if client is not None:
                self._node.destroy_client(client)
            client = self._node.create_client(kind, service, callback_group=self._group)
            self._services[service] = client
        return client

    async def _action(self, action: str, kind: str) -> Any:
        client: Any = self._actions.get((action, kind))
        if client is None:
            client = await self._ros.run(self._action_client, action, kind)
        deadline = asyncio.get_running_loop().time() + DISCOVERY_S
        while not client.server_is_ready():
            if asyncio.get_running_loop().time() > deadline:
                raise GoalRefused(f'Action server {action} is not available')
            await asyncio.sleep(POLL_S)
        return client

    def _action_client(self, action: str, kind: str) -> Any:
        check_name(action)
        key = (action, kind)
        if key not in self._actions:
            self._actions[key] = ActionClient(self._node, action_class(kind), action, callback_group=self._group)
        return self._actions[key]


def _feed_back(on_feedback: Callable[[dict[str, Any]], None], message: Any) -> None:
    on_feedback(to_json(message.feedback))


async def _awaitable(ros_future: Any) -> Any:
    """Wait in the event loop for a future that rclpy completes in its executor, and return its result."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def finished(_future: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle)

    ros_future.add_done_callback(finished)
    await done
    return ros_future.result()
