"""Thread for database work; results are passed on to the node's thread.

Two ways to use it: `submit` with a callback, and `run` from a coroutine callback. In both the
result arrives in the node's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from rclpy.node import Node
from rclpy.task import Future

from cell_common.inbox import ExecutorQueue

__all__ = ['DatabaseWorker']

T = TypeVar('T')


class _Finished(Generic[T]):
    """A finished piece of work and its callback."""

    def __init__(self, done: ThreadFuture[T], callback: Callable[[ThreadFuture[T]], object]) -> None:
        self._done = done
        self._callback = callback

    def deliver(self) -> None:
        """Call the callback, unless the work was cancelled."""
        if not self._done.cancelled():
            self._callback(self._done)


class DatabaseWorker:
    """Runs work one after the other in one thread, so the node never waits for a disk.

    One thread on purpose: the order of submissions is the order of transactions, and SQLite allows
    one writer anyway.
    """

    def __init__(self, node: Node) -> None:
        """Start the thread.

        Args:
            node: Its thread runs the callbacks.
        """
        self._node = node
        self._pool = ThreadPoolExecutor(1, 'database')
        self._finished: ExecutorQueue[_Finished[object]] = ExecutorQueue(node, lambda finished: finished.deliver())

    def submit(self, work: Callable[[], T], callback: Callable[[ThreadFuture[T]], object]) -> None:
        """Run `work` in the thread, then `callback` with its finished future in the node's thread.

        Args:
            work: Must not touch the node.
            callback: Receives the future, which has a result or an exception. Not called for work
                that `close` dropped.
        """

        def pass_on(done: ThreadFuture[T]) -> None:
            self._finished.put(_Finished(done, callback), timeout=1.0)  # type: ignore[arg-type]

        self._pool.submit(work).add_done_callback(pass_on)

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in the thread and return its result, from a coroutine callback of the node.

        Raises:
            Exception: The exception of `work`.
        """
        done = Future(executor=self._node.executor)
        self.submit(work, done.set_result)
        finished: ThreadFuture[T] = await done
        return finished.result()

    def close(self, *, finish_queue: bool = False) -> None:
        """Finish the work in progress, drop the queue or work it off, and end the thread."""
        self._pool.shutdown(cancel_futures=not finish_queue)
