"""TCP client that reconnects with back-off, and can drop its connection as a fault."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine

from cell_common.backoff import Backoff

__all__ = ['ReconnectingTcpClient', 'SessionHandler', 'local_address']

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.2, 5.0
_LOG = logging.getLogger(__name__)
SessionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def local_address(source: str) -> tuple[str, int] | None:
    """Return the `local_addr` argument of a connection from `source`; None = the system chooses."""
    return (source, 0) if source else None


class ReconnectingTcpClient:
    """Connects, passes the connection to a handler until that ends, and connects again."""

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
        """Start to connect."""
        self.spawn(self._stay_connected())

    async def stop(self) -> None:
        """Cancel all tasks of the device and close its connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop()
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
        """Write to the connection; return False if there is none."""
        if self.writer is None or self.writer.is_closing():
            return False
        self.writer.write(data)
        return True

    def track(self, writer: asyncio.StreamWriter) -> None:
        """Abort a further connection of the device when the client stops."""
        self._orphans.append(writer)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that `stop` cancels."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _stay_connected(self) -> None:
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
            await asyncio.sleep(FIRST_BACKOFF_S)

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _LOG.info('%s: connected to %s:%d', self._name, self._host, self._port)
        self.writer = writer
        self.connected.set()
        self._session = self.spawn(self._handle(reader, writer))
        await asyncio.wait([self._session])
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
