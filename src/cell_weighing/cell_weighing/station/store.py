"""Weigh jobs and bags in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from decimal import Decimal

from cell_common.database import read_only
from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from cell_weighing.delivery.outbox import delivery_row
from cell_weighing.domain.event_order import Edge, Moment, oldest_first
from cell_weighing.domain.jobs import Bag, Job, JobActiveError, JobOrder, check_reopening, is_bag, take_back, weigh
from cell_weighing.domain.reading import Reading, Stability
from cell_weighing.domain.station_map import Stations
from cell_weighing.domain.tolerance import Band, Outcome, Zone
from cell_weighing.storage.journal_reader import find_moments, last_sequences, read_journal
from cell_weighing.storage.tables import BagRow, CommandRow, CompanyRow, CursorRow, DeliveryRow, JobRow, ReopenRow, VoidRow

LATEST_BAGS = 20
PAGE = 500


class NoSuchJobError(LookupError):
    """There is no active job at the station."""


class NoSuchBagError(LookupError):
    """There is no such bag, or it has been voided already."""


class WeighStore:
    """Jobs, bags and how far the journal has been worked through. Used by one thread."""

    def __init__(
        self,
        engine: Engine,
        stations: Stations,
        clock: Callable[[], int],
        *,
        warn_share: Decimal = Decimal(1),
        deliver: bool = False,
    ) -> None:
        """Read the cursors.

        Args:
            engine: The open, migrated database.
            stations: Which scale weighs for which station.
            clock: UTC, nanoseconds.
            warn_share: Share of the tolerance beyond which a bag in tolerance is in a warning zone.
            deliver: Put each bag into the outbox to the web application.
        """
        self._engine = engine
        self._reading = read_only(engine)
        self._stations = stations
        self._clock = clock
        self._warn_share = warn_share
        self._deliver = deliver
        self._parcels: list[DeliveryRow] = []
        self._new: list[tuple[Bag, BagRow]] = []
        self._jobs: dict[str, tuple[Edge, list[tuple[JobRow, Job]]]] = {}
        """By station: its jobs that ended after an edge; like the two before it, of the transaction under way."""
        with Session(engine) as session:
            self._cursors = {row.scale_id: row.sequence for row in session.scalars(select(CursorRow))}
            self._seen = session.scalar(select(func.max(BagRow.id))) or 0
        self._own: set[int] = set()
        """Bags of ours with ids above `_seen`."""

    def process(self, readings: Iterable[Reading]) -> list[Bag]:
        """Make bags of readings as they came by topic; each reading counts once, however often it comes.

        A gap in a scale's consecutive numbers is filled from the journal.
        """
        bags: list[Bag] = []
        cursors = self._begin()
        new = [reading for reading in readings if reading.sequence > cursors.get(reading.scale_id, 0)]
        with Session(self._engine) as session, session.begin():
            find_moments(session.connection(), (reading for reading in new if is_bag(reading)))
            for reading in new:
                done = cursors.get(reading.scale_id, 0)
                if reading.sequence <= done:
                    continue
                if reading.sequence > done + 1:
                    bags += self._catch_up(session, reading.scale_id, cursors, reading.sequence - 1)
                bags += self._take(session, reading, cursors)
            self._store(session, cursors)
        self._stored(cursors)
        return bags

    def record(self, reading: Reading, station: str) -> tuple[Bag, Job | None]:
        """Make the bag of a reading that came by itself, not through the journal, with the station that it is for.

        A reading that has its bag already gets the same again and is not counted twice.

        Args:
            reading: One for which `is_bag` holds; its consecutive number is not used.
            station: One that has or had a weigh job.

        Raises:
            NoSuchJobError: The station has never had a job: its name is probably wrong.
        """
        cursors = self._begin()
        with Session(self._engine) as session, session.begin():
            row = session.scalars(select(BagRow).where(BagRow.reading_id == reading.reading_id)).first()
            if row is not None:
                job_row = session.get(JobRow, row.prepuff_job_id) if row.prepuff_job_id else None
                known = job_of(session, job_row) if job_row else None
                return bag_of(row, known, voided=session.get(VoidRow, row.id) is not None), known
            if session.scalars(select(JobRow.id).where(JobRow.station == station).limit(1)).first() is None:
                raise NoSuchJobError(f'there is no station "{station}": it has never had a weigh job')
            job = self._job_of(session, station, reading)
            bag = self._keep(session, weigh(reading, station, job, self._warn_share))
            self._store(session, cursors)
        self._stored(cursors)
        return bag, job

    def catch_up(self) -> list[Bag]:
        """Make bags of what stands in the journal and has not been worked through, oldest first.

        Returns:
            These bags, and those that others have recorded in the database since the last call.
        """
        return self._work_off() + self._from_elsewhere()

    def _work_off(self) -> list[Bag]:
        bags: list[Bag] = []
        with Session(self._reading) as session:
            lasts = last_sequences(session.connection())
        behind = [scale for scale, last in lasts.items() if last > self._cursors.get(scale, 0)]
        if not behind:
            return bags
        cursors = self._begin()
        with Session(self._engine) as session, session.begin():
            while page := self._oldest(session, behind, cursors):
                for reading in page:
                    bags += self._take(session, reading, cursors)
            self._store(session, cursors)
        self._stored(cursors)
        return bags

    def _from_elsewhere(self) -> list[Bag]:
        """Return the bags of other processes, such as the gateway's API, that are new."""
        with Session(self._reading) as session:
            new = set(session.scalars(select(BagRow.id).where(BagRow.id > self._seen)))
            rows = (
                session.execute(
                    select(BagRow, JobRow)
                    .outerjoin(JobRow, BagRow.prepuff_job_id == JobRow.id)
                    .where(BagRow.id.in_(new - self._own))
                    .order_by(BagRow.id)
                )
                if new - self._own
                else ()
            )
            bags = [bag_of(bag, job_of(session, job) if job else None, voided=False) for bag, job in rows]
        self._seen, self._own = max(new, default=self._seen), set()
        return bags

    def _oldest(self, session: Session, scales: list[str], cursors: Mapping[str, int]) -> list[Reading]:
        """Return the oldest readings of several scales in the order in which they were taken, as far as that is certain."""
        pages = [read_journal(session.connection(), scale, cursors.get(scale, 0), limit=PAGE) for scale in scales]
        return oldest_first(pages, PAGE)

    def _catch_up(self, session: Session, scale_id: str, cursors: dict[str, int], last: int) -> list[Bag]:
        bags: list[Bag] = []
        while page := read_journal(session.connection(), scale_id, cursors.get(scale_id, 0), last, PAGE):
            for reading in page:
                bags += self._take(session, reading, cursors)
        return bags

    def _take(self, session: Session, reading: Reading, cursors: dict[str, int]) -> list[Bag]:
        cursors[reading.scale_id] = reading.sequence
        if not is_bag(reading):
            return []
        station = self._stations.of(reading.scale_id, reading.received_ns)
        job = self._job_of(session, station, reading) if station else None
        return [self._keep(session, weigh(reading, station, job, self._warn_share))]

    def _keep(self, session: Session, bag: Bag) -> Bag:
        row = _bag_row(bag)
        session.add(row)
        self._new.append((bag, row))
        if self._deliver:
            parcel = delivery_row(bag, self._clock())
            self._parcels.append(parcel)
            session.add(parcel)
        return bag

    def _begin(self) -> dict[str, int]:
        """Forget the last transaction, which may have failed, and return the cursors to work with."""
        self._parcels, self._new, self._jobs = [], [], {}
        return dict(self._cursors)

    def _job_of(self, session: Session, station: str, reading: Reading) -> Job | None:
        """Return the job that was active when a reading was taken; its counts are stored at the end of the transaction."""
        since, jobs = self._jobs.get(station, (None, []))
        if (
            since is None
            or not since.passed(reading)
            or reading.received_ns < since.utc_ns
            or (since.moment and since.moment.boot_id != reading.boot_id)
        ):
            for row, job in jobs:
                _store_counts(row, job)
            rows = session.scalars(_unfinished_at(station, reading).order_by(JobRow.id).with_for_update())
            jobs = [(row, _with_gaps(session, job_of(session, row))) for row in rows]
            self._jobs[station] = Edge(reading.received_ns, Moment(reading.boot_id, reading.monotonic_ns)), jobs
        return next((job for _, job in jobs if job.covers(reading)), None)

    def _store(self, session: Session, cursors: Mapping[str, int]) -> None:
        """Bring what the transaction has changed into the database."""
        stored_ns = self._clock()
        for parcel in self._parcels:
            parcel.stored_ns = stored_ns
        for _, jobs in self._jobs.values():
            for row, job in jobs:
                _store_counts(row, job)
        session.flush()
        for bag, bag_row in self._new:
            bag.bag_id = bag_row.id
        for scale_id, sequence in cursors.items():
            if self._cursors.get(scale_id) != sequence:
                session.merge(CursorRow(scale_id=scale_id, sequence=sequence))

    def _stored(self, cursors: dict[str, int]) -> None:
        """Note that the transaction has worked."""
        self._cursors = cursors
        self._own.update(bag.bag_id for bag, _ in self._new)

    def start_job(self, order: JobOrder, started_ns: int, started_by: str, moment: Moment | None = None) -> Job:
        """Start a job at a moment, by the clock that stamps the readings; None = only the time is known.

        Raises:
            JobActiveError: The station has an active one.
        """
        with Session(self._engine) as session, session.begin():
            if session.scalars(_active_at(order.station)).first():
                raise JobActiveError(f'station {order.station} has an active weigh job: end it first')
            company = session.scalars(select(CompanyRow).where(CompanyRow.name == order.company)).first()
            if company is None:
                company = CompanyRow(name=order.company)
                session.add(company)
                session.flush()
            row = JobRow(
                prepuff_company_id=company.id,
                target_weight=order.band.target,
                quantity=order.quantity,
                bags_completed=0,
                bags_out=0,
                bags_numbered=0,
                station=order.station,
                status='active',
                started_at=_datetime(started_ns),
                target=str(order.band.target),
                unit=order.band.unit,
                tolerance=str(order.band.tolerance),
                tare=str(order.tare),
                bags_voided=0,
                started_by=started_by[:64],
                started_ns=started_ns,
            )
            row.started_boot, row.started_monotonic = moment or (None, None)
            session.add(row)
            session.flush()
            return job_of(session, row)

    def end_job(self, station: str, reason: str, ended_ns: int, ended_by: str, moment: Moment | None = None) -> Job:
        """End a station's active job before its quantity is reached.

        Raises:
            NoSuchJobError: There is none.
        """
        with Session(self._engine) as session, session.begin():
            row = session.scalars(_active_at(station)).first()
            if row is None:
                raise NoSuchJobError(f'station "{station}" has no active weigh job')
            row.status, row.finished_ns = 'completed', ended_ns
            row.finished_boot, row.finished_monotonic = moment or (None, None)
            row.ended_by, row.end_reason = ended_by[:64], reason[:200]
            return job_of(session, row)

    def reopen_job(
        self,
        job_id: int,
        station: str,
        quantity: int,
        reason: str,
        reopened_ns: int,
        reopened_by: str,
        moment: Moment | None = None,
    ) -> Job:
        """Make a completed job active again; its bags and their numbers stay.

        Args:
            job_id: The job; 0 = the latest of the station.
            station: Used when `job_id` is 0.
            quantity: New number of bags; 0 = as it was.
            reason: For the record.
            reopened_ns: From when on bags count for it again.
            reopened_by: Who says so.
            moment: As in `start_job`.

        Raises:
            NoSuchJobError: There is none.
            JobActiveError: It is active, or its station has another active one.
            JobError: It has as many bags already.
        """
        latest = select(JobRow).where(JobRow.station == station).order_by(JobRow.id.desc()).limit(1)
        with Session(self._engine) as session, session.begin():
            row = session.get(JobRow, job_id) if job_id else session.scalars(latest).first()
            if row is None:
                raise NoSuchJobError(
                    f'there is no weigh job {job_id}' if job_id else f'station "{station}" has had no weigh job'
                )
            other = session.scalars(_active_at(row.station)).first()
            wanted = check_reopening(job_of(session, row), quantity, job_of(session, other) if other else None)
            session.add(
                ReopenRow(
                    prepuff_job_id=row.id,
                    ended_ns=row.finished_ns,
                    reopened_ns=reopened_ns,
                    reopened_by=reopened_by[:64],
                    reason=reason[:200],
                    quantity_before=row.quantity,
                    quantity=wanted,
                    ended_boot=row.finished_boot,
                    ended_monotonic=row.finished_monotonic,
                    reopened_boot=moment and moment.boot_id,
                    reopened_monotonic=moment and moment.monotonic_ns,
                )
            )
            row.finished_boot = row.finished_monotonic = None
            row.status, row.finished_ns, row.quantity, row.ended_by, row.end_reason = 'active', None, wanted, '', ''
            return job_of(session, row)

    def void_bag(self, bag_id: int, reason: str, voided_ns: int, voided_by: str) -> Bag:
        """Take a bag back: a record is added, the bag itself stays as it is, and no longer counts.

        Raises:
            NoSuchBagError: There is no such bag, or it is voided already.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(BagRow, bag_id)
            if row is None:
                raise NoSuchBagError(f'there is no bag {bag_id}')
            if session.get(VoidRow, bag_id) is not None:
                raise NoSuchBagError(f'bag {bag_id} is voided already')
            job_row = session.get(JobRow, row.prepuff_job_id) if row.prepuff_job_id else None
            job = job_of(session, job_row) if job_row else None
            bag = bag_of(row, job, voided=False)
            take_back(bag, job)
            if job_row and job:
                _store_counts(job_row, job)
            session.add(VoidRow(bag_id=bag_id, voided_ns=voided_ns, voided_by=voided_by[:64], reason=reason[:200]))
            return bag

    def jobs(self) -> list[Job]:
        """Return the active job of each station, or its last one, in order of station."""
        with Session(self._reading) as session:
            newest: dict[str, Job] = {}
            for station in self._stations.names:
                row = session.scalars(
                    select(JobRow).where(JobRow.station == station).order_by(JobRow.status, JobRow.id.desc()).limit(1)
                ).first()
                if row:
                    newest[station] = job_of(session, row)
            return list(newest.values())

    def latest_bags(self, limit: int = LATEST_BAGS) -> list[Bag]:
        """Return the latest bags, newest first."""
        with Session(self._reading) as session:
            rows = session.execute(
                select(BagRow, JobRow, VoidRow.bag_id)
                .outerjoin(JobRow, BagRow.prepuff_job_id == JobRow.id)
                .outerjoin(VoidRow, VoidRow.bag_id == BagRow.id)
                .order_by(BagRow.id.desc())
                .limit(limit)
            )
            return [bag_of(bag, job_of(session, job) if job else None, voided=voided is not None) for bag, job, voided in rows]

    def bags_of_active_jobs(self) -> list[Bag]:
        """Return all bags of the jobs that are active, in the order in which they were stored."""
        with Session(self._reading) as session:
            rows = session.execute(
                select(BagRow, JobRow)
                .join(JobRow, BagRow.prepuff_job_id == JobRow.id)
                .where(JobRow.status == 'active')
                .order_by(BagRow.id)
            ).all()
            jobs = {row.id: job_of(session, row) for _, row in rows}
            return [bag_of(bag, jobs[row.id], voided=False) for bag, row in rows]

    def audit(self, command: CommandRow) -> None:
        """Keep who commanded what, when, and with what result."""
        with Session(self._engine) as session, session.begin():
            session.add(command)


def _active_at(station: str) -> Select[tuple[JobRow]]:
    return select(JobRow).where(JobRow.station == station, JobRow.status == 'active')


def _unfinished_at(station: str, reading: Reading) -> Select[tuple[JobRow]]:
    """Choose the jobs of a station that had not ended when a reading was taken."""
    later = (JobRow.finished_boot.is_(None) & (JobRow.finished_ns > reading.received_ns)) | (
        (JobRow.finished_boot == reading.boot_id) & (JobRow.finished_monotonic > reading.monotonic_ns)
    )
    return select(JobRow).where(JobRow.station == station, JobRow.finished_ns.is_(None) | later)


def job_of(session: Session, row: JobRow) -> Job:
    """Return the job of a row."""
    company = session.get(CompanyRow, row.prepuff_company_id)
    band = Band(Decimal(row.target), row.unit, Decimal(row.tolerance))
    return Job(
        row.id,
        company.name if company else '',
        row.station,
        band,
        row.quantity,
        row.started_ns,
        row.started_by,
        row.finished_ns,
        row.bags_completed,
        row.bags_out,
        row.bags_numbered,
        Decimal(row.tare),
        row.bags_voided,
        _moment(row.started_boot, row.started_monotonic),
        _moment(row.finished_boot, row.finished_monotonic),
    )


def _with_gaps(session: Session, job: Job) -> Job:
    rows = session.scalars(select(ReopenRow).where(ReopenRow.prepuff_job_id == job.job_id))
    job.gaps = [
        (
            Edge(row.ended_ns, _moment(row.ended_boot, row.ended_monotonic)),
            Edge(row.reopened_ns, _moment(row.reopened_boot, row.reopened_monotonic)),
        )
        for row in rows
    ]
    return job


def _moment(boot_id: str | None, monotonic_ns: int | None) -> Moment | None:
    return None if boot_id is None or monotonic_ns is None else Moment(boot_id, monotonic_ns)


def _store_counts(row: JobRow, job: Job) -> None:
    row.bags_completed, row.bags_out, row.bags_numbered = job.bags_completed, job.bags_out, job.bags_numbered
    row.finished_ns, row.bags_voided = job.finished_ns, job.bags_voided
    row.finished_boot, row.finished_monotonic = job.finished or (None, None)
    if not job.active:
        row.status = 'completed'


def _bag_row(bag: Bag) -> BagRow:
    return BagRow(
        prepuff_job_id=bag.job_id or None,
        weight=Decimal(bag.weight),
        unit=bag.unit,
        scale_id=bag.scale_id,
        in_tolerance=bag.outcome is Outcome.IN_TOLERANCE,
        weighed_at=_datetime(bag.weighed_ns),
        reading_id=bag.reading_id,
        weight_exact=bag.weight,
        station=bag.station,
        bag_number=bag.number,
        outcome=int(bag.outcome),
        weighed_ns=bag.weighed_ns,
        stability=int(bag.stability),
        message=bag.message[:200],
        zone=int(bag.zone),
        net_weight=bag.net_weight,
    )


def bag_of(row: BagRow, job: Job | None, *, voided: bool) -> Bag:
    """Return the bag of a row."""
    return Bag(
        row.reading_id,
        row.scale_id,
        row.station,
        row.weight_exact,
        row.unit,
        row.weighed_ns,
        Outcome(row.outcome),
        Stability(row.stability),
        row.prepuff_job_id or 0,
        row.bag_number,
        str(job.band.target) if job else '',
        job.band.unit if job else '',
        row.message,
        voided,
        row.id,
        Zone(row.zone),
        row.net_weight,
    )


def _datetime(nanoseconds: int) -> datetime:
    """Return UTC without a time zone, as a DATETIME column holds it."""
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc).replace(tzinfo=None)
