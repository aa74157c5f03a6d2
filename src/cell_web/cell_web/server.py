"""The HTTP server that faces people: the page, the camera streams, the way to rosbridge."""

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

from cell_web.allow_list import AllowList
from cell_web.mjpeg import CONTENT_TYPE, part
from cell_web.mjpeg_hub import FrameHub
from cell_web.origins import host_allowed, origin_allowed
from cell_web.pages import NO_STORE, NOT_BUILT, SECURITY_HEADERS, caching_of, file_of, folder_of
from cell_web.roles import Role
from cell_web.server_proxy import ProxyLimits, RosbridgeProxy

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RETRY_S = 2.0
PROBE_S = 5.0
SNAPSHOT_S = 3.0
WRITE_S = 10.0
CLOSE_S = 1.0


@dataclass(frozen=True)
class Session:
    """Who asks."""

    role: Role
    operator_id: str = ''
    """"" = nobody has logged in; the page asks for a name."""


class Sessions(Protocol):
    """Decides who asks: the place where a login comes in. Everything behind it goes by the session alone."""

    def session_of(self, request: web.Request) -> Session | None:
        """Return the session of a request, or None when it has to log in first."""


class Part(Protocol):
    """Something else that is served beside the page."""

    def add_routes(self, router: web.UrlDispatcher, known: Callable[[web.Request], Session]) -> None:
        """Add its routes; `known` returns who asks, and raises HTTPUnauthorized when that is not known."""


class OneRole:
    """Everybody who reaches the gateway has the same role."""

    def __init__(self, role: Role) -> None:
        """Take the role."""
        self._session = Session(role)

    def session_of(self, _request: web.Request) -> Session | None:
        """Return the one session."""
        return self._session


@dataclass(frozen=True)
class ServerSettings:
    """What the server needs to know."""

    address: str
    port: int
    """0 = the kernel chooses."""
    namespace: str
    """Namespace of the cell, e.g. "/cell"."""
    rosbridge_host: str
    rosbridge_port: int
    folders: Sequence[Path]
    """Where the built page may lie, first match wins."""
    host_names: Sequence[str] = ()
    origins: Sequence[str] = ()
    viewers: int = 8
    limits: ProxyLimits = field(default_factory=ProxyLimits)


@dataclass
class ServerState:
    """How the server does, for diagnostics; written on the server's loop, read anywhere."""

    port: int = 0
    """The port it listens on; 0 = it does not."""
    problem: str = ''
    """Why it does not listen."""
    rosbridge: bool = False
    """rosbridge accepts connections."""


