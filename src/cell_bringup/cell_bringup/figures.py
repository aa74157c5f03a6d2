"""`cell figures`: OEE, first-read rate, cycle times, stops and rejects of the pick jobs, from the database."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

from cell_common.database import DatabaseError, StorageFailedError, open_database
from cell_common.time import NS_PER_S
from cell_coordinator.figures import (
    Figures,
    Report,
    ShiftError,
    Window,
    make_report,
    parse_starts,
    report_csv,
    report_json,
)
from cell_coordinator.figures_reader import read_jobs
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cell_bringup.state_folder import find_state

__all__ = ['show_figures']


def show_figures(options: argparse.Namespace, console: Console) -> int:
    """Print or write the figures of the last time; return the exit code."""
    until_ns = time.time_ns()
    window = Window(until_ns - options.since * NS_PER_S, until_ns)
    try:
        starts = parse_starts([text for text in options.shifts.split(',') if text])
        engine = open_database(options.database_url or find_state(options.namespace).database_url)
        try:
            jobs = read_jobs(engine, window, options.part)
        finally:
            engine.dispose()
        report = make_report(jobs, window, starts, options.ideal_cycle)
        if options.csv is not None:
            _write(report_csv(report), str(options.csv))
    except (DatabaseError, StorageFailedError, ShiftError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 1
    if options.json:
        console.print_json(json.dumps(report_json(report)))
    elif options.csv is None:
        _print(report, console)
    return 0


def _write(text: str, path: str) -> None:
    if path == '-':
        sys.stdout.write(text)
        return
    Path(path).write_text(text, encoding='utf-8', newline='')


def _print(report: Report, console: Console) -> None:
    table = Table('', 'part', 'placed', 'rejected', 'OEE', 'available', 'performance', 'quality', 'first read', 'cycle s')
    for item in (report.total, *report.shifts, *report.jobs):
        table.add_row(*map(escape, _cells(item)))
    console.print(table)
    for title, reasons in (('stops', report.stops), ('rejects', report.rejects)):
        if reasons:
            console.print(f'{title}:')
        for reason in reasons:
            seconds = f', {reason.seconds:.0f} s' if reason.seconds else ''
            console.print(f'  {reason.count} x {reason.reason}{seconds}', highlight=False, markup=False, soft_wrap=True)


def _cells(item: Figures) -> list[str]:
    shares = (item.oee, item.availability, item.performance, item.quality, item.first_read_rate)
    cycle = '' if math.isnan(item.median_cycle) else f'{item.median_cycle:.1f}'
    texts = ['' if math.isnan(share) else f'{share:.1%}' for share in shares]
    return [item.name, item.part_number, str(item.placed), str(item.rejected), *texts, cycle]
