"""Mapping that keeps the entries that were set last, for caches of images and ids.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

__all__ = ['LatestEntries']

K = TypeVar('K')
V = TypeVar('V')


class LatestEntries(OrderedDict[K, V]):
    """Dictionary of at most `capacity` entries, oldest first; setting an entry makes it the newest, reading it does not.

    Not thread-safe: the caller's callback group or event loop owns it.
    """

    def __init__(self, capacity: int) -> None:
        """Create an empty mapping.

        Args:
            capacity: Largest number of entries, at least 1.

        Raises:
            ValueError: The capacity is below 1.
        """
        if capacity < 1:
            raise ValueError(f'capacity {capacity}: at least 1 entry')
        super().__init__()
        self.capacity = capacity

    def __setitem__(self, key: K, value: V) -> None:
        """Set an entry, make it the newest and drop the oldest one beyond the capacity."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self.capacity:
            self.popitem(last=False)
