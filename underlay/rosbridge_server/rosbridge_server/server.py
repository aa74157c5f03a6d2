"""The WebSocket server: an event loop in a thread of its own, beside the executor that spins the node."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hmac
import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from rosbridge_server.session import Session
from rosbridge_server.session_state import Bridge

STOP_S = 5.0
WARN_EVERY_S = 60.0
SECRET_HEADER = 'X-Rosbridge-Secret'
logging.getLogger('aiohttp.access').setLevel(logging.WARNING)


@dataclass(frozen=True)
class Endpoint:
    """Where and how the server listens, and who may connect; sizes in bytes, times in seconds.

    Attributes:
        origins: Pages of other origins that may connect, e.g. "http://panel.example:8080"; "*" = all.
        secret: Header SECRET_HEADER that every client must send; "" = none is asked for.
    """

    address: str
    port: int
    path: str = '/'
    max_message_size: int = 10_000_000
    ping_interval_s: float = 0.0
    use_compression: bool = False
    retry_delay_s: float = 2.0
    tls: ssl.SSLContext | None = None
    origins: tuple[str, ...] = ()
    secret: str = ''


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
        self._warned_s: dict[str, float] = {}

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
        """Run the event loop until `stop`; tasks that are left are canceled."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _serve(self) -> None:
        """Listen until `stop`, then close each connection with code 1001 (going away), which tells a client to reconnect."""
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
                await self._open_sites(runner)
            except OSError as problem:
                self._warn(f'Unable to start server on port {end.port}: {problem}. Retrying in {end.retry_delay_s:g} s.')
                await asyncio.sleep(end.retry_delay_s)
            else:
                if self._on_port is not None:
                    self._on_port(int(runner.addresses[0][1]))
                return

    async def _open_sites(self, runner: web.AppRunner) -> None:
        """Listen on the address; without one, on IPv4 and, where the machine has it, IPv6, both with the same port.

        Raises:
            OSError: The port is in use.
        """
        end = self._endpoint
        first = web.TCPSite(runner, end.address or '0.0.0.0', end.port, ssl_context=end.tls, reuse_address=True)
        await first.start()
        if not end.address:
            port = int(runner.addresses[0][1])
            try:
                await web.TCPSite(runner, '::', port, ssl_context=end.tls, reuse_address=True).start()
            except OSError as problem:
                # Port 0: another program has the number in IPv6; the caller tries again.
                if problem.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    await first.stop()
                    raise

    async def _connection(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one WebSocket from its handshake to its end.

        Raises:
            web.HTTPException: The client may not connect: its origin or its secret is wrong.
        """
        end = self._endpoint
        self._check_client(request)
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

    def _check_client(self, request: web.Request) -> None:
        """Refuse pages of foreign origins, and clients without the secret.

        A browser opens a WebSocket to any address for any page, also to loopback. Programs send no Origin.

        Raises:
            HTTPForbidden: The client may not connect.
        """
        end = self._endpoint
        origin = request.headers.get('Origin')
        if origin is not None and not {'*', origin} & set(end.origins):
            self._warn_once(
                'origin', f'Pages of {origin[:200]!r} may not connect; parameter allowed_origins names those that may'
            )
            raise web.HTTPForbidden(text='Origin not allowed. Add it to parameter allowed_origins.')
        if end.secret and not hmac.compare_digest(request.headers.get(SECRET_HEADER, '').encode(), end.secret.encode()):
            self._warn_once('secret', f'Client {request.remote} refused: it does not know the secret of this server')
            raise web.HTTPForbidden(text='This server is for the web gateway of its cell; connect there.')

    def _warn_once(self, kind: str, text: str) -> None:
        """Warn about a refusal, once a minute for each kind: a page may try for ever."""
        now_s = time.monotonic()
        if now_s - self._warned_s.get(kind, -WARN_EVERY_S) >= WARN_EVERY_S:
            self._warned_s[kind] = now_s
            self._warn(text)

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
