"""Malformed and oversized Engine.IO 4 packets end their client at once, with a sentence in the log.

The library raises at a malformed packet: the log gets a traceback, and the client stays registered until its ping timeout, with
nobody behind it. At an oversized one it says nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import aiohttp
import engineio
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from engineio.async_drivers import aiohttp as aiohttp_driver
from engineio.packet import CLOSE, MESSAGE, NOOP, PONG, UPGRADE, Packet
from engineio.payload import Payload

__all__ = ['CLIENT_OF', 'PollingRequest', 'log_too_large', 'read_request', 'require_readable_headers']

LOG = logging.getLogger(__name__)
CLIENT_OF: web.AppKey[Callable[[web.Request], str]] = web.AppKey('client_of')
"""Names the client of a request for the log: port and address."""
MALFORMED = (ValueError, LookupError, RecursionError)
"""Errors of the library at a malformed packet. Deeply nested JSON is a RecursionError."""

POSTED = (CLOSE, PONG, MESSAGE, UPGRADE)
"""Packets of a client that polls."""


class CheckedWebSocket(web.WebSocketResponse):
    """A WebSocket that ends its client at a malformed packet, before the library sees it."""

    _client = ''
    _is_ended = False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Start the handshake; the application's CLIENT_OF names the client for the log.

        Args:
            request: The handshake.
        """
        if isinstance(request, web.Request) and (client_of := request.app.get(CLIENT_OF)):
            self._client = client_of(request)
        return await super().prepare(request)

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:
        """Return the next message; one that ends the client in place of a malformed packet.

        Args:
            timeout: Seconds; None = without end.
        """
        if self._is_ended:
            return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
        message = await super().receive(timeout)
        if isinstance(message.data, str | bytes):
            if error := _fault_of(message.data):
                self._is_ended = True
                _log_malformed(self._client, error)
                return aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, str(CLOSE), None)
        else:
            log_too_large(self._client, message)
        return message


# The driver makes the sockets of every server in the process, and takes no other class for them.
aiohttp_driver.WebSocketResponse = CheckedWebSocket


class PollingRequest:
    """A polling request whose body was read and checked; for everything else the request itself.

    Attributes:
        original: The request.
        content: Its body, for the library.
        headers: Its headers, with the length of the body.
    """

    def __init__(self, original: web.Request, body: bytes) -> None:
        """Store request and body."""
        self.original = original
        self.content = _Body(body)
        self.headers = original.headers.copy()
        self.headers['Content-Length'] = str(len(body))

    def __getattr__(self, name: str) -> object:
        """Return an attribute of the request."""
        return getattr(self.original, name)


async def read_request(request: web.Request, server: engineio.AsyncServer) -> PollingRequest:
    """Return a polling request with its body.

    Args:
        request: A POST.
        server: The `engineio.AsyncServer`.

    Raises:
        web.HTTPBadRequest: It is too large, or a packet in it is malformed; its client is disconnected.
    """
    body, error = await _read(request, server.max_http_buffer_size + 1), ''
    client = request.app[CLIENT_OF](request)
    if len(body) > server.max_http_buffer_size:
        log_too_large(client)
        error = 'it is too large'
    elif error := _fault_of_payload(body):
        _log_malformed(client, error)
    if error:
        await _disconnect(server, request.query.get('sid', ''))
        raise web.HTTPBadRequest(text=f'the request was refused: {error}')
    return PollingRequest(request, body)


async def _disconnect(server: engineio.AsyncServer, sid: str) -> None:
    """End a client that polls. The library's own function waits until the client has taken all that is queued for it."""
    connection = server.sockets.pop(sid, None)
    if connection is not None:
        await connection.close(wait=False, reason=server.reason.TRANSPORT_ERROR)


def log_too_large(client: str, message: aiohttp.WSMessage | None = None) -> None:
    """Log that a client was disconnected for the size of its event.

    Args:
        client: Port and address.
        message: What ended its WebSocket; logged only if that was the size. None = a request that was too large.
    """
    if message is None or getattr(message.data, 'code', None) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        LOG.warning('%s disconnected: it sent more than 8 MB at once. Send images and files another way.', client)


def require_readable_headers(request: web.Request) -> None:
    """Check the encoding of a request's headers.

    Raises:
        web.HTTPBadRequest: A header is not UTF-8.
    """
    for name, value in request.headers.items():
        try:
            f'{name}{value}'.encode()
        except UnicodeEncodeError as error:
            raise web.HTTPBadRequest(text=f'header {name[:40]!a} is not UTF-8') from error


class _Body:
    """A body that was read, as the library's input."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def read(self, _size: int) -> bytes:
        return self.data


async def _read(request: web.Request, most: int) -> bytes:
    """Return a body, or its first `most` bytes. It arrives in pieces, of which the library would take the first for all."""
    body = b''
    while len(body) < most and (piece := await request.content.read(most - len(body))):
        body += piece
    return body


def _fault_of(packet: str | bytes) -> str:
    """Return what is wrong with a packet, "" when it can be read."""
    try:
        known = Packet(encoded_packet=packet).packet_type <= NOOP
    except MALFORMED as error:
        return str(error)[:100] or type(error).__name__
    return '' if known else 'unknown packet type'


def _fault_of_payload(body: bytes) -> str:
    """Return what is wrong with the body of a polling request, "" when it can be read."""
    try:
        known = all(packet.packet_type in POSTED for packet in Payload(encoded_payload=body.decode()).packets)
    except MALFORMED as error:
        return str(error)[:100] or type(error).__name__
    return '' if known else 'unknown packet type'


def _log_malformed(client: str, error: str) -> None:
    LOG.warning('%s disconnected: it sent what is not a packet of Engine.IO 4 (%s). Use a Socket.IO client.', client, error)
