"""Relay between ur_rtde and a controller whose dashboard pads its replies, as a process of its own.

python -m cell_robot.control_process.dashboard_relay <address of the controller>

ur_rtde 1.6.5 reads one line per question and accepts no blanks: it refuses to start at a serial number with a blank, or at an
empty line. Other software versions and URCaps do send both. The relay listens on a loopback address at the ports that ur_rtde
uses, passes RTDE and scripts on as they are, and gives the dashboard's replies one line and no padding. It writes its address
to the standard output and ends with the process that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine

from cell_robot.protocols.dashboard.codec import MAX_LINE, answers, clean_line, is_banner

# ur_rtde has these ports built in, so the relay listens on the same numbers at another loopback address.
DASHBOARD, SCRIPT, RTDE = 29999, 30003, 30004
READ_SIZE = 65536
TRIES = 5
ClientCallback = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
MISREAD = ('getserialnumber', 'polyscopeversion')
"""Words of ur_rtde's errors when it has misread a reply, in lower case."""


def is_misread(error: str) -> bool:
    """Return whether ur_rtde failed because it does not understand a reply of the dashboard."""
    return any(word in error.lower() for word in MISREAD)


class RelayProcess:
    """A relay for one controller, owned by the control process."""

    def __init__(self, address: str) -> None:
        """Start it.

        Raises:
            RuntimeError: It did not start.
        """
        command = [sys.executable, '-m', 'cell_robot.control_process.dashboard_relay', address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError('the relay of the dashboard did not start')


class DashboardReplies:
    """Passes the replies of one dashboard connection on, one clean line for each command."""

    def __init__(self) -> None:
        self.command = ''
        self._greeted = False

    def take(self, line: bytes) -> bytes:
        """Return what the client gets for a received line, b"" for nothing."""
        text = clean_line(line)
        if is_banner(text):
            greeted, self._greeted = self._greeted, True
            return b'' if greeted else f'{text}\n'.encode()
        if not self.command or not answers(self.command, text):
            return b''
        self.command = ''
        return f'{text}\n'.encode()


async def relay_dashboard(address: str, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
    """Serve one client of the dashboard until either end closes.

    Args:
        address: Host of the controller.
        client: Commands of ur_rtde.
        answer: Takes the replies, cleaned so that ur_rtde understands them.

    Raises:
        OSError: The dashboard does not answer.
    """
    reader, writer = await asyncio.open_connection(address, DASHBOARD, limit=MAX_LINE)
    replies = DashboardReplies()

    async def pass_commands() -> None:
        while line := await client.readline():
            replies.command = line.decode('utf-8', 'replace').strip()
            writer.write(line)

    async def pass_replies() -> None:
        while line := await reader.readline():
            answer.write(replies.take(line))

    await _until_closed(pass_commands(), pass_replies(), writer, answer)


async def relay_bytes(address: str, port: int, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
    """Serve one client of another port until either end closes; bytes are passed on unchanged.

    Args:
        address: Host of the controller.
        port: TCP port of the controller.
        client: Bytes of ur_rtde.
        answer: Takes the controller's bytes.

    Raises:
        OSError: The controller does not answer.
    """
    reader, writer = await asyncio.open_connection(address, port)

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(READ_SIZE):
            target.write(data)
            await target.drain()

    await _until_closed(pump(client, writer), pump(reader, answer), writer, answer)


async def _until_closed(
    one: Coroutine[object, object, None], other: Coroutine[object, object, None], *writers: asyncio.StreamWriter
) -> None:
    tasks = [asyncio.ensure_future(work) for work in (one, other)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for writer in writers:
        writer.close()


async def serve(address: str) -> str:
    """Listen on a free loopback address at all three ports, and return it.

    Raises:
        OSError: No address is free.
    """

    async def on_dashboard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await relay_dashboard(address, reader, writer)
        writer.close()

    def on_port(port: int) -> ClientCallback:
        async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await relay_bytes(address, port, reader, writer)
            writer.close()

        return on_client

    for left in reversed(range(TRIES)):
        ours = f'127.{random.randint(100, 250)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
        try:
            await asyncio.start_server(on_dashboard, ours, DASHBOARD)
            for port in (SCRIPT, RTDE):
                await asyncio.start_server(on_port(port), ours, port)
            return ours
        except OSError:
            if not left:
                raise
    raise OSError('no loopback address is free')


async def run(address: str) -> None:
    """Serve until the standard input is closed."""
    sys.stdout.write(f'{await serve(address)}\n')
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == '__main__':
    asyncio.run(run(sys.argv[1]))
