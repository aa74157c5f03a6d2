"""One listening port of the controller: accepts, keeps the connections, closes them all at once on demand."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod

SEND_BUFFER = 64 * 1024
"""Bytes that may wait for a slow reader; more is not sent to it."""

POLL_S = 0.01


class Port(ABC):
    """A TCP port of the controller."""

    def __init__(self, address: str, port: int) -> None:
        """Be closed; `port` 0 = any free one."""
        self.address, self.port = address, port
        self.writers: set[asyncio.StreamWriter] = set()
        self.stalled = False
        """While set, connections stand, but nothing is sent."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen, unless it does already.

        Raises:
            OSError: The port is in use.
        """
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._accept, self.address, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and break every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def publish(self, now: float) -> None:  # noqa: B027 - most ports only answer
        """Send what is due; called once in every cycle of the controller."""

    async def wait_unstalled(self) -> None:
        """Wait while the port is stalled."""
        while self.stalled:
            await asyncio.sleep(POLL_S)

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it leaves."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.writers.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.serve(reader, writer)
        finally:
            self._tasks.discard(task)
            self.writers.discard(writer)
            if self._server is None:
                writer.transport.abort()
            else:
                writer.close()


def is_backlogged(writer: asyncio.StreamWriter) -> bool:
    """Return whether a client takes no more now, or has left."""
    return writer.transport.is_closing() or writer.transport.get_write_buffer_size() > SEND_BUFFER


def send_unless_backlogged(writer: asyncio.StreamWriter, data: bytes) -> bool:
    """Send to a client unless it has fallen behind; return whether it was sent."""
    if is_backlogged(writer):
        return False
    writer.write(data)
    return True
