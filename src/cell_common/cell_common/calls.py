"""Service calls with a deadline, for coroutine callbacks on the node's own executor."""

from __future__ import annotations

from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from cell_common.timers import every


class CallError(Exception):
    """A service did not answer; the text names it and says whether it was there at all."""


async def within(node: Node, future: Future, seconds: float) -> bool:
    """Wait for a future, at most so long; return whether it is done."""
    if future.done():
        return True
    either: Future = Future(executor=node.executor)

    def wake(*_: object) -> None:
        if not either.done():
            either.set_result(None)

    timer = every(node, seconds, wake)
    future.add_done_callback(wake)
    try:
        await either
    finally:
        node.destroy_timer(timer)
    return bool(future.done())


async def call(node: Node, client: Client, request: Any, seconds: float) -> Any:
    """Call a service and return its response.

    Raises:
        CallError: The service is not there, or did not answer in time.
    """
    if not client.service_is_ready():
        await appear(node, client, seconds)
    future = client.call_async(request)
    if not await within(node, future, seconds):
        client.remove_pending_request(future)
        raise CallError(f'{client.srv_name} did not answer within {seconds:g} s')
    return future.result()


async def appear(node: Node, client: Client, seconds: float) -> None:
    """Wait until a service is there.

    Raises:
        CallError: It was not there in time.
    """
    for _ in range(max(1, round(seconds / 0.1))):
        if client.service_is_ready():
            return
        await within(node, Future(executor=node.executor), 0.1)
    raise CallError(f'{client.srv_name} is not there: is its node running?')
