"""Dashboard client: one connection per conversation, so a late reply ends with its connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from cell_robot.protocols.dashboard.codec import BANNER, MAX_LINE, REPLIES, DashboardError, encode, require_ok

PORT = 29999
TIMEOUT_S = 1.0


class DashboardClient:
    """Connection to the dashboard; `open_dashboard` makes one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, command: str) -> str:
        """Send a command and return the reply; replies to commands of REPLIES are checked.

        Raises:
            DashboardError: No answer, or a refusal.
        """
        self._writer.write(encode(command))
        reply = await self.reply(command)
        if command in REPLIES:
            require_ok(command, reply)
        return reply

    async def reply(self, request: str) -> str:
        """Return the next line; `request` names the pending request in errors.

        Raises:
            DashboardError: No line within the timeout, or the connection closed.
        """
        try:
            line = await asyncio.wait_for(self._reader.readline(), TIMEOUT_S)
        except (asyncio.TimeoutError, OSError, ValueError) as error:
            raise DashboardError(f'the controller did not answer {request}') from error
        if not line:
            raise DashboardError(f'the controller closed the connection at {request}')
        return line.decode('utf-8', 'replace').strip()


@contextlib.asynccontextmanager
async def open_dashboard(address: str) -> AsyncIterator[DashboardClient]:
    """Connect to the dashboard of a controller for the duration of a block.

    Raises:
        DashboardError: No dashboard answers at the address.
    """
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, PORT, limit=MAX_LINE), TIMEOUT_S)
    except (asyncio.TimeoutError, OSError) as error:
        raise DashboardError(f'the dashboard of the controller ({address}:{PORT}) does not answer') from error
    try:
        client = DashboardClient(reader, writer)
        if (banner := await client.reply('the connection')) != BANNER:
            raise DashboardError(f'{address}:{PORT} answers {banner[:80]!r}: this is no dashboard')
        yield client
    finally:
        writer.close()
