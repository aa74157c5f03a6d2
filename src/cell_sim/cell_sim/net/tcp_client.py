"""TCP client that reconnects with back-off, and can drop its connection as a fault.

Indicators and the letters program are clients: the cell's nodes listen, as the real devices are set
up. This module owns the connection and its tasks; the meaning of the bytes is the handler's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine

from cell_common.backoff import Backoff

__all__ = ['ReconnectingTcpClient', 'SessionHandler', 'local_address']

# As an embedded device does: soon at first, then rarely.
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.2, 5.0
_LOG = logging.getLogger(__name__)
SessionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def local_address(source: str) -> tuple[str, int] | None:
    """Return the `local_addr` argument of a connection from `source`; None = the system chooses.

    Args:
        source: Local IP address, or "". Port 0 lets the system choose the port, so several
            connections can share an address.
    """
    return (source, 0) if source else None


class ReconnectingTcpClient:
    """Connects, passes the connection to a handler until that ends, and connects again.

    Create and use it in one event loop. At most one connection is current; connections that
    `disconnect_for(silently=True)` or `track` have put aside stay open until `stop`.

    Attributes:
        connected: Set while a connection is current.
        writer: Writer of the current connection, None without one. A handler that waits compares it
            with the one that it started with: after a reconnect its reply belongs to a connection
            that is gone.
    """

    def __init__(self, name: str, host: str, port: int, handler: SessionHandler, source: str = '') -> None:
        """Create a stopped client.

        Args:
            name: Device name, for the log.
            host: Server host.
            port: Server TCP port.
            handler: Uses one connection; returning, OSError or EOFError ends the session.
            source: Local address to connect from; "" = the system chooses.
        """
        self._name, self._host, self._port, self._handler = name, host, port, handler
        self._source = source
        self.connected = asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None
        self._session: asyncio.Task[None] | None = None
        self._orphans: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._offline_until = 0.0

    def start(self) -> None:
        """Start to connect, in the background. A server that is not there yet is tried again after 0.2 s to 5 s."""
        self.spawn(self._stay_connected())

    async def stop(self) -> None:
        """Cancel all tasks of the device and close its connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop()
        # Aborted, not closed: a silent connection has to vanish without a FIN, as after a power
        # cut.
        for orphan in self._orphans:
            orphan.transport.abort()

    def disconnect_for(self, seconds: float, *, silently: bool = False) -> None:
        """Drop the connection and stay offline.

        Args:
            seconds: Time until the client connects again.
            silently: Send no FIN, so that the server keeps a dead connection.
        """
        self._offline_until = asyncio.get_running_loop().time() + seconds
        if silently and self.writer is not None:
            self._orphans.append(self.writer)
            self.writer = None
            self.connected.clear()
        else:
            self._drop()
        if self._session is not None:
            self._session.cancel()

    def send(self, data: bytes) -> bool:
        """Write to the connection without waiting; return False if there is none.

        True means buffered, not received: the peer may be gone already.
        """
        if self.writer is None or self.writer.is_closing():
            return False
        self.writer.write(data)
        return True

    def track(self, writer: asyncio.StreamWriter) -> None:
        """Abort a further connection of the device when the client stops.

        Args:
            writer: Connection that this client does not manage otherwise.
        """
        self._orphans.append(writer)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that `stop` cancels.

        The event loop keeps only weak references to tasks; the set here keeps them alive until they
        end.
        """
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _stay_connected(self) -> None:
        """Connect, run the session, and start again; the body of the client's task."""
        backoff, now = Backoff(FIRST_BACKOFF_S, LONGEST_BACKOFF_S), asyncio.get_running_loop().time
        while True:
            while (remaining := self._offline_until - now()) > 0.0:
                await asyncio.sleep(remaining)
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=local_address(self._source))
            except OSError:
                await asyncio.sleep(backoff.next())
                continue
            backoff.reset()
            await self._run(reader, writer)
            # A server that accepts and closes at once must not be connected to in a tight loop:
            # `reset` has cleared the back-off.
            await asyncio.sleep(FIRST_BACKOFF_S)

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _LOG.info('%s: connected to %s:%d', self._name, self._host, self._port)
        self.writer = writer
        self.connected.set()
        self._session = self.spawn(self._handle(reader, writer))
        # `wait` instead of `await`: disconnect_for cancels the session, which must not cancel this
        # loop.
        await asyncio.wait([self._session])
        # disconnect_for may have put the writer aside already; closing it here would send the FIN.
        if self.writer is writer:
            self._drop()
        _LOG.info('%s: disconnected from %s:%d', self._name, self._host, self._port)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
            await self._handler(reader, writer)

    def _drop(self) -> None:
        self.connected.clear()
        if self.writer is not None:
            self.writer.close()
            self.writer = None
