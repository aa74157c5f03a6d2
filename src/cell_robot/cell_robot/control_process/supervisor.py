"""Supervisor of the control process: starts it, exchanges messages, and kills it when it stops responding.

Everything runs in one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Coroutine

from cell_common.timeouts import with_timeout

from cell_robot.backends.letters.protocol import LetterLineFramer
from cell_robot.control_process.codec import (
    MAX_LINE,
    UPLOAD_TIMEOUT_S,
    ControlError,
    ControlFailed,
    ControlReady,
    ControlReport,
    ControlRequest,
    ControlSettings,
    MovePath,
    MoveStarted,
    RequestDone,
    ScriptAnswered,
    ScriptAsked,
    SetOutput,
    StopArm,
    TryPath,
    decode_report,
    encode_request,
    encode_settings,
)

START_TIMEOUT_S = 30.0
"""From the start of the process until the control script runs: upload 5 s, and a dashboard that answers slowly."""
# Ten heartbeats: a machine that swaps or stalls must not cost a job.
HEARTBEAT_TIMEOUT_S = 1.0
END_TIMEOUT_S = 2.0
POLL_S = 0.1
HANGS = (
    f'the control process did not answer for {HEARTBEAT_TIMEOUT_S:g} s; it waits for ever where another program has taken the '
    'place of the control program'
)
NO_ANSWER = 'the control program on the robot does not answer: another program has probably taken its place'


class ControlProcess:
    """One control process; create a new one after it has ended.

    Attributes:
        over: The process has ended, or its end was decided.
    """

    def __init__(self, on_report: Callable[[ControlReport], None], on_end: Callable[[str], None]) -> None:
        """Store the callbacks.

        Args:
            on_report: Called with each report except heartbeats.
            on_end: Called once with the reason of the end; "" after `kill('')`.
        """
        self._on_report, self._on_end = on_report, on_end
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_received_at = 0.0
        self._started = asyncio.Event()
        self._reason = ''
        self._number = 0
        self._script_asked = self._uploads = self._asking = False
        self.over = False
        self.replaced = False
        """The control script did not answer: another program has probably taken its place."""

    @property
    def ready(self) -> bool:
        """Whether the control script runs and accepts moves."""
        return self._started.is_set() and not self.over

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self, settings: ControlSettings) -> str:
        """Start the process and wait until it is ready; returns an error message, "" when it is ready.

        Args:
            settings: Passed on the command line; they hold no secrets.
        """
        ours, theirs = socket.socketpair()
        # Closed here after the start: the child must hold the only other end, so that its death is seen.
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                '-m',
                'cell_robot.control_process.main',
                str(theirs.fileno()),
                encode_settings(settings),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                # ur_rtde prints to both; a pipe that nobody reads would fill up and block it.
                stderr=asyncio.subprocess.DEVNULL,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE)
        reading = self._track_task(self._read(reader))
        waiting = asyncio.ensure_future(self._started.wait())
        await asyncio.wait([reading, waiting], timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._started.is_set():
            await self.kill(self._reason or f'the control script did not run within {START_TIMEOUT_S:g} s')
            return self._reason
        self._track_task(self._watch_heartbeat())
        return ''

    def send(self, request: ControlRequest) -> int:
        """Send a request and return its number; it ends with a RequestDone report or with the process."""
        self._number += 1
        if self._writer is not None and not self.over:
            # Outputs go through our own RTDE client; everything else waits for the script's answer.
            self._script_asked = not isinstance(request, SetOutput | StopArm)
            self._uploads = isinstance(request, MovePath | TryPath)
            self._writer.write(encode_request(self._number, request))
        return self._number

    async def kill(self, reason: str) -> None:
        """Kill the process and wait for its end; `reason` goes to `on_end`.

        SIGKILL, because ur_rtde may ignore everything else. The controller's watchdog then stops a moving arm.

        Args:
            reason: For the operator; "" = the end is wanted.
        """
        self._end(reason)
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            with contextlib.suppress(asyncio.TimeoutError):
                await with_timeout(self._process.wait(), END_TIMEOUT_S)
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Read reports until the process closes the socket, then kill what is left of it."""
        lines = LetterLineFramer(MAX_LINE)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await reader.read(MAX_LINE):
                self._last_received_at = loop.time()
                for line in lines.feed(data):
                    self._handle(line)
        await self.kill(self._reason or 'the control process ended')

    def _handle(self, line: bytes) -> None:
        """Act on one report; a line outside the protocol counts as a failure of the process."""
        try:
            report = decode_report(line)
        except ControlError as error:
            report = ControlFailed(str(error))
        if isinstance(report, ControlFailed):
            self._reason = report.text
        elif isinstance(report, ControlReady):
            self._started.set()
        elif isinstance(report, ScriptAsked | ScriptAnswered):
            self._script_asked = self._asking = isinstance(report, ScriptAsked)
        elif isinstance(report, MoveStarted | RequestDone):
            self._script_asked = self._uploads = False
            self._on_report(report)

    @property
    def _silence_limit(self) -> float:
        # Before an upload the process asks the script as well, and a foreign program in its place never answers.
        return UPLOAD_TIMEOUT_S if self._uploads and not self._asking else HEARTBEAT_TIMEOUT_S

    async def _watch_heartbeat(self) -> None:
        """Kill the process when it is silent; a silence during a question to the script points at a foreign program."""
        loop = asyncio.get_running_loop()
        while (silence := loop.time() - self._last_received_at) < self._silence_limit:
            await asyncio.sleep(max(POLL_S, HEARTBEAT_TIMEOUT_S - silence))
        self.replaced = self._script_asked
        await self.kill(NO_ANSWER if self.replaced else HANGS)

    def _end(self, reason: str) -> None:
        """Close the socket and report the end, once."""
        if self.over:
            return
        self.over, self._reason = True, reason
        if self._writer is not None:
            self._writer.close()
        self._on_end(reason)

    def _track_task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
