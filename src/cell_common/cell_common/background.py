"""An asyncio event loop in a thread of its own, for the network side of a node."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar('T')


class BackgroundLoop:
    """An event loop that runs beside the node's executor.

    rclpy of Jazzy has no asyncio executor, so network servers get this loop and hand what they receive to the node
    through an `Inbox`.
    """

    def __init__(self, name: str) -> None:
        """Start the thread; `name` shows up in debuggers."""
        self.loop = asyncio.new_event_loop()
        self._work: set[Future[Any]] = set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Schedule a coroutine from any thread."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._work.add(future)  # asyncio itself holds a task weakly: one that waits for ever would be collected
        future.add_done_callback(self._work.discard)
        return future

    def run(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run a coroutine from another thread and wait for its result.

        Raises:
            TimeoutError: It did not end in time.
        """
        return self.submit(work).result(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Cancel what runs, stop the loop and join the thread."""
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self._cancel)
        self._thread.join(timeout)

    def _cancel(self) -> None:
        async def end() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.loop.stop()

        self._ending = self.loop.create_task(end())

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()
