#!/usr/bin/env python3
"""Measure the history: each question about a million pieces and a million bags, with its pages.

Run in the built environment, alone on the machine:

    python bench/history.py [--pieces 1000000] [--rounds 200] [--folder DIR] [--json FILE]

The goal is 100 ms at the 99th percentile for each question. The database is filled first, which takes two minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cell_common.history_page import HistoryFilter, PageRequest, to_cursor
from cell_common.time import NS_PER_S
from cell_history.queries.service import KINDS, History, UnknownPieceError
from cell_history.testing import insert_rows, job_row, make_database, piece_row
from cell_weighing.reader import open_reader
from sqlalchemy import Engine

GOAL_MS = 100.0
JOB_PIECES, PARTS, STATIONS = 50, 24, 6
BEGIN_NS = 1_700_000_000 * NS_PER_S
STEP_NS = 20 * NS_PER_S
BLOCK = 20_000
RARE = 'W9-RARE'
Questions = dict[str, Callable[[], object]]


def part_of(job: int) -> str:
    """Return the part of a job; one part in a thousand jobs is a rare one."""
    return RARE if job % 1000 == 7 else f'PART-{job % PARTS:02}'


def job_of(piece: int) -> str:
    """Return the id of the job of a piece, counted from 0."""
    return f'0190{piece // JOB_PIECES:08x}-0000-7000-8000-000000000000'


def fill(engine: Engine, count: int) -> None:
    """Store pieces with jobs, readings, triggers and bookings, and as many bags, alarms and commands among them."""
    with engine.begin() as connection:
        jobs = range(0, count, JOB_PIECES)
        rows = [job_row(job_of(first), first, part_of(first // JOB_PIECES), BEGIN_NS + first * STEP_NS) for first in jobs]
        insert_rows(connection, 'pick_job', rows)
    for start in range(0, count, BLOCK):
        numbers = range(start, min(count, start + BLOCK))
        with engine.begin() as connection:
            for name, rows_of in TABLES.items():
                insert_rows(connection, name, [row for number in numbers for row in rows_of(number)])


def pieces(number: int) -> Iterator[dict[str, object]]:
    """Yield the row of a piece; every fiftieth is rejected."""
    booked_ns = BEGIN_NS + number * STEP_NS
    part = part_of(number // JOB_PIECES)
    yield piece_row(job_of(number), number % JOB_PIECES + 1, part, booked_ns, rejected=number % 50 == 6)


def readings(number: int) -> Iterator[dict[str, object]]:
    """Yield the rows of the readings of a piece."""
    at_ns = BEGIN_NS + number * STEP_NS
    yield {
        'job_id': job_of(number), 'piece': number % JOB_PIECES + 1, 'attempt': 1, 'verdict': 'MATCH', 'recognized': 'PART',
        'text': 'PART', 'score': 0.9, 'frame_ns': at_ns, 'matched_ns': at_ns, 'request_id': f'reading-{number}', 'reason': '',
    }  # fmt: skip


def triggers(number: int) -> Iterator[dict[str, object]]:
    """Yield the rows of the two triggers of a piece."""
    at_ns = BEGIN_NS + number * STEP_NS
    for event in ('PART', 'PLACE'):
        yield {
            'trigger_id': f'{job_of(number)}-{number}-{event}', 'job_id': job_of(number), 'piece': number % JOB_PIECES + 1,
            'effect_id': number * 2 + (event == 'PLACE'), 'event': event, 'tray': 1, 'sent_ns': at_ns - 9,
            'finished_ns': at_ns, 'outcome': 'SUCCEEDED', 'message': '',
        }  # fmt: skip


def stock(number: int) -> Iterator[dict[str, object]]:
    """Yield the entry of a piece in the stock ledger."""
    yield {
        'sequence': number + 1, 'stamp_ns': BEGIN_NS + number * STEP_NS, 'kind': 1, 'tray': 1,
        'part_number': part_of(number // JOB_PIECES), 'delta': -1, 'count_after': 5, 'job_id': job_of(number),
        'piece': number % JOB_PIECES + 1, 'operator_id': 'ann', 'reason': '', 'undoes': None,
    }  # fmt: skip


def weigh_jobs(number: int) -> Iterator[dict[str, object]]:
    """Yield a weigh job before its first bag."""
    if number % JOB_PIECES == 0:
        job = number // JOB_PIECES + 1
        yield {
            'id': job, 'company': '', 'quantity': JOB_PIECES, 'station': f'S{job % STATIONS}', 'target': '12.5', 'unit': 'kg',
            'tolerance': '0.1', 'tare': '0', 'bags_good': 50, 'bags_out': 0, 'bags_numbered': 50, 'bags_voided': 0,
            'started_by': 'ann', 'started_ns': BEGIN_NS + number * STEP_NS, 'finished_ns': BEGIN_NS + number * STEP_NS,
            'ended_by': '', 'end_reason': '',
        }  # fmt: skip


def bags(number: int) -> Iterator[dict[str, object]]:
    """Yield a bag; one in a hundred is out of tolerance."""
    job = number // JOB_PIECES + 1
    yield {
        'prepuff_job_id': job, 'scale_id': '1', 'reading_id': f'line-{number}', 'weight_exact': f'12.{number % 100:02}',
        'weight_unit': 'kg', 'station': f'S{job % STATIONS}', 'bag_number': number % JOB_PIECES + 1,
        'outcome': int(number % 100 == 3), 'weighed_ns': BEGIN_NS + number * STEP_NS, 'stability': 1, 'message': '', 'zone': 3,
    }  # fmt: skip


def deliveries(number: int) -> Iterator[dict[str, object]]:
    """Yield the delivery of a bag."""
    at_ns = BEGIN_NS + number * STEP_NS
    yield {
        'reading_id': f'line-{number}', 'station': 'S1', 'scale_id': '1', 'weight': '12.5', 'unit': 'kg', 'state': 1,
        'attempts': 1, 'received_ns': at_ns, 'validated_ns': at_ns, 'stored_ns': at_ns, 'posted_ns': at_ns,
        'acknowledged_ns': at_ns, 'error': '', 'http_status': 200,
    }  # fmt: skip


def alarms(number: int) -> Iterator[dict[str, object]]:
    """Yield an alarm for each reject."""
    if number % 50 == 6:
        at_ns = BEGIN_NS + number * STEP_NS
        facts: dict[str, object] = {'alarm_id': f'alarm-{number}', 'source': 'coordinator', 'key': f'part_rejected/{number}'}
        texts = {'priority': 1, 'text': f'Piece {number} rejected', 'consequence': 'x' * 80, 'action': 'y' * 200}
        snapshot = {**facts, **texts, 'raised_ns': at_ns, 'last_event_ns': at_ns, 'active': False, 'acknowledged_ns': at_ns}
        yield {**facts, 'open': False, 'raised_ns': at_ns, 'last_event_ns': at_ns, 'snapshot': json.dumps(snapshot)}


def commands(number: int) -> Iterator[dict[str, object]]:
    """Yield a command for each fifth piece."""
    if number % 5 == 0:
        at_ns = BEGIN_NS + number * STEP_NS
        yield {
            'node': 'coordinator', 'command': 'set_job', 'request_id': f'r{number}', 'operator_id': f'operator {number % 30}',
            'role': 'operator', 'origin': '10.0.0.7', 'received_ns': at_ns, 'issued_ns': at_ns, 'expires_ns': 0,
            'code': int(number % 1000 == 0), 'message': '', 'fingerprint': '',
            'arguments': json.dumps({'part_number': part_of(number // JOB_PIECES), 'quantity': 50, 'note': 'x' * 100}),
        }  # fmt: skip


TABLES: dict[str, Callable[[int], Iterator[dict[str, object]]]] = {
    'pick_piece': pieces,
    'pick_reading': readings,
    'pick_trigger': triggers,
    'stock_ledger': stock,
    'weigh_job': weigh_jobs,
    'weigh_bag': bags,
    'weigh_delivery': deliveries,
    'alarm': alarms,
    'command_log': commands,
}


def questions(history: History, count: int, random_source: random.Random) -> Questions:
    """Return each question by its name; each call asks about another row."""

    def moment() -> int:
        return BEGIN_NS + random_source.randrange(count) * STEP_NS

    def ask(kind: str, cursor: str = '', **wanted: object) -> object:
        return history.page(kind, HistoryFilter(**wanted), PageRequest(50, cursor))  # type: ignore[arg-type]

    def deep(kind: str) -> object:
        number = random_source.randrange(count)
        at_ns = BEGIN_NS + number * STEP_NS
        last: dict[str, list[object]] = {
            'pieces': [at_ns, job_of(number), 5], 'alarms': [at_ns, 'z'], 'bags': [at_ns, number],
            'jobs': [at_ns, number], 'commands': [at_ns, number], 'stock': [at_ns, number],
        }  # fmt: skip
        return ask(kind, to_cursor(last[kind]))

    def piece_at() -> object:
        at_ns = moment()
        try:
            return history.piece_at(7, at_ns, at_ns + 60 * NS_PER_S)
        except UnknownPieceError:
            return None

    def random_piece() -> object:
        number = random_source.randrange(count)
        return history.piece(job_of(number), number % JOB_PIECES + 1)

    def row() -> int:
        return random_source.randrange(count)

    def lists(kind: str) -> Questions:
        return {
            f'{kind}, newest': lambda: ask(kind),
            f'{kind}, some page': lambda: deep(kind),
            f'{kind}, of a day': lambda: ask(kind, since_ns=(at_ns := moment()), until_ns=at_ns + 86_400 * NS_PER_S),
            f'{kind}, faults': lambda: ask(kind, faults=True, until_ns=moment()),
            f'{kind}, text that is frequent': lambda: ask(kind, text='1', until_ns=moment()),
            f'{kind}, text that is nowhere': lambda: ask(kind, text='nowhere', until_ns=moment()),
        }

    def of_parts(kind: str) -> Questions:
        return {
            f'{kind}, of a part': lambda: ask(kind, part=part_of(row()), until_ns=moment()),
            f'{kind}, of a rare part': lambda: ask(kind, part=RARE, until_ns=moment()),
            f'{kind}, of a job': lambda: ask(kind, job=job_of(row())),
            f'{kind}, faults of a part': lambda: ask(kind, part=part_of(row()), faults=True),
        }

    asked: Questions = {'why by id': random_piece, 'why by time': piece_at, 'bag by id': lambda: history.bag(row() + 1)}
    for kind in KINDS:
        asked |= lists(kind)
    for kind in ('pieces', 'jobs', 'stock'):
        asked |= of_parts(kind)
    asked['bags, of a station'] = lambda: ask('bags', station=f'S{row() % STATIONS}', until_ns=moment())
    asked['bags, of a job'] = lambda: ask('bags', job=str(row() // JOB_PIECES))
    asked['commands, with a part'] = lambda: ask('commands', part=RARE, until_ns=moment())
    return asked


def measure(question: Callable[[], object], rounds: int) -> dict[str, float]:
    """Return median, 99th percentile and maximum of a question in milliseconds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        question()
        taken.append((time.perf_counter() - begun) * 1000)
    taken.sort()
    return {'p50': taken[len(taken) // 2], 'p99': taken[min(len(taken) - 1, len(taken) * 99 // 100)], 'max': taken[-1]}


def main() -> int:
    """Fill a database, ask each question, and print a line for each; 1 when one misses the goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--pieces', type=int, default=1_000_000)
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--folder', type=Path, help='where the database lies; kept, and used again')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        file = (options.folder or Path(temporary)) / f'history_{options.pieces}.db'
        if not file.exists():
            begun = time.perf_counter()
            engine = make_database(f'sqlite:///{file}')
            fill(engine, options.pieces)
            engine.dispose()
            print(f'filled in {time.perf_counter() - begun:.0f} s, {file.stat().st_size / 1e6:.0f} MB')
        history = History(open_reader(f'sqlite:///{file}'))
        results = {}
        for name, question in questions(history, options.pieces, random.Random(1)).items():
            result = results[name] = measure(question, options.rounds)
            mark = '' if result['p99'] < GOAL_MS else '  MISSED'
            print(f'{name:34} p50 {result["p50"]:7.1f}  p99 {result["p99"]:7.1f}  max {result["max"]:7.1f} ms{mark}')
        history.engine.dispose()
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))
    return int(any(result['p99'] >= GOAL_MS for result in results.values()))


if __name__ == '__main__':
    sys.exit(main())
