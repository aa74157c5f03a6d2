"""Makes bags of readings: the one writer of the tables of bags and weigh jobs.

Each reading of the journal counts exactly once: a cursor per scale is stored in the transaction that stores its bags.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from cell_weighing.delivery.outbox import delivery_row
from cell_weighing.domain.event_order import JobBoundary, MonotonicStamp, merge_by_time
from cell_weighing.domain.jobs import Bag, WeighingJob, is_bag, make_bag
from cell_weighing.domain.reading import WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.station.job_store import NoSuchJobError, WeighJobStore
from cell_weighing.storage.journal_reader import fill_monotonic_stamps, last_sequences, read_journal
from cell_weighing.storage.rows import added_bags, bag_of, bag_values, job_of, load_gaps, utc_datetime, write_counts
from cell_weighing.storage.tables import (
    BAG_TABLE,
    CURSOR_TABLE,
    BagRow,
    CursorRow,
    DeliveryRow,
    ReopenRow,
    VoidRow,
    WeighJobRow,
)

PAGE = 1500
"""Largest number of readings in one transaction of a catch-up; fewer when it holds the write lock for longer than `HOLD_S`."""
# Until the speed of the disk is known.
FIRST_PAGE = 500
MIN_PAGE = 50
"""Smallest number of readings in one transaction, however slow the disk is: fewer would spend the time on commits."""
HOLD_S = 0.1
"""Wanted duration of the write lock of one transaction of a catch-up, seconds. Other writers wait for the lock meanwhile."""
MIN_READ = 20
"""Smallest number of readings that are read of one scale for a page."""
GAP_S = 0.1
"""Shortest time between two of these transactions, seconds; the next page is read and judged in it. A writer that has waited
for 0.3 s looks for the lock every 100 ms only (SQLite's `sqliteDefaultBusyCallback`), so it would miss shorter gaps."""


@dataclass(frozen=True)
class StationSnapshot:
    """State of the station that the topics publish.

    Attributes:
        bags: Bags that are new since the last snapshot.
        jobs: The active or latest job of each station.
        latest: The latest bags, newest first.
        companies: Companies of the latest jobs, the latest first.
    """

    bags: list[Bag]
    jobs: list[WeighingJob]
    latest: list[Bag]
    companies: list[str]


class KeyReusedError(ValueError):
    """The reading id belongs to a recorded bag with other values."""


class WeighStore(WeighJobStore):
    """Weigh jobs, bags, and the progress through the journal. Used by one thread.

    Exactly-once: a reading counts if its sequence number is above its scale's cursor, and the
    cursor moves in the transaction that stores the bag. A failed transaction changes nothing in
    memory either: cursors are copied, and replaced after the commit.
    """

    def __init__(
        self,
        engine: Engine,
        stations: StationMap,
        clock: Callable[[], int],
        *,
        warn_share: Decimal = Decimal(1),
        deliver: bool = False,
    ) -> None:
        """Load the cursors.

        Args:
            engine: The open, migrated database.
            stations: The station of each scale.
            clock: Returns UTC, nanoseconds since 1970.
            warn_share: Share of the tolerance beyond which a bag in tolerance is in a warning zone.
            deliver: Add each bag of a scale to the outbox for the web application.
        """
        super().__init__(engine, posts=deliver)
        self._stations = stations
        self._clock = clock
        self._warn_share = warn_share
        self._deliver = deliver
        self._page_ended = self._held_s = 0.0
        self._page_size = FIRST_PAGE
        # State of the transaction in progress, reset by _begin_transaction.
        self._deliveries: list[DeliveryRow] = []
        self._new: list[Bag] = []
        self._jobs: dict[str, tuple[JobBoundary, list[tuple[WeighJobRow, WeighingJob]]]] = {}
        """By station: a boundary, and the jobs that had not ended at that boundary."""
        self._changes: dict[int, _JobChange] = {}
        """By job: its changed row."""
        self._any_gaps: bool | None = None
        """Whether any job was reopened; None = not looked up."""
        with Session(engine) as session:
            self._cursors = {row.scale_id: row.sequence for row in session.scalars(select(CursorRow))}

    def jobs(self) -> list[WeighingJob]:
        """Return the active job of each station, or its latest one, in order of station."""
        return self.current_jobs(self._stations.names)

    def snapshot(self, bags: list[Bag]) -> StationSnapshot:
        """Read the state of the station after new bags."""
        return StationSnapshot(bags, self.jobs(), self.latest_bags(), self.companies())

    def process_readings(self, readings: Iterable[WeightReading]) -> list[Bag]:
        """Make bags of readings received by topic; a repeated reading counts once.

        A gap in a scale's sequence numbers is filled from the journal first.

        Args:
            readings: In order of arrival; readings of one scale in order of sequence number.

        Returns:
            The new bags, also those of the gap, in the order in which they were stored.

        Raises:
            SQLAlchemyError: Nothing was stored; the readings are still in the journal.
        """
        new = [reading for reading in readings if reading.sequence > self._cursors.get(reading.scale_id, 0)]
        bags = self.catch_up() if self._has_gap(new) else []
        return bags + self._process_all(new)

    def record_external(self, reading: WeightReading, station: str) -> tuple[Bag, WeighingJob | None, bool]:
        """Make the bag of a reading that is not in the journal, for a given station.

        Idempotent: a repeated reading id returns the recorded bag. The bag is not delivered to the web application.

        Args:
            reading: One for which `is_bag` holds; its sequence number is not used.
            station: A station that has or had a weigh job.

        Returns:
            The bag, its weigh job (None = it counts for no job), and whether the bag is new.

        Raises:
            NoSuchJobError: The station has never had a job: its name is probably wrong.
            KeyReusedError: The reading id belongs to a bag with other values.
        """
        cursors = self._begin_transaction()
        with Session(self._engine) as session, session.begin():
            # Inside the transaction, so that two requests with one key cannot both find nothing.
            if known := _recorded(session, reading.reading_id):
                bag, job = known
                if (bag.weight, bag.unit, bag.scale_id, bag.station) != (
                    reading.weight,
                    reading.unit,
                    reading.scale_id,
                    station,
                ):
                    raise KeyReusedError('the reading id was used for another bag: make a new one for each bag')
                return bag, job, False
            if session.scalars(select(WeighJobRow.id).where(WeighJobRow.station == station).limit(1)).first() is None:
                raise NoSuchJobError(f'there is no station "{station}": it has never had a weigh job')
            job = self._job_at(session, station, reading)
            bag = self._add_bag(make_bag(reading, station, job, self._warn_share), deliver=False)
            self._flush(session, cursors, self._prepare())
        self._cursors = cursors
        return bag, job, True

    def catch_up(self) -> list[Bag]:
        """Make bags of all journal readings that have not been processed, oldest first, see `catch_up_page`."""
        bags: list[Bag] = []
        while (page := self.catch_up_page()) is not None:
            bags += page
        return bags

    def catch_up_page(self) -> list[Bag] | None:
        """Make bags of the oldest journal readings that have not been processed, in one short transaction.

        Another writer of the database gets its turn between two pages. The cursors are stored with each page, so a restart goes
        on behind the last one.

        Returns:
            The new bags; None when every reading had been processed.
        """
        readings = self._next_page()
        if not readings:
            return None
        bags = self._process_all(readings, GAP_S)
        self._page_size = min(PAGE, max(MIN_PAGE, int(len(readings) * HOLD_S / max(self._held_s, 0.001))))
        return bags

    def _process_all(self, readings: Iterable[WeightReading], gap_s: float = 0.0) -> list[Bag]:
        """Judge readings, then store their bags in one transaction; return the bags.

        Only the second part holds the write lock. The first needs none: no other process writes the rows that it depends on.

        Args:
            readings: Readings of one scale in order of sequence number.
            gap_s: Seconds after the last transaction during which the lock stays free for others.
        """
        bags: list[Bag] = []
        cursors = self._begin_transaction()
        with Session(self._read_only, autoflush=False) as session:
            # Messages carry no monotonic time; without it the reading would be compared with job
            # boundaries by UTC.
            readings = list(readings)
            fill_monotonic_stamps(session.connection(), (reading for reading in readings if is_bag(reading)))
            for reading in readings:
                if reading.sequence > cursors.get(reading.scale_id, 0):
                    bags += self._process_one(session, reading, cursors)
        rows = self._prepare()
        pause = self._page_ended + gap_s - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        with Session(self._engine) as session, session.begin():
            session.connection()
            started = time.monotonic()
            self._flush(session, cursors, rows)
        self._page_ended = time.monotonic()
        self._held_s = self._page_ended - started
        self._cursors = cursors
        return bags

    def _next_page(self) -> list[WeightReading]:
        """Return the oldest readings that have not been processed, in the order of weighing, without a write lock."""
        with Session(self._read_only) as session:
            connection = session.connection()
            lasts = last_sequences(connection)
            behind = [scale for scale, last in lasts.items() if last > self._cursors.get(scale, 0)]
            page = min(PAGE, self._page_size)
            size = max(page // max(1, len(behind)), MIN_READ)
            pages = [read_journal(connection, scale, self._cursors.get(scale, 0), limit=size) for scale in behind]
        return merge_by_time(pages, size)[:page]

    def _has_gap(self, readings: Iterable[WeightReading]) -> bool:
        """Whether readings are missing before one of these, by their sequence numbers."""
        last = dict(self._cursors)
        for reading in readings:
            if reading.sequence > last.get(reading.scale_id, 0) + 1:
                return True
            last[reading.scale_id] = max(reading.sequence, last.get(reading.scale_id, 0))
        return False

    def _process_one(self, session: Session, reading: WeightReading, cursors: dict[str, int]) -> list[Bag]:
        """Move the cursor past a reading and return its bag, if it makes one."""
        cursors[reading.scale_id] = reading.sequence
        if not is_bag(reading):
            return []
        station = self._stations.station_of(reading.scale_id, reading.received_ns)
        job = self._job_at(session, station, reading) if station else None
        bag = make_bag(reading, station, job, self._warn_share)
        bag.stands_for = self._stations.stands_for(reading.scale_id, reading.received_ns)
        return [self._add_bag(bag, deliver=self._deliver)]

    def _add_bag(self, bag: Bag, *, deliver: bool) -> Bag:
        self._new.append(bag)
        if deliver:
            self._deliveries.append(delivery_row(bag, self._clock()))
        return bag

    def _begin_transaction(self) -> dict[str, int]:
        """Discard the state of the last transaction, which may have failed, and return a copy of the cursors."""
        self._deliveries, self._new, self._jobs, self._changes, self._any_gaps = [], [], {}, {}, None
        return dict(self._cursors)

    def _job_at(self, session: Session, station: str, reading: WeightReading) -> WeighingJob | None:
        """Return the job that was active when a reading was taken; `_flush` stores its counts."""
        since, jobs = self._jobs.get(station, (None, []))
        if (
            since is None
            or not since.is_at_or_before(reading)
            or reading.received_ns < since.utc_ns
            or (since.stamp and since.stamp.boot_id != reading.boot_id)
        ):
            for row, job in jobs:
                self._change(row, job)
            rows = session.scalars(_unfinished_at(station, reading).order_by(WeighJobRow.id))
            jobs = [(row, self._with_gaps(session, job_of(row))) for row in rows]
            boundary = JobBoundary(reading.received_ns, MonotonicStamp(reading.boot_id, reading.monotonic_ns))
            self._jobs[station] = boundary, jobs
        return next((job for _, job in jobs if job.contains(reading)), None)

    def _with_gaps(self, session: Session, job: WeighingJob) -> WeighingJob:
        if self._any_gaps is None:  # most sites reopen no job
            self._any_gaps = session.scalars(select(ReopenRow.id).limit(1)).first() is not None
        return load_gaps(session, job) if self._any_gaps else job

    def _change(self, row: WeighJobRow, job: WeighingJob) -> None:
        """Copy the counts and the end of a job into its row, to be stored by `_flush`."""
        change = self._changes.setdefault(row.id, _JobChange(row))
        change.added += added_bags(row, job)
        change.ended |= row.finished_ns is None and not job.active
        write_counts(row, job)

    def _prepare(self) -> list[tuple[Bag, dict[str, object] | None]]:
        """Return the new bags, each with its row for the web application, and collect the changes of jobs."""
        for _, jobs in self._jobs.values():
            for row, job in jobs:
                self._change(row, job)
        timed = [(bag, utc_datetime(bag.weighed_ns)) for bag in self._new]
        return list(zip(self._new, self._application.prepare_bags(timed), strict=True))

    def _flush(
        self, session: Session, cursors: Mapping[str, int], rows: Sequence[tuple[Bag, dict[str, object] | None]]
    ) -> None:
        """Write the changes of the transaction: counts of jobs, bags, deliveries, and cursors."""
        stored_ns = self._clock()
        for delivery in self._deliveries:
            delivery.stored_ns = stored_ns
        session.add_all(self._deliveries)
        for job_id, change in self._changes.items():
            session.add(change.row)
            self._application.count(session, job_id, change.added, completed=change.ended)
        session.flush()
        if rows:
            self._insert_bags(session, rows)
        self._store_cursors(session, cursors)

    def _insert_bags(self, session: Session, new: Sequence[tuple[Bag, dict[str, object] | None]]) -> None:
        # One statement for all bags: an object for each costs three times the rest of its processing.
        counterparts = self._application.add_bags(session, [row for _, row in new])
        rows = [bag_values(bag, number) for (bag, _), number in zip(new, counterparts, strict=True)]
        if self._engine.dialect.name == 'sqlite':
            # The write lock covers the database, so numbers assigned here cannot collide; reading them back takes longer.
            first = (session.scalar(select(func.max(BagRow.id))) or 0) + 1
            ids: Sequence[int] = range(first, first + len(rows))
            numbered = [row | {'id': number} for row, number in zip(rows, ids, strict=True)]
            session.connection().execute(insert(BAG_TABLE), numbered)
        else:
            ids = session.scalars(insert(BagRow).returning(BagRow.id, sort_by_parameter_order=True), rows).all()
        for (bag, _), bag_id in zip(new, ids, strict=True):
            bag.bag_id = bag_id

    def _store_cursors(self, session: Session, cursors: Mapping[str, int]) -> None:
        # Statements for all scales: an object for each would be read first.
        moved = [
            {'scale': scale_id, 'to': sequence}
            for scale_id, sequence in cursors.items()
            if self._cursors.get(scale_id, sequence) != sequence
        ]
        if moved:
            matches = CURSOR_TABLE.c.scale_id == bindparam('scale')
            statement = update(CURSOR_TABLE).where(matches).values(sequence=bindparam('to'))
            session.connection().execute(statement, moved)
        session.add_all(
            CursorRow(scale_id=scale_id, sequence=sequence)
            for scale_id, sequence in cursors.items()
            if scale_id not in self._cursors
        )


@dataclass
class _JobChange:
    """Changed row of a job, and what the web application counts."""

    row: WeighJobRow
    added: int = 0
    ended: bool = False


def _recorded(session: Session, reading_id: str) -> tuple[Bag, WeighingJob | None] | None:
    row = session.scalars(select(BagRow).where(BagRow.reading_id == reading_id)).first()
    if row is None:
        return None
    job_row = session.get(WeighJobRow, row.prepuff_job_id) if row.prepuff_job_id else None
    job = job_of(job_row) if job_row else None
    return bag_of(row, job, voided=session.get(VoidRow, row.id) is not None), job


def _unfinished_at(station: str, reading: WeightReading) -> Select[tuple[WeighJobRow]]:
    """Select the jobs of a station that had not ended when a reading was taken."""
    later = (WeighJobRow.finished_boot.is_(None) & (WeighJobRow.finished_ns > reading.received_ns)) | (
        (WeighJobRow.finished_boot == reading.boot_id) & (WeighJobRow.finished_monotonic > reading.monotonic_ns)
    )
    return select(WeighJobRow).where(WeighJobRow.station == station, WeighJobRow.finished_ns.is_(None) | later)
