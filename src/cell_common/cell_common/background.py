"""An asyncio event loop in a thread of its own, for the network side of a node."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar('T')


class GatheringSelector(selectors.DefaultSelector):
    """Lets what happens on many sockets gather for a little while, and leaves the turn to another thread meanwhile.

    Each look lets go of the interpreter and waits for it, and so does each read while another thread wants it: that costs more
    than the few bytes they find. What happens after a pause is seen at once.
    """

    def __init__(self, gather: float, turn: threading.Lock) -> None:
        """Look once in `gather` seconds at most; `turn` is held by the loop's thread except while it looks."""
        super().__init__()
        self._gather = gather
        self._turn = turn
        self._looked_at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; a timeout of 0 looks at once."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        self._turn.release()
        try:
            since = time.monotonic() - self._looked_at
            if since < 2 * self._gather:
                wait = max(self._gather - since, self._gather / 5)
                time.sleep(wait if timeout is None else min(wait, timeout))
            return super().select(timeout)
        finally:
            self._turn.acquire()
            self._looked_at = time.monotonic()


class BackgroundLoop:
    """An event loop that runs beside the node's executor.

    rclpy of Jazzy has no asyncio executor, so network servers get this loop and hand what they receive to the node
    through an `Inbox`.
    """

    def __init__(self, name: str, gather: float = 0.0, turn: threading.Lock | None = None) -> None:
        """Start the thread.

        Args:
            name: Shows up in debuggers.
            gather: Seconds for which events of a busy loop may gather.
            turn: Held while the loop works, given up while it waits; only for a loop that gathers. A thread that computes at
                length takes it too, so that the two do not wrest the interpreter from each other at each read.
        """
        self._turn = turn or threading.Lock()
        self.loop = asyncio.SelectorEventLoop(GatheringSelector(gather, self._turn)) if gather else asyncio.new_event_loop()
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
            with self._turn:
                self.loop.run_forever()
        finally:
            self.loop.close()
