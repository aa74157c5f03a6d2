"""One conversation with the dashboard: connect, ask, leave. A late answer dies with its connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from cell_robot.protocols.dashboard.codec import BANNER, MAX_LINE, REPLIES, DashboardError, check, command

PORT = 29999
ANSWER_S = 1.0


class Dashboard:
    """A connection to the dashboard."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection; use `connected` to make one."""
        self._reader, self._writer = reader, writer

    async def ask(self, line: str) -> str:
        """Send a command and return the reply; for a command of REPLIES only when it was carried out.

        Raises:
            DashboardError: No answer, or a refusal.
        """
        self._writer.write(command(line))
        reply = await self.reply(line)
        if line in REPLIES:
            check(line, reply)
        return reply

    async def reply(self, to: str) -> str:
        """Return the next line.

        Raises:
            DashboardError: None came in time.
        """
        try:
            line = await asyncio.wait_for(self._reader.readline(), ANSWER_S)
        except (asyncio.TimeoutError, OSError, ValueError) as problem:
            raise DashboardError(f'the controller did not answer {to}') from problem
        if not line:
            raise DashboardError(f'the controller closed the connection at {to}')
        return line.decode('utf-8', 'replace').strip()


@contextlib.asynccontextmanager
async def connected(address: str) -> AsyncIterator[Dashboard]:
    """Connect for the length of a block.

    Raises:
        DashboardError: There is no dashboard.
    """
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, PORT, limit=MAX_LINE), ANSWER_S)
    except (asyncio.TimeoutError, OSError) as problem:
        raise DashboardError(f'the dashboard of the controller ({address}:{PORT}) does not answer') from problem
    try:
        dashboard = Dashboard(reader, writer)
        if (banner := await dashboard.reply('the connection')) != BANNER:
            raise DashboardError(f'{address}:{PORT} says {banner[:80]!r}: this is no dashboard')
        yield dashboard
    finally:
        writer.close()
