"""Reads the jobs of a time from the coordinator's tables."""

from __future__ import annotations

from cell_common.database import read_only, storage_error
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from cell_coordinator.figures.rules import FirstReading, JobFacts, PieceFact, StateChange, Window
from cell_coordinator.job.store import JobRow, PieceRow, ReadingRow, StateRow

__all__ = ['read_jobs']

MOST_JOBS = 5000
_JOB, _PIECE, _READING, _STATE = JobRow.__table__, PieceRow.__table__, ReadingRow.__table__, StateRow.__table__


def read_jobs(engine: Engine, window: Window, part_number: str = '') -> list[JobFacts]:
    """Return the jobs that were started before the end of a window and had not ended before its begin, oldest first.

    Args:
        engine: The open database; its tables must be migrated.
        window: The time.
        part_number: "" = jobs of all parts.

    Raises:
        StorageFailedError: The database failed.
    """
    query = (
        select(_JOB)
        .where(_JOB.c.started_ns.between(1, window.until_ns))
        .where((_JOB.c.finished_ns == 0) | (_JOB.c.finished_ns >= window.since_ns))
        .order_by(_JOB.c.sequence.desc())
        .limit(MOST_JOBS)
    )
    if part_number:
        query = query.where(_JOB.c.part_number == part_number)
    try:
        with read_only(engine).connect() as connection:
            rows = list(connection.execute(query))[::-1]
            return [_facts(connection, row) for row in rows]
    except SQLAlchemyError as error:
        raise storage_error(error) from error


def _facts(connection: Connection, job: object) -> JobFacts:
    job_id = job.job_id  # type: ignore[attr-defined]
    pieces = connection.execute(select(_PIECE).where(_PIECE.c.job_id == job_id).order_by(_PIECE.c.piece))
    states = connection.execute(select(_STATE).where(_STATE.c.job_id == job_id).order_by(_STATE.c.state_id))
    readings = select(_READING).where((_READING.c.job_id == job_id) & (_READING.c.attempt == 1))
    return JobFacts(
        job_id,
        job.part_number,  # type: ignore[attr-defined]
        job.started_ns,  # type: ignore[attr-defined]
        job.finished_ns,  # type: ignore[attr-defined]
        tuple(StateChange(row.since_ns, row.state, row.reason) for row in states),
        tuple(
            PieceFact(row.booked_ns, row.outcome == 'PLACED', _reason(row.verdict, row.recognized, row.reason))
            for row in pieces
        ),
        tuple(FirstReading(row.matched_ns, row.verdict == 'MATCH') for row in connection.execute(readings)),
    )


def _reason(verdict: str | None, recognized: str | None, reason: str) -> str:
    """Return why a piece was rejected, in words that group alike rejects."""
    if verdict is None or verdict == 'MATCH':
        return reason.split(' by ', maxsplit=1)[0]
    return f'{verdict.lower()}, read {recognized}' if recognized else verdict.lower()
