"""Requests of an action client from another thread than the executor's.

rclpy's ActionClient sends a request first and registers its future then. In another thread than the one that spins, the
response may arrive in between: it is dropped as unexpected, and the future never completes (issue 1123 of ros2/rclpy).
Service clients hold a lock instead and may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Callable

from rclpy.executors import Executor
from rclpy.task import Future

__all__ = ['in_executor']


def in_executor(executor: Executor, request: Callable[[], Future]) -> Future:
    """Send a request of an action client in the thread of its executor.

    Args:
        executor: Spins the node of the client.
        request: Sends the request, e.g. `lambda: client.send_goal_async(goal)` or `handle.get_result_async`.

    Returns:
        A future that completes as the one of the request.
    """
    relayed = Future()

    def relay(done: Future) -> None:
        if (error := done.exception()) is not None:
            relayed.set_exception(error)
        else:
            relayed.set_result(done.result())

    def send() -> None:
        try:
            request().add_done_callback(relay)
        except Exception as error:  # in the executor it would end the thread
            relayed.set_exception(error)

    executor.create_task(send)
    return relayed
