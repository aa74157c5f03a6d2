"""HTTP server of the gateway: operator page, camera streams and rosbridge proxy.

Routes: `/` page files, `/rosbridge` WebSocket, `/camera.mjpg` and `/overlay.mjpg` streams,
`/snapshot.jpg` one frame, `/session.json` namespace and role for the page, `/healthz` says that
the process runs; more from `Routes` objects. Every request passes the Host check first.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiohttp import web
from cell_common.timeouts import with_timeout

from cell_web.allow_list import AllowList
from cell_web.connections import LONGEST_BODY, ConnectionGuard, ConnectionLimits, Seats
from cell_web.mjpeg import CONTENT_TYPE, part
from cell_web.mjpeg_hub import FrameHub
from cell_web.origins import host_allowed, origin_allowed
from cell_web.pages import NO_STORE, NOT_BUILT, SECURITY_HEADERS, cache_control, find_page_folder, resolve_static_file
from cell_web.request_session import Session, SessionProvider
from cell_web.server_proxy import ProxyLimits, RosbridgeProxy

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET_HEADER = 'X-Rosbridge-Secret'
RETRY_S = 2.0
# Also its timeout: a rosbridge that hangs counts as down.
PROBE_S = 5.0
SNAPSHOT_S = 3.0
# A viewer that takes no data would otherwise keep its place for hours.
WRITE_S = 10.0
# Streams never end by themselves, so the server does not wait for them longer than this.
CLOSE_S = 1.0


def bridge_headers(secret: str) -> dict[str, str]:
    """Return the headers of a handshake with rosbridge.

    Args:
        secret: Secret that rosbridge asks for; "" = none.
    """
    return {SECRET_HEADER: secret} if secret else {}


class Routes(Protocol):
    """Additional routes of the server."""

    def add_routes(self, router: web.UrlDispatcher, require_session: Callable[[web.Request], Session]) -> None:
        """Add the routes.

        Args:
            router: Router of the application.
            require_session: Returns the session of a request, or raises HTTPUnauthorized. A route
                that does not call it is open to everybody who can reach the port.
        """


@dataclass(frozen=True)
class ServerSettings:
    """Settings of the server.

    Attributes:
        address: Address to listen on.
        port: TCP port; 0 = any free port.
        namespace: Namespace of the cell, e.g. "/cell".
        rosbridge_host: Address of rosbridge.
        rosbridge_port: TCP port of rosbridge.
        folders: Candidate folders of the built page; the first match is used.
        host_names: Host names of this machine, besides addresses and localhost.
        origins: Origins that may connect besides the page's own.
        viewers: Maximum number of camera streams.
        viewers_per_address: Maximum number of camera streams of one address.
        connections: Limits and deadlines of the TCP connections.
        limits: Limits of the rosbridge proxy.
        bridge_secret: Secret that rosbridge asks for; "" = none.
    """

    address: str
    port: int
    namespace: str
    rosbridge_host: str
    rosbridge_port: int
    folders: Sequence[Path]
    host_names: Sequence[str] = ()
    origins: Sequence[str] = ()
    viewers: int = 8
    viewers_per_address: int = 4
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    limits: ProxyLimits = field(default_factory=ProxyLimits)
    bridge_secret: str = ''


@dataclass
class ServerState:
    """State for diagnostics; written on the server's event loop, read from any thread.

    Attributes:
        port: Port in use; 0 = not listening.
        message: Reason why the server is not listening; "" when it is.
        rosbridge: Whether rosbridge accepts connections.
    """

    port: int = 0
    message: str = ''
    rosbridge: bool = False


class Server:
    """The HTTP server. Used from one event loop only.

    Attributes:
        proxy: Connections to rosbridge.
        guard: TCP connections.
        state: State for diagnostics.
    """

    def __init__(
        self,
        settings: ServerSettings,
        sessions: SessionProvider,
        hubs: Mapping[str, FrameHub],
        now_ns: Callable[[], int],
        routes: Sequence[Routes] = (),
    ) -> None:
        """Store the collaborators; `run` starts the server.

        Args:
            settings: Addresses, limits and page folders.
            sessions: Provider of the session of each request.
            hubs: Frame hubs by stream name: "camera" and "overlay".
            now_ns: Clock: ROS time in nanoseconds.
            routes: Additional routes.
        """
        self._settings = settings
        self._sessions = sessions
        self._hubs = hubs
        self._now_ns = now_ns
        self._routes = routes
        url = f'ws://{settings.rosbridge_host}:{settings.rosbridge_port}'
        self.proxy = RosbridgeProxy(url, settings.limits, bridge_headers(settings.bridge_secret))
        self.guard = ConnectionGuard(settings.connections)
        self._viewers = Seats(settings.viewers, settings.viewers_per_address, 'camera streams', 'max_viewers')
        self.state = ServerState()

    @property
    def viewers(self) -> int:
        """Number of open camera streams."""
        return self._viewers.taken

    async def run(self) -> None:
        """Serve until canceled; retry while the port is in use.

        An address that cannot be used is reported in `state.message`, not raised: the node stays up
        and its diagnostics say why.
        """
        # handler_cancellation: a browser that leaves ends its stream at once, so the camera is
        # unsubscribed. aiohttp would otherwise notice at the next write.
        runner = web.AppRunner(self._application(), handler_cancellation=True, access_log=None, shutdown_timeout=CLOSE_S)
        await runner.setup()
        probe = asyncio.create_task(self._probe_rosbridge())
        servers: list[asyncio.Server] = []
        try:
            servers = await self._listen(runner)
            self.state.port = int(servers[0].sockets[0].getsockname()[1])
            log.info('operator page at http://%s:%d/', self._settings.address, self.state.port)
            await asyncio.Event().wait()
        finally:
            self.state.port = 0
            probe.cancel()
            for server in servers:
                server.close()
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> list[asyncio.Server]:
        """Open the port, retrying until it is free."""
        while True:
            try:
                servers = await self.guard.listen(runner, self._settings.address, self._settings.port)
            except OSError as error:
                self._report_bind_error(error)
                await asyncio.sleep(RETRY_S)
                continue
            self.state.message = ''
            return servers

    def _report_bind_error(self, error: OSError) -> None:
        where = f'{self._settings.address}:{self._settings.port}'
        if error.errno == errno.EADDRINUSE:
            message = f'port {where} is in use: stop the other program or change parameter port'
        else:
            message = f'cannot listen on {where}: {error.strerror or error}'
        # Logged once for each cause, not at every attempt.
        if message != self.state.message:
            log.error('%s; retrying every %g s', message, RETRY_S)
        self.state.message = message

    async def _probe_rosbridge(self) -> None:
        """Check the connection to rosbridge periodically, so that diagnostics need no connected page."""
        while True:
            # A connected page proves that rosbridge runs; a probe would only add connections to its
            # log.
            if self.proxy.clients == 0 or not self.state.rosbridge:
                self.state.rosbridge = await _accepts_connections(self._settings.rosbridge_host, self._settings.rosbridge_port)
            await asyncio.sleep(PROBE_S)

    def _application(self) -> web.Application:
        """Return the application: fixed routes, those of other modules, and the page for every other path."""
        application = web.Application(middlewares=[self.guard.middleware, self._check_host], client_max_size=LONGEST_BODY)
        application.on_response_prepare.append(_add_headers)
        application.router.add_get('/rosbridge', self._rosbridge)
        application.router.add_get('/session.json', self._session)
        application.router.add_get('/healthz', self._health)
        application.router.add_get('/snapshot.jpg', self._snapshot)
        for name, hub in self._hubs.items():
            application.router.add_get(f'/{name}.mjpg', self._stream_of(hub))
        for routes in self._routes:
            routes.add_routes(application.router, self._require_session)
        # Last: it matches every path.
        application.router.add_get('/{path:.*}', self._page)
        return application

    @web.middleware
    async def _check_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests under a foreign host name: a page of another site could otherwise reach the gateway by DNS rebinding.

        Raises:
            HTTPMisdirectedRequest: 421.
        """
        if not host_allowed(request.host, self._settings.host_names):
            raise web.HTTPMisdirectedRequest(
                text='Unknown host name. Use the address of the gateway, or add the name to parameter host_names.'
            )
        return await handler(request)

    def _require_session(self, request: web.Request) -> Session:
        """Return the session of a request.

        Raises:
            HTTPUnauthorized: 401: there is none.
        """
        session = self._sessions.session_of(request)
        # 401 without WWW-Authenticate: a login would be a page, not the browser's own dialog.
        if session is None:
            raise web.HTTPUnauthorized(text='Login required.')
        return session

    async def _rosbridge(self, request: web.Request) -> web.StreamResponse:
        """Connect a browser to rosbridge, filtered by the role of its session.

        Raises:
            HTTPUnauthorized: There is no session.
            HTTPForbidden: The page comes from an origin that is not allowed. Browsers send WebSocket requests across origins.
        """
        session = self._require_session(request)
        if not origin_allowed(request.headers.get('Origin'), request.host, self._settings.origins):
            raise web.HTTPForbidden(text='Origin not allowed. Add it to parameter origins.')
        allow = AllowList(session.role, self._settings.namespace, request.remote or '', session.operator_id)
        return await self.proxy.handle(request, allow, session.is_open)

    async def _session(self, request: web.Request) -> web.Response:
        session = self._require_session(request)
        return web.json_response(
            {'namespace': self._settings.namespace, 'role': session.role.name, 'operator_id': session.operator_id},
            headers={'Cache-Control': NO_STORE},
        )

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                'status': 'ok',
                'rosbridge': self.state.rosbridge,
                'pages': self.proxy.clients,
                'viewers': self.viewers,
                'page_built': find_page_folder(self._settings.folders) is not None,
            },
            headers={'Cache-Control': NO_STORE},
        )

    def _stream_of(self, hub: FrameHub) -> Handler:
        """Return the handler of an MJPEG stream; it ends when the viewer leaves or takes no data for WRITE_S."""

        async def stream(request: web.Request) -> web.StreamResponse:
            session = self._require_session(request)
            response = web.StreamResponse(headers={'Content-Type': CONTENT_TYPE, 'Cache-Control': NO_STORE})
            # Closed explicitly, so that the viewer is removed before the response ends.
            with self._viewer(request):
                async with aclosing(hub.frames()) as frames:
                    await response.prepare(request)
                    with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                        async for frame in frames:
                            if not session.is_open():
                                break
                            body = part(frame.jpeg, frame.stamp_ns, self._now_ns() - frame.stamp_ns)
                            await with_timeout(response.write(body), WRITE_S)
            return response

        return stream

    async def _snapshot(self, request: web.Request) -> web.Response:
        """Respond with the next frame of the camera as one JPEG; its stamp, ROS time in seconds, is in `X-Timestamp`.

        Raises:
            HTTPServiceUnavailable: 503: no frame within SNAPSHOT_S, or too many viewers.
        """
        self._require_session(request)
        with self._viewer(request):
            async with aclosing(self._hubs['camera'].frames()) as frames:
                try:
                    frame = await with_timeout(anext(frames), SNAPSHOT_S)
                except asyncio.TimeoutError:
                    text = f'No camera frame within {SNAPSHOT_S:g} s. Is the camera node running?'
                    raise web.HTTPServiceUnavailable(text=text) from None
        return web.Response(
            body=frame.jpeg,
            content_type='image/jpeg',
            headers={'Cache-Control': NO_STORE, 'X-Timestamp': f'{frame.stamp_ns / 1e9:.6f}'},
        )

    def _viewer(self, request: web.Request) -> contextlib.AbstractContextManager[None]:
        """Take a place among the viewers.

        Raises:
            HTTPServiceUnavailable: All are taken, or all of the client's address.
        """
        if reason := self._viewers.refusal(request.remote):
            raise web.HTTPServiceUnavailable(text=reason)
        return self._viewers.seat(request.remote)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """Respond with a file of the built page, with 503 and advice where it was never built.

        Raises:
            HTTPNotFound: The path leaves the folder, or names a file that is not there.
        """
        folder = find_page_folder(self._settings.folders)
        if folder is None:
            return web.Response(status=503, text=NOT_BUILT, content_type='text/html')
        file = resolve_static_file(folder, request.path)
        if file is None:
            raise web.HTTPNotFound
        return web.FileResponse(file, headers={'Cache-Control': cache_control(request.path)})


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


async def _accepts_connections(host: str, port: int) -> bool:
    try:
        _, writer = await with_timeout(asyncio.open_connection(host, port), PROBE_S)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True
