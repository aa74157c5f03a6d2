"""The parent's end of the OCR worker: start it, give it one job at a time, watch its deadline, start it again.

All state belongs to one thread, fed by one queue. Whoever asks gets exactly one outcome for each job.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cell_common.backoff import Backoff

from cell_vision.ocr.worker.protocol import GO, ProtocolError, decode_reading, read_message, write_message
from cell_vision.types import FrameReading

WARM_UP_DEADLINE_S = 60.0
END_S = 2.0
SPARE_PAUSE_S = 30.0
"""A spare that ended by itself is started again after this, and not before: it would end again."""
PATIENCE_S = 2.5
"""How long a job waits for a worker that is being started again; then its caller is told, who may ask once more."""


class Outcome:
    """How a job can end beside a reading."""

    BAD_IMAGE = 'BAD_IMAGE'
    ENGINE_FAILED = 'ENGINE_FAILED'
    TOO_SLOW = 'TOO_SLOW'
    SUPERSEDED = 'SUPERSEDED'


@dataclass(frozen=True)
class Answer:
    """The one outcome of a job."""

    reading: FrameReading | None
    """What was read; None when it failed."""
    failure: str = ''
    """One of `Outcome`, "" when it was read."""
    message: str = ''
    """For people."""


@dataclass
class Job:
    """One frame to read."""

    image: bytes
    """JPEG, PNG or another format that OpenCV decodes."""
    done: Callable[[Answer], None]
    """Called once, from the host's thread."""
    options: dict[str, Any] = field(default_factory=dict)
    asked: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class HostState:
    """What people should know of the engine."""

    ready: bool = False
    engine: str = ''
    """Name and version, "" until it was ready once."""
    message: str = 'the text reader is warming up'
    pid: int = 0
    starts: int = 0
    reads: int = 0
    memory: int = 0
    """Resident memory of the worker after its last reading, bytes."""
    spare_pid: int = 0
    """The process that takes over when the worker is lost, 0 = none."""


