"""A station that starts behind a long journal, while indicators print: see bench/weighing.py."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
from cell_common.database import migrate, open_database
from cell_common.ids import new_id
from cell_common.testing import free_port
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.domain.jobs import JobRequest
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand
from cell_weighing.station.store import WeighStore
from weighing_load import Sent, bridge, load, number_of, peer, process, wait_for_port

BACKLOG_MS = 500.0
BACKLOG_BAGS_S = 5000
PRINT_S = 60.0
"""How long the scales print, seconds: longer than a quiet machine needs to catch up."""


def station(database: Path, scales: int) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Run weigh_station; each scale weighs at a station of its own.

    Args:
        database: SQLite file of the journal.
        scales: Number of scales; their ids are 1, 2, ...
    """
    names = ', '.join(f"'{scale}'" for scale in range(1, scales + 1))
    return process(
        sys.executable,
        '-c',
        'from cell_weighing.station.node import main; main()',
        '--ros-args',
        '-r',
        '__ns:=/cell',
        '-p',
        f'scale_ids:=[{names}]',
        '-p',
        f'stations:=[{names}]',
        '-p',
        f'database_url:=sqlite:///{database}',
        '--log-level',
        'error',
    )


def fill_journal(database: Path, scales: int, lines: int) -> None:
    """Make a journal that no station has processed, and an active weigh job for each scale.

    Args:
        database: SQLite file; its tables are made.
        scales: Number of scales.
        lines: Lines of all scales together, each a valid weight of a bag within the tolerance of 1 kg +- 0.5 kg.

    Raises:
        SystemExit: The journal could not be stored.
    """
    engine = open_database(f'sqlite:///{database}')
    migrate(engine, 'cell_weighing')
    each = lines // scales
    store = WeighStore(engine, StationMap({str(scale): str(scale) for scale in range(1, scales + 1)}), time.time_ns)
    for scale in range(1, scales + 1):
        store.start_job(JobRequest('ACME', str(scale), ToleranceBand(Decimal(1), 'kg', Decimal('0.5')), 10**6), 1, 'bench')
    writer = JournalWriter(engine, lambda _: None, lambda _: None)
    for number in range(each):
        now = time.time_ns()
        writer.append(
            [
                WeightReading(new_id(), str(scale), 0, now, number, b'', ReadingStatus.VALID, f'1.{number % 400:03}', 'kg')
                for scale in range(1, scales + 1)
            ]
        )
        while writer.pending > 2000:
            time.sleep(0.01)
    if writer.close():
        raise SystemExit('the journal could not be filled')
    engine.dispose()


def run_backlog(folder: Path, scales: int, rate: float, lines: int) -> dict[str, object]:
    """Measure a station that catches up, while all scales print.

    Args:
        folder: For database and results.
        scales: Number of scales.
        rate: Lines a second of each.
        lines: Lines that no station has processed.
    """
    port, database, seen_file = free_port(), folder / 'backlog.db', folder / 'backlog.txt'
    fill_journal(database, scales, lines)
    bags = 'SELECT COUNT(*), (SELECT COUNT(*) FROM weigh_reading) FROM weigh_bag'
    first: float | None = None
    at_first = 0
    with bridge(port, database), peer('watch', str(seen_file)), contextlib.closing(sqlite3.connect(database)) as connection:
        wait_for_port(port)
        time.sleep(2)
        printing = threading.Thread(
            target=lambda: results.append(asyncio.run(load(port, scales, int(rate * PRINT_S), 1 / rate)))
        )
        results: list[Sent] = []
        printing.start()
        time.sleep(2)
        with station(database, scales) as node:
            deadline = time.monotonic() + 400
            while time.monotonic() < deadline:
                done, stored = connection.execute(bags).fetchone()
                if done and first is None:
                    first, at_first, before = time.monotonic(), done, psutil.Process(node.pid).cpu_times()
                if done and stored - done < scales * rate:
                    break
                time.sleep(0.05)
            else:
                raise SystemExit(f'the station is not in step: {done} of {stored} lines')
            seconds = time.monotonic() - (first or 0.0)
            after = psutil.Process(node.pid).cpu_times()
            in_step = time.monotonic_ns()
            printing.join()
            time.sleep(2)
    (sent,) = results
    seen = [(row[0], number_of(row[1]), int(row[2])) for row in map(str.split, seen_file.read_text().splitlines())]
    delays = sorted(
        (at - sent.at[key]) / 1e6 for *key_, at in seen if (key := tuple(key_)) in sent.at and sent.at[key] < in_step
    )
    return {
        'backlog lines': lines,
        'bags/s': round((done - at_first) / max(seconds, 0.001)),
        'station cpu us a bag': round(
            1e6 * (after.user + after.system - before.user - before.system) / max(done - at_first, 1)
        ),
        'seconds until in step': round(seconds, 1),
        'lines printed meanwhile': len(delays),
        'lost': len(sent.at) - len({(scale, number) for scale, number, _ in seen} & sent.at.keys()),
        'p50 ms': round(statistics.median(delays), 1),
        'p99 ms': round(delays[int(len(delays) * 0.99)], 1),
        'max ms': round(delays[-1], 1),
    }


def backlog_verdicts(backlog: dict[str, Any]) -> list[tuple[bool, str]]:
    """Return each requirement of the backlog: whether it holds, and its numbers."""
    return [
        (
            backlog['max ms'] < BACKLOG_MS and not backlog['lost'],
            f'the slowest of {backlog["lines printed meanwhile"]} lines was durable after {backlog["max ms"]} ms while the '
            f'station caught up, must be under {BACKLOG_MS:g} ms; {backlog["lost"]} lost',
        ),
        (
            backlog['bags/s'] >= BACKLOG_BAGS_S,
            f'{backlog["bags/s"]} bags/s until in step, must be {BACKLOG_BAGS_S}',
        ),
    ]
