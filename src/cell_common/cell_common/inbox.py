"""A queue from other threads to a node's executor."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Generic, TypeVar

from rclpy.node import Node

__all__ = ['ExecutorQueue']

T = TypeVar('T')


class ExecutorQueue(Generic[T]):
    """A bounded queue whose items are handled one at a time in the node's executor.

    Device threads put items, the node handles them: ROS entities are used from the executor's thread only. A guard condition
    wakes the executor, so an item waits for the current callback at most.
    """

    def __init__(self, node: Node, handle: Callable[[T], None], capacity: int = 10_000) -> None:
        """Create the queue.

        Args:
            node: Its executor calls `handle`.
            handle: Called with each item, in the order of `put`.
            capacity: Most items that wait; `put` then blocks or raises queue.Full.
        """
        self._handle = handle
        self._items: queue.Queue[T] = queue.Queue(capacity)
        self._guard = node.create_guard_condition(self._drain)

    def put(self, item: T, timeout: float | None = None) -> None:
        """Queue an item from any thread.

        Args:
            item: Passed to `handle` later.
            timeout: Seconds to wait for room; None = do not wait.

        Raises:
            queue.Full: The queue is full, for `timeout` seconds if one is given.
        """
        # Put first: a trigger before it could be drained while the queue is still empty.
        self._items.put(item, block=timeout is not None, timeout=timeout)
        self._guard.trigger()

    def __len__(self) -> int:
        """Return the number of waiting items."""
        return self._items.qsize()

    def _drain(self) -> None:
        """Handle the items that wait now; items that arrive meanwhile trigger again, so other callbacks get their turn."""
        # At most as many as there are now: a busy device must not starve timers and services.
        for _ in range(self._items.qsize()):
            self._handle(self._items.get_nowait())
