"""When a new bag begins, and when the disk is too full to record.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ['Limits', 'StoredBag']


@dataclass(frozen=True)
class StoredBag:
    """A finished bag on the disk.

    Attributes:
        name: Of its folder; names sort by age.
        size: Bytes.
    """

    name: str
    size: int


@dataclass(frozen=True)
class Limits:
    """Limits of a recording; sizes in bytes, times in seconds.

    Attributes:
        split_size: A bag of this size is ended, and a new one begins.
        split_s: The same for its age.
        total_size: The oldest bags are deleted beyond this size; 0 = never.
        least_free: With less free space nothing is recorded.
    """

    split_size: int
    split_s: float
    total_size: int
    least_free: int

    def splits(self, size: int, age_s: float) -> bool:
        """Return whether a new bag is to begin."""
        return size >= self.split_size or age_s >= self.split_s

    def has_room(self, free: int, *, recording: bool) -> bool:
        """Return whether recording may go on or begin.

        Args:
            free: Free space of the disk.
            recording: A bag is being written. To begin again takes a tenth more, so that recording does not flicker.
        """
        return free >= self.least_free * (1.0 if recording else 1.1)

    def to_delete(self, bags: Sequence[StoredBag]) -> list[str]:
        """Return the names of the oldest bags that are beyond the total size; the newest always stays.

        Args:
            bags: In any order.
        """
        if not self.total_size:
            return []
        newest_first = sorted(bags, key=lambda bag: bag.name, reverse=True)
        total, names = 0, []
        for number, bag in enumerate(newest_first):
            total += bag.size
            if number and total > self.total_size:
                names.append(bag.name)
        return names
