"""Socket.IO connection to a hub: connects, reconnects with back-off, passes events on.

Hubs speak Engine.IO 4 (python-socketio 5, Socket.IO 3 and 4 of Node.js) or 3 (older ones), and none both. Attempts alternate
between the two; a reconnect begins with the one that worked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import aiohttp
import socketio
from cell_common.backoff import Backoff
from cell_common.timeouts import with_timeout

from cell_robot.backends.hub.engineio3_client import EngineIo3Client
from cell_robot.backends.hub.protocol import ACK

NAMESPACE = '/'
# For the transport and for the namespace, one after the other.
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 10.0
# Several clients lose a restarted hub at the same moment; they should not all return at the same moment.
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


class HubConnection(Protocol):
    """One connection to the hub's root namespace; it is used once."""

    @property
    def connected(self) -> bool:
        """Whether the root namespace is connected now."""

    async def connect(self) -> None:
        """Connect; raises one of CONNECT_ERRORS or ValueError."""

    async def emit(self, event: str, payload: object) -> None:
        """Send an event.

        Args:
            event: Name of the Socket.IO event.
            payload: JSON data.

        Raises:
            socketio.exceptions.SocketIOError: The connection has ended, or another of CONNECT_ERRORS.
        """

    async def wait(self) -> str:
        """Wait for the end of the connection and return its reason."""

    async def close(self) -> None:
        """Release the connection, in any state."""


EventListener = Callable[[str, object], None]


class EngineIo4Client:
    """A connection to a hub of Engine.IO 4, by python-socketio. Implements `HubConnection`."""

    def __init__(self, url: str, on_event: EventListener) -> None:
        """Store the settings.

        Args:
            url: Address of the hub.
            on_event: Called with name and payload of each `ack`.
        """
        self._url, self._on_event = url, on_event
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        # Not the library's own reconnection: a new client for each connection leaves behind what the lost one had queued.
        self._client = socketio.AsyncClient(reconnection=False, handle_sigint=False, request_timeout=CONNECT_TIMEOUT_S)
        self._client.on('disconnect', self._on_disconnect, namespace=NAMESPACE)
        self._client.on(ACK, self._on_ack, namespace=NAMESPACE)

    @property
    def connected(self) -> bool:
        """Whether the root namespace is connected now."""
        return bool(self._client.connected and NAMESPACE in self._client.namespaces)

    async def connect(self) -> None:
        """Connect, at most twice CONNECT_TIMEOUT_S."""
        connecting = self._client.connect(self._url, namespaces=[NAMESPACE], wait_timeout=CONNECT_TIMEOUT_S)
        await with_timeout(connecting, 2 * CONNECT_TIMEOUT_S)

    async def emit(self, event: str, payload: object) -> None:
        """Send an event.

        Args:
            event: Name of the Socket.IO event.
            payload: JSON data.
        """
        await self._client.emit(event, payload, namespace=NAMESPACE)

    async def wait(self) -> str:
        """Wait for the end of the connection and return its reason."""
        closed = asyncio.ensure_future(self._client.wait())  # ends, too, when the connection was lost before connect() returned
        try:
            await asyncio.wait({self._ended, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        return self._ended.result() if self._ended.done() else 'closed'

    async def close(self) -> None:
        """Release the connection; a hub that does not answer does not hold it up."""
        try:
            await with_timeout(self._client.disconnect(), CLOSE_TIMEOUT_S)
        except CONNECT_ERRORS:
            return

    async def _on_disconnect(self, reason: str = '') -> None:
        if not self._ended.done():
            self._ended.set_result(reason or 'closed')

    async def _on_ack(self, payload: object = None, *_more: object) -> None:
        self._on_event(ACK, payload)


class HubTransport:
    """One connection at a time. Each one is a new client, so nothing queued for a lost one is ever sent."""

    def __init__(self, url: str, listener: HubListener) -> None:
        """Store the settings; `run` connects.

        Args:
            url: Address of the hub.
            listener: Called in the event loop's thread.
        """
        self._url, self._listener = url, listener
        self._client: HubConnection | None = None

    @property
    def connected(self) -> bool:
        """Whether the hub's root namespace is connected now."""
        return self._client is not None and self._client.connected

    async def run(self) -> None:
        """Keep the connection until canceled; failures are reported to the listener and retried with back-off."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S, jitter=JITTER)
        reasons = {4: '', 3: ''}
        version = 4
        while True:
            client = self._make_client(version)
            try:
                await client.connect()
                self._client = client
                backoff.reset()
                self._listener.connected()
                self._listener.disconnected(await client.wait())
            except (*CONNECT_ERRORS, ValueError) as error:
                reasons[version] = str(error) or f'no answer within {CONNECT_TIMEOUT_S:g} s'
                version = 7 - version
                self._listener.unreachable(reasons[4] or reasons[3])
            finally:
                self._client = None
                await client.close()
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
        try:
            await self._client.emit(event, payload)
        except (aiohttp.ClientError, OSError) as error:
            raise socketio.exceptions.ConnectionError(str(error)) from error

    def _make_client(self, version: int) -> HubConnection:
        """Return a client for one connection.

        Args:
            version: Release of the Engine.IO protocol, 3 or 4.
        """

        def on_event(event: str, payload: object) -> None:
            # A former client may still deliver an event while it is being closed.
            if client is self._client and event == ACK:
                self._listener.acknowledged(payload)

        client: HubConnection = (
            EngineIo4Client(self._url, on_event) if version == 4 else EngineIo3Client(self._url, CONNECT_TIMEOUT_S, on_event)
        )
        return client
