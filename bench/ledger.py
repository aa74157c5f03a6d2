#!/usr/bin/env python3
"""Measure the stock ledger: durable bookings beside a bare insert loop, start, undo and reads at a million entries.

Run in the built environment, alone on the machine:

    python bench/ledger.py [--entries 1000000] [--bookings 2000] [--folder DIR] [--json FILE]

All databases lie in one folder, so that both loops write to the same disk; they take turns, so that both meet the same load.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cell_common.catalogue import Catalogue, Part, Tray
from cell_common.database import migrate, open_database
from cell_inventory.ledger import Ledger, UndoCommand
from cell_inventory.rules import EntryKind, NewEntry, TrayCount
from sqlalchemy import Engine, text

from cell_inventory import rules

PARTS, TRAYS, CAPACITY = 24, 4, 1_000_000
TURNS = 20
GOALS = {'booking_ratio': 0.6, 'start_s': 2.0, 'get_p99_ms': 5.0, 'undo_ms': 5.0}


def catalogue() -> Catalogue:
    """Return parts with trays that take any count."""
    trays = tuple(Tray(number, CAPACITY // 2, CAPACITY, 10) for number in range(1, TRAYS + 1))
    numbers = [f'PART-{number:02}' for number in range(PARTS)]
    return Catalogue({number: Part(number, '', trays) for number in numbers})


def fill(engine: Engine, entries: int) -> None:
    """Append entries of jobs, with a manual entry at the begin, in one transaction.

    By one statement: booking a million entries one by one would take many times as long as the measurement.

    Args:
        engine: Open, migrated database.
        entries: Number of entries.
    """
    with engine.begin() as connection:
        connection.execute(
            text(
                'INSERT INTO stock_ledger (sequence, stamp_ns, kind, part_number, tray, delta, count_after, job_id, piece, '
                'operator_id, reason) '
                'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :entries) '
                "SELECT i + :first, i, CASE WHEN i = 1 THEN 3 ELSE 1 END, 'PART-' || substr('0' || (i % :parts), -2), "
                "i % :trays + 1, 0, 500000, CASE WHEN i = 1 THEN NULL ELSE 'job-' || (i / 50) END, "
                "CASE WHEN i = 1 THEN NULL ELSE i % 50 + 1 END, 'inventory', '' FROM n"
            ),
            {'entries': entries, 'first': PARTS * TRAYS, 'parts': PARTS, 'trays': TRAYS},
        )


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a piece of work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def bare_table(path: Path) -> sqlite3.Connection:
    """Return a table of the same columns, without an index, as durable as the ledger."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ('journal_mode=WAL', 'synchronous=FULL'):
        connection.execute(f'PRAGMA {pragma}')
    connection.execute(
        'CREATE TABLE bare (sequence INTEGER PRIMARY KEY, stamp, kind, part, tray, delta, after, job, piece, who)'
    )
    return connection


def bookings(ledger: Ledger, folder: Path, count: int) -> dict[str, float]:
    """Return bookings a second of the ledger and of the bare loop, in turns; each is one durable transaction.

    In turns, because the speed of a disk changes within minutes.

    Args:
        ledger: Ledger that is measured.
        folder: Where the bare table is made, on the same disk.
        count: Bookings of each, divided into TURNS turns.
    """
    bare = bare_table(folder / 'bare.db')
    spent = {'ledger': 0.0, 'bare': 0.0}
    number = 0
    each = count // TURNS

    def book() -> None:
        for piece in range(number, number + each):
            ledger.book(NewEntry(EntryKind.PLACE, 'PART-01', 1, -1, 'inventory', '', 'bench', piece + 1), 1)

    def insert() -> None:
        for piece in range(number, number + each):
            bare.execute('BEGIN IMMEDIATE')
            row = (None, 1, 1, 'PART-01', 1, -1, 5, 'bench', piece, 'inventory')
            bare.execute('INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', row)
            bare.execute('COMMIT')

    for _ in range(TURNS):
        spent['bare'] += timed(insert)
        spent['ledger'] += timed(book)
        number += each
    bare.close()
    rates = {name: each * TURNS / seconds for name, seconds in spent.items()}
    return {
        'bookings_per_s': rates['ledger'],
        'bare_inserts_per_s': rates['bare'],
        'booking_ratio': rates['ledger'] / rates['bare'],
    }


def milliseconds(work: Callable[[], object], times: int) -> tuple[float, float]:
    """Return median and 99th percentile of a repeated piece of work, milliseconds.

    Args:
        work: Called without arguments.
        times: Repetitions.
    """
    spent = sorted(timed(work) * 1000 for _ in range(times))
    return statistics.median(spent), spent[int(len(spent) * 0.99)]


def measure(folder: Path, entries: int, count: int) -> dict[str, float]:
    """Return all figures: seconds of a start, bookings a second, milliseconds of a query and of an undo.

    Args:
        folder: Empty folder for the databases.
        entries: Entries of the ledger at its start.
        count: Bookings.
    """
    parts = catalogue()
    engine = open_database(f'sqlite:///{folder}/cell.db')
    migrate(engine, 'cell_inventory')
    Ledger(engine, parts).load_initial(1, 'inventory')
    fill(engine, entries)
    engine.dispose()
    engine = open_database(f'sqlite:///{folder}/cell.db')
    start = timed(lambda: Ledger(engine, parts))
    ledger = Ledger(engine, parts)
    gc.collect()
    gc.freeze()
    figures = {'entries': float(ledger.sequence), 'start_s': start, **bookings(ledger, folder, count)}
    undo = [timed(lambda: ledger.undo(0, UndoCommand('ann'), 2)) * 1000]
    for turn in range(20):
        ledger.post(lambda stock, n=turn: rules.adjust(stock, TrayCount('PART-02', 1, n, 'bench')), 'ann', 2)  # type: ignore[misc]
        undo.append(timed(lambda: ledger.undo(0, UndoCommand('ann'), 2)) * 1000)
    figures['first_undo_ms'], figures['undo_ms'] = undo[0], statistics.median(undo)
    figures['get_median_ms'], figures['get_p99_ms'] = milliseconds(lambda: ledger.latest(50), 500)
    figures['get_part_median_ms'], figures['get_part_p99_ms'] = milliseconds(lambda: ledger.latest(50, 'PART-07'), 500)
    engine.dispose()
    return figures


def main() -> None:
    """Measure, print the figures beside their goals, and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--entries', type=int, default=1_000_000)
    parser.add_argument('--bookings', type=int, default=2000)
    parser.add_argument('--folder', type=Path, help='folder on the disk to measure (default: a temporary one)')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.entries, options.bookings)
    print(f'{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}')
    for name, value in figures.items():
        goal = f'   goal {GOALS[name]:g}' if name in GOALS else ''
        print(f'{name:20} {value:12.3f}{goal}')
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == '__main__':
    main()
