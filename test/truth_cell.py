"""Processes of `test_truth_under_kills`: the real ledger and pick job with their database, and a robot that moves pieces.

No ROS, so that a process restarts within milliseconds and hundreds of kills fit into a minute. Each role is a process; they
talk in lines of JSON over sockets. The robot is the physical truth: it is never killed, and writes down each move.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cell_common.catalogue import Catalogue, Part, Tray
from cell_common.database import migrate, open_database
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Resolution, RobotOutcome
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules
from cell_coordinator.job.model import JobState, MatchVerdict, PickJob, PieceOutcome, VerdictKind
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import JobStore
from cell_coordinator.job.tray_choice import TrayChoice
from cell_inventory.ledger import Ledger
from cell_inventory.rules import BookingRejected, EntryKind, NewEntry
from sqlalchemy import Engine, event

PART, WRONG = 'EM1-2U1', 'EM1-2U4'
FILLED = 100_000
DAY_NS = 86_400 * 10**9
CATALOGUE = Catalogue({PART: Part(PART, 'A', tuple(Tray(number, FILLED, FILLED, 0) for number in (1, 2, 3)))})
_KINDS = {PieceOutcome.PLACED: EntryKind.PLACE, PieceOutcome.REJECTED: EntryKind.REJECT}


@dataclass(frozen=True)
class Place:
    """Folder of one run, and its random numbers."""

    folder: Path
    seed: int

    @property
    def url(self) -> str:
        return f'sqlite:///{self.folder}/cell.db'

    def socket(self, role: str) -> str:
        return str(self.folder / role)


class Clock:
    """Time of day that is set a day ahead or back now and then."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._offset = self._random.choice((-DAY_NS, 0, DAY_NS))

    def now_ns(self) -> int:
        if self._random.random() < 0.02:
            self._offset = self._random.choice((-DAY_NS, 0, DAY_NS))
        return time.time_ns() + self._offset


def kill_within_commit(engine: Engine, seed: int) -> None:
    """End this process within, or directly around, one of its next commits."""
    chosen = random.Random(seed)
    left = [chosen.randint(1, 12)]

    def end() -> None:
        time.sleep(chosen.uniform(0.0, 0.004))
        os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(engine, 'commit')
    def on_commit(_connection: object) -> None:
        left[0] -= 1
        if not left[0]:
            threading.Thread(target=end).start()


def ask(path: str, request: dict[str, Any], seconds: float = 30.0) -> Any:
    """Return the answer of another process.

    Raises:
        OSError: It does not run, ended in between, or did not answer.
    """
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(seconds)
        link.connect(path)
        link.sendall(json.dumps(request).encode() + b'\n')
        with link.makefile('rb') as answers:
            line = answers.readline()
    if not line:
        raise ConnectionResetError('no answer')
    return json.loads(line)


def serve(path: str, answer: Callable[[dict[str, Any]], Any]) -> None:
    """Answer requests for ever, one after the other: a request that its sender left is executed before the next."""
    Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        while True:
            link, _ = listening.accept()
            with link, link.makefile('rb') as requests:
                line = requests.readline()
                if line.endswith(b'\n'):
                    reply = json.dumps(answer(json.loads(line))).encode() + b'\n'
                    try:
                        link.sendall(reply)
                    except OSError:
                        continue  # its sender was killed


class Robot:
    """Arm, gripper and trays; refuses what is physically impossible."""

    def __init__(self, place: Place) -> None:
        self._moves = (place.folder / 'moves').open('a', buffering=1)
        self._random = random.Random(place.seed)
        self._done: set[str] = set()
        self._holds = ''

    def answer(self, request: dict[str, Any]) -> Any:
        if 'look' in request:
            return {'done': request['look'] in self._done, 'holds': bool(self._holds)}
        trigger, action, tray = request['trigger'], request['event'].split('_')[0], request['tray']
        if trigger in self._done or (action != 'START' and bool(self._holds) != (action != 'PART')):
            self._moves.write(f'IMPOSSIBLE {request}\n')
            return {'refused': True}
        time.sleep(self._random.uniform(0.0, 0.003))
        self._done.add(trigger)
        if action == 'PART':
            self._holds = PART if self._random.random() < 0.85 else WRONG
        elif action != 'START':
            self._holds = ''
        self._moves.write(f'{action} {tray}\n')
        return {'holds': self._holds}


def run_robot(place: Place) -> None:
    robot = Robot(place)
    serve(place.socket('robot'), robot.answer)


def run_inventory(place: Place, seed: int, in_commit: bool) -> None:
    """Own the ledger, as node `inventory` does."""
    clock = Clock(seed)
    engine = open_database(place.url)
    ledger = Ledger(engine, CATALOGUE)
    ledger.load_initial(clock.now_ns(), 'inventory')
    if in_commit:
        kill_within_commit(engine, seed)

    def answer(request: dict[str, Any]) -> Any:
        if 'book' not in request:
            return [ledger.stock.count(PART, tray) for tray in (1, 2, 3)]
        kind, tray, job, piece = request['book']
        try:
            ledger.book(NewEntry(EntryKind(kind), PART, tray, -1, job_id=job, piece=piece), clock.now_ns())
        except BookingRejected as error:
            return {'error': str(error), 'code': int(error.code)}
        return {'booked': True}

    serve(place.socket('inventory'), answer)


