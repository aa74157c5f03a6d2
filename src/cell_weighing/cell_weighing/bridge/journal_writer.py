"""Writes the journal: every line of every indicator is durable before it is published.

Group commit: one thread writes. Readings that arrive during a commit wait and go into the next one,
so one disk flush serves many lines, and a line waits for at most two flushes.

When the database fails, nothing is lost and nothing is skipped: the batch is retried until it
succeeds, later readings wait in memory, and the TCP server stops reading its sockets at its limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cell_weighing.boot_clock import boot_id
from cell_weighing.bridge.stream_capture import StreamCaptureState
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.storage.journal_reader import count_valid_since, last_sequences
from cell_weighing.storage.tables import READING_TABLE, SCALE_TABLE

# Lines wait in memory meanwhile, so a failing disk is tried often.
RETRY_S = 1.0
BATCH_WINDOW_S = 0.005
"""Shortest time between two commits: on a fast disk, commits of a few lines each would cost more than the lines."""
ROWS = 60
"""Rows in one statement: 15 values each, and SQLite before 3.32 accepts 999 values."""
SAVE_WITH_COMMIT = 20
"""Scales whose counts are stored with one commit."""
SAVE_S = 5.0
"""Period of storing the counts of scales; after a crash they are recounted from the readings."""
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
    update(SCALE_TABLE)
    .where(SCALE_TABLE.c.scale_id == bindparam('b_scale_id'))
    .values({name: bindparam(f'b_{name}') for name in ('last_sequence', 'valid_readings', 'armed', 'captured')})
)


Row = tuple[str | int | bytes, ...]


class JournalStatus(NamedTuple):
    """Whether the database accepts readings.

    Attributes:
        error: Message of the database; "" = it works again.
    """

    error: str


class ScaleProgress(NamedTuple):
    """Stored progress of one scale.

    Attributes:
        sequence: The last sequence number.
        valid: Valid readings since the journal was created.
        capture: State of its capture, when it is a streaming scale.
    """

    sequence: int
    valid: int
    capture: StreamCaptureState


_NEW = ScaleProgress(0, 0, StreamCaptureState())


class JournalWriter:
    """Writes readings in a thread of its own and passes them on after the commit.

    Attributes:
        initial_state: Progress of every scale at the start, by scale id.
        pending: Readings appended and not passed on yet; may be read from any thread.
        committed: Readings committed since the start.
    """

    def __init__(
        self,
        engine: Engine,
        on_committed: Callable[[list[WeightReading]], None],
        on_error: Callable[[str], object],
        gil_lock: threading.Lock | None = None,
    ) -> None:
        """Load the progress of each scale and start the thread.

        Args:
            engine: The open, migrated database.
            on_committed: Called in the writer's thread with each committed batch, in order.
            on_error: Called in the writer's thread with the message when the database fails, with "" when it works again.
            gil_lock: Held while the writer computes, and never while it waits for the database: see `AsyncioThread`.

        Raises:
            SQLAlchemyError: The journal cannot be read.
        """
        self._gil_lock = gil_lock or threading.Lock()
        self._engine = engine
        self._on_committed = on_committed
        self._on_error = on_error
        self._insert = _FastInsert(engine, boot_id())
        self._last = self._read_state()
        self._stored = set(self._last)
        self.initial_state = dict(self._last)
        self._dirty: set[str] = set()
        """Scales whose counts are not stored yet."""
        self._save_queue: list[str] = []
        """Scales whose counts are due: some with each commit, because all in one commit would delay its lines."""
        self._save_at = 0.0
        self._committed_at = 0.0
        self._waiting: list[WeightReading] = []
        self._capture_updates: dict[str, StreamCaptureState] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self.pending = 0
        self.committed = 0
        # Not a daemon thread: the process must not end before queued readings are written.
        self._thread = threading.Thread(target=self._run, name='journal')
        self._thread.start()

    def append(
        self, readings: Sequence[WeightReading], capture_updates: Mapping[str, StreamCaptureState] | None = None
    ) -> None:
        """Queue readings from any thread; returns immediately.

        Args:
            readings: In order of arrival; their sequence numbers are assigned here.
            capture_updates: Changed capture states of streaming scales, stored in the same transaction.
        """
        with self._changed:
            self._waiting.extend(readings)
            self._capture_updates.update(capture_updates or {})
            self.pending += len(readings)
            self._changed.notify()

    def close(self, timeout: float = 10.0) -> int:
        """Write the queued readings and stop.

        Args:
            timeout: Longest wait, seconds.

        Returns:
            Number of readings that could not be written: 0 unless the database fails.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return self.pending

    def _run(self) -> None:
        """Commit batch after batch until `close`; the body of the thread."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._capture_updates or self._stopping)
            self._await_batch_window()
            with self._changed:
                batch, self._waiting = self._waiting, []
                capture_updates, self._capture_updates = self._capture_updates, {}
            # Woken without work: `close` was called, and everything is written.
            if not batch and not capture_updates:
                return
            count = len(batch)
            if not self._commit_with_retry(batch, capture_updates):
                return
            self._committed_at = time.monotonic()
            self.committed += count
            if batch:
                with self._gil_lock:
                    self._on_committed(batch)
            with self._changed:
                self.pending -= count

    def _await_batch_window(self) -> None:
        """Let a batch grow when commits follow each other closely; a single line never waits."""
        wait = self._committed_at + BATCH_WINDOW_S - time.monotonic()
        if wait > 0 and not self._stopping:
            time.sleep(wait)

    def _commit_with_retry(self, batch: list[WeightReading], capture_updates: Mapping[str, StreamCaptureState]) -> bool:
        """Commit, and retry while the database fails; return False when the writer stops before that."""
        failed = False
        while True:
            try:
                if failed:
                    self._reconcile(batch)
                self._commit(batch, capture_updates)
            except SQLAlchemyError as error:
                failed = True
                self._on_error(str(error.__cause__ or error))
                with self._changed:
                    if self._changed.wait_for(lambda: self._stopping, RETRY_S):
                        return False
                continue
            if failed:
                self._on_error('')
            return True

    def _commit(self, batch: list[WeightReading], capture_updates: Mapping[str, StreamCaptureState]) -> None:
        """Write one batch with the counts of new scales, of changed captures, and of some scales that are due."""
        with self._gil_lock:
            state = self._assign_sequences(batch, capture_updates)
            rows = self._insert.rows(batch)
            save = state.keys() - self._stored | capture_updates.keys() | set(self._save_queue[:SAVE_WITH_COMMIT])
        with self._engine.begin() as connection:
            self._insert(connection, rows)
            self._store_state(connection, {scale: state.get(scale) or self._last[scale] for scale in save})
        # Only after the commit: a failed transaction must leave this state as it was, because the
        # retry computes it again.
        self._stored |= save
        self._last |= state
        self._dirty |= state.keys()
        self._dirty -= save
        del self._save_queue[:SAVE_WITH_COMMIT]
        if not self._save_queue and time.monotonic() >= self._save_at:
            self._save_queue = list(self._dirty)
            self._save_at = time.monotonic() + SAVE_S

    def _assign_sequences(
        self, batch: list[WeightReading], capture_updates: Mapping[str, StreamCaptureState]
    ) -> dict[str, ScaleProgress]:
        """Assign sequence numbers to readings; return the new progress of their scales."""
        state: dict[str, ScaleProgress] = {}
        for reading in batch:
            sequence, valid, capture = state.get(reading.scale_id) or self._last.get(reading.scale_id, _NEW)
            reading.sequence = sequence + 1
            state[reading.scale_id] = ScaleProgress(sequence + 1, valid + (reading.status is ReadingStatus.VALID), capture)
        for scale_id, capture in capture_updates.items():
            sequence, valid, _ = state.get(scale_id) or self._last.get(scale_id, _NEW)
            state[scale_id] = ScaleProgress(sequence, valid, capture)
        return state

    def _store_state(self, connection: Connection, state: Mapping[str, ScaleProgress]) -> None:
        new = [_values(scale_id, progress) for scale_id, progress in state.items() if scale_id not in self._stored]
        old = [_values(scale_id, progress) for scale_id, progress in state.items() if scale_id in self._stored]
        if new:
            rows = [{column.removeprefix('b_'): value for column, value in values.items()} for values in new]
            connection.execute(insert(SCALE_TABLE), rows)
        if old:
            connection.execute(_UPDATE, old)

    def _reconcile(self, batch: list[WeightReading]) -> None:
        """Drop readings that are durable already: a commit whose response was lost may have worked."""
        self._last = self._read_state()
        self._stored = set(self._last)
        with self._engine.begin() as connection:
            ids = [reading.reading_id for reading in batch]
            written = set(connection.scalars(select(READING_TABLE.c.reading_id).where(READING_TABLE.c.reading_id.in_(ids))))
        batch[:] = [reading for reading in batch if reading.reading_id not in written]

    def _read_state(self) -> dict[str, ScaleProgress]:
        with self._engine.begin() as connection:
            rows = list(connection.execute(select(SCALE_TABLE)))
            last = last_sequences(connection)
            more = count_valid_since(connection, {row.scale_id: row.last_sequence for row in rows})
        return {
            row.scale_id: ScaleProgress(
                last[row.scale_id], row.valid_readings + more[row.scale_id], StreamCaptureState(row.armed, row.captured)
            )
            for row in rows
        }


def _values(scale_id: str, progress: ScaleProgress) -> dict[str, object]:
    return {
        'b_scale_id': scale_id,
        'b_last_sequence': progress.sequence,
        'b_valid_readings': progress.valid,
        'b_armed': progress.capture.armed,
        'b_captured': progress.capture.captured,
    }


class _FastInsert:
    """Inserts readings through the driver: building SQLAlchemy's parameters costs more than the insert.

    Where parameters are positional (SQLite), many rows go into one statement. The driver releases the interpreter lock at each
    statement, and waits for a busy thread to get it back.
    """

    def __init__(self, engine: Engine, boot: str) -> None:
        compiled = insert(READING_TABLE).compile(dialect=engine.dialect)
        self._sql = str(compiled)
        self._positional = bool(compiled.positional)
        self._boot_id = boot
        columns = [column.name for column in READING_TABLE.columns]
        # rows() writes values in the order of _COLUMNS; a column added to the table would otherwise
        # shift them.
        assert not self._positional or compiled.positiontup == columns == list(_COLUMNS)

    def rows(self, batch: list[WeightReading]) -> list[Row]:
        """Return the rows of readings, in the order of `_COLUMNS`."""
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
        """Insert rows."""
        if not self._positional:
            if rows:
                connection.exec_driver_sql(self._sql, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
            return
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            connection.exec_driver_sql(self._statement(len(some)), tuple(chain.from_iterable(some)))

    def _statement(self, count: int) -> str:
        """Return the insert statement for a number of rows."""
        head, _, values = self._sql.partition(' VALUES ')
        return f'{head} VALUES {", ".join([values] * count)}'
