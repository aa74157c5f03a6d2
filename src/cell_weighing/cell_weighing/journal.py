"""The journal: every line of every indicator, durable before anybody hears of it.

Group commit: one thread writes; while a commit runs, what arrives waits, and all of it goes into the next. A commit thus
costs one disk flush for many lines, and a line waits for at most two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, Table, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cell_weighing.models import ReadingRow, ScaleRow
from cell_weighing.reading import Mode, Reading, Stability, Status

RETRY_S = 1.0
_READING = cast('Table', ReadingRow.__table__)
_SCALE = cast('Table', ScaleRow.__table__)


class JournalWriter:
    """Writes readings and hands them on once they are durable."""

    def __init__(self, engine: Engine, deliver: Callable[[list[Reading]], None], complain: Callable[[str], None]) -> None:
        """Read how far each scale's numbers have come and start the thread.

        Args:
            engine: The open, migrated database.
            deliver: Called in the writer's thread with each committed batch, in order.
            complain: Called in the writer's thread with the reason when the database refuses, with "" when it works again.
        """
        self._engine = engine
        self._deliver = deliver
        self._complain = complain
        self._boot_id = _boot_id()
        with engine.begin() as connection:
            self._last = {row.scale_id: (row.last_sequence, row.valid_readings) for row in connection.execute(select(_SCALE))}
        self._stored = set(self._last)
        self.known = dict(self._last)
        """(last consecutive number, valid readings) by scale id, as found at the start."""
        self._waiting: list[Reading] = []
        self._changed = threading.Condition()
        self._ending = False
        self.pending = 0
        """Readings taken and not yet handed on."""
        self.committed = 0
        """Readings committed since the start."""
        self._thread = threading.Thread(target=self._run, name='journal')
        self._thread.start()

    def append(self, readings: Sequence[Reading]) -> None:
        """Take readings from any thread; returns at once."""
        with self._changed:
            self._waiting.extend(readings)
            self.pending += len(readings)
            self._changed.notify()

    def close(self, timeout: float = 10.0) -> int:
        """Write what waits and stop.

        Returns:
            How many readings could not be written: 0 unless the database refuses.
        """
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(timeout)
        return self.pending

    def _run(self) -> None:
        broken = False
        while batch := self._take():
            while True:
                try:
                    self._commit(batch)
                    break
                except SQLAlchemyError as problem:
                    self._complain(str(problem.__cause__ or problem))
                    broken = True
                    with self._changed:
                        if self._changed.wait_for(lambda: self._ending, RETRY_S):
                            return
            if broken:
                broken = False
                self._complain('')
            self.committed += len(batch)
            self._deliver(batch)
            with self._changed:
                self.pending -= len(batch)

    def _take(self) -> list[Reading]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            batch, self._waiting = self._waiting, []
        return batch

    def _commit(self, batch: list[Reading]) -> None:
        last = self._last.copy()
        for reading in batch:
            sequence, valid = last.get(reading.scale_id, (0, 0))
            reading.sequence = sequence + 1
            last[reading.scale_id] = (sequence + 1, valid + (reading.status is Status.VALID))
        changed = {reading.scale_id for reading in batch}
        with self._engine.begin() as connection:
            connection.execute(insert(_READING), [self._row(reading) for reading in batch])
            self._store_counts(connection, {scale: last[scale] for scale in changed})
        self._stored |= changed
        self._last = last

    def _store_counts(self, connection: Connection, counts: dict[str, tuple[int, int]]) -> None:
        for scale_id, (sequence, valid) in counts.items():
            values = {'last_sequence': sequence, 'valid_readings': valid}
            if scale_id in self._stored:
                connection.execute(update(_SCALE).where(_SCALE.c.scale_id == scale_id).values(values))
            else:
                connection.execute(insert(_SCALE).values(scale_id=scale_id, **values))

    def _row(self, reading: Reading) -> dict[str, object]:
        return {'reading_id': reading.reading_id, 'scale_id': reading.scale_id, 'sequence': reading.sequence,
                'received_ns': reading.received_ns, 'monotonic_ns': reading.monotonic_ns, 'boot_id': self._boot_id,
                'raw': reading.raw, 'status': int(reading.status), 'weight': reading.weight, 'unit': reading.unit,
                'stability': int(reading.stability), 'mode': int(reading.mode), 'tare': reading.tare,
                'message': reading.message, 'peer': reading.peer}


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
    return {row.scale_id: row.last_sequence for row in connection.execute(select(_SCALE.c.scale_id, _SCALE.c.last_sequence))}


def _boot_id() -> str:
    try:
        return Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()
    except OSError:
        return ''
