"""Pick jobs, pieces and readings in the database.

Each class `...Row` is one table; the columns are for reports. The state machine reads `snapshot` only.
"""

from __future__ import annotations

from collections.abc import Sequence

from cell_common.database import read_only, storage_error
from sqlalchemy import BigInteger, Connection, Engine, Integer, Text, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cell_coordinator.job.events import (
    Effect,
    Event,
    PieceRecord,
    ReadingRecord,
    Resolve,
    RobotOutcome,
    SendTrigger,
    TriggerFinished,
)
from cell_coordinator.job.model import NO_JOB, JobState, MatchVerdict, PickJob, from_json, to_json

PAUSED_BY_OPERATOR = 'paused by an operator'


class Base(DeclarativeBase):
    """Tables of the pick jobs; migrations/versions creates them."""


class JobRow(Base):
    """One pick job: columns for reports, and the snapshot for the state machine."""

    __tablename__ = 'pick_job'
    sequence: Mapped[int] = mapped_column(BigInteger)
    """Order in which the jobs were set; a time of day is none, since a clock may be set back."""
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
    """Destination of one piece, with its evidence; the verdict columns are NULL for a piece that was never read."""

    __tablename__ = 'pick_piece'
    job_id: Mapped[str] = mapped_column(primary_key=True)
    piece: Mapped[int] = mapped_column(primary_key=True)
    tray: Mapped[int]
    outcome: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str | None]
    recognized: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(Text)
    score: Mapped[float | None]
    frame_ns: Mapped[int | None] = mapped_column(BigInteger)
    booked_ns: Mapped[int] = mapped_column(BigInteger)
    part_number: Mapped[str]
    """The ordered part, that of the job: a list of one part's pieces needs no other table."""
    request_id: Mapped[str | None]
    """Id of the reading that decided, under which its frame is kept."""


class ReadingRow(Base):
    """One reading with its verdict."""

    __tablename__ = 'pick_reading'
    reading_id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    piece: Mapped[int]
    attempt: Mapped[int]
    verdict: Mapped[str]
    recognized: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    score: Mapped[float]
    frame_ns: Mapped[int] = mapped_column(BigInteger)
    matched_ns: Mapped[int] = mapped_column(BigInteger)
    request_id: Mapped[str | None]
    reason: Mapped[str | None] = mapped_column(Text)


class TriggerRow(Base):
    """One trigger of the robot; `finished_ns`, `outcome` and `message` are NULL and "" until it has an outcome."""

    __tablename__ = 'pick_trigger'
    trigger_id: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    effect_id: Mapped[int]
    """Order of the triggers within their job."""
    piece: Mapped[int]
    event: Mapped[str]
    tray: Mapped[int]
    sent_ns: Mapped[int] = mapped_column(BigInteger)
    finished_ns: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None]
    message: Mapped[str] = mapped_column(Text)


class StateRow(Base):
    """One change of a job's state, in their order; the times are for durations."""

    __tablename__ = 'pick_state'
    state_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, 'sqlite'), primary_key=True, autoincrement=True)
    job_id: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    since_ns: Mapped[int] = mapped_column(BigInteger)


class JobStore:
    """Stores a snapshot of the job and its history, both in one transaction.

    So history and snapshot cannot disagree after a crash: a piece is either booked in both or in neither.
    """

    def __init__(self, engine: Engine) -> None:
        """Store the engine of an open database; its tables must be migrated."""
        self._engine = engine
        self._stored: tuple[str, str] = ('', '')
        """Job and state that were stored last."""

    def latest(self) -> PickJob:
        """Return the job that was set last, or NO_JOB.

        A job whose snapshot was written by an incompatible release comes back FAILED, with the values of its columns.

        Raises:
            StorageFailedError: The database failed.
        """
        query = select(JobRow.__table__).order_by(JobRow.sequence.desc()).limit(1)
        try:
            with read_only(self._engine).connect() as connection:
                row = connection.execute(query).first()
        except SQLAlchemyError as error:
            raise storage_error(error) from error
        if row is None:
            return NO_JOB
        self._stored = row.job_id, row.state
        try:
            return from_json(row.snapshot)
        except ValueError as error:
            return PickJob(
                row.job_id,
                row.part_number,
                row.quantity,
                row.operator_id,
                row.created_ns,
                placed=row.placed,
                rejected=row.rejected,
                state=JobState.FAILED,
                reason=str(error),
            )

    def save(self, job: PickJob, effects: Sequence[Effect] = (), event: Event | None = None) -> None:
        """Store the snapshot, the records and triggers among the effects, and the outcome of a trigger.

        Args:
            job: Replaces the snapshot with the same job_id.
            effects: Other effects than records and triggers are ignored.
            event: What led to them; None = a command that sends no trigger.

        Raises:
            StorageFailedError: The database failed; nothing was stored.
        """
        columns = _columns(job)
        try:
            with self._engine.begin() as connection:
                updated = connection.execute(update(JobRow).where(JobRow.job_id == job.job_id).values(columns))
                # Update first: a job is stored at each step and inserted once.
                if not updated.rowcount:
                    latest = connection.scalar(select(func.coalesce(func.max(JobRow.sequence), 0))) or 0
                    connection.execute(insert(JobRow).values({**columns, 'sequence': latest + 1}))
                for effect in effects:
                    _insert_record(connection, job, effect)
                if event is not None:
                    _store_triggers(connection, job, effects, event)
                if (job.job_id, job.state.name) != self._stored:
                    connection.execute(insert(StateRow).values(_state_columns(job)))
        except SQLAlchemyError as error:
            raise storage_error(error) from error
        self._stored = job.job_id, job.state.name


