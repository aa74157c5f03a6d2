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
from cell_weighing.storage.rows import bag_of, bag_values, job_of, load_gaps, utc_datetime
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
HOLD_S = 0.25
"""Wanted duration of one transaction of a catch-up, seconds. Other writers wait for the lock meanwhile."""
MIN_READ = 20
"""Smallest number of readings that are read of one scale for a page."""
GAP_S = 0.11
"""Seconds between two of these transactions. A writer that has waited for 0.2 s looks for the lock every 100 ms only (SQLite's
`sqliteDefaultBusyCallback`), so it may miss each shorter gap. With this gap it waits for `HOLD_S` and one gap at most."""


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
        self._page_ended = 0.0
        self._page_size = FIRST_PAGE
        # State of the transaction in progress, reset by _begin_transaction.
        self._deliveries: list[DeliveryRow] = []
        self._new: list[Bag] = []
        self._jobs: dict[str, tuple[JobBoundary, list[tuple[WeighJobRow, WeighingJob]]]] = {}
        """By station: a boundary, and the jobs that had not ended at that boundary."""
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
        cursors = self._begin_transaction()
        with Session(self._engine) as session, session.begin():
            # Messages carry no monotonic time; without it the reading would be compared with job
            # boundaries by UTC.
            fill_monotonic_stamps(session.connection(), (reading for reading in new if is_bag(reading)))
            for reading in new:
                done = cursors.get(reading.scale_id, 0)
                if reading.sequence <= done:
                    continue
                bags += self._process_one(session, reading, cursors)
            self._flush(session, cursors)
        self._cursors = cursors
        return bags

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
            bag = self._add_bag(session, make_bag(reading, station, job, self._warn_share), deliver=False)
            self._flush(session, cursors)
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
        # Outside the transaction: the lock must be free during the pause.
        pause = self._page_ended + GAP_S - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        bags: list[Bag] = []
        started = time.monotonic()
        cursors = self._begin_transaction()
        with Session(self._engine) as session, session.begin():
            for reading in readings:
                bags += self._process_one(session, reading, cursors)
            self._flush(session, cursors)
        self._cursors = cursors
        self._page_ended = time.monotonic()
        self._page_size = min(PAGE, max(MIN_PAGE, int(len(readings) * HOLD_S / max(self._page_ended - started, 0.001))))
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
        return [self._add_bag(session, bag, deliver=self._deliver)]

    def _add_bag(self, session: Session, bag: Bag, *, deliver: bool) -> Bag:
        self._new.append(bag)
        if deliver:
            delivery = delivery_row(bag, self._clock())
            self._deliveries.append(delivery)
            session.add(delivery)
        return bag

    def _begin_transaction(self) -> dict[str, int]:
        """Discard the state of the last transaction, which may have failed, and return a copy of the cursors."""
        self._deliveries, self._new, self._jobs, self._any_gaps = [], [], {}, None
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
                self._write_counts(session, row, job)
            # FOR UPDATE keeps a database server from letting another writer change the counts;
            # SQLite ignores it, since its write lock covers the database.
            rows = session.scalars(_unfinished_at(station, reading).order_by(WeighJobRow.id).with_for_update())
            jobs = [(row, self._with_gaps(session, job_of(row))) for row in rows]
            boundary = JobBoundary(reading.received_ns, MonotonicStamp(reading.boot_id, reading.monotonic_ns))
            self._jobs[station] = boundary, jobs
        return next((job for _, job in jobs if job.contains(reading)), None)

    def _with_gaps(self, session: Session, job: WeighingJob) -> WeighingJob:
        if self._any_gaps is None:  # most sites reopen no job
            self._any_gaps = session.scalars(select(ReopenRow.id).limit(1)).first() is not None
        return load_gaps(session, job) if self._any_gaps else job

    def _flush(self, session: Session, cursors: Mapping[str, int]) -> None:
        """Write the changes of the transaction: counts of jobs, ids of bags, and cursors."""
        stored_ns = self._clock()
        for delivery in self._deliveries:
            delivery.stored_ns = stored_ns
        for _, jobs in self._jobs.values():
            for row, job in jobs:
                self._write_counts(session, row, job)
        session.flush()
        if self._new:
            self._insert_bags(session)
        self._store_cursors(session, cursors)

    def _insert_bags(self, session: Session) -> None:
        # One statement for all bags: an object for each costs three times the rest of its processing.
        times = [utc_datetime(bag.weighed_ns) for bag in self._new]
        rows = list(map(bag_values, self._new, self._application.add_bags(session, self._new, times)))
        if self._engine.dialect.name == 'sqlite':
            # The write lock covers the database, so numbers assigned here cannot collide; reading them back takes longer.
            first = (session.scalar(select(func.max(BagRow.id))) or 0) + 1
            ids: Sequence[int] = range(first, first + len(rows))
            session.connection().execute(
                insert(BAG_TABLE), [row | {'id': number} for row, number in zip(rows, ids, strict=True)]
            )
        else:
            ids = session.scalars(insert(BagRow).returning(BagRow.id, sort_by_parameter_order=True), rows).all()
        for bag, bag_id in zip(self._new, ids, strict=True):
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
