"""Weigh jobs in the database: start, end, reopen, void a bag.

Nothing is ever deleted or overwritten without a trace: voiding adds a row, reopening adds a row
with the old end.
"""

from __future__ import annotations

from cell_common.database import read_only
from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from cell_weighing.delivery.outbox import BagDelivery, read_delivery
from cell_weighing.domain.event_order import MonotonicStamp
from cell_weighing.domain.jobs import Bag, JobActiveError, JobRequest, WeighingJob, restore_bag, validate_reopen, void_bag
from cell_weighing.station.foreign_jobs import ApplicationSync
from cell_weighing.storage.rows import added_bags, bag_of, job_of, utc_datetime, write_counts
from cell_weighing.storage.tables import BagRow, ReopenRow, UndoneVoidRow, VoidRow, WeighJobRow
from cell_weighing.storage.web_application import WebApplicationTables

LATEST_BAGS = 20
# The page offers them as suggestions.
MOST_COMPANIES = 50
_BAGS = (
    select(BagRow, WeighJobRow, VoidRow.bag_id)
    .outerjoin(WeighJobRow, BagRow.prepuff_job_id == WeighJobRow.id)
    .outerjoin(VoidRow, VoidRow.bag_id == BagRow.id)
)


class NoSuchJobError(LookupError):
    """There is no active job at the station."""


class NoSuchBagError(LookupError):
    """There is no such bag, or it has been voided already."""


