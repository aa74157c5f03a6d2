"""Dashboard client: one connection per conversation, so a late reply ends with its connection.

The dashboard server listens on TCP 29999 and answers each line with one line (UR article "Dashboard Server e-Series, port
29999"). A reply carries nothing that names its command.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

from cell_common.timeouts import with_timeout

from cell_robot.protocols.dashboard.codec import (
    MAX_LINE,
    REPLIES,
    TIMEOUTS,
    DashboardClosedError,
    DashboardError,
    DashboardTimeouts,
    answers,
    clean_line,
    encode,
    is_banner,
    parse_bool,
    require_ok,
)

PORT = 29999
REMOTE = 'is in remote control'
OLD_CONNECTION_S = 2.5
"""Time for an answer over a connection that has been open for a while; a slow dashboard needs 1.5 s."""
EXTRA_LINE_S = 2.0
"""Time for the answer after a line that answers nothing; without one the line counts as a refusal."""


class DashboardClient:
    """Connection to the dashboard; `open_dashboard` makes one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeouts: DashboardTimeouts) -> None:
        self._reader, self._writer, self._timeouts = reader, writer, timeouts

    async def ask(self, command: str, timeout_s: float | None = None) -> str:
        """Send a command and return the reply; replies to commands of REPLIES are checked.

        Args:
            command: Without a line end, e.g. "power on".
            timeout_s: Maximum time for the answer, seconds; None = that of the timeouts.

        Raises:
            DashboardError: No answer, or a refusal.
        """
        self._writer.write(encode(command))
        reply = await self._reply(command, timeout_s or self._timeouts.command)
        if command in REPLIES:
            require_ok(command, reply)
        return reply

    async def greet(self) -> None:
        """Wait for the banner.

        Raises:
            DashboardError: No answer, or another service answers.
        """
        if not is_banner(line := await self._within(self._line(), 'the connection', self._timeouts.command)):
            # Some other service on the port: its lines must not be read as answers.
            raise DashboardError(f'port {PORT} answers {line[:80]!r}: this is no dashboard')

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def _reply(self, command: str, timeout_s: float) -> str:
        """Return the line that answers a command; other lines before it are skipped.

        If no better line follows, the last one is returned, and the caller reads it as a refusal.
        """
        line = await self._within(self._line(), command, timeout_s)
        while not answers(command, line):
            try:
                line = await with_timeout(self._line(), EXTRA_LINE_S)
            except asyncio.TimeoutError:
                break
        return line

    async def _line(self) -> str:
        """Return the next line that is not empty.

        Raises:
            DashboardClosedError: The controller closed the connection.
            OSError: The connection is lost.
            ValueError: A line is longer than MAX_LINE.
        """
        while not (line := clean_line(received := await self._reader.readline())):
            if not received:
                raise DashboardClosedError('the controller closed the connection to its dashboard')
        return line

    async def _within(self, reading: Coroutine[object, object, str], request: str, timeout_s: float) -> str:
        """Return a line.

        Args:
            reading: Reads the line.
            request: What was asked, for the message.
            timeout_s: Maximum time, seconds.

        Raises:
            DashboardError: No line in time.
            DashboardClosedError: The connection is lost, or its data are no lines.
        """
        try:
            return await with_timeout(reading, timeout_s)
        except asyncio.TimeoutError as error:
            raise DashboardError(f'the controller did not answer {request} within {timeout_s:g} s') from error
        except (OSError, ValueError) as error:
            raise DashboardClosedError(f'the controller did not answer {request}') from error


async def connect_dashboard(address: str, timeouts: DashboardTimeouts = TIMEOUTS) -> DashboardClient:
    """Connect to the dashboard of a controller.

    Args:
        address: Host name or IP address.
        timeouts: For the connection, and for its banner.

    Returns:
        A client that has read the banner; the caller closes it.

    Raises:
        DashboardError: No dashboard answers at the address.
    """
    try:
        reader, writer = await with_timeout(asyncio.open_connection(address, PORT, limit=MAX_LINE), timeouts.connect)
    except (asyncio.TimeoutError, OSError) as error:
        raise DashboardError(f'the dashboard of the controller ({address}:{PORT}) does not answer') from error
    client = DashboardClient(reader, writer, timeouts)
    try:
        await client.greet()
    except BaseException:
        client.close()
        raise
    return client


@contextlib.asynccontextmanager
async def open_dashboard(address: str, timeouts: DashboardTimeouts = TIMEOUTS) -> AsyncIterator[DashboardClient]:
    """Connect to the dashboard of a controller for the duration of a block.

    Args:
        address: Host name or IP address.
        timeouts: For the connection, and for each command.

    Raises:
        DashboardError: No dashboard answers at the address.
    """
    client = await connect_dashboard(address, timeouts)
    try:
        yield client
    finally:
        client.close()


class RemoteControlQuestion:
    """Asks one controller whether it is in remote control, over a connection that stays open: the answer is needed often.

    An open connection may lead nowhere after a reboot or a pulled cable, and one that was made in local mode may answer "false"
    for ever. So what an old connection says or does not say against the cell is asked once more over a new one.
    """

    def __init__(self, address: str, timeouts: DashboardTimeouts) -> None:
        self._address, self._timeouts = address, timeouts
        self._client: DashboardClient | None = None
        # Keeps two questions from sharing one reply.
        self._asking = asyncio.Lock()

    async def ask(self) -> bool:
        """Return whether the controller is in remote control.

        Raises:
            DashboardError: No answer, or a controller that cannot tell.
        """
        async with self._asking:
            if self._client is not None:
                with contextlib.suppress(DashboardError):
                    if await self._ask(min(OLD_CONNECTION_S, self._timeouts.command)):
                        return True
                self.close()
            try:
                return await self._ask(self._timeouts.command)
            # A controller that boots accepts connections and closes them.
            except DashboardClosedError:
                return await self._ask(self._timeouts.command)

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
        self._client = None

    async def _ask(self, timeout_s: float) -> bool:
        """Ask over the open connection, or over a new one; any error closes it."""
        try:
            if self._client is None:
                self._client = await connect_dashboard(self._address, self._timeouts)
            return parse_bool(await self._client.ask(REMOTE, timeout_s))
        except BaseException:  # a reply may still come: it must not answer the next question
            self.close()
            raise
