"""Malformed and oversized Engine.IO 4 packets end their client at once, with a sentence in the log.

The library raises at a malformed packet: the log gets a traceback, and the client stays registered until its ping timeout, with
nobody behind it. At an oversized one it says nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web
from engineio.async_drivers.aiohttp import WebSocket, translate_request
from engineio.packet import CLOSE, MESSAGE, NOOP, PONG, UPGRADE, Packet
from engineio.payload import Payload

__all__ = ['check_transport', 'log_too_large', 'require_readable_headers']

LOG = logging.getLogger(__name__)
MALFORMED = (ValueError, LookupError, RecursionError)
"""Errors of the library at a malformed packet. Deeply nested JSON is a RecursionError."""

POSTED = (CLOSE, PONG, MESSAGE, UPGRADE)
"""Packets of a client that polls."""


def check_transport(server: Any, name: str, peer_of: Callable[[web.Request], str]) -> None:
    """Let an Engine.IO server check what arrives.

    Args:
        server: An `engineio.AsyncServer` on aiohttp.
        name: Of the port, for the log.
        peer_of: Returns the address of the client behind a request.
    """

    def client_of(request: web.Request) -> str:
        return f'{name} port: client {peer_of(request)}'

    class CheckedWebSocket(WebSocket):
        """One connection; the server makes the objects itself."""

        _is_ended = False

        async def wait(self) -> str | bytes:
            """Return the next packet; one that ends the client in place of a malformed one.

            Raises:
                ConnectionError: The connection has ended.
            """
            if self._is_ended:
                raise ConnectionError('the client was disconnected')
            message: aiohttp.WSMessage = await self._sock.receive()
            client = client_of(self.environ['aiohttp.request'])
            if isinstance(message.data, str | bytes):
                error = _fault_of(message.data)
                if not error:
                    return message.data
                self._is_ended = True
                _log_malformed(client, error)
                return str(CLOSE)
            log_too_large(client, message)
            raise ConnectionError('the connection has ended')

    async def checked_request(request: web.Request) -> dict[str, Any]:
        """Return the request as the library wants it, with its body.

        Raises:
            web.HTTPBadRequest: It is too large, or a packet in it is malformed; its client is disconnected.
        """
        environ: dict[str, Any] = translate_request(request)
        if request.method != 'POST':
            return environ
        body = _Body(await _read(request, server.max_http_buffer_size + 1))
        environ |= {'wsgi.input': body, 'CONTENT_LENGTH': str(len(body.data))}
        if len(body.data) > server.max_http_buffer_size:
            log_too_large(client_of(request))
            error = 'it is too large'
        elif error := _fault_of_payload(body.data):
            _log_malformed(client_of(request), error)
        if error:
            await disconnect(request.query.get('sid', ''))
            raise web.HTTPBadRequest(text=f'the request was refused: {error}')
        return environ

    async def disconnect(sid: str) -> None:
        """End a client that polls. The library's own function waits until the client has taken all that is queued for it."""
        connection = server.sockets.pop(sid, None)
        if connection is not None:
            await connection.close(wait=False, reason=server.reason.TRANSPORT_ERROR)

    # The library has no other place to put them in; the dictionary is that of all servers of the process.
    server._async = {**server._async, 'websocket': CheckedWebSocket, 'translate_request': checked_request}


def log_too_large(client: str, message: aiohttp.WSMessage | None = None) -> None:
    """Log that a client was disconnected for the size of its event.

    Args:
        client: Port and address.
        message: What ended its WebSocket; logged only if that was the size. None = a request that was too large.
    """
    if message is None or getattr(message.data, 'code', None) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        LOG.warning('%s disconnected: it sent an event of more than 1 MB. Send images and files another way.', client)


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
