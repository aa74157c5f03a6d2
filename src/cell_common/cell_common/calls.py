"""Service calls with a deadline, for coroutine callbacks on the node's own executor."""

from __future__ import annotations

from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from cell_common.timers import create_steady_timer

__all__ = ['ServiceCallError', 'call_service', 'wait_for', 'wait_for_service']


class ServiceCallError(Exception):
    """A service did not answer; the text names it and says whether it was there at all."""


async def wait_for(node: Node, future: Future, seconds: float) -> bool:
    """Wait for a future, at most so long; return whether it is done."""
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
    """Call a service and return its response.

    Raises:
        ServiceCallError: The service is not there, or did not answer in time.
    """
    if not client.service_is_ready():
        await wait_for_service(node, client, seconds)
    future = client.call_async(request)
    if not await wait_for(node, future, seconds):
        client.remove_pending_request(future)
        raise ServiceCallError(f'{client.srv_name} did not answer within {seconds:g} s')
    return future.result()


async def wait_for_service(node: Node, client: Client, seconds: float) -> None:
    """Wait until a service is there.

    Raises:
        ServiceCallError: It was not there in time.
    """
    for _ in range(max(1, round(seconds / 0.1))):
        if client.service_is_ready():
            return
        await wait_for(node, Future(executor=node.executor), 0.1)
    raise ServiceCallError(f'{client.srv_name} is not there: is its node running?')
