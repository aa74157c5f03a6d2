"""Reads weigh jobs for reports. Never writes: it may look on while weigh_station works."""

from __future__ import annotations

from typing import Any

from cell_common.database import DatabaseError
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from cell_weighing.reports.report import Batch, Voided
from cell_weighing.station.store import NoSuchJobError, bag_of, job_of
from cell_weighing.storage.tables import BagRow, JobRow, VoidRow


def open_reader(url: str) -> Engine:
    """Open a database for reading only; it is not looked at before the first query.

    Raises:
        DatabaseError: The URL is not one.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise DatabaseError('database_url is not a database URL; example: sqlite:////var/lib/cell/cell.db') from problem
    if parsed.get_backend_name() != 'sqlite':
        return create_engine(parsed, pool_pre_ping=True, execution_options={'postgresql_readonly': True})
    engine = create_engine(f'sqlite:///file:{parsed.database}?mode=ro&uri=true', connect_args={'check_same_thread': False})

    @event.listens_for(engine, 'connect')
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, 'begin')
    def begin(connection: Any) -> None:
        connection.exec_driver_sql('BEGIN')  # one view of the database for all queries of a report

    return engine


def read_batch(engine: Engine, job_id: int) -> Batch:
    """Return a weigh job with its bags.

    Raises:
        NoSuchJobError: There is no such job.
        SQLAlchemyError: The database cannot be read, or the weigh side has made no tables in it yet.
    """
    with Session(engine) as session:
        row = session.get(JobRow, job_id)
        if row is None:
            raise NoSuchJobError(f'there is no weigh job {job_id}')
        job = job_of(session, row)
        rows = session.execute(
            select(BagRow, VoidRow)
            .outerjoin(VoidRow, VoidRow.bag_id == BagRow.id)
            .where(BagRow.prepuff_job_id == job_id)
            .order_by(BagRow.bag_number)
        ).all()
        bags = [bag_of(bag, job, voided=void is not None) for bag, void in rows]
        voided = {void.bag_id: Voided(void.voided_by, void.reason) for _, void in rows if void}
        return Batch(job, bags, voided, row.ended_by, row.end_reason)
