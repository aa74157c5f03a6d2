"""Reads jobs, pieces with their readings and triggers, and alarms from the coordinator's tables, for the history.

Read-only. Times are ROS time in nanoseconds; 0 = not yet, or not known.
"""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.history_page import HistoryFilter, Page, PageRequest, in_time, matches_text, read_page
from sqlalchemy import ColumnElement, Connection, FromClause, Row, select

from cell_coordinator.alarms.book import AlarmState, from_json
from cell_coordinator.alarms.store import AlarmRow
from cell_coordinator.job.store import JobRow, PieceRow, ReadingRow, TriggerRow

__all__ = [
    'AlarmItem',
    'JobItem',
    'PieceItem',
    'ReadingItem',
    'TriggerItem',
    'jobs_at',
    'read_alarms',
    'read_job',
    'read_jobs',
    'read_piece',
    'read_pieces',
    'read_readings',
    'read_triggers',
]

_JOB, _PIECE, _READING, _TRIGGER, _ALARM = (
    JobRow.__table__,
    PieceRow.__table__,
    ReadingRow.__table__,
    TriggerRow.__table__,
    AlarmRow.__table__,
)
_JOB_COLUMNS = [column for column in _JOB.c if column.name != 'snapshot']
REJECTED = 'REJECTED'


@dataclass(frozen=True)
class JobItem:
    """One pick job."""

    job_id: str
    part_number: str
    quantity: int
    placed: int
    rejected: int
    operator_id: str
    state: str
    reason: str
    created_ns: int
    started_ns: int
    finished_ns: int


@dataclass(frozen=True)
class PieceItem:
    """One booked piece, with the reading that decided; `verdict` is "" for a piece that was never read."""

    job_id: str
    piece: int
    part_number: str
    """The ordered part."""
    tray: int
    outcome: str
    """PLACED or REJECTED."""
    reason: str
    verdict: str
    recognized: str
    text: str
    score: float
    request_id: str
    frame_ns: int
    booked_ns: int


@dataclass(frozen=True)
class ReadingItem:
    """One reading of a piece with its verdict."""

    attempt: int
    verdict: str
    recognized: str
    text: str
    score: float
    reason: str
    request_id: str
    frame_ns: int
    matched_ns: int


@dataclass(frozen=True)
class TriggerItem:
    """One trigger of the robot; `outcome` is "" while it has none."""

    trigger_id: str
    event: str
    tray: int
    outcome: str
    message: str
    sent_ns: int
    finished_ns: int


@dataclass(frozen=True)
class AlarmItem:
    """One occurrence of an alarm."""

    alarm_id: str
    source: str
    key: str
    priority: int
    state: str
    text: str
    count: int
    acknowledged_by: str
    raised_ns: int
    acknowledged_ns: int
    cleared_ns: int


def read_jobs(connection: Connection, wanted: HistoryFilter, page: PageRequest) -> Page[JobItem]:
    """Return jobs by the time they were set; see `read_page` for the errors."""
    query = select(*_JOB_COLUMNS).where(*in_time(wanted, _JOB.c.created_ns))
    if wanted.part:
        query = query.where(_JOB.c.part_number == wanted.part)
    if wanted.job:
        query = query.where(_JOB.c.job_id == wanted.job)

    def scanned(rows: FromClause) -> list[ColumnElement[bool]]:
        columns = (rows.c.job_id, rows.c.part_number, rows.c.operator_id, rows.c.state, rows.c.reason)
        found = [matches_text(wanted.text, *columns)] if wanted.text else []
        return [*found, rows.c.rejected > 0] if wanted.faults else found

    keys = ('created_ns', 'sequence')
    return read_page(connection, query, keys, page, scanned if wanted.text or wanted.faults else None).map(_job_of)


def read_job(connection: Connection, job_id: str) -> JobItem | None:
    """Return one job; None if there is none with this id."""
    row = connection.execute(select(*_JOB_COLUMNS).where(_JOB.c.job_id == job_id)).first()
    return _job_of(row) if row else None


def jobs_at(connection: Connection, since_ns: int, until_ns: int) -> list[JobItem]:
    """Return the jobs that ran in a time, newest first: one at a time runs, so a few are looked at."""
    latest = read_jobs(connection, HistoryFilter(until_ns=until_ns), PageRequest(20)).items
    return [job for job in latest if 0 < job.started_ns < until_ns and (not job.finished_ns or job.finished_ns >= since_ns)]