class Coordinator:
    """Runs jobs one after the other, as node `coordinator` does, with an operator who resolves, resumes and sets new jobs."""

    def __init__(self, place: Place, seed: int, in_commit: bool) -> None:
        self.place, self.clock = place, Clock(seed)
        self._random = random.Random(seed)
        self._events: deque[ev.Event] = deque()
        self._effects: deque[Any] = deque()
        engine = open_database(place.url, 1.0)
        if in_commit:
            kill_within_commit(engine, seed)
        self.runner = JobRunner(
            JobMachine(JobRules(tray_choice=TrayChoice.ROUND_ROBIN)),
            JobStore(engine),
            on_change=lambda _job, _effects: None,
            execute=self._effects.append,
            longest_lock_s=60.0,
        )
        self.runner.restore(self.clock.now_ns())

    def run(self) -> None:
        while not (self.place.folder / 'stop').exists() or not self.runner.job.finished:
            self.runner.retry(time.monotonic())
            if self._effects:
                effect = self._effects.popleft()
                if isinstance(effect, ev.AnsweredEffect):
                    self.runner.dispatch(self._answer(effect))
            elif not self.runner.storage_error:
                self._operate()
        (self.place.folder / 'finished').touch()

    def _operate(self) -> None:
        job, now = self.runner.job, self.clock.now_ns()
        try:
            if job.finished:
                name = f'job-{time.time_ns()}'
                self.runner.set_job(PickJob(name, PART, self._random.randint(1, 12), created_ns=now))
                self.runner.dispatch(ev.Start(self.clock.now_ns()))
            elif job.state is JobState.READY:
                self.runner.dispatch(ev.Start(now))
            elif job.unresolved:
                seen = ask(self.place.socket('robot'), {'look': job.trigger_id})
                self.runner.dispatch(ev.Resolve(now, Resolution.DONE if seen['done'] else Resolution.NOT_DONE))
            elif job.state is JobState.PAUSED:
                self.runner.dispatch(ev.Resume(now))
            elif self._random.random() < 0.01:
                self.runner.dispatch(ev.Cancel(now))
        except CommandRejected:
            time.sleep(0.01)  # the database is locked

    def _answer(self, effect: Any) -> ev.Event:
        number, socket_of = effect.effect_id, self.place.socket
        match effect:
            case ev.SendTrigger():
                request = {'trigger': effect.trigger_id, 'event': effect.event, 'tray': effect.tray}
                done = ask(socket_of('robot'), request)
                outcome = RobotOutcome.REFUSED if done.get('refused') else RobotOutcome.SUCCEEDED
                self._shown = done.get('holds', '')
                return ev.TriggerFinished(self.clock.now_ns(), number, outcome)
            case ev.QueryStock():
                trays = self._inventory({'get': True})
                return ev.StockReceived(self.clock.now_ns(), number, tuple(enumerate(trays, 1)))
            case ev.ReadFrame():
                return ev.ReadFinished(self.clock.now_ns(), number, ev.OcrReading(self.clock.now_ns()))
            case ev.MatchReading():
                return ev.VerdictReceived(self.clock.now_ns(), number, self._verdict(effect.reading.frame_ns))
            case ev.BookPiece():
                booking = [int(_KINDS[effect.outcome]), effect.tray, effect.job_id, effect.piece]
                answer = self._inventory({'book': booking})
                if 'error' in answer:
                    return ev.EffectFailed(self.clock.now_ns(), number, answer['error'], refused=answer['code'] < 500)
                return ev.BookingConfirmed(self.clock.now_ns(), number)
        raise AssertionError(effect)

    def _verdict(self, frame_ns: int) -> MatchVerdict:
        shown = getattr(self, '_shown', '') or PART  # after a restart the camera shows the part again: any verdict is possible
        kind = VerdictKind.MATCH if shown == PART else VerdictKind.MISMATCH
        return MatchVerdict(kind, PART, frame_ns, recognized=shown)

    def _inventory(self, request: dict[str, Any]) -> Any:
        while True:
            try:
                return ask(self.place.socket('inventory'), request)
            except OSError:  # killed: it is started again
                time.sleep(0.002)


def run_coordinator(place: Place, seed: int, in_commit: bool) -> None:
    Coordinator(place, seed, in_commit).run()


def hold_lock(place: Place, seconds: float) -> None:
    """Hold the write lock of the database, as a backup tool may."""
    connection = sqlite3.connect(place.folder / 'cell.db', isolation_level=None, timeout=60.0)
    connection.execute('BEGIN IMMEDIATE')
    time.sleep(seconds)
    connection.execute('ROLLBACK')


def prepare(place: Place) -> None:
    """Make the database and its tables."""
    engine = open_database(place.url)
    migrate(engine, 'cell_inventory')
    migrate(engine, 'cell_coordinator')
    engine.dispose()


def moves_of(place: Place) -> Iterator[tuple[str, int]]:
    """Yield (action, tray) of each physical move."""
    for line in (place.folder / 'moves').read_text().splitlines():
        assert not line.startswith('IMPOSSIBLE'), line
        action, tray = line.split()
        yield action, int(tray)
