"""A device that dials: keeps one TCP connection up with back-off, and can lose it on request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.2, 5.0
_LOG = logging.getLogger(__name__)
SessionHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def local(source: str) -> tuple[str, int] | None:
    """Return where a connection is to come from; None = whichever address."""
    return (source, 0) if source else None


class ReconnectingTcpClient:
    """Connects, lets `handler` use the connection until it ends, and connects again."""

    def __init__(self, name: str, host: str, port: int, handler: SessionHandler, source: str = '') -> None:
        """Make a dialler at rest.

        Args:
            name: Of the device, for the log.
            host: Who is dialled.
            port: TCP port.
            handler: Uses a connection; returning or raising OSError or EOFError ends it.
            source: Address of this machine to dial from; "" = whichever.
        """
        self._name, self._host, self._port, self._handler = name, host, port, handler
        self._source = source
        self.connected = asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None
        self._talking: asyncio.Task[None] | None = None
        self._orphans: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._away_until = 0.0

    def start(self) -> None:
        """Begin to dial."""
        self.spawn(self._stay_connected())

    async def stop(self) -> None:
        """End every task of the device and close what is open."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop()
        for orphan in self._orphans:
            orphan.transport.abort()

    def disconnect_for(self, seconds: float, *, silently: bool = False) -> None:
        """Lose the connection for a while.

        Args:
            seconds: Until it is dialled again.
            silently: Without a word to the other end, which keeps a dead connection.
        """
        self._away_until = asyncio.get_running_loop().time() + seconds
        if silently and self.writer is not None:
            self._orphans.append(self.writer)
            self.writer = None
            self.connected.clear()
        else:
            self._drop()
        if self._talking is not None:
            self._talking.cancel()

    def send(self, data: bytes) -> bool:
        """Write to the connection; return whether there was one."""
        if self.writer is None or self.writer.is_closing():
            return False
        self.writer.write(data)
        return True

    def track(self, writer: asyncio.StreamWriter) -> None:
        """Abort another connection of the device when it is switched off."""
        self._orphans.append(writer)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside, until the device is switched off."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _stay_connected(self) -> None:
        backoff, now = FIRST_BACKOFF_S, asyncio.get_running_loop().time
        while True:
            while (away := self._away_until - now()) > 0.0:
                await asyncio.sleep(away)
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=local(self._source))
            except OSError:
                await asyncio.sleep(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF_S)
                continue
            backoff = FIRST_BACKOFF_S
            await self._use(reader, writer)
            await asyncio.sleep(backoff)

    async def _use(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _LOG.info('%s is connected to %s:%d', self._name, self._host, self._port)
        self.writer = writer
        self.connected.set()
        self._talking = self.spawn(self._converse(reader, writer))
        await asyncio.wait([self._talking])
        if self.writer is writer:
            self._drop()
        _LOG.info('%s has lost %s:%d', self._name, self._host, self._port)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
            await self._handler(reader, writer)

    def _drop(self) -> None:
        self.connected.clear()
        if self.writer is not None:
            self.writer.close()
            self.writer = None
