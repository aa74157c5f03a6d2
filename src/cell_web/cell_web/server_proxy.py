"""WebSocket proxy between browsers and rosbridge, filtered by the role of the session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSCloseCode, WSMsgType, WSServerHandshakeError, web
from cell_common.timeouts import with_timeout

from cell_web.allow_list import AllowList
from cell_web.connections import Seats

log = logging.getLogger(__name__)
# Of one connection.
MAX_REJECTIONS_LOGGED = 5
CONNECT_S = 5.0
ALIVE_PERIOD_S = 1.0
LOGIN_REQUIRED = 4401
"""Close code of a connection whose session has ended; 4000 to 4999 are the application's own."""
ALIVE = '{"op":"status","level":"info","msg":"web_gateway"}'
"""Sign of life for pages that ask for it: a page then tells a silent rosbridge from a lost connection to the gateway."""


@dataclass(frozen=True)
class ProxyLimits:
    """Limits of the proxy.

    Attributes:
        from_browser: Maximum message size from a browser, bytes.
        from_rosbridge: Maximum message size from rosbridge, bytes; crops in base64 are the largest.
        clients: Maximum number of connections.
        clients_per_address: Maximum number of connections from one address.
        heartbeat: Ping interval, seconds; a connection without a pong for half of it is closed.
    """

    from_browser: int = 256 * 1024
    from_rosbridge: int = 8 * 1024 * 1024
    clients: int = 32
    clients_per_address: int = 16
    heartbeat: float = 10.0


class RosbridgeProxy:
    """Forwards browser connections to one rosbridge server.

    Back-pressure: a message is read from one side only after the other side accepted the previous
    one. Nothing is queued here; rosbridge drops old messages for a slow reader (queue_length 1).

    Attributes:
        rejected: Messages that were rejected since the start.
        refusal: Why rosbridge did not let the gateway in the last time; "" = it did.
    """

    def __init__(self, url: str, limits: ProxyLimits, headers: Mapping[str, str] | None = None) -> None:
        """Store the settings.

        Args:
            url: URL of rosbridge, e.g. "ws://127.0.0.1:9090".
            limits: Limits of the connections.
            headers: Headers of the handshake with rosbridge; they prove who connects.
        """
        self._url = url
        self._limits = limits
        self._headers = headers
        self._pages = Seats(limits.clients, limits.clients_per_address, 'pages', 'max_clients')
        self.rejected = 0
        self.refusal = ''

    @property
    def clients(self) -> int:
        """Number of open connections."""
        return self._pages.taken

    async def handle(
        self, request: web.Request, allow: AllowList, is_open: Callable[[], bool] = lambda: True
    ) -> web.WebSocketResponse:
        """Serve one browser until either side closes the connection.

        Each browser gets a rosbridge connection of its own, so rosbridge removes its subscriptions
        when it leaves.

        Args:
            request: WebSocket handshake; Host, Origin and session have been checked. With query alive=1 the browser gets
                `ALIVE` every second, also while rosbridge is silent.
            allow: Filter for the messages of this session.
            is_open: Returns whether the session still holds; the connection ends with it.

        Returns:
            The closed WebSocket. Code 1013 (try again later) tells the page that rosbridge is
            missing or the limit is reached, LOGIN_REQUIRED that the session has ended.
        """
        browser = web.WebSocketResponse(max_msg_size=self._limits.from_browser, heartbeat=self._limits.heartbeat)
        await browser.prepare(request)
        if reason := self._pages.refusal(request.remote):
            log.warning('page from %s refused: %s', request.remote, reason)
            # Closed after the handshake, because a browser hides the status of a failed handshake
            # from the page.
            await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=reason.encode())
            return browser
        alive = asyncio.create_task(_send_alive(browser)) if request.query.get('alive') == '1' else None
        try:
            with self._pages.seat(request.remote):
                await self._with_rosbridge(browser, allow, is_open)
        finally:
            if alive is not None:
                alive.cancel()
                await asyncio.gather(alive, return_exceptions=True)
        return browser

    async def _with_rosbridge(self, browser: web.WebSocketResponse, allow: AllowList, is_open: Callable[[], bool]) -> None:
        """Connect to rosbridge and relay; without rosbridge the WebSocket is closed with TRY_AGAIN_LATER."""
        async with ClientSession() as session:
            try:
                rosbridge = await with_timeout(
                    session.ws_connect(self._url, max_msg_size=self._limits.from_rosbridge, headers=self._headers), CONNECT_S
                )
            except WSServerHandshakeError as error:
                self.refusal = f'rosbridge refuses this gateway ({error.status}): start both with one launch file'
                await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b'rosbridge refuses the gateway')
                return
            except (ClientError, OSError, asyncio.TimeoutError):
                await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b'rosbridge is not running')
                return
            self.refusal = ''
            try:
                await self._relay(browser, rosbridge, allow, is_open)
            finally:
                await rosbridge.close()

    async def _relay(
        self,
        browser: web.WebSocketResponse,
        rosbridge: ClientWebSocketResponse,
        allow: AllowList,
        is_open: Callable[[], bool],
    ) -> None:
        """Forward both directions until one ends or the session does; close the browser's side with a reason."""
        directions = {
            asyncio.create_task(self._browser_to_rosbridge(browser, rosbridge, allow, is_open)),
            asyncio.create_task(_rosbridge_to_browser(rosbridge, browser)),
            asyncio.create_task(_end_of_session(is_open)),
        }
        try:
            done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            # The end of either direction ends the session; errors of the network are a usual end.
            for task in done:
                if (error := task.exception()) and not isinstance(error, (ConnectionError, ClientError)):
                    raise error
        finally:
            for task in directions:
                task.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        if browser.closed:
            return
        if is_open():
            await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b'rosbridge closed the connection')
        else:
            await browser.close(code=LOGIN_REQUIRED, message=b'login required')

    async def _browser_to_rosbridge(
        self,
        browser: web.WebSocketResponse,
        rosbridge: ClientWebSocketResponse,
        allow: AllowList,
        is_open: Callable[[], bool],
    ) -> None:
        """Forward what the allow-list permits; answer the rest in rosbridge's form, and count it."""
        rejected = 0
        async for message in browser:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            if not is_open():  # at once: a command must not pass in the second until the connection is closed
                return
            decision = allow.judge(message.data)
            if decision.forward:
                await rosbridge.send_str(decision.forward)
                continue
            self.rejected += 1
            rejected += 1
            # A page in a loop must not fill the disk with its log.
            if rejected <= MAX_REJECTIONS_LOGGED:
                log.warning('message from a page rejected: %s', decision.reason)
            # The page gets its answer in rosbridge's form, so that a rejected call fails at once.
            await browser.send_str(decision.answer)


async def _end_of_session(is_open: Callable[[], bool]) -> None:
    while is_open():
        await asyncio.sleep(ALIVE_PERIOD_S)


async def _send_alive(browser: web.WebSocketResponse) -> None:
    while not browser.closed:
        await browser.send_str(ALIVE)
        await asyncio.sleep(ALIVE_PERIOD_S)


async def _rosbridge_to_browser(rosbridge: ClientWebSocketResponse, browser: web.WebSocketResponse) -> None:
    async for message in rosbridge:
        if message.type is WSMsgType.TEXT:
            await browser.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await browser.send_bytes(message.data)
