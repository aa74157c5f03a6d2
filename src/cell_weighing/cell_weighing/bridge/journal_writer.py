"""The journal: every line of every indicator, durable before anybody hears of it.

Group commit: one thread writes; while a commit runs, what arrives waits, and all of it goes into the next. A commit thus
costs one disk flush for many lines, and a line waits for at most two.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, cast

from sqlalchemy import Connection, Engine, Table, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cell_weighing.bridge.stream_capture import CaptureState
from cell_weighing.domain.boot_clock import boot_id
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.storage.journal_reader import count_valid_since, last_sequences
from cell_weighing.storage.tables import ReadingRow, ScaleRow

RETRY_S = 1.0
GATHER_S = 0.005
"""Shortest time between two commits: on a fast disk commits of a few lines each would cost more than the lines."""
ROWS = 60
"""Rows in one statement: 15 values each, and SQLite before 3.32 takes 999."""
SAVE_AT_ONCE = 20
SAVE_S = 5.0
"""How often the counts of scales are stored; after a crash they are made good from the readings themselves."""
_READING = cast('Table', ReadingRow.__table__)
_SCALE = cast('Table', ScaleRow.__table__)
_COLUMNS = (
    'reading_id',
    'scale_id',
    'sequence',
    'received_ns',
    'monotonic_ns',
    'boot_id',
    'raw',
    'status',
    'weight',
    'unit',
    'stability',
    'mode',
    'tare',
    'message',
    'peer',
)
_UPDATE = (
    update(_SCALE)
    .where(_SCALE.c.scale_id == bindparam('b_scale_id'))
    .values({name: bindparam(f'b_{name}') for name in ('last_sequence', 'valid_readings', 'armed', 'captured')})
)


Row = tuple[str | int | bytes, ...]


class JournalStatus(NamedTuple):
    """The database refuses readings, or takes them again (reason "")."""

    reason: str


class ScaleProgress(NamedTuple):
    """How far one scale has come."""

    sequence: int
    """The last consecutive number."""
    valid: int
    """Valid readings since the journal was begun."""
    taken: CaptureState
    """Where it stands, when it is a streaming one."""


_NEW = ScaleProgress(0, 0, CaptureState())


class JournalWriter:
    """Writes readings and hands them on once they are durable."""

    def __init__(
        self,
        engine: Engine,
        on_committed: Callable[[list[WeightReading]], None],
        on_error: Callable[[str], None],
        gil_lock: threading.Lock | None = None,
    ) -> None:
        """Read how far each scale's numbers have come and start the thread.

        Args:
            engine: The open, migrated database.
            deliver: Called in the writer's thread with each committed batch, in order.
            complain: Called in the writer's thread with the reason when the database refuses, with "" when it works again.
            turn: Held while the writer computes, and never while it waits for the database: see `AsyncioThread`.
        """
        self._gil_lock = gil_lock or threading.Lock()
        self._engine = engine
        self._on_committed = on_committed
        self._on_error = on_error
        self._insert = _FastInsert(engine, boot_id())
        self._last = self._read_state()
        self._stored = set(self._last)
        self.initial_state = dict(self._last)
        """Every scale of the journal as found at the start, by scale id."""
        self._dirty: set[str] = set()
        """Scales whose counts are not stored yet."""
        self._save_queue: list[str] = []
        """Those of them whose turn it is, some with each commit: all at once, lines would wait for it."""
        self._save_at = 0.0
        self._committed_at = 0.0
        self._waiting: list[WeightReading] = []
        self._kept: dict[str, CaptureState] = {}
        self._changed = threading.Condition()
        self._ending = False
        self.pending = 0
        """Readings taken and not yet handed on."""
        self.committed = 0
        """Readings committed since the start."""
        self._thread = threading.Thread(target=self._run, name='journal')
        self._thread.start()

    def append(self, readings: Sequence[WeightReading], capture_updates: Mapping[str, CaptureState] | None = None) -> None:
        """Take readings, and where streaming scales stand now, from any thread; returns at once."""
        with self._changed:
            self._waiting.extend(readings)
            self._kept.update(capture_updates or {})
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
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._kept or self._ending)
            self._gather()
            with self._changed:
                batch, self._waiting = self._waiting, []
                capture_updates, self._kept = self._kept, {}
            if not batch and not capture_updates:
                return
            taken = len(batch)
            if not self._commit_with_retry(batch, capture_updates):
                return
            self._committed_at = time.monotonic()
            self.committed += taken
            if batch:
                with self._gil_lock:
                    self._on_committed(batch)
            with self._changed:
                self.pending -= taken

    def _gather(self) -> None:
        """Let a batch grow a little when commits follow each other closely; a line that comes alone never waits."""
        wait = self._committed_at + GATHER_S - time.monotonic()
        if wait > 0 and not self._ending:
            time.sleep(wait)

    def _commit_with_retry(self, batch: list[WeightReading], capture_updates: Mapping[str, CaptureState]) -> bool:
        """Commit, again and again while the database refuses; False when the writer is to end before it has worked."""
        broken = False
        while True:
            try:
                if broken:
                    self._reconcile(batch)
                self._commit(batch, capture_updates)
            except SQLAlchemyError as error:
                broken = True
                self._on_error(str(error.__cause__ or error))
                with self._changed:
                    if self._changed.wait_for(lambda: self._ending, RETRY_S):
                        return False
                continue
            if broken:
                self._on_error('')
            return True

    def _commit(self, batch: list[WeightReading], capture_updates: Mapping[str, CaptureState]) -> None:
        with self._gil_lock:
            state = self._assign_sequences(batch, capture_updates)
            rows = self._insert.rows(batch)
            save = state.keys() - self._stored | capture_updates.keys() | set(self._save_queue[:SAVE_AT_ONCE])
        with self._engine.begin() as connection:
            self._insert(connection, rows)
            self._store_state(connection, {scale: state.get(scale) or self._last[scale] for scale in save})
        self._stored |= save
        self._last |= state
        self._dirty |= state.keys()
        self._dirty -= save
        del self._save_queue[:SAVE_AT_ONCE]
        if not self._save_queue and time.monotonic() >= self._save_at:
            self._save_queue = list(self._dirty)
            self._save_at = time.monotonic() + SAVE_S

    def _assign_sequences(
        self, batch: list[WeightReading], capture_updates: Mapping[str, CaptureState]
    ) -> dict[str, ScaleProgress]:
        """Give readings their consecutive numbers; return how far their scales will have come with them."""
        state: dict[str, ScaleProgress] = {}
        for reading in batch:
            sequence, valid, taken = state.get(reading.scale_id) or self._last.get(reading.scale_id, _NEW)
            reading.sequence = sequence + 1
            state[reading.scale_id] = ScaleProgress(sequence + 1, valid + (reading.status is ReadingStatus.VALID), taken)
        for scale_id, taken in capture_updates.items():
            sequence, valid, _ = state.get(scale_id) or self._last.get(scale_id, _NEW)
            state[scale_id] = ScaleProgress(sequence, valid, taken)
        return state

    def _store_state(self, connection: Connection, state: Mapping[str, ScaleProgress]) -> None:
        new = [_values(scale_id, record) for scale_id, record in state.items() if scale_id not in self._stored]
        old = [_values(scale_id, record) for scale_id, record in state.items() if scale_id in self._stored]
        if new:
            connection.execute(insert(_SCALE), [{column[2:]: value for column, value in values.items()} for values in new])
        if old:
            connection.execute(_UPDATE, old)

    def _reconcile(self, batch: list[WeightReading]) -> None:
        """Drop from a batch what is durable already: a commit whose answer was lost may have worked."""
        self._last = self._read_state()
        self._stored = set(self._last)
        with self._engine.begin() as connection:
            written = set(
                connection.scalars(
                    select(_READING.c.reading_id).where(_READING.c.reading_id.in_([reading.reading_id for reading in batch]))
                )
            )
        batch[:] = [reading for reading in batch if reading.reading_id not in written]

    def _read_state(self) -> dict[str, ScaleProgress]:
        with self._engine.begin() as connection:
            rows = list(connection.execute(select(_SCALE)))
            last = last_sequences(connection)
            more = count_valid_since(connection, {row.scale_id: row.last_sequence for row in rows})
        return {
            row.scale_id: ScaleProgress(
                last[row.scale_id], row.valid_readings + more[row.scale_id], CaptureState(row.armed, row.captured)
            )
            for row in rows
        }


def _values(scale_id: str, record: ScaleProgress) -> dict[str, object]:
    return {
        'b_scale_id': scale_id,
        'b_last_sequence': record.sequence,
        'b_valid_readings': record.valid,
        'b_armed': record.taken.armed,
        'b_captured': record.taken.captured,
    }


class _FastInsert:
    """Inserts readings by the driver itself: building SQLAlchemy's parameters costs more than the insert.

    Where values are positional (SQLite), many rows go into one statement: the driver lets go of the interpreter at each, and
    gets it back only when another busy thread has had its turn, so that a batch in single rows waited that often.
    """

    def __init__(self, engine: Engine, boot_id: str) -> None:
        compiled = insert(_READING).compile(dialect=engine.dialect)
        self._sql = str(compiled)
        self._positional = bool(compiled.positional)
        self._boot_id = boot_id
        columns = [column.name for column in _READING.columns]
        assert not self._positional or compiled.positiontup == columns == list(_COLUMNS)

    def rows(self, batch: list[WeightReading]) -> list[Row]:
        """Return what is to be inserted."""
        boot = self._boot_id
        return [
            (
                r.reading_id,
                r.scale_id,
                r.sequence,
                r.received_ns,
                r.monotonic_ns,
                boot,
                r.raw,
                int(r.status),
                r.weight,
                r.unit,
                int(r.stability),
                int(r.mode),
                r.tare,
                r.message,
                r.peer,
            )
            for r in batch
        ]

    def __call__(self, connection: Connection, rows: list[Row]) -> None:
        """Insert them."""
        if not self._positional:
            if rows:
                connection.exec_driver_sql(self._sql, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
            return
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            connection.exec_driver_sql(self._sql_of(len(some)), tuple(chain.from_iterable(some)))

    def _sql_of(self, count: int) -> str:
        """Return the statement for so many rows."""
        head, _, values = self._sql.partition(' VALUES ')
        return f'{head} VALUES {", ".join([values] * count)}'
