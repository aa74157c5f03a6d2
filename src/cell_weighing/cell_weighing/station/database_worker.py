"""Work on the database in a thread of its own, with the results handed to the node's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from cell_common.inbox import ExecutorQueue
from rclpy.node import Node
from rclpy.task import Future

T = TypeVar('T')


class DatabaseWorker:
    """One thread that does one thing after the other, so that the node never waits for a disk."""

    def __init__(self, node: Node) -> None:
        """Start the thread."""
        self._node = node
        self._pool = ThreadPoolExecutor(1, 'database')
        self._inbox: ExecutorQueue[tuple[Callable[[ThreadFuture[Any]], None], ThreadFuture[Any]]] = ExecutorQueue(
            node, self._hand_over
        )

    def submit(self, work: Callable[[], T], then: Callable[[ThreadFuture[T]], None]) -> None:
        """Do `work` in the thread, and `then` with its finished future in the node's thread."""
        self._pool.submit(work).add_done_callback(lambda done: self._inbox.put((then, done), timeout=1.0))

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in the thread and wait for its result, from a coroutine callback of the node.

        Raises:
            Exception: Whatever `work` raised.
        """
        done = Future(executor=self._node.executor)
        self.submit(work, done.set_result)
        finished: ThreadFuture[T] = await done
        return finished.result()

    def close(self) -> None:
        """Finish what is under way, drop what waits, and end the thread."""
        self._pool.shutdown(cancel_futures=True)

    @staticmethod
    def _hand_over(item: tuple[Callable[[ThreadFuture[Any]], None], ThreadFuture[Any]]) -> None:
        then, done = item
        if not done.cancelled():
            then(done)
