"""`cell report`: reports of shifts, pick jobs and weigh jobs from the database; the cell need not be running."""

from __future__ import annotations

import argparse
import base64
import re
import time
from datetime import datetime
from pathlib import Path

from cell_common.database import DatabaseError, StorageFailedError
from cell_common.history_page import HistoryFilter, PageRequest
from cell_common.time import NS_PER_S
from cell_coordinator.figures import ShiftError, Window, parse_starts
from cell_history.queries.production_report import ProductionReport, production_csv, production_html
from cell_history.queries.report_reader import current_shift, job_report, time_report
from cell_history.queries.service import History, UnknownPieceError
from cell_vision.kept_frames import KeptFrame
from cell_weighing.reader import NoSuchJobError, open_reader, read_job_report
from cell_weighing.reports import report_csv, report_html
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from cell_bringup.history import open_history
from cell_bringup.moments import MomentError, parse_moment
from cell_bringup.state_folder import find_state

__all__ = ['write_any_report', 'write_report']


def write_report(job_id: int, url: str, folder: Path, console: Console) -> int:
    """Write weigh_job_<id>.html and weigh_job_<id>.csv; return the exit code.

    Args:
        job_id: Id of the weigh job.
        url: SQLAlchemy URL of the database.
        folder: Existing folder of the two files.
        console: Output.
    """
    try:
        batch = read_job_report(open_reader(url), job_id)
        page, table = folder / f'weigh_job_{job_id}.html', folder / f'weigh_job_{job_id}.csv'
        page.write_text(report_html(batch, time.time_ns()), encoding='utf-8')
        # The text has the line ends of CSV (RFC 4180) already.
        table.write_text(report_csv(batch), encoding='utf-8', newline='')
    except SQLAlchemyError as error:
        reason = getattr(error, 'orig', None) or error
        console.print(
            f'[red]Cannot read the database {escape(f"{url}: {reason}")}.[/] Give its URL with --database-url.', soft_wrap=True
        )
        return 1
    except NoSuchJobError as error:
        console.print(f'[red]{escape(f"{error} in {url}")}[/]', soft_wrap=True)
        return 1
    except (DatabaseError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 1
    console.print(escape(f'{page}\n{table}'))
    return 0


def write_any_report(options: argparse.Namespace, console: Console) -> int:
    """Write the report that the options name; return the exit code.

    Args:
        options: Of `cell_bringup.history_arguments.add_report`.
        console: Output.
    """
    if re.fullmatch(r'[0-9]{1,18}', options.what):
        url = options.database_url or find_state(options.namespace).database_url
        return write_report(int(options.what), url, options.folder, console)
    if options.what not in ('job', 'shift'):
        console.print(f'[red]"{escape(options.what)}": give shift, job and its id, or the number of a weigh job[/]')
        return 2
    try:
        opened = open_history(options.namespace, options.database_url)
        try:
            name, report = _read(opened.history, options)
        finally:
            opened.history.engine.dispose()
        page, table = options.folder / f'{name}.html', options.folder / f'{name}.csv'
        page.write_text(production_html(report, _clock), encoding='utf-8')
        table.write_text(production_csv(report), encoding='utf-8', newline='')
    except (MomentError, ShiftError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 2
    except (DatabaseError, StorageFailedError, UnknownPieceError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 1
    console.print(escape(f'{page}\n{table}'), soft_wrap=True)
    return 0


def _read(history: History, options: argparse.Namespace) -> tuple[str, ProductionReport]:
    """Return the name of the files, and the report."""

    def source(frame: KeptFrame) -> str:
        path = history.picture(frame.file)
        # Within the page: it is mailed and filed without a folder of pictures.
        return f'data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}' if path else ''

    now = datetime.now().astimezone()
    if options.what == 'job':
        job_id = options.job_id
        if job_id == 'last':
            jobs = history.page('jobs', HistoryFilter(), PageRequest(1)).items
            job_id = str(vars(jobs[0])['job_id']) if jobs else ''
        return f'job_{re.sub("[^A-Za-z0-9-]", "_", job_id)}', job_report(history, job_id, time.time_ns(), source)
    if options.since:
        until_ns = parse_moment(options.until, now) if options.until else time.time_ns()
        title, window = 'Production', Window(parse_moment(options.since, now), until_ns)
    else:
        title, window = current_shift(parse_starts([text for text in options.shifts.split(',') if text]), now)
    begin = datetime.fromtimestamp(window.since_ns / NS_PER_S).astimezone()
    return f'shift_{begin:%Y%m%dT%H%M}', time_report(history, title, window, source)


def _clock(nanoseconds: int) -> str:
    return f'{datetime.fromtimestamp(nanoseconds / NS_PER_S).astimezone():%Y-%m-%d %H:%M}'
