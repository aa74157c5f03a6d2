"""Hand work from other threads to a node's own thread."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Generic, TypeVar

from rclpy.node import Node

__all__ = ['ExecutorQueue']

T = TypeVar('T')


class ExecutorQueue(Generic[T]):
    """A bounded queue whose items are handled one by one in the node's executor.

    Device threads put, the node handles: no ROS entity is touched from a foreign thread.
    """

    def __init__(self, node: Node, handle: Callable[[T], None], capacity: int = 10_000) -> None:
        """Make the queue; `put` raises queue.Full when `capacity` items wait."""
        self._handle = handle
        self._items: queue.Queue[T] = queue.Queue(capacity)
        self._guard = node.create_guard_condition(self._drain)

    def put(self, item: T, timeout: float | None = None) -> None:
        """Queue an item from any thread.

        Raises:
            queue.Full: No place became free within `timeout` seconds (None = do not wait).
        """
        self._items.put(item, block=timeout is not None, timeout=timeout)
        self._guard.trigger()

    def __len__(self) -> int:
        """Return how many items wait."""
        return self._items.qsize()

    def _drain(self) -> None:
        for _ in range(self._items.qsize()):
            self._handle(self._items.get_nowait())
