"""Takes over weigh jobs that the web application started or ended in the shared tables.

Its INSERTs name none of our columns, and its UPDATEs end a job without a time. Both are completed here, so that bags count for
these jobs from the start that the web application names, until it ends them.

The clock is an argument.
"""

from __future__ import annotations

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from cell_weighing.storage.rows import POUND, WEB_APP_TOLERANCE, utc_ns
from cell_weighing.storage.tables import WeighJobRow


def adopt_jobs(engine: Engine, read_only: Engine, now_ns: int) -> int:
    """Complete the jobs of the web application, and return how many there were.

    Args:
        engine: The open database.
        read_only: The same, for read-only transactions: without such jobs there is no write lock.
        now_ns: UTC, nanoseconds since 1970. A start in the future is local time by mistake: the job then starts now.
    """
    started = (WeighJobRow.started_ns == 0) & (WeighJobRow.target == '')
    ended = (WeighJobRow.status == 'completed') & WeighJobRow.finished_ns.is_(None)
    found = select(WeighJobRow).where(or_(started, ended))
    with Session(read_only) as session:
        if session.scalars(found.limit(1)).first() is None:
            return 0
    with Session(engine) as session, session.begin():
        rows = session.scalars(found).all()
        for row in rows:
            if not row.started_ns:
                row.started_ns = min(utc_ns(row.started_at), now_ns)
                row.target, row.unit, row.tolerance = str(row.target_weight), POUND, WEB_APP_TOLERANCE
            if row.status == 'completed' and row.finished_ns is None:
                row.finished_ns = now_ns
        return len(rows)
