"""Parts of the weighing benches: simulated indicators, and the processes that take their lines."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PEERS = Path(__file__).with_name('weighing_peers.py')
START_S = 30.0
# Discovery and the first commits are not measured.
SETTLE_S = 5.0


@dataclass
class Sent:
    """Lines sent by the indicators: monotonic send time by (scale, number)."""

    at: dict[tuple[str, int], int] = field(default_factory=dict)


def line(scale: int, number: int) -> bytes:
    """Return a line whose weight is its number in thousandths, so that each line can be found again.

    Args:
        scale: Id of the scale.
        number: Number of the line at this scale, from 1.
    """
    return b'%d,%d.%03d kg\r\n' % (scale, number // 1000, number % 1000)


def number_of(weight: str) -> int:
    """Return the number that a weight encodes, -1 when no indicator sent it."""
    whole, _, thousandths = weight.partition('.')
    return int(whole) * 1000 + int(thousandths) if len(thousandths) == 3 else -1


async def indicator(scale: int, port: int, lines: int, period: float, sent: Sent) -> None:
    """Connect, then send a line every `period` seconds (0 = as fast as the bridge accepts them).

    Args:
        scale: Id of the scale; also spreads the start over one period.
        port: Port of the bridge on loopback.
        lines: Lines to send, numbered from 1.
        period: Seconds.
        sent: Gets the send times; not with a period of 0.
    """
    _, writer = await asyncio.open_connection('127.0.0.1', port)
    # Spread over one period: real indicators do not send in step.
    start = time.monotonic() + 0.5 + period * (scale % 97) / 97
    for number in range(1, lines + 1):
        if period:
            await asyncio.sleep(max(0.0, start + (number - 1) * period - time.monotonic()))
            sent.at[str(scale), number] = time.monotonic_ns()
        writer.write(line(scale, number))
        # Drained now and then, so that the socket's buffer and not Python's memory is the limit.
        if not period and number % 50 == 0:
            await writer.drain()
    await asyncio.sleep(2.0 if period else 0.0)
    with contextlib.suppress(OSError):
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def load(port: int, indicators: int, lines: int, period: float) -> Sent:
    """Run all indicators until they have sent their lines.

    Args:
        port: Port of the bridge.
        indicators: Scales 1 to this number, each with a connection of its own.
        lines: Lines of each.
        period: Seconds between two lines.
    """
    sent = Sent()
    await asyncio.gather(*(indicator(scale, port, lines, period, sent) for scale in range(1, indicators + 1)))
    return sent


@contextlib.contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process, and terminate it at the end."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def wait_for_port(port: int) -> None:
    """Wait until a program listens on the port; a test connection would count as an indicator.

    Raises:
        SystemExit: Nothing listens after START_S seconds.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in psutil.net_connections('tcp')):
            return
        time.sleep(0.1)
    raise SystemExit(f'nothing listens on port {port} after {START_S:g} s')


def wait_quiet(count: Callable[[], int], wanted: int) -> float:
    """Wait until a count reaches `wanted` or has not grown for `SETTLE_S`; return the time of its last growth.

    Args:
        count: Called 50 times a second.
        wanted: Expected value.
    """
    last, since = -1, time.monotonic()
    while last < wanted and time.monotonic() - since < SETTLE_S:
        now = count()
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.02)
    return since


def peer(*arguments: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Run a part of weighing_peers.py."""
    return process(sys.executable, str(PEERS), *arguments)


def bridge(port: int, database: Path) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Run scale_bridge in a process of its own, as in a cell; the caller's processor time is not counted.

    Args:
        port: TCP port of the indicators.
        database: SQLite file; made if it does not exist.
    """
    return process(
        sys.executable,
        '-c',
        'from cell_weighing.bridge.node import main; main()',
        '--ros-args',
        '-r',
        '__ns:=/cell',
        '-p',
        f'port:={port}',
        '-p',
        'listen_address:=127.0.0.1',
        '-p',
        f'database_url:=sqlite:///{database}',
        '--log-level',
        'error',
    )