class EngineHost:
    """Runs the worker process."""

    COMMAND: tuple[str, ...] = ('-m', 'cell_vision.ocr.worker.main')
    """What the interpreter is told to run."""

    def __init__(
        self, arguments: Sequence[str], *, python: str = '', deadline: float = 5.0, most_memory: int = 0, spare: str = 'off'
    ) -> None:
        """Start the thread that starts the worker.

        Args:
            arguments: Command line of `cell_vision.ocr.worker.main`.
            python: Interpreter of the worker; "" = the one that runs this.
            deadline: Seconds a reading may take before the worker is taken for hung and started again.
            most_memory: Bytes; a worker that has more after a reading is started again; 0 = any.
            spare: How far a second process is got ready in advance; one of `worker_protocol.SPARES`.
        """
        self._command = [python or sys.executable, *self.COMMAND, *arguments]
        self._deadline = deadline
        self._most_memory = most_memory
        self._events: queue.Queue[tuple[str, Any, Any]] = queue.Queue()
        self._backoff = Backoff(0.1, 30.0)
        self._spare_kind = spare
        self._spare: subprocess.Popen[bytes] | None = None
        self._spare_started = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: Job | None = None
        self._running: Job | None = None
        self._until = 0.0
        self._closed = False
        self.state = HostState()
        self._thread = threading.Thread(target=self._run, name='ocr engine host', daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; one that waits already is answered SUPERSEDED: only the newest frame counts."""
        self._events.put(('job', job, None))

    def close(self) -> None:
        """End the worker and answer what is pending."""
        self._closed = True
        self._events.put(('close', None, None))
        self._thread.join(END_S * 2)

    def _run(self) -> None:
        self._start()
        while not self._closed:
            try:
                kind, subject, content = self._events.get(timeout=self._wait())
            except queue.Empty:
                self._time_is_up()
                continue
            if kind == 'job':
                self._take(subject)
            elif kind != 'close' and subject is self._process:
                self._heard(kind, content)
            elif kind == 'end' and subject is self._spare:
                self._end_spare()
        self._end_worker()
        self._end_spare()
        self._settle('the node is stopping')

    def _wait(self) -> float | None:
        """Return the seconds until something is due, None when nothing is."""
        due = [self._until] if self._until else []
        if self._waiting is not None and self._restarting():
            due.append(self._waiting.asked + PATIENCE_S)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _restarting(self) -> bool:
        return not self.state.ready and bool(self.state.engine)

    def _take(self, job: Job) -> None:
        if self._waiting is not None:
            self._waiting.done(Answer(None, Outcome.SUPERSEDED, 'a newer frame was asked for before this one was read'))
        self._waiting = job
        self._next()

    def _next(self) -> None:
        if self._waiting is None or self._running is not None or not self.state.ready or self._process is None:
            return
        self._running, self._waiting = self._waiting, None
        self._until = time.monotonic() + self._deadline
        message = {'job': self.state.reads, **self._running.options}, self._running.image
        threading.Thread(target=_send, args=(self._process, *message), name='ocr engine request', daemon=True).start()

    def _heard(self, kind: str, content: Any) -> None:
        if kind == 'end':
            self._lost(f'the text reader ended by itself ({content})')
        elif 'fatal' in content:
            self._lost(str(content['fatal']))
        elif 'ready' in content:
            self._backoff.reset()
            self._until = 0.0
            self._change(ready=True, engine=str(content['ready']), message='')
            self._next()
            self._keep_spare()
        elif self._running is not None:
            job, self._running, self._until = self._running, None, 0.0
            self._change(reads=self.state.reads + 1, memory=int(content.get('memory', 0)))
            job.done(_answer(content))
            if 0 < self._most_memory < self.state.memory:
                self._lost(f'the text reader took {self.state.memory // 1_000_000} MB of memory')
            elif time.monotonic() > self._spare_started + SPARE_PAUSE_S:
                self._keep_spare()
            self._next()

    def _time_is_up(self) -> None:
        now = time.monotonic()
        if self._waiting is not None and self._restarting() and now >= self._waiting.asked + PATIENCE_S:
            job, self._waiting = self._waiting, None
            job.done(Answer(None, Outcome.ENGINE_FAILED, self.state.message))
        if not self._until or now < self._until:
            return
        if self._process is None:
            self._start()
        elif self._running is not None:
            self._lost(f'the text reader did not answer within {self._deadline:g} s', Outcome.TOO_SLOW)
        else:
            self._lost(f'the text reader did not get ready within {WARM_UP_DEADLINE_S:g} s')

    def _lost(self, message: str, failure: str = Outcome.ENGINE_FAILED) -> None:
        self._end_worker()
        delay = self._backoff.next()
        self._until = time.monotonic() + delay
        self._change(ready=False, pid=0, message=f'{message}; it is started again')
        if self._running is not None:
            job, self._running = self._running, None
            job.done(Answer(None, failure, self.state.message))

    def _settle(self, message: str) -> None:
        for job in (self._running, self._waiting):
            if job is not None:
                job.done(Answer(None, Outcome.ENGINE_FAILED, message))
        self._running = self._waiting = None

    def _start(self) -> None:
        self._until = time.monotonic() + WARM_UP_DEADLINE_S
        try:
            process = self._take_spare() or self._spawn()
        except OSError as problem:
            self._lost(f'cannot start {self._command[0]}: {problem.strerror}; check parameter engine_python')
            return
        self._process = process
        self._change(pid=process.pid, starts=self.state.starts + 1)

    def _spawn(self, *more: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*self._command, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=_environment(self._command[0]),
        )
        threading.Thread(target=self._listen, args=(process,), name='ocr engine answers', daemon=True).start()
        return process

    def _keep_spare(self) -> None:
        """Start a process that gets ready so far, then waits for its turn."""
        if self._spare_kind == 'off' or self._spare is not None:
            return
        self._spare_started = time.monotonic()
        with contextlib.suppress(OSError):  # Too many processes, say: the cell works without a spare.
            self._spare = self._spawn('--spare', self._spare_kind)
            self._change(spare_pid=self._spare.pid)

    def _take_spare(self) -> subprocess.Popen[bytes] | None:
        """Return the spare, told that its turn has come; None when there is none, or it has died, too."""
        spare = self._spare
        if spare is not None and spare.poll() is None:
            assert spare.stdin is not None
            with contextlib.suppress(OSError):
                write_message(spare.stdin, GO)
                self._spare = None
                self._change(spare_pid=0)
                return spare
        self._end_spare()
        return None

    def _end_spare(self) -> None:
        spare, self._spare = self._spare, None
        _end(spare)
        self._change(spare_pid=0)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        stream = process.stdout
        assert stream is not None
        with contextlib.suppress(ProtocolError, OSError), stream:
            while message := read_message(stream):
                self._events.put(('message', process, {**message[0], 'payload': message[1]}))
        code = process.wait()
        self._events.put(('end', process, f'signal {-code}' if code < 0 else f'exit code {code}'))

    def _end_worker(self) -> None:
        process, self._process = self._process, None
        _end(process)

    def _change(self, **changes: Any) -> None:
        self.state = HostState(**{**self.state.__dict__, **changes})


def _send(process: subprocess.Popen[bytes], header: dict[str, Any], image: bytes) -> None:
    """Write a job in a thread of its own: a frozen worker leaves the pipe full, and its deadline must be watched then, too."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):  # A worker that has ended is heard of by the end of its answers.
        write_message(process.stdin, header, image)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)  # With whatever a library may have forked.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _answer(content: dict[str, Any]) -> Answer:
    message = str(content.get('message', ''))
    if content.get('error') == 'BAD_IMAGE':
        return Answer(None, Outcome.BAD_IMAGE, message)
    if 'error' in content:
        return Answer(None, Outcome.ENGINE_FAILED, f'the text reader failed on this frame: {message}')
    try:
        return Answer(decode_reading(content, content.get('payload', b'')))
    except ProtocolError as problem:
        return Answer(None, Outcome.ENGINE_FAILED, f'the text reader answered nonsense: {problem}')


def _environment(python: str) -> dict[str, str]:
    """Return the worker's environment: this package importable, one thread, no busy waiting.

    Another interpreter gets this package alone: the node's libraries are built for the node's interpreter.
    """
    here = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get('PYTHONPATH', '') if python == sys.executable else ''
    path = os.pathsep.join(part for part in (here, inherited) if part)
    return {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE'}
