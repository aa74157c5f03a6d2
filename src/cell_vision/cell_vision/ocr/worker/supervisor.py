"""Supervises the OCR worker process: starts it, gives it one job at a time, enforces deadlines, and restarts it.

All state belongs to one thread, which executes calls from one queue. Each job gets exactly one result.
"""

from __future__ import annotations

import contextlib
import enum
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cell_common.backoff import Backoff

from cell_vision.ocr.worker.protocol import (
    ACTIVATE,
    Header,
    ProtocolError,
    decode_reading,
    read_message,
    write_message,
)
from cell_vision.types import FrameReading, ReadOptions

# A network is compiled at the first start on a machine, which takes long on a slow one.
WARM_UP_DEADLINE_S = 60.0
STOP_TIMEOUT_S = 2.0
STANDBY_RETRY_S = 30.0
"""A standby worker that exited is started again after this time: it would probably exit again."""
RESTART_WAIT_S = 2.5
"""A job waits this long for a worker that is being restarted; then it fails, and the caller may try again."""
RESTARTING = '; it is restarted'
"""End of the status message of a worker that was lost."""
# The worker may run in a Python of its own, where this package is not installed.
_SOURCE_FOLDER = Path(__file__).resolve().parents[3]

_Process = subprocess.Popen[bytes]


class ReadFailure(str, enum.Enum):
    """Why a job has no reading."""

    NONE = ''
    BAD_IMAGE = 'BAD_IMAGE'
    ENGINE_FAILED = 'ENGINE_FAILED'
    TOO_SLOW = 'TOO_SLOW'
    SUPERSEDED = 'SUPERSEDED'


@dataclass(frozen=True)
class ReadResult:
    """The one result of a job.

    Attributes:
        reading: None when the job failed.
        failure: NONE, or the kind of failure.
        message: Message for the operator; "" unless the job failed.
    """

    reading: FrameReading | None
    failure: ReadFailure = ReadFailure.NONE
    message: str = ''


@dataclass
class ReadJob:
    """One frame to read.

    Attributes:
        image: JPEG, PNG or another format that OpenCV decodes.
        on_result: Called once, in the thread of the supervisor.
        options: How to read.
        created: Monotonic time, seconds.
    """

    image: bytes
    on_result: Callable[[ReadResult], None]
    options: ReadOptions = field(default_factory=ReadOptions)
    created: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class WorkerStatus:
    """State of the worker process, for diagnostics.

    Attributes:
        ready: Jobs are executed.
        engine: Name and version, "" until it was ready once.
        message: Why it is not ready, for the operator.
        pid: Process id, 0 = none.
        busy: A job is being executed.
        starts: Number of starts.
        reads: Number of finished jobs.
        memory: Resident memory of the worker after its last reading, bytes.
        spare_pid: Process id of the standby worker, 0 = none.
    """

    ready: bool = False
    engine: str = ''
    message: str = 'OCR is warming up'
    pid: int = 0
    busy: bool = False
    starts: int = 0
    reads: int = 0
    memory: int = 0
    spare_pid: int = 0


