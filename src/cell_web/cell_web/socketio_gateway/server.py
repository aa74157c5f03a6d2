"""A Socket.IO server on a port of its own: origins, sessions, old clients, unknown events, back-pressure.

The page server and the hub server add their events to it. Everything runs on one asyncio event loop.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import socketio
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from engineio.payload import Payload

from cell_web.connections import ConnectionGuard, ConnectionLimits
from cell_web.origins import origin_allowed
from cell_web.socketio_gateway.checked_packet import UNREADABLE, CheckedPacket
from cell_web.socketio_gateway.checked_transport import CLIENT_OF, PollingRequest, read_request, require_readable_headers
from cell_web.socketio_gateway.engineio3 import EngineIo3Bridge, EngineIo3Settings
from cell_web.socketio_gateway.events import PayloadError
from cell_web.socketio_gateway.packet_queue import PacketQueue

__all__ = ['Client', 'EventHandler', 'SocketIoServer', 'SocketIoSettings']

LOG = logging.getLogger(__name__)
NAMESPACE = '/'
RETRY_S = 2.0
CLOSE_S = 1.0
MOST_UNSENT = 16384
"""Of each connection, bytes in the system's buffer that were not sent. A frame in it is no longer replaced by a newer one."""
MAX_PAYLOAD = 8_000_000
"""Largest message read, bytes; a longer one ends its connection. Of `LARGEST_EVENT` on the client gets a status instead."""
MOST_PACKETS = 10_000
"""Packets taken in one request. A client that polls sends all that it has gathered in one; the library drops more than 16."""


@dataclass(frozen=True)
class SocketIoSettings:
    """Address of the server, and who may connect.

    Attributes:
        address: Address to listen on.
        port: TCP port; 0 = the kernel chooses.
        origins: Pages that may connect besides those of the same host, e.g. `http://10.0.0.5:5000`;
            `*` = every page.
        max_clients: Clients at the same time.
        max_commands: Commands of one client that may wait or run at the same time.
        replay_s: Seconds after a connection in which commands marked `fresh` are refused.
        may_command: Returns whether the session of a request may change anything.
    """

    address: str
    port: int
    origins: Sequence[str] = ()
    max_clients: int = 64
    max_commands: int = 16
    replay_s: float = 1.0
    may_command: Callable[[web.Request], bool] = lambda _request: True


@dataclass
class Client:
    """One connected client.

    Attributes:
        sid: Session id of the Socket.IO library.
        name: Server and address, for the audit, e.g. "page 10.0.0.5".
        address: IP address.
        may_command: Whether it may change anything.
        connected_s: Time of the connection, by the loop's clock, seconds.
        commands: Commands in progress.
        wants_video: Whether it gets camera frames (port 5001).
        tasks: Commands in progress; the set keeps them alive.
        turn: Held by the command that is executed; the next ones wait for it in their order.
    """

    sid: str
    name: str
    address: str
    may_command: bool
    connected_s: float
    commands: int = 0
    wants_video: bool = True
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


EventHandler = Callable[[Client, object], Awaitable[Awaitable[None] | None]]
"""Handles an event. What the handler of a command returns is long, e.g. a motion: it runs beside the client's next commands."""


