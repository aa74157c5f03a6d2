"""Removes old lines from the journal that nothing depends on. No clock.

A line is removed when it is old, weigh_station has worked it through, no bag was made of it, and it is not its scale's last:
the lines of bags stay for good, with their raw text, and consecutive numbers go on from the last line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from cell_common.database import read_only
from sqlalchemy import Connection, Engine, Table, delete, exists, func, select

from cell_weighing.storage.tables import BagRow, CursorRow, ReadingRow

DAY_NS = 86_400 * 1_000_000_000
PAGE = 1000
REST_NS = 3_600 * 1_000_000_000
"""How long a scale is left alone once nothing more is to be removed of it."""
_READING = cast('Table', ReadingRow.__table__)


class JournalPruner:
    """Goes through each scale's lines from the oldest on, a page at a time, so that no transaction is long."""

    def __init__(self, engine: Engine, keep_days: int) -> None:
        """Keep lines for so many days; 0 = for good."""
        self._engine = engine
        self._keep_ns = keep_days * DAY_NS
        self._looked: dict[str, int] = {}
        """By scale: up to which consecutive number nothing is left to remove."""
        self._rest: dict[str, int] = {}
        """By scale: until when it is left alone."""

    def prune(self, now_ns: int) -> int:
        """Remove at most a page of each scale's lines.

        Args:
            now_ns: UTC, nanoseconds.

        Returns:
            How many were removed.
        """
        if not self._keep_ns:
            return 0
        removed = 0
        with read_only(self._engine).begin() as connection:
            done = {row.scale_id: row.sequence for row in connection.execute(select(CursorRow.scale_id, CursorRow.sequence))}
        for scale_id, sequence in done.items():
            if now_ns < self._rest.get(scale_id, 0):
                continue
            removed += self._prune_scale(scale_id, sequence, now_ns)
        return removed

    def _prune_scale(self, scale_id: str, done: int, now_ns: int) -> int:
        with read_only(self._engine).begin() as connection:
            page = self._page(connection, scale_id, done)
            last = connection.scalar(select(func.max(_READING.c.sequence)).where(_READING.c.scale_id == scale_id))
        old = [row for row in page if row.received_ns < now_ns - self._keep_ns and row.sequence != last]
        unused = [row.reading_id for row in old if not row.used]
        if unused:
            with self._engine.begin() as connection:
                connection.execute(delete(_READING).where(_READING.c.reading_id.in_(unused)))
        if old:
            self._looked[scale_id] = old[-1].sequence
        if len(old) < PAGE:
            self._rest[scale_id] = now_ns + REST_NS
        return len(unused)

    def _page(self, connection: Connection, scale_id: str, done: int) -> Sequence[Any]:
        used = exists().where(BagRow.reading_id == _READING.c.reading_id).label('used')
        wanted = select(_READING.c.reading_id, _READING.c.sequence, _READING.c.received_ns, used).where(
            _READING.c.scale_id == scale_id, _READING.c.sequence > self._looked.get(scale_id, 0), _READING.c.sequence <= done
        )
        return connection.execute(wanted.order_by(_READING.c.sequence).limit(PAGE)).all()