class WorkerSupervisor:
    """Runs the worker process and, if wanted, a standby worker that replaces it.

    Attributes:
        COMMAND: Arguments of the interpreter; replaced in tests.
        state: Status; replaced as a whole, so any thread may read it.
    """

    COMMAND: tuple[str, ...] = ('-m', 'cell_vision.ocr.worker.main')

    def __init__(
        self, arguments: Sequence[str], *, python: str = '', deadline: float = 5.0, most_memory: int = 0, spare: str = 'off'
    ) -> None:
        """Start the thread that starts the worker.

        Args:
            arguments: Command line of `cell_vision.ocr.worker.main`.
            python: Interpreter of the worker; "" = the running one.
            deadline: Longest reading, seconds; a worker that takes longer is killed and restarted.
            most_memory: Bytes; a worker with more memory after a reading is restarted; 0 = no limit.
            spare: Preparation of the standby worker; one of `protocol.STANDBY_MODES`.
        """
        self._command = [python or sys.executable, *self.COMMAND, *arguments]
        self._deadline = deadline
        self._most_memory = most_memory
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self._backoff = Backoff(0.1, 30.0)
        self._standby_mode = spare
        self._standby: _Process | None = None
        self._standby_started = 0.0
        self._process: _Process | None = None
        self._waiting: ReadJob | None = None
        self._running: ReadJob | None = None
        self._due = 0.0
        self._closed = False
        self.state = WorkerStatus()
        self._thread = threading.Thread(target=self._run, name='ocr supervisor', daemon=True)
        self._thread.start()

    @property
    def queued(self) -> bool:
        """Whether a job waits for the worker."""
        return self._waiting is not None

    def submit(self, job: ReadJob) -> None:
        """Queue a job; it supersedes one that still waits, because only the newest frame counts.

        Args:
            job: Gets exactly one result, also when the worker dies or `close` is called. May be
                called in any thread.
        """
        self._calls.put(partial(self._accept, job))

    def close(self) -> None:
        """Stop the worker and fail the pending jobs."""
        self._closed = True
        self._calls.put(lambda: None)
        self._thread.join(STOP_TIMEOUT_S * 2)

    def _run(self) -> None:
        """Execute calls and deadlines until `close`; the body of the thread."""
        self._start()
        while not self._closed:
            try:
                call = self._calls.get(timeout=self._wait_time())
            except queue.Empty:
                self._on_deadline()
            else:
                call()
        self._stop_worker()
        self._stop_standby()
        self._fail_pending('the node is stopping')

    def _wait_time(self) -> float | None:
        """Return the seconds until the next deadline, None when there is none."""
        due = [self._due] if self._due else []
        if self._waiting is not None and self._restarting():
            due.append(self._waiting.created + RESTART_WAIT_S)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _restarting(self) -> bool:
        return not self.state.ready and bool(self.state.engine)

    def _accept(self, job: ReadJob) -> None:
        if self._waiting is not None:
            message = 'a newer frame was requested before this one was read'
            self._waiting.on_result(ReadResult(None, ReadFailure.SUPERSEDED, message))
        self._waiting = job
        self._dispatch()

    def _dispatch(self) -> None:
        """Give the waiting job to the worker, if it is ready and idle."""
        if self._waiting is None or self._running is not None or not self.state.ready or self._process is None:
            return
        self._running, self._waiting = self._waiting, None
        self._due = time.monotonic() + self._deadline
        self.state = replace(self.state, busy=True)
        message = {'job': self.state.reads, **self._running.options}, self._running.image
        threading.Thread(target=_send, args=(self._process, *message), name='ocr request', daemon=True).start()

    def _on_exit(self, process: _Process, status: str) -> None:
        if process is self._process:
            self._restart(f'OCR exited ({status})')
        elif process is self._standby:
            self._stop_standby()

    def _on_message(self, process: _Process, header: Header, payload: bytes) -> None:
        """Process a message of a worker; those of a worker that was replaced meanwhile are ignored."""
        if process is not self._process:
            return
        if 'fatal' in header:
            self._restart(str(header['fatal']))
        elif 'ready' in header:
            self._backoff.reset()
            self._due = 0.0
            self.state = replace(self.state, ready=True, engine=str(header['ready']), message='')
            self._dispatch()
            self._start_standby()
        elif self._running is not None:
            job, self._running, self._due = self._running, None, 0.0
            self.state = replace(self.state, busy=False, reads=self.state.reads + 1, memory=int(header.get('memory', 0)))
            job.on_result(_result(header, payload))
            if 0 < self._most_memory < self.state.memory:
                self._restart(f'OCR took {self.state.memory // 1_000_000} MB of memory')
            elif time.monotonic() > self._standby_started + STANDBY_RETRY_S:
                self._start_standby()
            self._dispatch()

    def _on_deadline(self) -> None:
        """Act on the deadline that has passed: of the waiting job, of the reading, or of a start."""
        now = time.monotonic()
        if self._waiting is not None and self._restarting() and now >= self._waiting.created + RESTART_WAIT_S:
            job, self._waiting = self._waiting, None
            job.on_result(ReadResult(None, ReadFailure.ENGINE_FAILED, self.state.message))
        if not self._due or now < self._due:
            return
        if self._process is None:
            self._start()
        elif self._running is not None:
            self._restart(f'OCR timed out after {self._deadline:g} s', ReadFailure.TOO_SLOW)
        else:
            self._restart(f'OCR did not start within {WARM_UP_DEADLINE_S:g} s')

    def _restart(self, message: str, failure: ReadFailure = ReadFailure.ENGINE_FAILED) -> None:
        self._stop_worker()
        # With `_process` None this deadline means: start again.
        self._due = time.monotonic() + self._backoff.next()
        self.state = replace(self.state, ready=False, busy=False, pid=0, message=message + RESTARTING)
        if self._running is not None:
            job, self._running = self._running, None
            job.on_result(ReadResult(None, failure, self.state.message))

    def _fail_pending(self, message: str) -> None:
        for job in (self._running, self._waiting):
            if job is not None:
                job.on_result(ReadResult(None, ReadFailure.ENGINE_FAILED, message))
        self._running = self._waiting = None

    def _start(self) -> None:
        """Activate the standby worker, or start a process."""
        self._due = time.monotonic() + WARM_UP_DEADLINE_S
        try:
            process = self._activate_standby() or self._spawn()
        except OSError as error:
            self._restart(f'cannot start {self._command[0]}: {error.strerror}; check parameter engine_python')
            return
        self._process = process
        self.state = replace(self.state, pid=process.pid, starts=self.state.starts + 1)

    def _spawn(self, *more: str) -> _Process:
        """Start a worker and a thread that reads its answers; `more` are further arguments, e.g. of a standby."""
        process = subprocess.Popen(
            [*self._command, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A process group of its own, so that a kill also reaches processes that a library has
            # forked.
            start_new_session=True,
            env=_environment(self._command[0]),
        )
        threading.Thread(target=self._read_output, args=(process,), name='ocr results', daemon=True).start()
        return process

    def _start_standby(self) -> None:
        """Start a process that prepares as far as the mode says and waits for activation."""
        if self._standby_mode == 'off' or self._standby is not None:
            return
        self._standby_started = time.monotonic()
        with contextlib.suppress(OSError):  # E.g. too many processes: the cell also works without a standby worker.
            self._standby = self._spawn('--spare', self._standby_mode)
            self.state = replace(self.state, spare_pid=self._standby.pid)

    def _activate_standby(self) -> _Process | None:
        """Return the standby worker after activating it; None when there is none or it has exited, too."""
        standby = self._standby
        if standby is not None and standby.poll() is None:
            assert standby.stdin is not None
            with contextlib.suppress(OSError):
                write_message(standby.stdin, ACTIVATE)
                self._standby = None
                self.state = replace(self.state, spare_pid=0)
                return standby
        self._stop_standby()
        return None

    def _stop_standby(self) -> None:
        standby, self._standby = self._standby, None
        _kill(standby)
        self.state = replace(self.state, spare_pid=0)

    def _read_output(self, process: _Process) -> None:
        """Pass the messages of a process on, then its exit; the body of a thread for each process."""
        stream = process.stdout
        assert stream is not None
        with contextlib.suppress(ProtocolError, OSError), stream:
            while message := read_message(stream):
                self._calls.put(partial(self._on_message, process, *message))
        code = process.wait()
        self._calls.put(partial(self._on_exit, process, f'signal {-code}' if code < 0 else f'exit code {code}'))

    def _stop_worker(self) -> None:
        process, self._process = self._process, None
        _kill(process)


def _send(process: _Process, header: Header, image: bytes) -> None:
    """Write a job, in a thread of its own: with a frozen worker the pipe stays full, but the deadline must be enforced."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):  # The exit of a worker is noticed at the end of its output.
        write_message(process.stdin, header, image)


def _kill(process: _Process | None) -> None:
    """Kill a process with its group and wait for it, so that no zombie remains."""
    if process is None:
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)  # The group includes processes that a library forked.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _result(header: Header, payload: bytes) -> ReadResult:
    message = str(header.get('message', ''))
    if header.get('error') == 'BAD_IMAGE':
        return ReadResult(None, ReadFailure.BAD_IMAGE, message)
    if 'error' in header:
        return ReadResult(None, ReadFailure.ENGINE_FAILED, f'OCR failed on this frame: {message}')
    try:
        return ReadResult(decode_reading(header, payload))
    except ProtocolError as error:
        return ReadResult(None, ReadFailure.ENGINE_FAILED, f'invalid result from OCR: {error}')


def _environment(python: str) -> dict[str, str]:
    """Return the environment of the worker: this package importable, one thread, no busy waiting.

    Another interpreter gets only this package: the libraries of the node are built for the node's interpreter.
    """
    inherited = os.environ.get('PYTHONPATH', '') if python == sys.executable else ''
    path = os.pathsep.join(part for part in (str(_SOURCE_FOLDER), inherited) if part)
    return {**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE'}
