"""Reads the journal of readings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Connection, Table, func, select

from cell_weighing.models import ReadingRow, ScaleRow
from cell_weighing.reading import Mode, Reading, Stability, Status

_READING = cast('Table', ReadingRow.__table__)
_SCALE = cast('Table', ScaleRow.__table__)


def read_journal(connection: Connection, scale_id: str, after: int, last: int | None = None,
                 limit: int = 1000) -> list[Reading]:
    """Return a scale's readings with consecutive numbers above `after` and up to `last`, in order."""
    wanted = select(_READING).where(_READING.c.scale_id == scale_id, _READING.c.sequence > after)
    if last is not None:
        wanted = wanted.where(_READING.c.sequence <= last)
    rows = connection.execute(wanted.order_by(_READING.c.sequence).limit(limit))
    return [Reading(row.reading_id, row.scale_id, row.sequence, row.received_ns, row.monotonic_ns, row.raw, Status(row.status),
                    row.weight, row.unit, Stability(row.stability), Mode(row.mode), row.tare, row.message, row.peer)
            for row in rows]


def last_sequences(connection: Connection) -> dict[str, int]:
    """Return the last consecutive number of each scale."""
    last = select(func.max(_READING.c.sequence)).where(_READING.c.scale_id == _SCALE.c.scale_id).scalar_subquery()
    return {row.scale_id: row.last or 0 for row in connection.execute(select(_SCALE.c.scale_id, last.label('last')))}


def valid_since(connection: Connection, sequences: Mapping[str, int]) -> dict[str, int]:
    """Return how many valid readings each scale has had since the consecutive number given."""
    return {scale_id: connection.execute(select(func.count()).select_from(_READING).where(
        _READING.c.scale_id == scale_id, _READING.c.sequence > sequence, _READING.c.status == int(Status.VALID))).scalar_one()
        for scale_id, sequence in sequences.items()}