def _columns(job: PickJob) -> dict[str, object]:
    """Return the columns of a job: copies for reports, and the snapshot."""
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


def _state_columns(job: PickJob) -> dict[str, object]:
    reason = job.reason if job.paused_by_fault or job.state is not JobState.PAUSED else PAUSED_BY_OPERATOR
    return {'job_id': job.job_id, 'state': job.state.name, 'reason': reason, 'since_ns': job.changed_ns or job.created_ns}


def _insert_record(connection: Connection, job: PickJob, effect: Effect) -> None:
    """Insert a piece or a reading into the history; other effects are not stored."""
    job_id = job.job_id
    if isinstance(effect, PieceRecord):
        connection.execute(
            insert(PieceRow).values(
                job_id=job_id,
                piece=effect.piece,
                tray=effect.tray,
                outcome=effect.outcome.name,
                reason=effect.reason,
                booked_ns=effect.now_ns,
                part_number=job.part_number,
                **(_verdict_columns(effect.verdict) if effect.verdict else {}),
            )
        )
    elif isinstance(effect, ReadingRecord):
        connection.execute(
            insert(ReadingRow).values(
                job_id=job_id,
                piece=effect.piece,
                attempt=effect.attempt,
                matched_ns=effect.now_ns,
                reason=effect.verdict.reason,
                **_verdict_columns(effect.verdict),
            )
        )


def _verdict_columns(verdict: MatchVerdict) -> dict[str, object]:
    """Return the columns that pieces and readings share."""
    return {
        'verdict': verdict.kind.name,
        'recognized': verdict.recognized,
        'text': verdict.text,
        'score': verdict.score,
        'frame_ns': verdict.frame_ns,
        'request_id': verdict.request_id or None,
    }


def _store_triggers(connection: Connection, job: PickJob, effects: Sequence[Effect], event: Event) -> None:
    """Insert the triggers that are about to be sent, and update the one whose outcome has arrived or was resolved."""
    outcome, message = '', ''
    if isinstance(event, TriggerFinished):
        outcome, message = event.outcome.name, event.message
        trigger_id = f'{job.job_id}-{event.effect_id}'
    elif isinstance(event, Resolve):
        outcome, message = f'RESOLVED_{event.resolution.name}', f'{event.resolution.value}, answered by {event.operator_id}'
        uncertain = TriggerRow.outcome.is_(None) | (TriggerRow.outcome == RobotOutcome.UNKNOWN.name)
        latest = select(TriggerRow.trigger_id).where((TriggerRow.job_id == job.job_id) & uncertain)
        trigger_id = connection.scalar(latest.order_by(TriggerRow.effect_id.desc()).limit(1)) or ''
    if outcome:
        finished = update(TriggerRow).where(TriggerRow.trigger_id == trigger_id)
        connection.execute(finished.values(finished_ns=event.now_ns, outcome=outcome, message=message))
    for effect in effects:
        if isinstance(effect, SendTrigger):
            connection.execute(
                insert(TriggerRow).values(
                    trigger_id=effect.trigger_id,
                    job_id=job.job_id,
                    effect_id=effect.effect_id,
                    piece=job.piece,
                    event=effect.event,
                    tray=effect.tray,
                    sent_ns=event.now_ns,
                    message='',
                )
            )
