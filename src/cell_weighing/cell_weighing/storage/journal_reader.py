"""Reads the journal of readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sqlalchemy import Connection, Table, func, select

from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode, WeightReading
from cell_weighing.storage.tables import ReadingRow, ScaleRow

PAGE = 500
_READING = cast('Table', ReadingRow.__table__)
_SCALE = cast('Table', ScaleRow.__table__)


def read_journal(
    connection: Connection, scale_id: str, after: int, last: int | None = None, limit: int = 1000
) -> list[WeightReading]:
    """Return a scale's readings with consecutive numbers above `after` and up to `last`, in order."""
    wanted = select(_READING).where(_READING.c.scale_id == scale_id, _READING.c.sequence > after)
    if last is not None:
        wanted = wanted.where(_READING.c.sequence <= last)
    rows = connection.execute(wanted.order_by(_READING.c.sequence).limit(limit))
    return [
        WeightReading(
            row.reading_id,
            row.scale_id,
            row.sequence,
            row.received_ns,
            row.monotonic_ns,
            row.raw,
            ReadingStatus(row.status),
            row.weight,
            row.unit,
            Stability(row.stability),
            WeightMode(row.mode),
            row.tare,
            row.message,
            row.peer,
            row.boot_id,
        )
        for row in rows
    ]


def fill_monotonic_stamps(connection: Connection, readings: Iterable[WeightReading]) -> None:
    """Enter when readings that came by topic were taken, by the monotonic clock, as far as the journal knows them."""
    wanted = {reading.reading_id: reading for reading in readings if not reading.boot_id}
    ids = list(wanted)
    for first in range(0, len(ids), PAGE):
        for row in connection.execute(
            select(_READING.c.reading_id, _READING.c.boot_id, _READING.c.monotonic_ns).where(
                _READING.c.reading_id.in_(ids[first : first + PAGE])
            )
        ):
            wanted[row.reading_id].boot_id, wanted[row.reading_id].monotonic_ns = row.boot_id, row.monotonic_ns


def last_sequences(connection: Connection) -> dict[str, int]:
    """Return the last consecutive number of each scale."""
    last = select(func.max(_READING.c.sequence)).where(_READING.c.scale_id == _SCALE.c.scale_id).scalar_subquery()
    return {row.scale_id: row.last or 0 for row in connection.execute(select(_SCALE.c.scale_id, last.label('last')))}


def count_valid_since(connection: Connection, sequences: Mapping[str, int]) -> dict[str, int]:
    """Return how many valid readings each scale has had since the consecutive number given."""
    return {
        scale_id: connection.execute(
            select(func.count())
            .select_from(_READING)
            .where(
                _READING.c.scale_id == scale_id, _READING.c.sequence > sequence, _READING.c.status == int(ReadingStatus.VALID)
            )
        ).scalar_one()
        for scale_id, sequence in sequences.items()
    }
