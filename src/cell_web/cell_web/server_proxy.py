"""Pass WebSocket messages between a browser and rosbridge, as far as the session's role allows."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSCloseCode, WSMsgType, web

from cell_web.allow_list import AllowList

log = logging.getLogger(__name__)
REFUSALS_LOGGED = 5
CONNECT_S = 5.0


@dataclass(frozen=True)
class ProxyLimits:
    """Bounds of one connection."""

    from_browser: int = 256 * 1024
    """Largest message taken from a browser, bytes."""
    from_rosbridge: int = 8 * 1024 * 1024
    """Largest message taken from rosbridge, bytes."""
    clients: int = 32
    """Connections at the same time."""
    heartbeat: float = 10.0
    """Seconds between pings; a browser that answers none within half of it is given up."""


class RosbridgeProxy:
    """Relays browser connections to one rosbridge server.

    Back-pressure: the next message is read from one side only after the other side has taken the last one, so nothing piles
    up here; rosbridge drops old display messages for a slow reader (queue_length 1).
    """

    def __init__(self, url: str, limits: ProxyLimits) -> None:
        """Take rosbridge's address, e.g. "ws://127.0.0.1:9090"."""
        self._url = url
        self._limits = limits
        self.clients = 0
        self.refused = 0

    async def handle(self, request: web.Request, allow: AllowList) -> web.WebSocketResponse:
        """Serve one browser until either side closes."""
        browser = web.WebSocketResponse(max_msg_size=self._limits.from_browser, heartbeat=self._limits.heartbeat)
        await browser.prepare(request)
        if self.clients >= self._limits.clients:
            await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b'too many pages are connected')
            return browser
        self.clients += 1
        try:
            await self._with_rosbridge(browser, allow)
        finally:
            self.clients -= 1
        return browser

    async def _with_rosbridge(self, browser: web.WebSocketResponse, allow: AllowList) -> None:
        async with ClientSession() as session:
            try:
                rosbridge = await asyncio.wait_for(
                    session.ws_connect(self._url, max_msg_size=self._limits.from_rosbridge), CONNECT_S
                )
            except (ClientError, OSError, asyncio.TimeoutError):
                await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b'rosbridge is not running')
                return
            try:
                await self._relay(browser, rosbridge, allow)
            finally:
                await rosbridge.close()

    async def _relay(self, browser: web.WebSocketResponse, rosbridge: ClientWebSocketResponse, allow: AllowList) -> None:
        ways = {
            asyncio.create_task(self._upward(browser, rosbridge, allow)),
            asyncio.create_task(_downward(rosbridge, browser)),
        }
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                if (problem := way.exception()) and not isinstance(problem, (ConnectionError, ClientError)):
                    raise problem
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        if not browser.closed:
            await browser.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b'rosbridge closed the connection')

    async def _upward(self, browser: web.WebSocketResponse, rosbridge: ClientWebSocketResponse, allow: AllowList) -> None:
        refused = 0
        async for message in browser:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            verdict = allow.judge(message.data)
            if verdict.forward:
                await rosbridge.send_str(verdict.forward)
                continue
            self.refused += 1
            refused += 1
            if refused <= REFUSALS_LOGGED:
                log.warning('refused a message of a page: %s', verdict.reason)
            await browser.send_str(verdict.answer)


async def _downward(rosbridge: ClientWebSocketResponse, browser: web.WebSocketResponse) -> None:
    async for message in rosbridge:
        if message.type is WSMsgType.TEXT:
            await browser.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await browser.send_bytes(message.data)
