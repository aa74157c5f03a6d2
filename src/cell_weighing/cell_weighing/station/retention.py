"""Deletes old journal lines that nothing depends on. The time is an argument.

A line is deleted when it is old, was processed by weigh_station, became no bag, and is not the last of its scale. Lines of bags
are kept without limit, with their raw text. Sequence numbers continue from the last line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from cell_common.database import read_only
from cell_common.time import NS_PER_S
from sqlalchemy import Connection, Engine, delete, exists, func, select

from cell_weighing.storage.tables import READING_TABLE as READING
from cell_weighing.storage.tables import BagRow, CursorRow

DAY_NS = 86_400 * NS_PER_S
# A short transaction: the bridge waits for the lock of SQLite meanwhile.
PAGE = 1000
REST_NS = 3_600 * NS_PER_S
"""How long a scale is skipped after its last old line was deleted, nanoseconds."""


class _Line(NamedTuple):
    """A journal line; fields as selected by `_page`."""

    reading_id: str
    sequence: int
    received_ns: int
    used: bool
    """A bag was made of it."""


class JournalPruner:
    """Deletes the old lines of each scale from the oldest on, one page per call, so that no transaction is long."""

    def __init__(self, engine: Engine, keep_days: int) -> None:
        """Store the settings.

        Args:
            engine: The open, migrated database.
            keep_days: Age of a line, days, from which it is old; 0 = lines are kept without limit.
        """
        self._engine = engine
        self._keep_ns = keep_days * DAY_NS
        self._pruned: dict[str, int] = {}
        """By scale: sequence number up to which nothing is left to delete."""
        self._skip_until: dict[str, int] = {}
        """By scale: UTC nanoseconds until which it is skipped."""

    def prune(self, now_ns: int) -> int:
        """Delete at most a page of lines of each scale.

        Args:
            now_ns: UTC, nanoseconds since 1970.

        Returns:
            Number of deleted lines.
        """
        if not self._keep_ns:
            return 0
        deleted = 0
        with read_only(self._engine).begin() as connection:
            done = {row.scale_id: row.sequence for row in connection.execute(select(CursorRow.scale_id, CursorRow.sequence))}
        for scale_id, sequence in done.items():
            if now_ns < self._skip_until.get(scale_id, 0):
                continue
            deleted += self._prune_scale(scale_id, sequence, now_ns)
        return deleted

    def _prune_scale(self, scale_id: str, done: int, now_ns: int) -> int:
        """Delete a page of old lines of one scale; return their number."""
        with read_only(self._engine).begin() as connection:
            page = self._page(connection, scale_id, done)
            last = connection.scalar(select(func.max(READING.c.sequence)).where(READING.c.scale_id == scale_id))
        # The last line stays: the next sequence number is derived from it.
        old = [line for line in page if line.received_ns < now_ns - self._keep_ns and line.sequence != last]
        unused = [line.reading_id for line in old if not line.used]
        # The write lock is only requested when there is something to delete.
        if unused:
            with self._engine.begin() as connection:
                connection.execute(delete(READING).where(READING.c.reading_id.in_(unused)))
        if old:
            self._pruned[scale_id] = old[-1].sequence
        if len(old) < PAGE:
            self._skip_until[scale_id] = now_ns + REST_NS
        return len(unused)

    def _page(self, connection: Connection, scale_id: str, done: int) -> Sequence[_Line]:
        used = exists().where(BagRow.reading_id == READING.c.reading_id).label('used')
        statement = select(READING.c.reading_id, READING.c.sequence, READING.c.received_ns, used).where(
            READING.c.scale_id == scale_id, READING.c.sequence > self._pruned.get(scale_id, 0), READING.c.sequence <= done
        )
        rows = connection.execute(statement.order_by(READING.c.sequence).limit(PAGE)).all()
        return cast('Sequence[_Line]', rows)
