"""Weighing under load: scale_bridge, the old design and a plain bridge, on this machine.

  python bench/weighing.py                    # 500 indicators x 10 lines/s for 20 s, then the old design, then the ceilings
  python bench/weighing.py --indicators 50 --seconds 5

1. Load: simulated indicators send numbered weights to scale_bridge with the durable journal. Each must be in the journal and on
   the topic exactly once, in order, with the right weight. Latency is from the send call to a subscriber in another process.
2. The old design under the same load: one thread per connection, recv(16), the POST to the web application inside the loop.
3. Drift alarm: false alarms of steady jobs, and bags until a shift by one spread is found.
4. Backlog: a station that starts behind 100,000 lines of the journal, while 10 scales print. Latency of each printed line, and
   bags a second until the station is in step (--only backlog measures this alone).
5. Ceiling: lines sent without pause, to scale_bridge and to a plain asyncio bridge that commits each line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from cell_common.testing import free_port
from cell_weighing.reports.drift import DriftDetector, drifts
from weighing_backlog import backlog_verdicts, run_backlog
from weighing_load import bridge, load, number_of, peer, wait_for_port, wait_quiet

P99_MS = 30.0
CEILING_TIMES = 10.0


def journal(database: Path) -> list[tuple[str, int, str]]:
    """Return the valid readings of the journal: (scale, consecutive number, weight)."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute('SELECT scale_id, sequence, weight FROM weigh_reading WHERE status = 0').fetchall()


