"""An asyncio event loop in a thread of its own, for the network side of a node."""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ['POLL_INTERVAL_S', 'AsyncioThread', 'BatchingSelector', 'StallCompensatingSelector']

T = TypeVar('T')
STALL_THRESHOLD_S = 0.1
"""A thread that gets its turn later than this was held up."""
POLL_INTERVAL_S = 0.1
"""While a deadline is ahead the thread looks so often whether it was held up."""


class StallCompensatingSelector(selectors.DefaultSelector):
    """Has a clock that stands while its thread is held up: by a busy machine, or because the whole machine stood still."""

    def __init__(self) -> None:
        """Have lost nothing yet."""
        super().__init__()
        self._stalled_s = 0.0
        self._thread = 0
        self._last_seen = time.monotonic()

    def now(self) -> float:
        """Return seconds, for differences only; what the thread that selects asks never goes back."""
        if threading.get_ident() != self._thread:
            return time.monotonic() - self._stalled_s
        return self._observe(self._last_seen)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, at most for a look; what it takes longer than it should is lost."""
        self._thread = threading.get_ident()
        self._observe(self._last_seen)
        began = self._last_seen
        if timeout is not None:
            timeout = max(0.0, min(timeout, POLL_INTERVAL_S))
        events = self._wait(timeout)
        self._observe(math.inf if timeout is None else began + timeout)
        return events

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout)

    def _observe(self, due: float) -> float:
        """Take note that the thread has its turn, as it should have had when it was `due`; return the clock's time."""
        self._last_seen = time.monotonic()
        if self._last_seen - due > STALL_THRESHOLD_S:
            self._stalled_s += self._last_seen - due
        return self._last_seen - self._stalled_s


class StallCompensatingLoop(asyncio.SelectorEventLoop):
    """An event loop that goes by the clock of its selector.

    A deadline on the clock of the wall is over after a standstill before anything that came meanwhile has been looked at: an
    answer that lies there unread would count as none. Here a peer has the whole time in which it could have been heard.
    """

    def __init__(self, selector: StallCompensatingSelector) -> None:
        """Take the selector."""
        self._clock = selector
        super().__init__(selector)

    def time(self) -> float:
        """Return the time that all deadlines of the loop go by."""
        return self._clock.now()


class BatchingSelector(StallCompensatingSelector):
    """Lets what happens on many sockets gather for a little while, and leaves the turn to another thread meanwhile.

    Each look lets go of the interpreter and waits for it, and so does each read while another thread wants it: that costs more
    than the few bytes they find. What happens after a pause is seen at once.
    """

    def __init__(self, batch_window_s: float, gil_lock: threading.Lock) -> None:
        """Look once in `batch_window_s` seconds at most; `gil_lock` is held by the loop's thread except while it looks."""
        super().__init__()
        self._batch_window_s = batch_window_s
        self._gil_lock = gil_lock
        self._looked_at = 0.0

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events; a timeout of 0 looks at once."""
        if timeout is not None and timeout <= 0:
            return super()._wait(timeout)
        self._gil_lock.release()
        try:
            since = time.monotonic() - self._looked_at
            if since < 2 * self._batch_window_s:
                wait = max(self._batch_window_s - since, self._batch_window_s / 5)
                time.sleep(wait if timeout is None else min(wait, timeout))
            return super()._wait(timeout)
        finally:
            self._gil_lock.acquire()
            self._looked_at = time.monotonic()


class AsyncioThread:
    """An event loop that runs beside the node's executor.

    rclpy of Jazzy has no asyncio executor, so network servers get this loop and hand what they receive to the node
    through an `ExecutorQueue`.
    """

    def __init__(self, name: str, batch_window_s: float = 0.0, gil_lock: threading.Lock | None = None) -> None:
        """Start the thread.

        Args:
            name: Shows up in debuggers.
            batch_window_s: Seconds for which events of a busy loop may gather.
            gil_lock: Held while the loop works, given up while it waits; only for a loop that batches. A thread that computes
                at length takes it too, so that the two do not wrest the interpreter from each other at each read.
        """
        self._gil_lock = gil_lock or threading.Lock()
        self.loop = StallCompensatingLoop(
            BatchingSelector(batch_window_s, self._gil_lock) if batch_window_s else StallCompensatingSelector()
        )
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
            with self._gil_lock:
                self.loop.run_forever()
        finally:
            self.loop.close()
