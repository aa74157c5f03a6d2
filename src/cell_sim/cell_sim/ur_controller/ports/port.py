"""One listening TCP port of the controller: accepts clients and closes all connections on demand."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod

SEND_BUFFER = 64 * 1024
"""Bytes that may be queued for a slow client; further data is dropped."""
POLL_S = 0.01


class Port(ABC):
    """A TCP port of the controller.

    A subclass implements `serve`, one call per connection, and `publish` if it sends data unasked.
    Both run in the event loop; `publish` must not block.

    Attributes:
        address: Address to listen on.
        port: TCP port; after `open` the one in use.
        writers: Connections that are open.
        stalled: While true, connections stay open, but no data is sent.
    """

    def __init__(self, address: str, port: int) -> None:
        """Create a closed port; `port` 0 = any free one."""
        self.address, self.port = address, port
        self.writers: set[asyncio.StreamWriter] = set()
        self.stalled = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; no-op if the port is open.

        Raises:
            OSError: The port is in use.
        """
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._accept, self.address, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and abort every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def set_stalled(self, stalled: bool) -> None:
        """Start or end a stall."""
        self.stalled = stalled

    def publish(self, now: float) -> None:  # noqa: B027 - most ports only reply
        """Send the data that is due; called once in every cycle of the controller."""

    async def wait_unstalled(self) -> None:
        """Wait while the port is stalled."""
        while self.stalled:
            await asyncio.sleep(POLL_S)

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it disconnects."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, and close it as the state of the port demands."""
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
    """Return True if the send buffer of a client is full, or the connection is closing.

    Args:
        writer: Connection; its buffer in user space counts, the kernel's does not.
    """
    return writer.transport.is_closing() or writer.transport.get_write_buffer_size() > SEND_BUFFER


def send_unless_backlogged(writer: asyncio.StreamWriter, data: bytes) -> bool:
    """Send data unless the client is backlogged; return True if it was sent."""
    if is_backlogged(writer):
        return False
    writer.write(data)
    return True