def rows(database: Path, table: str) -> int:
    """Return the number of rows of a table; read while the bridge writes.

    Args:
        database: SQLite file.
        table: A name from this file, never from outside.
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f'SELECT COUNT(*) FROM {table}').fetchone()[0])


def run_load(folder: Path, indicators: int, rate: float, seconds: float) -> dict[str, object]:
    """Measure scale_bridge under the given load.

    Args:
        folder: For database and results.
        indicators: Number of scales.
        rate: Lines a second of each.
        seconds: Duration.

    Returns:
        Name of a figure -> its value; "lost", "wrong", "stored twice" and "out of order" must be 0.
    """
    port, database, seen_file = free_port(), folder / 'cell.db', folder / 'seen.txt'
    lines = int(rate * seconds)
    with bridge(port, database) as node, peer('watch', str(seen_file)):
        wait_for_port(port)
        time.sleep(2)
        before = psutil.Process(node.pid).cpu_times()
        sent = asyncio.run(load(port, indicators, lines, 1 / rate))
        wait_quiet(lambda: rows(database, 'weigh_reading'), indicators * lines)
        after = psutil.Process(node.pid).cpu_times()
        memory = psutil.Process(node.pid).memory_info().rss
        time.sleep(1)
    stored = journal(database)
    in_journal = {(scale, number_of(weight)) for scale, _, weight in stored}
    seen = [(row[0], number_of(row[1]), int(row[2])) for row in map(str.split, seen_file.read_text().splitlines())]
    delays = sorted((at - sent.at[scale, number]) / 1e6 for scale, number, at in seen if (scale, number) in sent.at)
    return {
        'lines sent': len(sent.at),
        'lines/s': round(indicators * rate),
        'in the journal': len(stored),
        'lost': len(sent.at.keys() - in_journal),
        'wrong': len(in_journal - sent.at.keys()),
        'stored twice': len(stored) - len(in_journal),
        'out of order': sum(number_of(weight) != sequence for _, sequence, weight in stored),
        'on the topic': len(seen),
        'p50 ms': round(statistics.median(delays), 1),
        'p99 ms': round(delays[int(len(delays) * 0.99)], 1),
        'max ms': round(delays[-1], 1),
        'bridge cpu %': round(100 * (after.user + after.system - before.user - before.system) / (seconds + 2.5)),
        'bridge rss MB': memory // 2**20,
    }


def run_old(folder: Path, indicators: int, rate: float, seconds: float) -> dict[str, object]:
    """Measure the old design under the same load: one thread a connection, and a post for each line.

    Args:
        folder: For its output.
        indicators: Number of connections.
        rate: Lines a second of each.
        seconds: Length of the load.

    Returns:
        Figures for the table, by name.
    """
    port, out = free_port(), folder / 'old.txt'
    lines = int(rate * seconds)
    with peer('old', str(port), str(out)):
        wait_for_port(port)
        sent = asyncio.run(load(port, indicators, lines, 1 / rate))
        wait_quiet(lambda: out.stat().st_size, sys.maxsize)
    posted = [tuple(row.split()) for row in out.read_text().splitlines() if len(row.split()) == 2]
    right = {
        (scale, number_of(weight)) for scale, weight in posted if weight.replace('.', '').isdigit() and number_of(weight) > 0
    } & sent.at.keys()
    return {
        'lines sent': len(sent.at),
        'posted': len(posted),
        'right': len(right),
        'lost': len(sent.at) - len(right),
        'wrong or twice': len(posted) - len(right),
    }


def run_ceiling(folder: Path, indicators: int, total: int, what: str) -> float:
    """Return the number of lines stored per second when they are sent without pause.

    Args:
        folder: For the databases.
        indicators: Connections.
        total: Lines of all together.
        what: "ours" or "plain".

    Raises:
        SystemExit: Lines are missing.
    """
    port, database, seen_file = free_port(), folder / f'{what}.db', folder / f'{what}.txt'
    lines = total // indicators
    running = bridge(port, database) if what == 'ours' else peer('plain', str(port), str(database))
    with running, peer('watch', str(seen_file)):
        wait_for_port(port)
        time.sleep(2)
        start = time.monotonic()
        asyncio.run(load(port, indicators, lines, 0.0))
        end = wait_quiet(lambda: rows(database, 'weigh_reading'), indicators * lines)
    done = rows(database, 'weigh_reading')
    if done != indicators * lines:
        raise SystemExit(f'{what}: {done} of {indicators * lines} lines were stored')
    return done / (end - start)


def verdicts(result: dict[str, dict[str, float]]) -> list[tuple[bool, str]]:
    """Return each requirement: whether it holds, and its numbers."""
    load, old, ceiling = result['load'], result['old design'], result['ceiling']
    bad = {name: load[name] for name in ('lost', 'wrong', 'stored twice', 'out of order') if load[name]}
    return [
        (
            not bad and load['on the topic'] == load['lines sent'],
            f'{load["lines sent"]} lines at {load["lines/s"]}/s: nothing lost, nothing wrong {bad or ""}'.rstrip(),
        ),
        (load['p99 ms'] < P99_MS, f'p99 from socket to topic {load["p99 ms"]} ms, must be under {P99_MS:g} ms'),
        (
            old['lost'] > 0,
            f'the old design lost {old["lost"]} of {old["lines sent"]} lines in the same run, '
            f'{old["wrong or twice"]} were wrong or duplicated',
        ),
        (
            ceiling['times'] >= CEILING_TIMES,
            f'ceiling {ceiling["ours lines/s"]} lines/s, {ceiling["times"]} times that of a '
            f'commit for each line, must be {CEILING_TIMES:g} times',
        ),
    ]


def measure_drift(jobs: int = 100) -> dict[str, float]:
    """Measure the drift alarm on drawn weights: false alarms of steady jobs, and bags until a shift is found.

    Args:
        jobs: Drawn jobs for each figure; the seed is fixed.
    """
    rng = random.Random(5)
    result: dict[str, float] = {}
    for division in (0.0, 1.0, 2.5):
        alarms = 0
        for _ in range(jobs):
            center = rng.random() * max(division, 1.0)
            values = [rng.gauss(center, 1.0) for _ in range(2000)]
            alarms += bool(drifts([round(value / division) * division for value in values] if division else values))
        result[f'false alarms in 20 jobs of 2000 bags, division {division:g} spreads'] = 20 * alarms / jobs
    alarms = 0
    for _ in range(jobs):
        values = [rng.gauss(0.0, 1.0) for _ in range(2000)]
        # Half filled bags are no drift.
        for place in range(20, 2000):
            values[place] -= 10.0 if rng.random() < 0.01 else 0.0
        alarms += bool(drifts(values))
    result['the same with 1 % of the bags 10 spreads too light'] = 20 * alarms / jobs
    first: list[int] = []
    again: list[int] = []
    for _ in range(4 * jobs):
        watch = DriftDetector()
        for _ in range(200):
            watch.add(rng.gauss(0.0, 1.0))
        for center, delays in ((1.0, first), (2.0, again)):
            bags = 1
            while watch.add(rng.gauss(center, 1.0)) is None:
                bags += 1
            delays.append(bags)
            for _ in range(150):
                watch.add(rng.gauss(center, 1.0))
    result['bags until +1 spread is found, median'] = statistics.median(first)
    result['the same after an earlier alarm'] = statistics.median(again)
    return result


def main() -> None:
    """Measure and print; exit with 1 when a requirement does not hold."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--indicators', type=int, default=500)
    arguments.add_argument('--rate', type=float, default=10.0, help='lines a second of each indicator')
    arguments.add_argument('--seconds', type=float, default=20.0)
    arguments.add_argument('--only', choices=('backlog',), help='measure only this')
    arguments.add_argument('--json', type=Path, help='write the numbers here too')
    chosen = arguments.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    os.environ.setdefault('ROS_DOMAIN_ID', '97')
    with tempfile.TemporaryDirectory(prefix='cell-bench-') as name:
        backlog = run_backlog(Path(name), 10, 10.0, 100_000)
    print('backlog:', json.dumps(backlog), flush=True)
    if chosen.only:
        return print_verdicts(backlog_verdicts(backlog))
    drift_result = measure_drift()
    print('drift alarm:', json.dumps(drift_result), flush=True)
    with tempfile.TemporaryDirectory(prefix='cell-bench-') as name:
        folder = Path(name)
        result: dict[str, Any] = {'load': run_load(folder, chosen.indicators, chosen.rate, chosen.seconds)}
        print('ours under load:', json.dumps(result['load']), flush=True)
        result['old design'] = run_old(folder, chosen.indicators, chosen.rate, min(chosen.seconds, 10.0))
        print('old design under the same load:', json.dumps(result['old design']), flush=True)
        ours = run_ceiling(folder, 50, 100_000, 'ours')
        plain = run_ceiling(folder, 50, 20_000, 'plain')
        result['ceiling'] = {
            'ours lines/s': round(ours),
            'one commit a line lines/s': round(plain),
            'times': round(ours / plain, 1),
        }
        print('ceiling:', json.dumps(result['ceiling']))
    result |= {'drift alarm': drift_result, 'backlog': backlog}
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=2) + '\n')
    return print_verdicts(verdicts(result) + backlog_verdicts(backlog))


def print_verdicts(checks: list[tuple[bool, str]]) -> None:
    """Print the requirements; exit with 1 when one does not hold."""
    for holds, text in checks:
        print('ok    ' if holds else 'NOT ok', text)
    if not all(holds for holds, _ in checks):
        raise SystemExit(1)


if __name__ == '__main__':
    main()
