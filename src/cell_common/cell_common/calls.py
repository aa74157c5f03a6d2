"""Service calls with a timeout, for coroutine callbacks on the node's own executor.

A coroutine that awaits leaves the executor free, so a node with one thread can call a service from a callback. The callback's
group must be reentrant, or it keeps its group from running until it returns.

rclpy of Jazzy has no timeout for awaiting a future. `wait_for` builds it from a timer and a second future.

An answer can be lost: a server may know the topic of a client's requests and not yet that of its answers, as DDS discovers both
independently (ros2/rmw_fastrtps issue 842). So a request that may be repeated is sent again when no answer comes.
"""

from __future__ import annotations

from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from cell_common.timers import create_steady_timer

__all__ = ['REPEAT_AFTER_S', 'ServiceCallError', 'call_service', 'may_be_repeated', 'wait_for', 'wait_for_service']

POLL_S = 0.1
REPEAT_AFTER_S = 1.0
"""Most answers take milliseconds, and discovery is over by then."""
_READING = ('Get', 'List')
"""First word of the services that change nothing."""


class ServiceCallError(Exception):
    """A service did not respond in time; the text names the service and says whether it was available."""


async def wait_for(node: Node, future: Future, seconds: float) -> bool:
    """Wait for a future with a timeout; return True if it completed.

    The future is not canceled by the timeout. Its exception is not raised here: read it with `future.result()`.

    Args:
        node: Its executor must spin; the timer of the timeout is created on it.
        future: The future to wait for, also one that never completes, as a pause.
        seconds: Timeout in steady time.
    """
    if future.done():
        return True
    # A future of its own: completing the caller's future by the timeout would look like a result.
    either: Future = Future(executor=node.executor)

    def wake(*_: object) -> None:
        if not either.done():
            either.set_result(None)

    timer = create_steady_timer(node, max(0.0, seconds), wake)
    future.add_done_callback(wake)
    try:
        await either
    finally:
        node.destroy_timer(timer)
    return bool(future.done())


def may_be_repeated(request: Any) -> bool:
    """Return whether a request may be sent twice: only one that changes nothing.

    A command is not repeated, although most servers execute one request id once: a stop or freedrive is executed each time,
    and a repetition that arrives late would undo what the operator has done since.

    Args:
        request: Of any service.
    """
    return type(request).__name__.startswith(_READING) and not hasattr(request, 'command')


async def call_service(node: Node, client: Client, request: Any, seconds: float) -> Any:
    """Call a service with a timeout and return its response. A request that may be repeated is sent twice if need be.

    Args:
        node: The node of the client; its executor must spin.
        client: Client of the service.
        request: Request message of the client's service type.
        seconds: Timeout, each for the service to appear and for its response.

    Returns:
        The response, whatever its `code` field says.

    Raises:
        ServiceCallError: The service is not available, or did not respond in time. In the second case the server may still
            execute the request.
    """
    if not client.service_is_ready():
        await wait_for_service(node, client, seconds)
    answered: Future = Future(executor=node.executor)
    sent: list[Future] = []

    def send() -> None:
        sent.append(client.call_async(request))
        sent[-1].add_done_callback(lambda future: None if answered.done() else answered.set_result(future))

    send()
    first_s = min(REPEAT_AFTER_S, seconds / 2) if may_be_repeated(request) else 0.0
    if first_s and not await wait_for(node, answered, first_s):
        send()
    in_time = await wait_for(node, answered, seconds - first_s)
    for future in sent:
        if not future.done():
            # Otherwise the client keeps the future for ever, and a late response would complete it.
            client.remove_pending_request(future)
    if not in_time:
        raise ServiceCallError(f'{client.srv_name} did not respond within {seconds:g} s')
    return answered.result().result()


async def wait_for_service(node: Node, client: Client, seconds: float) -> None:
    """Wait until a service is available.

    Polls, because rclpy has no event for the appearance of a server in Jazzy.

    Args:
        node: The node of the client; its executor must spin.
        client: Client of the service.
        seconds: Timeout, rounded to whole POLL_S, and at least one.

    Raises:
        ServiceCallError: The service is not available after `seconds`.
    """
    for _ in range(max(1, round(seconds / POLL_S))):
        if client.service_is_ready():
            return
        await wait_for(node, Future(executor=node.executor), POLL_S)
    raise ServiceCallError(f'{client.srv_name} is not available: is its node running?')
