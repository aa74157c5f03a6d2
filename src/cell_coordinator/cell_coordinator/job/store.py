"""Pick jobs, pieces, readings and the audit of commands in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Text, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cell_coordinator.job.events import Effect, PieceRecord, ReadingRecord
from cell_coordinator.job.model import NO_JOB, Job, State, Verdict, from_json, to_json


class StorageFailedError(Exception):
    """The database refused; nothing was stored."""


class Base(DeclarativeBase):
    """The tables of the pick jobs; migrations/versions makes them."""


class JobRow(Base):
    """One pick job: columns for people and reports, the snapshot for the state machine."""

    __tablename__ = 'pick_job'
    job_id: Mapped[str] = mapped_column(primary_key=True)
    part_number: Mapped[str]
    quantity: Mapped[int]
    placed: Mapped[int]
    rejected: Mapped[int]
    operator_id: Mapped[str]
    created_ns: Mapped[int] = mapped_column(BigInteger)
    started_ns: Mapped[int] = mapped_column(BigInteger)
    finished_ns: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[str] = mapped_column(Text)


class PieceRow(Base):
    """Where one piece of a job went, and on what evidence."""

    __tablename__ = 'pick_piece'
    job_id: Mapped[str] = mapped_column(primary_key=True)
    piece: Mapped[int] = mapped_column(primary_key=True)
    tray: Mapped[int]
    outcome: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str | None]
    recognised: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(Text)
    score: Mapped[float | None]
    frame_ns: Mapped[int | None] = mapped_column(BigInteger)
    booked_ns: Mapped[int] = mapped_column(BigInteger)


class ReadingRow(Base):
    """One judged frame."""

    __tablename__ = 'pick_reading'
    reading_id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    piece: Mapped[int]
    attempt: Mapped[int]
    verdict: Mapped[str]
    recognised: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    score: Mapped[float]
    frame_ns: Mapped[int] = mapped_column(BigInteger)
    judged_ns: Mapped[int] = mapped_column(BigInteger)


class AuditRow(Base):
    """One command that somebody gave, and what came of it."""

    __tablename__ = 'command_audit'
    audit_id: Mapped[int] = mapped_column(primary_key=True)
    received_ns: Mapped[int] = mapped_column(BigInteger)
    command: Mapped[str]
    request_id: Mapped[str]
    operator_id: Mapped[str]
    issued_ns: Mapped[int] = mapped_column(BigInteger)
    arguments: Mapped[str] = mapped_column(Text)
    code: Mapped[int]
    message: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Command:
    """A command for the audit."""

    received_ns: int
    command: str
    request_id: str
    operator_id: str
    issued_ns: int
    arguments: str
    code: int
    message: str


class JobStore:
    """Stores the job's snapshot together with the history it makes, in one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Take the open database; its tables must be migrated."""
        self._engine = engine

    def latest(self) -> Job:
        """Return the newest job, NO_JOB when there was none.

        A job whose snapshot this release does not understand comes back FAILED, with what its columns tell.

        Raises:
            StorageFailedError: The database refused.
        """
        # job_id is a UUIDv7: it orders jobs made in the same tick of the clock.
        query = select(JobRow.__table__).order_by(JobRow.created_ns.desc(), JobRow.job_id.desc()).limit(1)
        try:
            with self._engine.connect() as connection:
                row = connection.execute(query).first()
        except SQLAlchemyError as problem:
            raise _failed(problem) from problem
        if row is None:
            return NO_JOB
        try:
            return from_json(row.snapshot)
        except ValueError as problem:
            return Job(
                row.job_id,
                row.part_number,
                row.quantity,
                row.operator_id,
                row.created_ns,
                placed=row.placed,
                rejected=row.rejected,
                state=State.FAILED,
                reason=str(problem),
            )

    def save(self, job: Job, effects: Sequence[Effect] = ()) -> None:
        """Store the snapshot, and the records among the effects.

        Raises:
            StorageFailedError: The database refused; nothing was stored.
        """
        columns = _columns(job)
        try:
            with self._engine.begin() as connection:
                done = connection.execute(update(JobRow).where(JobRow.job_id == job.job_id).values(columns))
                if not done.rowcount:
                    connection.execute(insert(JobRow).values(columns))
                for effect in effects:
                    _record(connection, job.job_id, effect)
        except SQLAlchemyError as problem:
            raise _failed(problem) from problem

    def audit(self, command: Command) -> None:
        """Keep who commanded what, when, and with what result.

        Raises:
            StorageFailedError: The database refused.
        """
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(AuditRow).values(vars(command)))
        except SQLAlchemyError as problem:
            raise _failed(problem) from problem


def _columns(job: Job) -> dict[str, Any]:
    return {
        'job_id': job.job_id,
        'part_number': job.part_number,
        'quantity': job.quantity,
        'placed': job.placed,
        'rejected': job.rejected,
        'operator_id': job.operator_id,
        'created_ns': job.created_ns,
        'started_ns': job.started_ns,
        'finished_ns': job.finished_ns,
        'state': job.state.name,
        'reason': job.reason,
        'snapshot': to_json(job),
    }


def _record(connection: Connection, job_id: str, effect: Effect) -> None:
    if isinstance(effect, PieceRecord):
        connection.execute(
            insert(PieceRow).values(
                job_id=job_id,
                piece=effect.piece,
                tray=effect.tray,
                outcome=effect.outcome.name,
                reason=effect.reason,
                booked_ns=effect.now_ns,
                **(_verdict(effect.verdict) if effect.verdict else {}),
            )
        )
    elif isinstance(effect, ReadingRecord):
        connection.execute(
            insert(ReadingRow).values(
                job_id=job_id, piece=effect.piece, attempt=effect.attempt, judged_ns=effect.now_ns, **_verdict(effect.verdict)
            )
        )


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        'verdict': verdict.kind.name,
        'recognised': verdict.recognised,
        'text': verdict.text,
        'score': verdict.score,
        'frame_ns': verdict.frame_ns,
    }


def _failed(problem: SQLAlchemyError) -> StorageFailedError:
    cause = getattr(problem, 'orig', None) or problem
    return StorageFailedError(f'the database refused: {cause}. Check its disk, then try again.')