class WeighJobStore:
    """Weigh jobs of all stations, one transaction per call. Used by one thread.

    At most one job per station is active. The check and the insert are in one transaction, and one
    thread writes, so the database needs no constraint for it.
    """

    def __init__(self, engine: Engine, *, posts: bool = False) -> None:
        """Use an open, migrated database.

        Args:
            engine: The database.
            posts: Whether bags are posted to the web application.

        Raises:
            DatabaseError: The tables of the web application cannot be used.
        """
        self._engine = engine
        self._read_only = read_only(engine)
        self._application = WebApplicationTables(engine, posts=posts)
        self._sync = ApplicationSync(engine, self._application)

    def start_job(
        self, request: JobRequest, started_ns: int, started_by: str, stamp: MonotonicStamp | None = None
    ) -> WeighingJob:
        """Start a weigh job.

        Args:
            request: A validated request.
            started_ns: UTC, nanoseconds since 1970.
            started_by: Operator id, stored in at most 64 characters.
            stamp: The same moment on the clock that stamps readings; None = only UTC is known.

        Raises:
            JobActiveError: The station has an active job.
            JobError: The web application must know the company or the operator, and does not.
        """
        with Session(self._engine) as session, session.begin():
            if session.scalars(_active_at(request.station)).first():
                raise JobActiveError(f'station {request.station} has an active weigh job: end it first')
            job_id = self._application.add_job(session, request, utc_datetime(started_ns), started_by[:64])
            row = WeighJobRow(
                id=job_id,
                company=request.company,
                quantity=request.quantity,
                bags_good=0,
                bags_out=0,
                bags_numbered=0,
                station=request.station,
                target=str(request.band.target),
                unit=request.band.unit,
                tolerance=str(request.band.tolerance),
                tare=str(request.tare),
                bags_voided=0,
                started_by=started_by[:64],
                started_ns=started_ns,
            )
            row.started_boot, row.started_monotonic = stamp or (None, None)
            session.add(row)
            session.flush()
            return job_of(row)

    def end_job(
        self, station: str, reason: str, ended_ns: int, ended_by: str, stamp: MonotonicStamp | None = None
    ) -> WeighingJob:
        """End a station's active job before its quantity is reached.

        Args:
            station: Name of the station.
            reason: Stored with the job, at most 200 characters.
            ended_ns: UTC, nanoseconds since 1970.
            ended_by: Operator id, stored in at most 64 characters.
            stamp: As in `start_job`.

        Raises:
            NoSuchJobError: The station has no active job.
        """
        with Session(self._engine) as session, session.begin():
            row = session.scalars(_active_at(station)).first()
            if row is None:
                raise NoSuchJobError(f'station "{station}" has no active weigh job')
            row.finished_ns = ended_ns
            row.finished_boot, row.finished_monotonic = stamp or (None, None)
            row.ended_by, row.end_reason = ended_by[:64], reason[:200]
            self._application.set_state(session, row.id, 'completed', row.quantity)
            return job_of(row)

    def reopen_job(
        self,
        job_id: int,
        station: str,
        quantity: int,
        reason: str,
        reopened_ns: int,
        reopened_by: str,
        stamp: MonotonicStamp | None = None,
    ) -> WeighingJob:
        """Make a completed job active again; its bags keep their numbers.

        Args:
            job_id: The job; 0 = the latest job of the station.
            station: Used when `job_id` is 0.
            quantity: New number of bags; 0 = unchanged.
            reason: Stored with the record.
            reopened_ns: UTC, nanoseconds: bags count for the job again from this moment.
            reopened_by: Operator id.
            stamp: As in `start_job`.

        Raises:
            NoSuchJobError: There is no such job.
            JobActiveError: The job is active, or its station has another active job.
            JobError: The job has as many bags already.
        """
        latest = select(WeighJobRow).where(WeighJobRow.station == station).order_by(WeighJobRow.id.desc()).limit(1)
        with Session(self._engine) as session, session.begin():
            row = session.get(WeighJobRow, job_id) if job_id else session.scalars(latest).first()
            if row is None:
                raise NoSuchJobError(
                    f'there is no weigh job {job_id}' if job_id else f'station "{station}" has had no weigh job'
                )
            other = session.scalars(_active_at(row.station)).first()
            new_quantity = validate_reopen(job_of(row), quantity, job_of(other) if other else None)
            session.add(
                ReopenRow(
                    prepuff_job_id=row.id,
                    ended_ns=row.finished_ns,
                    reopened_ns=reopened_ns,
                    reopened_by=reopened_by[:64],
                    reason=reason[:200],
                    quantity_before=row.quantity,
                    quantity=new_quantity,
                    ended_boot=row.finished_boot,
                    ended_monotonic=row.finished_monotonic,
                    reopened_boot=stamp and stamp.boot_id,
                    reopened_monotonic=stamp and stamp.monotonic_ns,
                )
            )
            row.finished_boot = row.finished_monotonic = None
            # The old end is kept in the ReopenRow: bags of the gap still belong to no job.
            row.finished_ns, row.quantity, row.ended_by, row.end_reason = None, new_quantity, '', ''
            self._application.set_state(session, row.id, 'active', new_quantity)
            return job_of(row)

    def void_bag(self, bag_id: int, reason: str, voided_ns: int, voided_by: str) -> Bag:
        """Void a bag: a compensating record is added, and the bag no longer counts.

        Args:
            bag_id: Number of the bag record.
            reason: Stored with the record, at most 200 characters.
            voided_ns: UTC, nanoseconds since 1970.
            voided_by: Operator id, stored in at most 64 characters.

        Raises:
            NoSuchBagError: There is no such bag, or it is voided already.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(BagRow, bag_id)
            if row is None:
                raise NoSuchBagError(f'there is no bag {bag_id}')
            if session.get(VoidRow, bag_id) is not None:
                raise NoSuchBagError(f'bag {bag_id} is voided already')
            job_row = session.get(WeighJobRow, row.prepuff_job_id) if row.prepuff_job_id else None
            job = job_of(job_row) if job_row else None
            bag = bag_of(row, job, voided=False)
            void_bag(bag, job)
            if job_row and job:
                self._write_counts(session, job_row, job)
            session.add(VoidRow(bag_id=bag_id, voided_ns=voided_ns, voided_by=voided_by[:64], reason=reason[:200]))
            return bag

    def undo_void(self, bag_id: int, reason: str, undone_ns: int, undone_by: str) -> Bag:
        """Take back the voiding of a bag: it counts again as it was judged, and both records stay.

        Args:
            bag_id: Number of the bag record.
            reason: Stored with the record, at most 200 characters.
            undone_ns: UTC, nanoseconds since 1970. An active job that the bag completes ends now.
            undone_by: Operator id, stored in at most 64 characters.

        Raises:
            NoSuchBagError: There is no such bag, or it is not voided.
        """
        with Session(self._engine) as session, session.begin():
            row, void = session.get(BagRow, bag_id), session.get(VoidRow, bag_id)
            if row is None or void is None:
                raise NoSuchBagError(f'there is no bag {bag_id}' if row is None else f'bag {bag_id} is not voided')
            job_row = session.get(WeighJobRow, row.prepuff_job_id) if row.prepuff_job_id else None
            job = job_of(job_row) if job_row else None
            bag = bag_of(row, job, voided=True)
            restore_bag(bag, job, undone_ns)
            if job_row and job:
                self._write_counts(session, job_row, job)
            session.add(
                UndoneVoidRow(
                    bag_id=bag_id,
                    voided_ns=void.voided_ns,
                    voided_by=void.voided_by,
                    void_reason=void.reason,
                    undone_ns=undone_ns,
                    undone_by=undone_by[:64],
                    reason=reason[:200],
                )
            )
            session.delete(void)
            return bag

    def bag_delivery(self, bag_id: int) -> tuple[Bag, BagDelivery | None]:
        """Return a bag and the progress of its delivery; None = it is not for the web application.

        Args:
            bag_id: Number of the bag record.

        Raises:
            NoSuchBagError: There is no such bag.
        """
        bags = self._bags(_BAGS.where(BagRow.id == bag_id))
        if not bags:
            raise NoSuchBagError(f'there is no bag {bag_id}')
        return bags[0], read_delivery(self._read_only, bags[0].reading_id)

    def companies(self) -> list[str]:
        """Return the companies of the latest jobs, the latest first, then others of the web application."""
        query = select(WeighJobRow.company).group_by(WeighJobRow.company).order_by(func.max(WeighJobRow.id).desc())
        with Session(self._read_only) as session:
            used = session.scalars(query.limit(MOST_COMPANIES))
            known = self._application.company_names(session, MOST_COMPANIES)
            return list(dict.fromkeys([*filter(None, used), *known]))[:MOST_COMPANIES]

    def adopt_jobs(self, now_ns: int) -> int:
        """Take over jobs and bags that the web application wrote; return the number of changes."""
        return self._sync.adopt(now_ns)

    @property
    def conflicts(self) -> list[str]:
        """Jobs of the web application that cannot be taken over, each with the reason."""
        return self._sync.conflicts

    def _write_counts(self, session: Session, row: WeighJobRow, job: WeighingJob) -> None:
        """Store the counts and the end of a job, in the row of the web application as well."""
        added = added_bags(row, job)
        ended = row.finished_ns is None and not job.active
        write_counts(row, job)
        self._application.count(session, row.id, added, completed=ended)

    def current_jobs(self, stations: list[str]) -> list[WeighingJob]:
        """Return each station's active job, or its latest one, in the order of `stations`.

        Args:
            stations: Names; a station without a job is left out.
        """
        with Session(self._read_only) as session:
            rows = [
                session.scalars(
                    select(WeighJobRow)
                    .where(WeighJobRow.station == station)
                    # A reopened job is older than the latest one, and still comes first.
                    .order_by(WeighJobRow.finished_ns.is_not(None), WeighJobRow.id.desc())
                    .limit(1)
                ).first()
                for station in stations
            ]
            return [job_of(row) for row in rows if row]

    def latest_bags(self, limit: int = LATEST_BAGS) -> list[Bag]:
        """Return the latest bags, newest first."""
        return self._bags(_BAGS.order_by(BagRow.id.desc()).limit(limit))

    def latest_bag_id(self) -> int:
        """Return the id of the latest bag; 0 = none."""
        with Session(self._read_only) as session:
            return session.scalar(select(func.max(BagRow.id))) or 0

    def bags_after(self, bag_id: int, limit: int) -> list[Bag]:
        """Return at most `limit` bags behind an id, in the order in which they were stored."""
        return self._bags(_BAGS.where(BagRow.id > bag_id).order_by(BagRow.id).limit(limit))

    def _bags(self, query: Select[tuple[BagRow, WeighJobRow, int]]) -> list[Bag]:
        with Session(self._read_only) as session:
            return [
                bag_of(bag, job_of(job) if job else None, voided=voided is not None)
                for bag, job, voided in session.execute(query)
            ]

    def bags_of_active_jobs(self) -> list[Bag]:
        """Return all bags of the active jobs in the order in which they were stored."""
        with Session(self._read_only) as session:
            rows = session.execute(
                select(BagRow, WeighJobRow)
                .join(WeighJobRow, BagRow.prepuff_job_id == WeighJobRow.id)
                .where(WeighJobRow.finished_ns.is_(None))
                .order_by(BagRow.id)
            ).all()
            jobs = {row.id: job_of(row) for _, row in rows}
            return [bag_of(bag, jobs[row.id], voided=False) for bag, row in rows]


def _active_at(station: str) -> Select[tuple[WeighJobRow]]:
    return select(WeighJobRow).where(WeighJobRow.station == station, WeighJobRow.finished_ns.is_(None))
