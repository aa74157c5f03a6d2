"""Which content of a stock file another program had read before it changed it: the base of a three-way merge.

Pure: no ROS, sockets, files or clock.

A program reads the file, the cell books a pick and writes the file, and the program saves its copy with a change of its own.
The copy has old counts of the trays that were picked from, and these are no changes. The file does not say what was read, so
the base is the content from which the saved one differs least, of those that the file has had; of several the newest.

Two cases cannot be told from each other by the content alone, and are decided so:

- A content that changes nothing against an old base, beside what the file has already, is a correction of the newest content:
  a program that saves has changed something. So counts that are set back are booked.
- A program that sets trays back and changes further ones in one go looks like one that saves an old copy, if what it set back
  was in the file before. The counts that are set back are not booked then; see `StockFileSync`, which warns.

A copy that is older than the contents kept here is compared with these; its old counts may be booked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from cell_inventory.stock_file import StockFile

__all__ = ['MOST_CONTENTS', 'Content', 'StockFileHistory', 'content_of', 'contents_before', 'counts_in']

Content = Mapping[tuple[str, int], object]
"""(part number, tray) -> pieces, and (name, 0) -> value for each other member of the file, such as `job`."""
# Only differences are kept: one tray for each pick, so these are some hours of work.
MOST_CONTENTS = 1000
"""Older contents that are kept."""


def content_of(file: StockFile) -> Content:
    """Return counts and other members of a file; a changed `job` tells which content was read as a tray does."""
    return {**file.counts, **{(name, 0): value for name, value in file.others.items()}}


def counts_in(content: Content) -> dict[tuple[str, int], int]:
    """Return the counts of a content."""
    return {key: count for key, count in content.items() if key[1] and isinstance(count, int)}


def contents_before(agreed: Content, counts: Content, changes: Sequence[Content]) -> Sequence[Content]:
    """Return how the counts changed before file and ledger agreed last, as the ledger tells after a restart.

    Args:
        agreed: The counts on which file and ledger agreed last.
        counts: The ledger's counts now; it may have booked after the file was written last.
        changes: For each entry of the ledger, newest first: the tray and its count before the entry.

    Returns:
        The rest of `changes` from the entry on after which the counts were the agreed ones; empty if none is known.
    """
    then = {key: counts.get(key) for key in agreed}
    differing = {key for key, count in agreed.items() if then[key] != count}
    for number, before in enumerate(changes):
        if not differing:
            return changes[number:]
        for key in before.keys() & agreed.keys():
            (differing.discard if before[key] == agreed[key] else differing.add)(key)
    return ()


class StockFileHistory:
    """Contents that the file has had, the newest whole and the older ones as differences."""

    def __init__(self, newest: Content, changes: Sequence[Content] = ()) -> None:
        """Begin with the contents that are known.

        Args:
            newest: The counts on which file and ledger agreed last; empty for a file that is new to the cell.
            changes: See `contents_before`.
        """
        self._newest: dict[tuple[str, int], object] = dict(newest)
        self._older: deque[dict[tuple[str, int], object]] = deque(maxlen=MOST_CONTENTS)
        for before in reversed(changes[:MOST_CONTENTS]):
            self._older.append({key: value for key, value in before.items() if key in self._newest})

    @property
    def newest(self) -> Content:
        """The newest content."""
        return self._newest

    def learn_members(self, content: Content) -> None:
        """Take over the members of a file that are no counts: at a start the ledger does not know them."""
        self._newest.update({key: value for key, value in content.items() if not key[1] and key not in self._newest})

    def add(self, content: Content) -> None:
        """Add a content that the cell or another program wrote.

        Args:
            content: Keys that are missing keep their values.
        """
        before = {key: self._newest.get(key) for key, value in content.items() if self._newest.get(key) != value}
        if before:
            self._older.append(before)
            self._newest.update(content)

    def base_of(self, content: Content) -> Content:
        """Return the content that a program had read which now saves `content`."""
        differing = {key for key, value in content.items() if self._newest.get(key) != value}
        base, steps, fewest = dict(self._newest), 0, len(differing)
        own = frozenset(differing)
        for step, before in enumerate(reversed(self._older), 1):
            base.update(before)
            for key in before.keys() & content.keys():
                if base[key] == content[key]:
                    differing.discard(key)
                else:
                    differing.add(key)
            if len(differing) < fewest:
                steps, fewest, own = step, len(differing), frozenset(differing)
        if not any(self._newest.get(key) != content[key] for key in own):
            return self._newest
        return self._back(steps)

    def _back(self, steps: int) -> Content:
        """Return the content that was the newest before a number of later ones."""
        base = dict(self._newest)
        for before, _ in zip(reversed(self._older), range(steps), strict=False):
            base.update(before)
        return base
