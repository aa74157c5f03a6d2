"""Ledger, jobs and pieces agree with the physical moves after kills, kills within commits, set clocks and database locks."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest
from cell_common.testing import FULL, wait_until
from truth_cell import FILLED, Place, hold_lock, moves_of, prepare, run_coordinator, run_inventory, run_robot

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS, IN_COMMIT = (200, 50) if FULL else (24, 8)
LOCKS, LOCK_S = (10, 15.0) if FULL else (1, 0.5)
SEED = 19
END_S = 120.0
LEDGER = """SELECT COUNT(*), SUM(kind = 1), SUM(kind = 2), SUM(kind = 3) FROM stock_ledger WHERE job_id IS NOT NULL"""


def fork(work: Callable[[], None]) -> int:
    """Run a role in a child process; return its process id. Forked, because an import takes longer than a job."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0)


class Cell:
    """The processes of one cell; a process that was killed is started again."""

    def __init__(self, place: Place) -> None:
        self.place, self.random = place, random.Random(place.seed)
        self.kills: Counter[str] = Counter()
        self.robot = fork(lambda: run_robot(place))
        wait_until((place.folder / 'robot').exists)
        self.workers: dict[str, int] = {}
        for role in ('inventory', 'coordinator'):
            self.start(role)

    def start(self, role: str, *, in_commit: bool = False) -> None:
        run = {'inventory': run_inventory, 'coordinator': run_coordinator}[role]
        seed = self.random.getrandbits(60)
        self.workers[role] = fork(lambda: run(self.place, seed, in_commit))

    def kill(self, role: str) -> None:
        os.kill(self.workers[role], signal.SIGKILL)
        os.waitpid(self.workers[role], 0)
        self.kills[role] += 1
        self.start(role)

    def kill_within_commit(self, role: str) -> None:
        """Start a process again, which ends itself within one of its next commits."""
        os.kill(self.workers[role], signal.SIGTERM)
        os.waitpid(self.workers[role], 0)
        self.start(role, in_commit=True)
        _, status = os.waitpid(self.workers[role], 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        self.kills[f'{role} within a commit'] += 1
        self.start(role)

    def lock(self, seconds: float) -> None:
        os.waitpid(fork(lambda: hold_lock(self.place, seconds)), 0)
        self.kills['lock'] += 1

    def finish(self) -> None:
        (self.place.folder / 'stop').touch()
        wait_until((self.place.folder / 'finished').exists, END_S, 'the last job ends')
        os.waitpid(self.workers.pop('coordinator'), 0)

    def close(self) -> None:
        for process in (self.robot, *self.workers.values()):
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def query(place: Place, text: str) -> tuple[int, ...]:
    with contextlib.closing(sqlite3.connect(place.folder / 'cell.db')) as connection:
        return tuple(int(value or 0) for value in connection.execute(text).fetchone())


def test_ledger_jobs_and_pieces_are_what_the_robot_moved(tmp_path, capsys):
    place = Place(tmp_path, SEED)
    prepare(place)
    began = time.monotonic()
    cell = Cell(place)
    try:
        disturbances = ['kill'] * (KILLS - IN_COMMIT) + ['commit'] * IN_COMMIT + ['lock'] * LOCKS
        cell.random.shuffle(disturbances)
        for disturbance in disturbances:
            role = cell.random.choice(('inventory', 'coordinator'))
            until = time.monotonic() + cell.random.uniform(0.0, 0.15)
            wait_until(lambda until=until: time.monotonic() > until)
            if disturbance == 'kill':
                cell.kill(role)
            elif disturbance == 'commit':
                cell.kill_within_commit(role)
            else:
                cell.lock(LOCK_S)
        cell.finish()
    finally:
        cell.close()
    picked = Counter(tray for action, tray in moves_of(place) if action == 'PART')
    moved = Counter(action for action, _ in moves_of(place))
    entries, placed, rejected, corrected = query(place, LEDGER)
    pieces = query(place, "SELECT SUM(outcome = 'PLACED'), SUM(outcome = 'REJECTED') FROM pick_piece")
    jobs = query(place, 'SELECT SUM(placed), SUM(rejected) FROM pick_job')
    counts = query(place, f'SELECT {", ".join(f"SUM(delta * (tray = {tray}))" for tray in (1, 2, 3))} FROM stock_ledger')
    number, done = query(place, "SELECT COUNT(*), SUM(state = 'DONE') FROM pick_job")
    kills = ', '.join(f'{count} x {name}' for name, count in sorted(cell.kills.items()))
    table = [
        f'{kills} in {time.monotonic() - began:.0f} s; {number} jobs, {done} done',
        '| pieces | robot | ledger | pieces | jobs |',
        '|---|---|---|---|---|',
        f'| placed | {moved["PLACE"]} | {placed} | {pieces[0]} | {jobs[0]} |',
        f'| rejected | {moved["REJECT"]} | {rejected} | {pieces[1]} | {jobs[1]} |',
        f'| in the trays | {sum(FILLED - picked[tray] for tray in (1, 2, 3))} | {sum(counts)} | | |',
    ]
    with capsys.disabled():
        print('', *table, sep='\n')
    assert (moved['PLACE'], moved['REJECT']) == (placed, rejected) == pieces == jobs
    assert entries == placed + rejected and not corrected
    assert list(counts) == [FILLED - picked[tray] for tray in (1, 2, 3)]
    assert placed