class SocketIoServer:
    """One Socket.IO server; `run` serves until it is canceled.

    Attributes:
        name: For logs, e.g. "page".
        clients: Session id -> client.
        port: TCP port in use; 0 while it does not listen.
        error: Reason why it does not listen; "" while it does.
    """

    def __init__(self, name: str, settings: SocketIoSettings, on_connect: Callable[[Client], Awaitable[None]]) -> None:
        """Prepare the server.

        Args:
            name: For logs, e.g. "page".
            settings: Where it listens and who may connect.
            on_connect: Called for each new client, which is already in `clients`.
        """
        self.name = name
        self.clients: dict[str, Client] = {}
        self.port = 0
        self.error = ''
        self._settings = settings
        self._on_connect = on_connect
        self._handlers: dict[str, tuple[EventHandler, bool]] = {}
        self._fresh: set[str] = set()
        # A polling client has up to three connections, and one of Engine.IO 3 as many again from this process to itself.
        connections = 6 * settings.max_clients + 40
        self._guard = ConnectionGuard(ConnectionLimits(total=connections, per_address=connections))
        self._bridge = EngineIo3Bridge(self._own_url, self._is_origin_allowed, EngineIo3Settings(max_payload=MAX_PAYLOAD))
        Payload.max_decode_packets = MOST_PACKETS
        self._sio = socketio.AsyncServer(
            async_mode='aiohttp',
            serializer=CheckedPacket,
            namespaces='*',
            cors_allowed_origins=self._is_origin_text_allowed,
            max_http_buffer_size=MAX_PAYLOAD,
            http_compression=False,
            ping_interval=10,
            ping_timeout=10,
            always_connect=False,
        )
        self._sio.eio.create_queue = PacketQueue
        self._sio.on('connect', self._connected, namespace=NAMESPACE)
        self._sio.on('disconnect', self._disconnected, namespace=NAMESPACE)
        self._sio.on('connect', self._refuse_namespace, namespace='*')
        self._sio.on('*', self._on_event, namespace=NAMESPACE)

    def on(self, event: str, handler: EventHandler, *, command: bool = False, fresh: bool = False) -> None:
        """Register the handler of an event.

        Args:
            event: Name of the event.
            handler: Receives the client and the payload; a `PayloadError` that it raises is sent
                back as a status.
            command: The event changes something: it needs the right to command. Commands of one client are executed one after
                the other, beside its other events.
            fresh: The command must not be repeated late. socket.io-client keeps what is emitted while it has no connection,
                and sends all of it when it is connected again: a button that was pressed minutes ago.
        """
        self._handlers[event] = (handler, command)
        if fresh:
            self._fresh.add(event)

    async def emit(self, event: str, payload: object, to: str | Sequence[str] | None = None) -> None:
        """Send an event to one client, to several, or to all.

        Args:
            event: Name of the event.
            payload: JSON value.
            to: Session id or ids; an empty sequence sends nothing, None = all clients.
        """
        if to is None or to:
            await self._sio.emit(event, payload, to=list(to) if isinstance(to, list | tuple) else to, namespace=NAMESPACE)

    async def status(self, client: Client, message: str) -> None:
        """Send a sentence to one client, which its page shows as it is.

        Args:
            client: A connected client.
            message: Subject, fact, remedy.
        """
        await self.emit('status', {'msg': message}, to=client.sid)

    def keeps_up(self, client: Client) -> bool:
        """Return whether everything sent to a client so far has left for its connection.

        Frames are sent to such clients only; otherwise the library would queue them without a
        limit.

        Args:
            client: One of `clients`.
        """
        sid = self._sio.manager.eio_sid_from_sid(client.sid, NAMESPACE)
        connection = self._sio.eio.sockets.get(sid)
        return connection is not None and connection.queue.empty()

    async def run(self) -> None:
        """Serve until canceled. A port in use is reported and tried again until it is free."""
        bridge = self._bridge
        application = web.Application(
            middlewares=[self._guard.middleware, self._middleware(bridge)], client_max_size=MAX_PAYLOAD
        )
        application[CLIENT_OF] = lambda request: f'{self.name} port: client {bridge.peer_of(request)}'
        self._sio.attach(application)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSE_S)
        await runner.setup()
        servers: list[asyncio.Server] = []
        try:
            servers = await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            self.port = 0
            for server in servers:
                server.close()
            await bridge.close()
            await self._sio.shutdown()
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> list[asyncio.Server]:
        """Open the port, and try again every RETRY_S while another program has it; only the first failure is logged."""
        where = f'{self._settings.address}:{self._settings.port}'
        while True:
            try:
                servers = await self._guard.listen(runner, self._settings.address, self._settings.port)
                break
            except OSError as error:
                in_use = error.errno == errno.EADDRINUSE
                text = (
                    'is in use by another program: stop it or choose another port' if in_use else f'cannot be opened: {error}'
                )
                if not self.error:
                    LOG.error('%s port %s %s; trying again every %g s', self.name, where, text, RETRY_S)
                self.error = f'port {where} {text}'
                await asyncio.sleep(RETRY_S)
        self.error = ''
        for listening in (one for server in servers for one in server.sockets):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT)  # connections take it over
        self.port = int(servers[0].sockets[0].getsockname()[1])
        LOG.info('Socket.IO for the %s at http://%s:%d/', self.name, self._settings.address, self.port)
        return servers

    def _own_url(self) -> str:
        host = '127.0.0.1' if self._settings.address in {'0.0.0.0', ''} else self._settings.address
        return f'http://{host}:{self.port}/socket.io/'

    # -- who may connect --------------------------------------------------------------------------------------------

    def _middleware(self, bridge: EngineIo3Bridge) -> Middleware:
        """Return a middleware that sends requests of Engine.IO 3 to the bridge and refuses unknown protocols."""

        @web.middleware
        async def choose_protocol(request: web.Request, handler: Handler) -> web.StreamResponse:
            require_readable_headers(request)
            version = request.query.get('EIO')
            if request.path.startswith('/socket.io') and version == '4' and request.method == 'POST':
                return await handler(cast(web.Request, await read_request(request, self._sio.eio)))
            if not request.path.startswith('/socket.io') or version == '4':
                # Frames are JPEG in base64: compressing them again costs a core and saves a quarter of the bytes.
                headers = request.headers.copy()
                headers.popall('Sec-WebSocket-Extensions', None)
                return await handler(request.clone(headers=headers))
            if version == '3':
                return await bridge.handle(request)
            text = f'Engine.IO protocol {version or "(none named)"} is not served: use a Socket.IO client of release 1 to 4'
            LOG.warning('%s port: client %s refused: %s', self.name, request.remote, text)
            raise web.HTTPBadRequest(text=text)

        return choose_protocol

    def _is_origin_allowed(self, request: web.Request) -> bool:
        allowed = '*' in self._settings.origins or origin_allowed(
            request.headers.get('Origin'), request.host, self._settings.origins
        )
        if not allowed:
            LOG.warning(
                '%s port: page %s refused: add it to parameter origins', self.name, request.headers.get('Origin', '')[:200]
            )
        return allowed

    def _is_origin_text_allowed(self, _origin: str, environ: dict[str, object]) -> bool:
        request = environ['aiohttp.request']
        request = request.original if isinstance(request, PollingRequest) else request
        return isinstance(request, web.Request) and self._is_origin_allowed(request)

    # -- clients and events -----------------------------------------------------------------------------------------

    async def _refuse_namespace(self, namespace: str, _sid: str, environ: dict[str, object], *_auth: object) -> None:
        request = environ['aiohttp.request']
        assert isinstance(request, web.Request)
        text = f'namespace {namespace[:40]!r} is not served: connect to "/"'
        LOG.warning('%s port: client %s refused: %s', self.name, self._bridge.peer_of(request), text)
        raise socketio.exceptions.ConnectionRefusedError(text)

    async def _connected(self, sid: str, *arguments: object) -> None:
        """Register a client, or refuse it beyond `max_clients`.

        Raises:
            ConnectionRefusedError: Too many clients are connected; the library sends the text to this one.
        """
        if sid in self.clients:  # an event of this name from a client: the library does not tell them apart
            await self._on_event('connect', sid)
            return
        environ = arguments[0]
        assert isinstance(environ, dict)
        request = environ['aiohttp.request']
        assert isinstance(request, web.Request)
        address = self._bridge.peer_of(request)
        if len(self.clients) >= self._settings.max_clients:
            LOG.warning('%s port: client %s refused: %d are connected', self.name, address, len(self.clients))
            raise socketio.exceptions.ConnectionRefusedError(f'{len(self.clients)} clients are connected (max_clients)')
        name, now = f'{self.name} {address}', asyncio.get_running_loop().time()
        client = Client(sid, name, address, self._settings.may_command(request), now)
        self.clients[sid] = client
        LOG.info('%s port: client %s connected', self.name, client.address)
        # The client learns that it is connected when this handler ends, and only then listens for events.
        self._start(client, self._on_connect(client))

    async def _disconnected(self, sid: str, *arguments: object) -> None:
        if self._sio.manager.is_connected(sid, NAMESPACE):  # an event of this name from a client
            await self._on_event('disconnect', sid)
            return
        client = self.clients.pop(sid, None)
        if client is not None:
            LOG.info('%s port: client %s disconnected (%s)', self.name, client.address, arguments[0] if arguments else '')

    async def _on_event(self, event: str, sid: str, *arguments: object) -> None:
        """Handle an event of a client; commands run as tasks, so that a movement does not block the client's other events."""
        client = self.clients.get(sid)
        if client is None:
            return
        payload = arguments[0] if arguments else None
        if event == UNREADABLE:
            await self.status(client, f'{event}: {payload}')
            return
        if event not in self._handlers:
            known = ', '.join(sorted(self._handlers))
            await self.status(client, f'event {event[:40]!r} is not known here; known events: {known}')
            return
        handler, is_command = self._handlers[event]
        if not is_command:
            await self._handle(client, event, handler, payload)
        elif not client.may_command:
            await self.status(client, f'{event}: this session may only watch; log in as an operator')
        elif event in self._fresh and asyncio.get_running_loop().time() - client.connected_s < self._settings.replay_s:
            await self.status(client, f'{event}: ignored, it was given while the page was not connected; give it again')
        # A client in a loop would otherwise queue movements of the robot without end.
        elif client.commands >= self._settings.max_commands:
            await self.status(client, f'{event}: refused, {client.commands} commands of this client are under way')
        else:
            client.commands += 1
            self._start(client, self._run_command(client, event, handler, payload))

    async def _run_command(self, client: Client, event: str, handler: EventHandler, payload: object) -> None:
        try:
            # A lock lets the tasks pass in the order in which they came.
            async with client.turn:
                LOG.info('%s port: %s from %s', self.name, event, client.address)
                rest = await self._handle(client, event, handler, payload)
            # A motion is long: the commands after it, e.g. the end of the video, must not wait for its end.
            if rest is not None:
                await self._handle(client, event, lambda _client, _payload: rest, payload)
        finally:
            client.commands -= 1

    async def _handle(self, client: Client, event: str, handler: EventHandler, payload: object) -> Awaitable[None] | None:
        try:
            return await handler(client, payload)
        except PayloadError as error:
            await self.status(client, str(error))
        except Exception:
            LOG.exception('%s port: %s failed', self.name, event)
            await self.status(client, f'{event}: internal error; see the log of socketio_gateway')
        return None

    @staticmethod
    def _start(client: Client, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        client.tasks.add(task)
        task.add_done_callback(client.tasks.discard)
