"""Queue of the packets that wait for one client of Engine.IO 4."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ['PacketQueue']

MOST_TAKEN = 16
"""Packets in one answer to a client that polls; python-socketio disconnects at more."""


class PacketQueue(asyncio.Queue[Any]):
    """A queue that seems empty when MOST_TAKEN packets were taken since the latest `get`.

    The library answers a poll with `get`, then `get_nowait` until the queue is empty. The rest stays for the next poll.
    """

    def __init__(self) -> None:
        """Create an empty queue without a limit of its size."""
        super().__init__()
        self._taken = 0

    async def get(self) -> Any:
        """Wait for a packet; the first of an answer."""
        self._taken = 0
        return await super().get()

    def get_nowait(self) -> Any:
        """Return a further packet of the same answer.

        Raises:
            asyncio.QueueEmpty: There is none, or the answer has enough.
        """
        if self._taken >= MOST_TAKEN:
            raise asyncio.QueueEmpty
        item = super().get_nowait()
        self._taken += 1
        return item
