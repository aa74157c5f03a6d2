"""An asyncio event loop in its own thread, for the network side of a node.

The loop's clock stops while the thread cannot run. asyncio's own, the monotonic clock, runs on: after a stall of the machine it
would expire every deadline before the loop reads the data that has arrived meanwhile. A peer that answered in time would then
count as silent.

`AsyncioThread` is what nodes use. The selectors and the loop below it implement its clock and its batching.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

__all__ = ['POLL_INTERVAL_S', 'AsyncioThread', 'BatchingSelector', 'StallCompensatingLoop', 'StallCompensatingSelector']

T = TypeVar('T')
STALL_THRESHOLD_S = 0.1
"""A select that returns later than this after its timeout counts as a stall."""
POLL_INTERVAL_S = 0.1
"""Longest select: limits the error of the clock when a stall hits a select."""


class StallCompensatingSelector(selectors.DefaultSelector):
    """A selector with a monotonic clock that leaves out the time in which its thread was stalled.

    A select that returns later than its timeout by more than STALL_THRESHOLD_S shows a stall: the machine was suspended, or
    other processes took the processor. The excess is subtracted from the clock.
    """

    def __init__(self) -> None:
        """Start the clock at the current monotonic time."""
        super().__init__()
        self._stalled_s = 0.0
        self._thread = 0
        self._last_seen = time.monotonic()

    def now(self) -> float:
        """Return the clock in seconds, for differences only; never decreasing in the thread that selects."""
        # Other threads only schedule calls. Observing here would count their own lateness as a stall of the loop.
        if threading.get_ident() != self._thread:
            return time.monotonic() - self._stalled_s
        return self._observe(self._last_seen)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events for at most POLL_INTERVAL_S; time beyond the timeout counts as stalled.

        Returning early without events is allowed: asyncio computes its timeouts again and selects again.

        Args:
            timeout: Seconds; 0 or less returns at once, None waits for the next event without a limit.

        Returns:
            (key, events) of each ready file object, as `selectors.BaseSelector.select` does.
        """
        self._thread = threading.get_ident()
        self._observe(self._last_seen)
        started = self._last_seen
        if timeout is not None:
            # A stall within a long select would be seen only at its end, when all deadlines have passed.
            timeout = max(0.0, min(timeout, POLL_INTERVAL_S))
        events = self._wait(timeout)
        self._observe(math.inf if timeout is None else started + timeout)
        return events

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout)

    def _observe(self, due: float) -> float:
        """Record that the thread runs now and should have run at `due`; return the clock."""
        self._last_seen = time.monotonic()
        if self._last_seen - due > STALL_THRESHOLD_S:
            self._stalled_s += self._last_seen - due
        return self._last_seen - self._stalled_s


class StallCompensatingLoop(asyncio.SelectorEventLoop):
    """An event loop whose deadlines follow the clock of its selector.

    `loop.time`, `call_later`, `asyncio.sleep` and `asyncio.timeout` all use this clock. It falls behind the monotonic clock by
    each stall, so use it for timeouts and never for stamps.
    """

    def __init__(self, selector: StallCompensatingSelector) -> None:
        """Use `selector` for events and for the time."""
        self._clock = selector
        super().__init__(selector)

    def time(self) -> float:
        """Return the loop's time in seconds; all its deadlines refer to this clock."""
        return self._clock.now()


class BatchingSelector(StallCompensatingSelector):
    """Collects the events of many busy sockets for a short window, and releases a lock for another thread meanwhile.

    Each select and each read releases the GIL and waits for it while another thread computes. With many sockets that costs
    more than handling their few bytes. An event after an idle period is returned without delay.

    Latency grows by at most `batch_window_s`, and only while the sockets are busy.
    """

    def __init__(self, batch_window_s: float, gil_lock: threading.Lock) -> None:
        """Select at most once per `batch_window_s`; the loop's thread holds `gil_lock` except during a select.

        Args:
            batch_window_s: Shortest time between two selects of a busy loop, in seconds.
            gil_lock: Must be held by the thread that selects.
        """
        super().__init__()
        self._batch_window_s = batch_window_s
        self._gil_lock = gil_lock
        self._selected_at = 0.0

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        # The loop has work to do: it keeps the lock and only looks for events.
        if timeout is not None and timeout <= 0:
            return super()._wait(timeout)
        # The other thread computes while this one waits; a select that does not wait keeps the lock.
        self._gil_lock.release()
        try:
            since = time.monotonic() - self._selected_at
            if since < 2 * self._batch_window_s:
                # At least a fifth of the window even if it has passed: a loop that needs the whole window would otherwise
                # never yield.
                wait = max(self._batch_window_s - since, self._batch_window_s / 5)
                time.sleep(wait if timeout is None else min(wait, timeout))
            return super()._wait(timeout)
        finally:
            self._gil_lock.acquire()
            self._selected_at = time.monotonic()


class AsyncioThread:
    """A thread with an event loop, next to the thread that spins the node.

    rclpy of Jazzy has no asyncio executor. Network servers run in this loop and pass data to the node through an
    `ExecutorQueue`, because ROS entities belong to the executor's thread.
    """

    def __init__(self, name: str, batch_window_s: float = 0.0, gil_lock: threading.Lock | None = None) -> None:
        """Start the thread.

        Args:
            name: Name of the thread, shown by debuggers.
            batch_window_s: Window in which the events of a busy loop are collected; 0 = no batching.
            gil_lock: Held while the loop works and released while it waits; only with batching. A thread with long
                computations takes it, too, so that the threads do not contend for the GIL at each read.
        """
        self._gil_lock = gil_lock or threading.Lock()
        selector = BatchingSelector(batch_window_s, self._gil_lock) if batch_window_s else StallCompensatingSelector()
        self.loop = StallCompensatingLoop(selector)
        self._futures: set[Future[object]] = set()
        self._shutdown: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[None, None, T]) -> Future[T]:
        """Schedule a coroutine from any thread.

        Args:
            work: Runs in the loop's thread.

        Returns:
            A future of the result. `close` cancels it; an exception that nobody retrieves is dropped.
        """
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._futures.add(future)  # type: ignore[arg-type]  # asyncio keeps weak references: a waiting task would be collected
        future.add_done_callback(self._futures.discard)
        return future

    def run(self, work: Coroutine[None, None, T], timeout: float) -> T:
        """Run a coroutine from another thread and wait for its result.

        Called in the loop's own thread it would wait for itself, until the timeout.

        Args:
            work: Runs in the loop's thread.
            timeout: Seconds of the monotonic clock, stalls included. The coroutine goes on running after it.

        Returns:
            The coroutine's result.

        Raises:
            concurrent.futures.TimeoutError: The coroutine did not end within `timeout` seconds. Python 3.10 has it apart from
                the built-in TimeoutError; from 3.11 on both are one.
        """
        return self.submit(work).result(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Cancel all tasks, stop the loop and join the thread.

        May be called twice. The thread is a daemon, so one that does not stop within `timeout` seconds does not keep the
        process alive.
        """
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self._cancel)
        self._thread.join(timeout)

    def _cancel(self) -> None:
        async def cancel_all() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # Two more cycles: a connection that was closed at last, also by a callback of its task, gives its socket back in
            # the next cycle.
            for _ in range(2):
                await asyncio.sleep(0)
            self.loop.stop()

        # Kept in an attribute: asyncio holds tasks by weak references only, and a collected task would never stop the loop.
        self._shutdown = self.loop.create_task(cancel_all())

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            # Taken by the loop's own thread: the selector releases it around each wait.
            with self._gil_lock:
                self.loop.run_forever()
        finally:
            self.loop.close()
