"""Socket.IO connection to a hub: connects, reconnects with back-off, passes events on."""

from __future__ import annotations

import asyncio
from typing import Protocol

import aiohttp
import socketio
from cell_common.backoff import Backoff

from cell_robot.backends.hub.protocol import ACK

NAMESPACE = '/'
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 10.0
JITTER = 0.2
CONNECT_ERRORS = (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, asyncio.TimeoutError)


class HubListener(Protocol):
    """Callbacks of the connection, all in the event loop's thread."""

    def connected(self) -> None:
        """The hub's root namespace is connected."""

    def disconnected(self, reason: str) -> None:
        """The connection ended; `reason` is for the operator."""

    def unreachable(self, reason: str) -> None:
        """An attempt to connect failed."""

    def acknowledged(self, payload: object) -> None:
        """An `ack` arrived."""


class HubTransport:
    """One connection at a time. Each one is a new client, so nothing queued for a lost one is ever sent."""

    def __init__(self, url: str, listener: HubListener) -> None:
        """Store the settings; `run` connects."""
        self._url, self._listener = url, listener
        self._client: socketio.AsyncClient | None = None

    @property
    def connected(self) -> bool:
        """Whether the hub's root namespace is connected now."""
        client = self._client
        return client is not None and client.connected and NAMESPACE in client.namespaces

    async def run(self) -> None:
        """Keep the connection until canceled; failures are reported to the listener and retried with back-off."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S, jitter=JITTER)
        while True:
            ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            client = self._make_client(ended)
            try:
                connecting = client.connect(self._url, namespaces=[NAMESPACE], wait_timeout=CONNECT_TIMEOUT_S)
                await asyncio.wait_for(connecting, 2 * CONNECT_TIMEOUT_S)
                self._client = client
                backoff.reset()
                self._listener.connected()
                self._listener.disconnected(await _wait_closed(client, ended))
            except (*CONNECT_ERRORS, ValueError) as error:
                self._listener.unreachable(str(error) or f'no answer within {CONNECT_TIMEOUT_S:g} s')
            finally:
                self._client = None
                await _close(client)
            await asyncio.sleep(backoff.next())

    async def emit(self, event: str, payload: object) -> None:
        """Send an event; nothing is queued for a later connection.

        Args:
            event: Name of the Socket.IO event.
            payload: JSON data.

        Raises:
            socketio.exceptions.SocketIOError: The connection has ended.
        """
        if self._client is None:
            raise socketio.exceptions.ConnectionError('not connected')
        await self._client.emit(event, payload, namespace=NAMESPACE)

    def _make_client(self, ended: asyncio.Future[str]) -> socketio.AsyncClient:
        """Return a client for one connection.

        Args:
            ended: Gets the reason when the connection ends.
        """
        # Not the library's own reconnection: a new client for each connection leaves behind what the lost one had queued.
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False, request_timeout=CONNECT_TIMEOUT_S)

        async def on_disconnect(reason: str = '') -> None:
            if not ended.done():
                ended.set_result(reason or 'closed')

        async def on_ack(payload: object = None, *_more: object) -> None:
            # A former client may still deliver an event while it is being closed.
            if client is self._client:
                self._listener.acknowledged(payload)

        client.on('disconnect', on_disconnect, namespace=NAMESPACE)
        client.on(ACK, on_ack, namespace=NAMESPACE)
        return client


async def _wait_closed(client: socketio.AsyncClient, ended: asyncio.Future[str]) -> str:
    """Wait for the end of a connection and return its reason."""
    closed = asyncio.ensure_future(client.wait())  # ends, too, when the connection was lost before connect() returned
    try:
        await asyncio.wait({ended, closed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        closed.cancel()
    return ended.result() if ended.done() else 'closed'


async def _close(client: socketio.AsyncClient) -> None:
    """Close a client whatever state it is in; a hub that does not answer does not hold it up."""
    try:
        await asyncio.wait_for(client.disconnect(), CLOSE_TIMEOUT_S)
    except CONNECT_ERRORS:
        return
