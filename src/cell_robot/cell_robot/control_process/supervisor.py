"""Starts the control process, talks to it, and ends it when it does not answer. Everything in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable

from cell_robot.backends.letters.framing import LineFraming
from cell_robot.control_process.codec import (
    MAX_LINE,
    Beat,
    ControlError,
    Failed,
    Ready,
    Report,
    Request,
    decode_report,
    encode_request,
)

START_S = 10.0
"""From the start of the process until the control script runs; uploading takes up to 5 s."""
SILENCE_S = 1.0
"""Without a beat for so long the process hangs."""
END_S = 2.0


class ControlProcess:
    """One control process; make a new one after it has ended."""

    def __init__(self, report: Callable[[Report], None], ended: Callable[[str], None]) -> None:
        """Take who hears what it reports, and who hears, once, why it has ended ("" = it was told to)."""
        self._report, self._tell_end = report, ended
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_at = 0.0
        self._started = asyncio.Event()
        self._why = ''
        self._number = 0
        self.over = False

    @property
    def ready(self) -> bool:
        """Whether the control script runs and moves are taken."""
        return self._started.is_set() and not self.over

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self, address: str, watchdog: float) -> str:
        """Start it and wait until it is ready; return what is wrong, "" when it is ready.

        Args:
            address: The robot's.
            watchdog: Lowest rate at which the controller must hear it, Hz.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                '-m',
                'cell_robot.control_process.main',
                str(theirs.fileno()),
                address,
                str(watchdog),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=MAX_LINE)
        reading = self._keep(self._read(reader))
        waiting = asyncio.ensure_future(self._started.wait())
        await asyncio.wait([reading, waiting], timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._started.is_set():
            await self.kill(self._why or f'the control script did not run within {START_S:g} s')
            return self._why
        self._keep(self._watch())
        return ''

    def send(self, request: Request) -> int:
        """Send a request and return its number; its end comes as a report Done, or the process ends."""
        self._number += 1
        if self._writer is not None and not self.over:
            self._writer.write(encode_request(self._number, request))
        return self._number

    async def kill(self, why: str) -> None:
        """End it at once."""
        self._end(why)
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), END_S)
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        lines = LineFraming(MAX_LINE)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await reader.read(MAX_LINE):
                self._heard_at = loop.time()
                for line in lines.feed(data):
                    self._take(line)
        await self.kill(self._why or 'the control process ended')

    def _take(self, line: bytes) -> None:
        try:
            report = decode_report(line)
        except ControlError as problem:
            report = Failed(str(problem))
        if isinstance(report, Failed):
            self._why = report.text
        elif isinstance(report, Ready):
            self._started.set()
        elif not isinstance(report, Beat):
            self._report(report)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while (silence := loop.time() - self._heard_at) < SILENCE_S:
            await asyncio.sleep(SILENCE_S - silence)
        await self.kill(f'the control process did not answer for {SILENCE_S:g} s')

    def _end(self, why: str) -> None:
        if self.over:
            return
        self.over, self._why = True, why
        if self._writer is not None:
            self._writer.close()
        self._tell_end(why)

    def _keep(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
