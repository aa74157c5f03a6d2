"""Read-only access to the weighing tables for other packages.

The tables belong to weigh_station and scale_bridge. Reports and checks read them through this module, on a connection that
cannot write. The nodes may work on the database at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cell_common.database import DatabaseError
from sqlalchemy import Engine, create_engine, event, func, outerjoin, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from cell_weighing.delivery.outbox import Outbox, OutboxCounts
from cell_weighing.reports import BagTotals, JobReport, bag_totals
from cell_weighing.reports.report import Voided
from cell_weighing.station.job_store import NoSuchJobError
from cell_weighing.storage.rows import bag_of, job_of
from cell_weighing.storage.tables import BagRow, CursorRow, VoidRow, WeighJobRow, WeightReadingRow

if TYPE_CHECKING:
    from sqlite3 import Connection as SqliteConnection

    from sqlalchemy import Connection

__all__ = [
    'JournalBacklog',
    'NoSuchJobError',
    'OutboxCounts',
    'open_reader',
    'read_backlog',
    'read_bag_totals',
    'read_job_report',
    'read_outbox_counts',
]


MOST_JOBS = 200


def open_reader(url: str) -> Engine:
    """Open a database for reading only; nothing is read before the first query.

    Args:
        url: SQLAlchemy URL.

    Raises:
        DatabaseError: The text is not a URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError('database_url is not a database URL; example: sqlite:////var/lib/cell/cell.db') from error
    if parsed.get_backend_name() != 'sqlite':
        return create_engine(parsed, pool_pre_ping=True, execution_options={'postgresql_readonly': True})
    # mode=ro: the connection cannot write and does not create a database that is missing.
    engine = create_engine(f'sqlite:///file:{parsed.database}?mode=ro&uri=true', connect_args={'check_same_thread': False})

    @event.listens_for(engine, 'connect')
    def prepare(connection: SqliteConnection, _record: object) -> None:
        # Python's sqlite3 begins transactions only before a write; the listener below begins them
        # itself.
        connection.isolation_level = None

    @event.listens_for(engine, 'begin')
    def begin(connection: Connection) -> None:
        # One snapshot of the database for all queries of a report.
        connection.exec_driver_sql('BEGIN')

    return engine


def read_job_report(engine: Engine, job_id: int) -> JobReport:
    """Return a weigh job with its bags.

    Args:
        engine: From `open_reader`.
        job_id: Number of the weigh job.

    Raises:
        NoSuchJobError: There is no such job.
        SQLAlchemyError: The database cannot be read, or has no weighing tables yet.
    """
    with Session(engine) as session:
        row = session.get(WeighJobRow, job_id)
        if row is None:
            raise NoSuchJobError(f'there is no weigh job {job_id}')
        job = job_of(row)
        rows = session.execute(
            select(BagRow, VoidRow)
            .outerjoin(VoidRow, VoidRow.bag_id == BagRow.id)
            .where(BagRow.prepuff_job_id == job_id)
            .order_by(BagRow.bag_number)
        ).all()
        bags = [bag_of(bag, job, voided=void is not None) for bag, void in rows]
        voided = {void.bag_id: Voided(void.voided_by, void.reason) for _, void in rows if void}
        return JobReport(job, bags, voided, row.ended_by, row.end_reason)


def read_bag_totals(engine: Engine, since_ns: int, until_ns: int) -> list[BagTotals]:
    """Return the bags of a time by weigh job, at most MOST_JOBS of them.

    Args:
        engine: From `open_reader`.
        since_ns: First moment, UTC nanoseconds.
        until_ns: Moment after the last one.

    Raises:
        SQLAlchemyError: The database cannot be read, or has no weighing tables yet.
    """
    in_time = BagRow.prepuff_job_id.is_not(None) & (BagRow.weighed_ns >= since_ns) & (BagRow.weighed_ns < until_ns)
    query = select(BagRow.prepuff_job_id).where(in_time).distinct().order_by(BagRow.prepuff_job_id).limit(MOST_JOBS)
    with Session(engine) as session:
        numbers = [number for number in session.scalars(query) if number is not None]
    return [bag_totals(read_job_report(engine, number), since_ns, until_ns) for number in numbers]


@dataclass(frozen=True)
class JournalBacklog:
    """Lines of the journal that weigh_station has not processed.

    Attributes:
        oldest_ns: When the oldest was received, UTC nanoseconds; 0 = there is none.
    """

    lines: int
    oldest_ns: int


def read_backlog(engine: Engine) -> JournalBacklog:
    """Return how many lines of the journal weigh_station has not processed.

    Args:
        engine: From `open_reader`.

    Raises:
        SQLAlchemyError: The database cannot be read, or has no weighing tables yet.
    """
    behind = outerjoin(WeightReadingRow, CursorRow, CursorRow.scale_id == WeightReadingRow.scale_id)
    query = (
        select(func.count(), func.min(WeightReadingRow.received_ns))
        .select_from(behind)
        .where(WeightReadingRow.sequence > func.coalesce(CursorRow.sequence, 0))
    )
    with Session(engine) as session:
        lines, oldest = session.execute(query).one()
        return JournalBacklog(lines, oldest or 0)


def read_outbox_counts(engine: Engine) -> OutboxCounts:
    """Return how many bags wait for the web application, were delivered, or were rejected.

    Args:
        engine: From `open_reader`.

    Raises:
        SQLAlchemyError: The database cannot be read, or has no weighing tables yet.
    """
    return Outbox(engine).counts()
