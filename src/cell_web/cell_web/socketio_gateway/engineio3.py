"""Serves clients of Engine.IO 3 (Socket.IO 1.x and 2.x) by a server that speaks Engine.IO 4 only.

Each old client gets a connection of its own to the same server's WebSocket, and packets are passed between the two. Events and
acknowledgements are the same in both protocols. What differs is translated here: who sends pings, the payload of polling
requests, and the greeting (an old client expects its connect packet unasked).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from cell_common.engineio3 import (
    BINARY_MESSAGE,
    CLOSE,
    MESSAGE,
    NOOP,
    OPEN,
    PING,
    PONG,
    UPGRADE,
    EngineIoPayloadError,
    decode_binary_payload,
    decode_payload,
    encode_payload,
)
from cell_common.timeouts import with_timeout

from cell_web.socketio_gateway.checked_transport import log_too_large

__all__ = ['EngineIo3Bridge', 'EngineIo3Settings']

LOG = logging.getLogger(__name__)
FORWARDED_HEADERS = ('Host', 'Origin', 'Cookie', 'Authorization')
CONNECT = MESSAGE + '0'
UPGRADE_POLL_S = 0.1
"""Longest poll while the client moves to its WebSocket."""
MOST_POLLED = 16  # packets in one answer; python-socketio 4 disconnects at more
FRAME = MESSAGE + '2["video_frame",'
"""Start of a packet that a newer one of its kind replaces."""
FRAME_WAITS = 'frame'
"""Stands in the queue for the frame that waits."""
PEER_HEADER = 'X-Engine-Io-3-Peer'
"""Address of the old client, after a token that only the bridge knows."""


@dataclass(frozen=True)
class EngineIo3Settings:
    """Limits of the bridge.

    Attributes:
        ping_interval_s: Interval at which the client pings; the server states it in the greeting.
        ping_timeout_s: Limit of a client without a ping: interval plus timeout. Pages in the background ping once a minute.
        max_payload: Longest packet or request body, bytes.
        max_queue: Packets that wait for a client, among them one video frame; a client that falls
            further behind blocks its own connection until it times out.
        max_clients: Clients at the same time.
    """

    ping_interval_s: float = 25.0
    ping_timeout_s: float = 60.0
    max_payload: int = 8_000_000
    max_queue: int = 100
    max_clients: int = 100


@dataclass
class _Session:
    """One old client: its waiting packets, and its connection to the server.

    Attributes:
        sid: Session id of the old client; the server's own id is another one.
        server: WebSocket to the server, in protocol 4.
        waiting: Packets for the client, in order.
        last_seen: Time of its last packet, by the loop's clock, seconds.
        frame: Newest video frame, while FRAME_WAITS is in the queue; "" otherwise.
        upgrading: Whether the client probes its WebSocket: it moves there once no poll of it waits.
        upgraded: Whether the client has moved from polling to its WebSocket.
        connected: Set when the server accepted the connection; an old client may send events before.
        closed: Set at the end; wakes a poll that waits.
        tasks: Reader of the server's packets, and the timeout.
    """

    sid: str
    server: aiohttp.ClientWebSocketResponse
    waiting: asyncio.Queue[str]
    last_seen: float
    frame: str = ''
    upgrading: bool = False
    upgraded: bool = False
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def put(self, packet: str) -> None:
        """Queue a packet for the client; waits while the queue is full.

        Args:
            packet: With its type digit. A video frame takes the place of one that waits.
        """
        if not packet.startswith(FRAME):
            await self.waiting.put(packet)
            return
        is_waiting, self.frame = bool(self.frame), packet
        if not is_waiting:
            await self.waiting.put(FRAME_WAITS)

    def taken(self, entry: str) -> str:
        """Return the packet for an entry of the queue.

        Args:
            entry: As taken from `waiting`.
        """
        if entry != FRAME_WAITS:
            return entry
        packet, self.frame = self.frame, ''
        return packet


class EngineIo3Bridge:
    """Middleware for requests with `EIO=3`.

    python-socketio speaks protocol 4 only. Instead of a second server, each old client gets a
    connection to this same server, so events, limits and the client list exist once.
    """

    def __init__(
        self, server_url: Callable[[], str], is_origin_allowed: Callable[[web.Request], bool], settings: EngineIo3Settings
    ) -> None:
        """Store the collaborators.

        Args:
            server_url: Returns the address of the server's own Socket.IO endpoint, e.g. `http://127.0.0.1:5001/socket.io/`.
            is_origin_allowed: Says whether the page that a request comes from may connect.
            settings: Limits.
        """
        self._server_url, self._is_origin_allowed, self._settings = server_url, is_origin_allowed, settings
        self._sessions: dict[str, _Session] = {}
        self._token = secrets.token_urlsafe(24)
        self._http: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to one request of an old client: handshake, poll, packets, or WebSocket.

        Args:
            request: Any method, path `/socket.io/`, query `EIO=3`.

        Raises:
            web.HTTPForbidden: The origin is not allowed.
            web.HTTPServiceUnavailable: There are too many clients, or the server does not respond.
        """
        if not self._is_origin_allowed(request):
            raise web.HTTPForbidden(text='this origin is not allowed')
        session = self._sessions.get(request.query.get('sid', ''))
        if session is None and 'sid' in request.query:
            return self._json_error(request, 1, 'Session ID unknown')
        if request.query.get('transport') == 'websocket':
            return await self._websocket(request, session)
        if request.query.get('transport') != 'polling' or 'j' in request.query:
            return self._json_error(request, 0, 'Transport unknown')
        if request.method == 'OPTIONS':
            return self._text(request, '')
        if session is None:
            return await self._open_by_polling(request)
        return await (self._receive(request, session) if request.method == 'POST' else self._poll(request, session))

    def peer_of(self, request: web.Request) -> str:
        """Return the address of the client behind a request to the server: the old client's, not the bridge's own.

        Args:
            request: Request to the server. The header counts only with the bridge's secret token: no client chooses its name.
        """
        token, _, address = request.headers.get(PEER_HEADER, '').partition(' ')
        return address if secrets.compare_digest(token, self._token) else str(request.remote)

    async def close(self) -> None:
        """Disconnect every client."""
        for session in list(self._sessions.values()):
            await self._end(session)
        if self._http is not None:
            await self._http.close()

    # -- sessions ---------------------------------------------------------------------------------------------------

    async def _begin(self, request: web.Request) -> _Session:
        """Connect to the server for a new client.

        Raises:
            web.HTTPServiceUnavailable: There are too many clients, or the server does not answer.
        """
        if len(self._sessions) >= self._settings.max_clients:
            raise web.HTTPServiceUnavailable(text='too many clients')
        if self._http is None:
            self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {name: request.headers[name] for name in FORWARDED_HEADERS if name in request.headers}
        headers[PEER_HEADER] = f'{self._token} {request.remote}'
        try:
            server = await self._http.ws_connect(
                self._server_url(), params={'EIO': '4', 'transport': 'websocket'}, headers=headers, max_msg_size=0
            )
        except (aiohttp.ClientError, OSError) as error:
            LOG.warning('Engine.IO 3 client %s: no connection to the server: %s', request.remote, error)
            raise web.HTTPServiceUnavailable(text='the server does not answer') from error
        waiting: asyncio.Queue[str] = asyncio.Queue(self._settings.max_queue)
        session = _Session(secrets.token_urlsafe(15), server, waiting, self._now())
        self._sessions[session.sid] = session
        session.tasks = [asyncio.create_task(self._from_server(session)), asyncio.create_task(self._watch(session))]
        LOG.info('client %s connected with Engine.IO 3', request.remote)
        return session

    async def _from_server(self, session: _Session) -> None:
        """Queue what the server sends; answer its pings."""
        async for message in session.server:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            packet = str(message.data)
            if packet.startswith(OPEN):
                await session.server.send_str(CONNECT)
            elif packet.startswith(PING):
                await session.server.send_str(PONG + packet[1:])
            elif packet.startswith(CONNECT):
                session.connected.set()
                await session.waiting.put(CONNECT)
            elif packet.startswith(MESSAGE):
                await session.put(packet)
        await self._end(session)

    async def _watch(self, session: _Session) -> None:
        """End the session of a client that stopped pinging."""
        limit = self._settings.ping_interval_s + self._settings.ping_timeout_s
        while (left := session.last_seen + limit - self._now()) > 0:
            await asyncio.sleep(left)
        LOG.info('Engine.IO 3 client timed out: no ping for %.0f s', limit)
        await self._end(session)

    async def _from_client(self, session: _Session, packet: str | bytes) -> None:
        """Answer a client's ping, or pass its packet to the server."""
        session.last_seen = self._now()
        if isinstance(packet, bytes):
            await self._attachment(session, packet)
        elif packet.startswith(PING):
            await session.waiting.put(PONG + packet[1:])
        # The connect packet of the old client is dropped: the bridge has sent its own.
        elif packet.startswith(MESSAGE) and packet != CONNECT:
            with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                await with_timeout(session.connected.wait(), self._settings.ping_timeout_s)
                await session.server.send_str(packet)
        elif packet.startswith(CLOSE):
            await self._end(session)

    async def _attachment(self, session: _Session, packet: bytes) -> None:
        """Pass binary data on. The event before it announced it: without it the server takes the next event for the data."""
        if packet[:1] == BINARY_MESSAGE:
            with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                await with_timeout(session.connected.wait(), self._settings.ping_timeout_s)
                await session.server.send_bytes(packet[1:])

    async def _end(self, session: _Session) -> None:
        if self._sessions.pop(session.sid, None) is None:
            return
        session.closed.set()
        for task in session.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        await session.server.close()

    # -- polling ----------------------------------------------------------------------------------------------------

    async def _open_by_polling(self, request: web.Request) -> web.Response:
        session = await self._begin(request)
        return self._text(request, encode_payload([self._greeting(session, ['websocket'])]))

    async def _poll(self, request: web.Request, session: _Session) -> web.Response:
        """Wait for packets, at most one ping interval; a NOOP when the client moves to its WebSocket."""
        if session.upgraded:
            return self._text(request, encode_payload([NOOP]))
        first = asyncio.create_task(session.waiting.get())
        closed = asyncio.create_task(session.closed.wait())
        # A client may begin another poll after the one that its probe ended, and would stay on it.
        longest = UPGRADE_POLL_S if session.upgrading else self._settings.ping_interval_s
        try:
            await asyncio.wait({first, closed}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
            packets = [session.taken(first.result())] if first.done() else [CLOSE if closed.done() else NOOP]
        finally:
            first.cancel()
            closed.cancel()
        while first.done() and not first.cancelled() and not session.waiting.empty() and len(packets) < MOST_POLLED:
            packets.append(session.taken(session.waiting.get_nowait()))
        return self._text(request, encode_payload(packets))

    async def _receive(self, request: web.Request, session: _Session) -> web.Response:
        """Take the packets of a client's POST; a body that is not of Engine.IO 3 ends the session."""
        try:
            body = await request.read()
            is_binary = request.content_type == 'application/octet-stream'
            packets = decode_binary_payload(body) if is_binary else decode_payload(body.decode('utf-8'))
        except (EngineIoPayloadError, UnicodeDecodeError, web.HTTPRequestEntityTooLarge) as error:
            LOG.warning('Engine.IO 3 client %s: %s', request.remote, getattr(error, 'text', error))
            await self._end(session)
            return self._json_error(request, 3, 'Bad request')
        for packet in packets:
            await self._from_client(session, packet)
        return self._text(request, 'ok')

    # -- WebSocket --------------------------------------------------------------------------------------------------

    async def _websocket(self, request: web.Request, session: _Session | None) -> web.WebSocketResponse:
        """Serve a WebSocket: a new session, or one that moves from polling after its probe."""
        client = web.WebSocketResponse(max_msg_size=self._settings.max_payload)
        await client.prepare(request)
        if session is None:
            session = await self._begin(request)
            session.upgraded = True
            await client.send_str(self._greeting(session, []))
        elif not await self._probe(client, session):
            return client
        helpers = [asyncio.create_task(self._send(client, session)), asyncio.create_task(self._close_after(client, session))]
        try:
            async for message in client:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    await self._from_client(session, message.data)
                else:
                    log_too_large(f'Engine.IO 3 client {request.remote}', message)
        finally:
            for task in helpers:
                task.cancel()
            await self._end(session)
        return client

    @staticmethod
    async def _close_after(client: web.WebSocketResponse, session: _Session) -> None:
        """Disconnect the client when its session has ended at the server or by its ping timeout."""
        await session.closed.wait()
        await client.close()

    async def _probe(self, client: web.WebSocketResponse, session: _Session) -> bool:
        """Answer the probe; return whether the client then moved to this WebSocket."""
        async for message in client:
            packet = str(message.data) if message.type is aiohttp.WSMsgType.TEXT else ''
            if packet.startswith(PING):
                session.upgrading = True
                await client.send_str(PONG + packet[1:])
                with contextlib.suppress(asyncio.QueueFull):
                    session.waiting.put_nowait(NOOP)  # ends the poll that waits
            elif packet.startswith(UPGRADE):
                session.upgraded = True
                break
        session.upgrading = False
        return session.upgraded

    @staticmethod
    async def _send(client: web.WebSocketResponse, session: _Session) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                packet = session.taken(await session.waiting.get())
                if packet != NOOP:
                    await client.send_str(packet)

    # -- answers ----------------------------------------------------------------------------------------------------

    def _greeting(self, session: _Session, upgrades: list[str]) -> str:
        return OPEN + json.dumps(
            {
                'sid': session.sid,
                'upgrades': upgrades,
                'pingInterval': int(1000 * self._settings.ping_interval_s),
                'pingTimeout': int(1000 * self._settings.ping_timeout_s),
            }
        )

    def _json_error(self, request: web.Request, code: int, message: str) -> web.Response:
        body = json.dumps({'code': code, 'message': message})
        return web.Response(status=400, text=body, content_type='application/json', headers=self._cors(request))

    def _text(self, request: web.Request, body: str) -> web.Response:
        return web.Response(text=body, content_type='text/plain', charset='UTF-8', headers=self._cors(request))

    @staticmethod
    def _cors(request: web.Request) -> dict[str, str]:
        """Return the headers that let a page of an allowed origin read the answer."""
        origin = request.headers.get('Origin')
        if origin is None:
            return {}
        return {
            'Access-Control-Allow-Origin': origin,
            'Access-Control-Allow-Credentials': 'true',
            'Access-Control-Allow-Headers': request.headers.get('Access-Control-Request-Headers', 'Content-Type'),
            'Vary': 'Origin',
        }

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
