"""Reads the journal of scale_bridge: the only access of weigh_station to the bridge's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select

from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode, WeightReading
from cell_weighing.storage.tables import READING_TABLE as READING
from cell_weighing.storage.tables import SCALE_TABLE as SCALE

# SQLite before 3.32 accepts at most 999 values in one statement.
PAGE = 500


def read_journal(
    connection: Connection, scale_id: str, after: int, last: int | None = None, limit: int = 1000
) -> list[WeightReading]:
    """Return readings of a scale in order of sequence number.

    Args:
        connection: An open connection.
        scale_id: The scale.
        after: Sequence number of the last reading to skip.
        last: Sequence number of the last reading to return; None = no limit.
        limit: Largest number of readings.
    """
    statement = select(READING).where(READING.c.scale_id == scale_id, READING.c.sequence > after)
    if last is not None:
        statement = statement.where(READING.c.sequence <= last)
    rows = connection.execute(statement.order_by(READING.c.sequence).limit(limit))
    return [
        WeightReading(
            reading_id=row.reading_id,
            scale_id=row.scale_id,
            sequence=row.sequence,
            received_ns=row.received_ns,
            monotonic_ns=row.monotonic_ns,
            raw=row.raw,
            status=ReadingStatus(row.status),
            weight=row.weight,
            unit=row.unit,
            stability=Stability(row.stability),
            mode=WeightMode(row.mode),
            tare=row.tare,
            message=row.message,
            peer=row.peer,
            boot_id=row.boot_id,
        )
        for row in rows
    ]


def fill_monotonic_stamps(connection: Connection, readings: Iterable[WeightReading]) -> None:
    """Fill in boot id and monotonic time of readings received by topic; readings that the journal lacks stay unchanged.

    Args:
        connection: An open connection.
        readings: Changed in place.
    """
    missing = {reading.reading_id: reading for reading in readings if not reading.boot_id}
    ids = list(missing)
    for first in range(0, len(ids), PAGE):
        for row in connection.execute(
            select(READING.c.reading_id, READING.c.boot_id, READING.c.monotonic_ns).where(
                READING.c.reading_id.in_(ids[first : first + PAGE])
            )
        ):
            missing[row.reading_id].boot_id, missing[row.reading_id].monotonic_ns = row.boot_id, row.monotonic_ns


def last_sequences(connection: Connection) -> dict[str, int]:
    """Return the last sequence number of each scale; 0 = no reading."""
    # From the journal, not from weigh_scale: the bridge stores the counts of scales only every few
    # seconds.
    last = select(func.max(READING.c.sequence)).where(READING.c.scale_id == SCALE.c.scale_id).scalar_subquery()
    return {row.scale_id: row.last or 0 for row in connection.execute(select(SCALE.c.scale_id, last.label('last')))}


def count_valid_since(connection: Connection, sequences: Mapping[str, int]) -> dict[str, int]:
    """Return the number of valid readings of each scale after a sequence number.

    Args:
        connection: An open connection.
        sequences: Sequence number by scale id.
    """
    return {
        scale_id: connection.execute(
            select(func.count())
            .select_from(READING)
            .where(
                READING.c.scale_id == scale_id,
                READING.c.sequence > sequence,
                READING.c.status == int(ReadingStatus.VALID),
            )
        ).scalar_one()
        for scale_id, sequence in sequences.items()
    }