def read_pieces(connection: Connection, wanted: HistoryFilter, page: PageRequest) -> Page[PieceItem]:
    """Return pieces by the time they were booked; see `read_page` for the errors."""
    query = select(_PIECE).where(*in_time(wanted, _PIECE.c.booked_ns))
    if wanted.part:
        query = query.where(_PIECE.c.part_number == wanted.part)
    if wanted.job:
        query = query.where(_PIECE.c.job_id == wanted.job)
    # Part and job leave few rows: the index of the outcome serves where neither is given.
    if wanted.faults:
        query = query.where(_PIECE.c.outcome == REJECTED)

    def scanned(rows: FromClause) -> list[ColumnElement[bool]]:
        columns = (rows.c.reason, rows.c.verdict, rows.c.recognized, rows.c.text, rows.c.part_number, rows.c.job_id)
        return [matches_text(wanted.text, *columns, rows.c.request_id)]

    keys = ('booked_ns', 'job_id', 'piece')
    return read_page(connection, query, keys, page, scanned if wanted.text else None).map(_piece_of)


def read_piece(connection: Connection, job_id: str, piece: int) -> PieceItem | None:
    """Return one piece; None if it was not booked."""
    row = connection.execute(select(_PIECE).where((_PIECE.c.job_id == job_id) & (_PIECE.c.piece == piece))).first()
    return _piece_of(row) if row else None


def read_readings(connection: Connection, job_id: str, piece: int) -> list[ReadingItem]:
    """Return the readings of a piece in their order."""
    query = select(_READING).where((_READING.c.job_id == job_id) & (_READING.c.piece == piece))
    rows = connection.execute(query.order_by(_READING.c.reading_id))
    return [
        ReadingItem(
            row.attempt, row.verdict, row.recognized, row.text, row.score, row.reason or '', row.request_id or '', row.frame_ns,
            row.matched_ns,
        )
        for row in rows
    ]  # fmt: skip


def read_triggers(connection: Connection, job_id: str, piece: int) -> list[TriggerItem]:
    """Return the triggers of a piece in their order."""
    query = select(_TRIGGER).where((_TRIGGER.c.job_id == job_id) & (_TRIGGER.c.piece == piece))
    rows = connection.execute(query.order_by(_TRIGGER.c.effect_id))
    return [
        TriggerItem(row.trigger_id, row.event, row.tray, row.outcome or '', row.message, row.sent_ns, row.finished_ns or 0)
        for row in rows
    ]


def read_alarms(connection: Connection, wanted: HistoryFilter, page: PageRequest) -> Page[AlarmItem]:
    """Return alarms by the time they were raised; see `read_page` for the errors.

    Part, job and station are looked for in the alarm's texts, as `text` is.
    """
    query = select(_ALARM).where(*in_time(wanted, _ALARM.c.raised_ns))
    if wanted.faults:
        query = query.where(_ALARM.c.open)
    texts = [text for text in (wanted.text, wanted.part, wanted.job, wanted.station) if text]

    def scanned(rows: FromClause) -> list[ColumnElement[bool]]:
        return [matches_text(text, rows.c.snapshot) for text in texts]

    return read_page(connection, query, ('raised_ns', 'alarm_id'), page, scanned if texts else None).map(_alarm_of)


def _job_of(row: Row[tuple[object, ...]]) -> JobItem:
    return JobItem(**{name: getattr(row, name) for name in JobItem.__dataclass_fields__})


def _piece_of(row: Row[tuple[object, ...]]) -> PieceItem:
    values = {name: getattr(row, name) for name in PieceItem.__dataclass_fields__}
    for name in ('verdict', 'recognized', 'text', 'request_id'):
        values[name] = values[name] or ''
    return PieceItem(**{**values, 'score': row.score or 0.0, 'frame_ns': row.frame_ns or 0})


def _alarm_of(row: Row[tuple[object, ...]]) -> AlarmItem:
    """Return the alarm of a row; one of an incompatible release has the values of its columns."""
    try:
        record = from_json(row.snapshot)
    except ValueError:
        state = AlarmState.UNACKNOWLEDGED if row.open else AlarmState.CLOSED
        return AlarmItem(row.alarm_id, row.source, row.key, 0, state.name, '', 1, '', row.raised_ns, 0, 0)
    # A release before the time of the end was kept: the last event of a closed alarm ended it.
    cleared_ns = record.cleared_ns or (0 if record.active else record.last_event_ns)
    return AlarmItem(
        record.alarm_id,
        record.source,
        record.key,
        record.priority,
        record.state.name,
        record.text,
        record.count,
        record.acknowledged_by,
        record.raised_ns,
        record.acknowledged_ns,
        cleared_ns,
    )
