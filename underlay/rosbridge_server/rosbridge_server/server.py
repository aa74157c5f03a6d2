"""The WebSocket server: an event loop in a thread of its own, beside the executor that spins the node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from rosbridge_server.session import Bridge, Session

STOP_S = 5.0
logging.getLogger('aiohttp.access').setLevel(logging.WARNING)


@dataclass(frozen=True)
class Endpoint:
    """Where and how the server listens; sizes in bytes, times in seconds."""

    address: str
    port: int
    path: str = '/'
    max_message_size: int = 10_000_000
    ping_interval_s: float = 0.0
    use_compression: bool = False
    retry_delay_s: float = 2.0
    tls: ssl.SSLContext | None = None


class Server:
    """Serves sessions until it is stopped.

    One reader and one writer task for each connection. Only the writer sends, so messages cannot interleave.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        endpoint: Endpoint,
        bridge: Bridge,
        warn: Callable[[str], None],
        on_clients: Callable[[int], None],
    ) -> None:
        """Create a server that is not started.

        Args:
            loop: Loop that the server's thread runs.
            endpoint: Where to listen.
            bridge: Shared by the sessions.
            warn: Called with warnings for the operator.
            on_clients: Called with the number of clients at each change.
        """
        self._loop = loop
        self._endpoint = endpoint
        self._bridge = bridge
        self._warn = warn
        self._on_clients = on_clients
        self._thread = threading.Thread(target=self._run, name='rosbridge', daemon=True)
        self._stop = asyncio.Event()
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None
        self._on_port: Callable[[int], None] | None = None

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._sockets)

    def start(self, on_port: Callable[[int], None]) -> None:
        """Start the thread.

        Args:
            on_port: Called in the thread with the port once the server listens.
        """
        self._on_port = on_port
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_get(self._endpoint.path, self._connection)
        self._runner = web.AppRunner(application, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            listening = asyncio.ensure_future(self._listen(self._runner))
            await self._stop.wait()
            listening.cancel()
            for socket in list(self._sockets):
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(socket.close(code=1001), 0.2)
        finally:
            await self._runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        """Bind the port; retry while it is taken, e.g. by a former process that is still ending."""
        end = self._endpoint
        while True:
            try:
                site = web.TCPSite(runner, end.address or None, end.port, ssl_context=end.tls, reuse_address=True)
                await site.start()
            except OSError as problem:
                self._warn(f'Unable to start server on port {end.port}: {problem}. Retrying in {end.retry_delay_s:g} s.')
                await asyncio.sleep(end.retry_delay_s)
            else:
                if self._on_port is not None:
                    self._on_port(int(runner.addresses[0][1]))
                return

    async def _connection(self, request: web.Request) -> web.WebSocketResponse:
        end = self._endpoint
        socket = web.WebSocketResponse(
            max_msg_size=end.max_message_size, heartbeat=end.ping_interval_s or None, compress=end.use_compression
        )
        await socket.prepare(request)
        session = Session(self._bridge, time.monotonic)
        writer = asyncio.ensure_future(self._write(request, socket, session))
        self._sockets.add(socket)
        self._on_clients(len(self._sockets))
        try:
            await self._read(socket, session)
        finally:
            writer.cancel()
            session.close()
            self._sockets.discard(socket)
            self._on_clients(len(self._sockets))
        return socket

    async def _read(self, socket: web.WebSocketResponse, session: Session) -> None:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await session.handle(message.data)
            elif message.type == WSMsgType.BINARY:
                session.status('error', 'Binary messages are not supported by this server, send JSON as text')

    async def _write(self, request: web.Request, socket: web.WebSocketResponse, session: Session) -> None:
        """Send the messages of the outbox; a client that does not read is dropped past the limit.

        `send_frame` waits while the socket's buffer is full. So a slow client costs its own outbox and nothing else.
        """
        outbox = session.outbox
        guard = asyncio.ensure_future(self._drop_when_full(request, session))
        try:
            while True:
                payload = outbox.take(time.monotonic())
                if payload is not None:
                    await socket.send_frame(payload, WSMsgType.TEXT)
                    continue
                session.wake.clear()
                await _wait(session.wake, outbox.next_due())
        except (ConnectionError, RuntimeError):
            pass  # closed: the reader sees it too
        finally:
            guard.cancel()

    async def _drop_when_full(self, request: web.Request, session: Session) -> None:
        """Abort the connection once the outbox overflows; a close handshake would wait for the client."""
        await session.overflow.wait()
        self._warn(f'Client {request.remote} does not keep up and is dropped: {session.outbox.size} bytes wait for it')
        if request.transport is not None:
            request.transport.abort()


async def _wait(event: asyncio.Event, until_s: float | None) -> None:
    """Wait for an event, at most until a monotonic time."""
    if until_s is None:
        await event.wait()
        return
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), max(0.0, until_s - time.monotonic()))
