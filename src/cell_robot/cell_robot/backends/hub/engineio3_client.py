"""Client of a hub that speaks Engine.IO 3 (python-socketio 4 and older, Socket.IO 2 of Node.js), by HTTP long polling.

Every such hub serves polling; WebSocket depends on its set-up. An acknowledgement ends the poll that waits, so it arrives at
once all the same. The libraries in use today have dropped this protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

import aiohttp
from cell_common.engineio3 import CLOSE, MESSAGE, OPEN, PING, PONG, EngineIoPayloadError, decode_payload, encode_payload
from cell_common.timeouts import with_timeout

PATH = '/socket.io/'
CONNECTED, DISCONNECTED, EVENT, REFUSED = MESSAGE + '0', MESSAGE + '1', MESSAGE + '2', MESSAGE + '4'
# Short: the close packet is a courtesy, and the hub also notices the end by its ping timeout.
CLOSE_TIMEOUT_S = 1.0


class EngineIo3Error(ConnectionError):
    """The hub does not speak Engine.IO 3, refused the connection, or has closed it; the text is for the operator."""


class EngineIo3Client:
    """One connection to the root namespace; it is used once.

    Attributes:
        connected: Whether the root namespace is connected now.
    """

    def __init__(self, url: str, timeout: float, on_event: Callable[[str, object], None]) -> None:
        """Store the settings; `connect` connects.

        Args:
            url: Address of the hub, e.g. `http://127.0.0.1:5002`.
            timeout: For each request but a poll, seconds.
            on_event: Called with name and payload of each event of the hub; the payload is None when there is none.
        """
        self.connected = False
        self._url, self._timeout, self._on_event = url + PATH, timeout, on_event
        self._query = {'EIO': '3', 'transport': 'polling', 'b64': '1'}
        self._http: aiohttp.ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answered = asyncio.Event()

    async def connect(self) -> None:
        """Connect; events arrive from now on.

        Raises:
            EngineIo3Error: The hub refused, or speaks another protocol.
            aiohttp.ClientError: The hub cannot be reached.
            asyncio.TimeoutError: The hub does not respond in time.
        """
        self._http = aiohttp.ClientSession()
        packets = await self._get(self._timeout)
        if not packets or not packets[0].startswith(OPEN):
            raise EngineIo3Error('the hub does not speak Engine.IO 3')
        try:
            greeting = json.loads(packets[0][1:])
            self._query['sid'] = str(greeting['sid'])
            interval, timeout = float(greeting['pingInterval']) / 1000, float(greeting['pingTimeout']) / 1000
        except (ValueError, KeyError, TypeError) as error:
            raise EngineIo3Error('the hub sent an unreadable greeting') from error
        self._take(packets[1:])
        while not self.connected and not self._closed.done():
            self._take(await self._get(self._timeout))
        if not self.connected:
            raise EngineIo3Error(self._closed.result())
        self._tasks = [
            asyncio.create_task(self._guard(self._poll(interval + timeout))),
            asyncio.create_task(self._guard(self._ping(interval, timeout))),
        ]

    async def emit(self, event: str, payload: object) -> None:
        """Send an event.

        Args:
            event: Its name.
            payload: JSON value.

        Raises:
            ConnectionError: The connection has ended, or ended while sending: then the hub may have the event.
        """
        if not self.connected:
            raise EngineIo3Error('not connected')
        try:
            await self._post(EVENT + json.dumps([event, payload]))
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            self._end(str(error) or 'no response')
            raise EngineIo3Error(str(error) or 'no response') from error

    async def wait(self) -> str:
        """Wait for the end of the connection and return its reason."""
        return await asyncio.shield(self._closed)

    async def close(self) -> None:
        """Leave the hub and release the connection, in any state."""
        was_connected = self.connected
        self._end('closed')
        for task in self._tasks:
            task.cancel()
        if self._http is not None:
            if was_connected:
                with contextlib.suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
                    await with_timeout(self._post(CLOSE), CLOSE_TIMEOUT_S)
            await self._http.close()

    async def _poll(self, longest: float) -> None:
        while self.connected:
            self._take(await self._get(longest + self._timeout))

    async def _ping(self, interval: float, timeout: float) -> None:
        while self.connected:
            await asyncio.sleep(interval)
            self._answered.clear()
            await self._post(PING)
            try:
                await with_timeout(self._answered.wait(), timeout)
            except asyncio.TimeoutError:
                self._end('ping timeout')

    async def _guard(self, work: Awaitable[None]) -> None:
        """Run a loop; an error ends the connection with its text as the reason."""
        try:
            await work
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            self._end(str(error) or 'no response')

    def _take(self, packets: list[str]) -> None:
        """Handle packets of the hub in their order; those of other namespaces and unknown types are ignored."""
        for packet in packets:
            if packet.startswith(PONG):
                self._answered.set()
            elif packet.startswith(CONNECTED):
                self.connected = not self._closed.done()
            elif packet.startswith((DISCONNECTED, CLOSE)):
                self._end('closed by the hub')
            elif packet.startswith(REFUSED):
                self._end(f'refused by the hub: {packet[2:102]}')
            elif packet.startswith(EVENT) and self.connected:
                self._take_event(packet[len(EVENT) :])

    def _take_event(self, text: str) -> None:
        """Pass an event on; a number before it asks for a callback, which a hub of the contract never does."""
        try:
            message = json.loads(text.lstrip('0123456789'))
        except ValueError:
            return
        if isinstance(message, list) and message and isinstance(message[0], str):
            self._on_event(message[0], message[1] if len(message) > 1 else None)

    def _end(self, reason: str) -> None:
        self.connected = False
        if not self._closed.done():
            self._closed.set_result(reason)

    async def _get(self, timeout: float) -> list[str]:
        """Poll the hub once, and return the text packets of its answer; binary ones are dropped.

        Args:
            timeout: Seconds for the whole request. A hub without news holds the answer back for up to one ping interval.

        Raises:
            EngineIo3Error: The status is not 200, or the body is not of Engine.IO 3.
            aiohttp.ClientError: The hub cannot be reached.
            asyncio.TimeoutError: No answer in time.
        """
        assert self._http is not None
        async with self._http.get(self._url, params=self._query, timeout=aiohttp.ClientTimeout(timeout)) as response:
            body = await response.text(errors='replace')
            if response.status != 200:
                raise EngineIo3Error(f'HTTP {response.status}: {body[:100]}')
        try:
            return [packet for packet in decode_payload(body) if isinstance(packet, str)]
        except EngineIoPayloadError as error:
            raise EngineIo3Error(f'the hub does not speak Engine.IO 3 ({error})') from error

    async def _post(self, packet: str) -> None:
        """Send one packet.

        Raises:
            EngineIo3Error: The status is not 200: the hub has closed the session, or does not know it.
            aiohttp.ClientError: The hub cannot be reached.
            asyncio.TimeoutError: No answer in time.
        """
        assert self._http is not None
        headers = {'Content-Type': 'text/plain;charset=UTF-8'}
        data, timeout = encode_payload([packet]).encode(), aiohttp.ClientTimeout(self._timeout)
        async with self._http.post(self._url, params=self._query, data=data, headers=headers, timeout=timeout) as response:
            if response.status != 200:
                raise EngineIo3Error(f'HTTP {response.status}')