class Server:
    """Serves browsers; lives on one event loop."""

    def __init__(
        self,
        settings: ServerSettings,
        sessions: Sessions,
        hubs: Mapping[str, FrameHub],
        now_ns: Callable[[], int],
        parts: Sequence[Part] = (),
    ) -> None:
        """Make a server.

        Args:
            settings: What it needs to know.
            sessions: Who may do what.
            hubs: Frames by stream name: "camera" and "overlay".
            now_ns: ROS time in nanoseconds.
            parts: What else is served.
        """
        self._settings = settings
        self._sessions = sessions
        self._hubs = hubs
        self._now_ns = now_ns
        self._parts = parts
        self.proxy = RosbridgeProxy(f'ws://{settings.rosbridge_host}:{settings.rosbridge_port}', settings.limits)
        self.state = ServerState()

    @property
    def viewers(self) -> int:
        """How many camera streams are watched."""
        return sum(hub.viewers for hub in self._hubs.values())

    async def run(self) -> None:
        """Serve until cancelled; when the port is taken, say so and try again until it is free."""
        runner = web.AppRunner(self._application(), handler_cancellation=True, access_log=None, shutdown_timeout=CLOSE_S)
        await runner.setup()
        probe = asyncio.create_task(self._probe())
        try:
            self.state.port = await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            self.state.port = 0
            probe.cancel()
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> int:
        wanted = self._settings.port
        while True:
            try:
                await web.TCPSite(runner, self._settings.address, wanted, reuse_address=True).start()
            except OSError as problem:
                self._not_listening(problem)
                await asyncio.sleep(RETRY_S)
                continue
            self.state.problem = ''
            port = int(runner.addresses[0][1])
            log.info("operators' page at http://%s:%d/", self._settings.address, port)
            return port

    def _not_listening(self, problem: OSError) -> None:
        where = f'{self._settings.address}:{self._settings.port}'
        if problem.errno == errno.EADDRINUSE:
            text = f'port {where} is in use by another program: stop it or choose another port (parameter port)'
        else:
            text = f'cannot listen on {where}: {problem.strerror or problem}'
        if text != self.state.problem:
            log.error('%s; trying again every %g s', text, RETRY_S)
        self.state.problem = text

    async def _probe(self) -> None:
        """See whether rosbridge is there, so that diagnostics know before the first page does."""
        while True:
            if self.proxy.clients == 0 or not self.state.rosbridge:
                self.state.rosbridge = await _accepts(self._settings.rosbridge_host, self._settings.rosbridge_port)
            await asyncio.sleep(PROBE_S)

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.on_response_prepare.append(_add_headers)
        application.router.add_get('/rosbridge', self._rosbridge)
        application.router.add_get('/session.json', self._session)
        application.router.add_get('/healthz', self._health)
        application.router.add_get('/snapshot.jpg', self._snapshot)
        for name, hub in self._hubs.items():
            application.router.add_get(f'/{name}.mjpg', self._stream_of(hub))
        for more in self._parts:
            more.add_routes(application.router, self._known)
        application.router.add_get('/{path:.*}', self._page)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not host_allowed(request.host, self._settings.host_names):
            raise web.HTTPMisdirectedRequest(
                text="This name is not one of the gateway's. Use its address, or add the name to parameter host_names."
            )
        return await handler(request)

    def _known(self, request: web.Request) -> Session:
        session = self._sessions.session_of(request)
        if session is None:
            raise web.HTTPUnauthorized(text='Log in first.')
        return session

    async def _rosbridge(self, request: web.Request) -> web.StreamResponse:
        session = self._known(request)
        if not origin_allowed(request.headers.get('Origin'), request.host, self._settings.origins):
            raise web.HTTPForbidden(text="Only the gateway's own page may connect (parameter origins allows others).")
        return await self.proxy.handle(request, AllowList(session.role, self._settings.namespace))

    async def _session(self, request: web.Request) -> web.Response:
        session = self._known(request)
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
                'page_built': folder_of(self._settings.folders) is not None,
            },
            headers={'Cache-Control': NO_STORE},
        )

    def _stream_of(self, hub: FrameHub) -> Handler:
        async def stream(request: web.Request) -> web.StreamResponse:
            self._known(request)
            self._seat()
            response = web.StreamResponse(headers={'Content-Type': CONTENT_TYPE, 'Cache-Control': NO_STORE})
            async with aclosing(hub.frames()) as frames:
                await response.prepare(request)
                with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                    async for frame in frames:
                        body = part(frame.jpeg, frame.stamp_ns, self._now_ns() - frame.stamp_ns)
                        await asyncio.wait_for(response.write(body), WRITE_S)
            return response

        return stream

    async def _snapshot(self, request: web.Request) -> web.Response:
        self._known(request)
        self._seat()
        async with aclosing(self._hubs['camera'].frames()) as frames:
            try:
                frame = await asyncio.wait_for(anext(frames), SNAPSHOT_S)
            except asyncio.TimeoutError:
                text = f'No camera frame within {SNAPSHOT_S:g} s. Is the camera started?'
                raise web.HTTPServiceUnavailable(text=text) from None
        return web.Response(
            body=frame.jpeg,
            content_type='image/jpeg',
            headers={'Cache-Control': NO_STORE, 'X-Timestamp': f'{frame.stamp_ns / 1e9:.6f}'},
        )

    def _seat(self) -> None:
        if self.viewers >= self._settings.viewers:
            raise web.HTTPServiceUnavailable(text=f'{self._settings.viewers} viewers watch already (parameter max_viewers).')

    async def _page(self, request: web.Request) -> web.StreamResponse:
        folder = folder_of(self._settings.folders)
        if folder is None:
            return web.Response(status=503, text=NOT_BUILT, content_type='text/html')
        file = file_of(folder, request.path)
        if file is None:
            raise web.HTTPNotFound
        return web.FileResponse(file, headers={'Cache-Control': caching_of(request.path)})


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


async def _accepts(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), PROBE_S)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True
