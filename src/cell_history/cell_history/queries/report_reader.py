"""Reads the report of a pick job or of a time from the database and the folder of the kept pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from datetime import time as day_time

from cell_common.database import storage_error
from cell_common.history_page import HistoryFilter, PageRequest
from cell_common.time import NS_PER_S
from cell_coordinator.figures import Window, cycle_times, make_report
from cell_coordinator.figures_reader import read_jobs
from cell_coordinator.history_reader import JobItem
from cell_vision.kept_frames import KeptFrame
from cell_weighing.reader import read_bag_totals
from sqlalchemy.exc import SQLAlchemyError

from cell_history.queries.production_report import AlbumPicture, ProductionReport
from cell_history.queries.service import History, UnknownPieceError

__all__ = ['current_shift', 'job_report', 'time_report']

MOST_PICTURES = 60
DAY_NS = 86_400 * NS_PER_S
Source = Callable[[KeptFrame], str]


def job_report(history: History, job_id: str, now_ns: int, source: Source) -> ProductionReport:
    """Return the report of a pick job; bags are those of its time.

    Args:
        history: Where to read.
        job_id: Id of the job.
        now_ns: End of a job that still runs, UTC nanoseconds.
        source: Returns the source of a kept picture for HTML.

    Raises:
        UnknownPieceError: There is no such job, or it was never started.
        StorageFailedError: The database cannot be read.
    """
    found = history.page('jobs', HistoryFilter(job=job_id), PageRequest(1)).items
    job = found[0] if found else None
    if not isinstance(job, JobItem) or not job.started_ns:
        raise UnknownPieceError(f'there is no started pick job "{job_id}": list them with "cell history jobs"')
    # A nanosecond more: the last piece is booked at the very end.
    window = Window(job.started_ns, (job.finished_ns or now_ns) + 1)
    return _report(history, f'Pick job {job.job_id}, part {job.part_number}', window, job.job_id, source)


def time_report(history: History, title: str, window: Window, source: Source) -> ProductionReport:
    """Return the report of a shift or any other time.

    Args:
        history: Where to read.
        title: Of the page.
        window: The time.
        source: Returns the source of a kept picture for HTML.

    Raises:
        StorageFailedError: The database cannot be read.
    """
    return _report(history, title, window, '', source)


def current_shift(starts: list[day_time], now: datetime) -> tuple[str, Window]:
    """Return name and time of the shift that runs, until now; without shifts the day since midnight.

    Args:
        starts: Begins of the shifts, the earliest first.
        now: Local time with its zone.
    """
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [day.replace(hour=start.hour, minute=start.minute) for start in starts or [day_time(0)]]
    passed = [begin for begin in begins if begin <= now]
    begin_ns = int((passed[-1] if passed else begins[-1]).timestamp()) * NS_PER_S - (0 if passed else DAY_NS)
    name = f'{(passed or begins)[-1]:%H:%M}'
    return f'Shift {name}' if starts else 'Day', Window(begin_ns, int(now.timestamp()) * NS_PER_S)


def _report(history: History, title: str, window: Window, job_id: str, source: Source) -> ProductionReport:
    jobs = [job for job in read_jobs(history.engine, window) if job_id in ('', job.job_id)]
    try:
        bags = read_bag_totals(history.engine, window.since_ns, window.until_ns)
    except SQLAlchemyError as error:
        raise storage_error(error) from error
    cycles = [cycle for job in jobs for cycle in cycle_times(job, window)]
    frames = history.album([job.job_id for job in jobs], MOST_PICTURES)
    album = [AlbumPicture(source(frame), _caption(frame)) for frame in frames]
    return ProductionReport(title, window.since_ns, window.until_ns, make_report(jobs, window), cycles, bags, album)


def _caption(frame: KeptFrame) -> str:
    said = f'Piece {frame.piece}: {frame.verdict}'
    if frame.corrected_to is None:
        return said
    return f'{said}, corrected to {frame.corrected_to or "not readable"}'
