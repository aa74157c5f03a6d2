"""Service calls with a timeout, for coroutine callbacks on the node's own executor."""

from __future__ import annotations

from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from cell_common.timers import create_steady_timer

__all__ = ['ServiceCallError', 'call_service', 'wait_for', 'wait_for_service']

POLL_S = 0.1


class ServiceCallError(Exception):
    """A service did not respond in time; the text names the service and says whether it was available."""


async def wait_for(node: Node, future: Future, seconds: float) -> bool:
    """Wait for a future with a timeout; return True if it completed."""
    if future.done():
        return True
    either: Future = Future(executor=node.executor)

    def wake(*_: object) -> None:
        if not either.done():
            either.set_result(None)

    timer = create_steady_timer(node, seconds, wake)
    future.add_done_callback(wake)
    try:
        await either
    finally:
        node.destroy_timer(timer)
    return bool(future.done())


async def call_service(node: Node, client: Client, request: Any, seconds: float) -> Any:
    """Call a service with a timeout and return its response.

    Args:
        node: The node of the client; its executor must spin.
        client: Client of the service.
        request: Request message of the client's service type.
        seconds: Timeout, each for the service to appear and for its response.

    Raises:
        ServiceCallError: The service is not available, or did not respond in time.
    """
    if not client.service_is_ready():
        await wait_for_service(node, client, seconds)
    future = client.call_async(request)
    if not await wait_for(node, future, seconds):
        client.remove_pending_request(future)
        raise ServiceCallError(f'{client.srv_name} did not respond within {seconds:g} s')
    return future.result()


async def wait_for_service(node: Node, client: Client, seconds: float) -> None:
    """Wait until a service is available.

    Raises:
        ServiceCallError: The service is not available after `seconds`.
    """
    for _ in range(max(1, round(seconds / POLL_S))):
        if client.service_is_ready():
            return
        await wait_for(node, Future(executor=node.executor), POLL_S)
    raise ServiceCallError(f'{client.srv_name} is not available: is its node running?')
