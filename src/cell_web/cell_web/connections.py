"""Limits and deadlines of the HTTP server's TCP connections.

aiohttp has no deadline for the header of a request. A client that opens connections and sends half a request, or nothing, would
hold them for ever, until the process has no file descriptor left and nobody is served. `ConnectionGuard` stands between the
socket and aiohttp's protocol:

- the number of connections is limited, in all and from one address; one more is closed at once;
- a connection on which no complete request arrives is closed after a while, also between two requests;
- the body of a request has its own deadline;
- a client that does not read what it is sent is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from aiohttp import StreamReader, web
from cell_common.listening import listening_sockets

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LONGEST_BODY = 65536
"""Bytes; also the limit of a body without an announced length. The largest body that is expected is a bag's."""
TIMEOUT_RESPONSE = b'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of the TCP connections.

    Attributes:
        total: Maximum number of connections.
        per_address: Maximum number of connections from one address.
        request_s: Seconds in which a complete header must arrive, from the connection or from the end of the last request.
        body_s: Seconds in which the body of a request must arrive.
        write_s: Seconds for which a client may leave a full send buffer unread.
    """

    total: int = 400
    per_address: int = 128
    request_s: float = 20.0
    body_s: float = 10.0
    write_s: float = 20.0


class ConnectionGuard:
    """Admits connections and closes those that wait for nothing. Used on one event loop.

    Attributes:
        limits: The limits.
        refused: Connections that were closed at once because of a limit.
        timed_out: Connections that were closed by a deadline.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        """Create a guard without connections."""
        self.limits = limits
        self.refused = 0
        self.timed_out = 0
        self._by_address: Counter[str] = Counter()
        self._guarded: dict[asyncio.BaseTransport, GuardedProtocol] = {}

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._guarded)

    async def listen(self, runner: web.AppRunner, address: str, port: int) -> list[asyncio.Server]:
        """Serve an application on a port.

        Args:
            runner: Runner of the application; it has been set up.
            address: Address or host name to listen on.
            port: TCP port; 0 = any free port, the same in every address family.

        Returns:
            The listening servers; close them before `runner.cleanup()`.

        Raises:
            OSError: The port is in use, or the address is not of this machine.
        """
        inner = runner.server
        assert inner is not None, 'runner.setup() comes first'
        loop = asyncio.get_running_loop()
        sockets = listening_sockets(address, port)
        return [await loop.create_server(lambda: GuardedProtocol(inner(), self), sock=one) for one in sockets]

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Mark the connection as busy while a request is handled, and give its body a deadline."""
        guarded = self._guarded.get(request.transport) if request.transport is not None else None
        if guarded is None:
            return await handler(request)
        guarded.begin_request(request.content if request.can_read_body else None)
        try:
            return await handler(request)
        finally:
            guarded.end_request()

    def admit(self, transport: asyncio.BaseTransport, guarded: GuardedProtocol) -> bool:
        """Count a new connection; return False when a limit is reached."""
        address = address_of(transport)
        if len(self._guarded) >= self.limits.total:
            log.warning('connection from %s closed: %d are open (parameter max_connections)', address, len(self._guarded))
        elif self._by_address[address] >= self.limits.per_address:
            log.warning(
                'connection from %s closed: %d are open from it (parameter max_connections_per_address)',
                address,
                self._by_address[address],
            )
        else:
            self._guarded[transport] = guarded
            self._by_address[address] += 1
            return True
        self.refused += 1
        return False

    def release(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection that has ended."""
        if self._guarded.pop(transport, None) is not None:
            address = address_of(transport)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


class GuardedProtocol(asyncio.Protocol):
    """Passes the events of one connection on to aiohttp's protocol, and closes it at a limit or deadline."""

    def __init__(self, inner: asyncio.Protocol, guard: ConnectionGuard) -> None:
        """Create the protocol of a connection that is not made yet."""
        self._inner = inner
        self._guard = guard
        self._transport: asyncio.Transport | None = None
        self._request_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._busy = 0
        self._received = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection, or close it."""
        assert isinstance(transport, asyncio.Transport)
        if not self._guard.admit(transport, self):
            transport.abort()
            return
        self._transport = transport
        self._inner.connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the connection."""
        if self._transport is None:
            return
        self._cancel(self._request_timer)
        self._cancel(self._write_timer)
        self._guard.release(self._transport)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass data on."""
        if self._transport is not None:
            self._received = True
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass the end of the data on."""
        return self._inner.eof_received() if self._transport is not None else None

    def pause_writing(self) -> None:
        """Start the deadline of a client that does not read."""
        self._inner.pause_writing()
        self._write_timer = asyncio.get_running_loop().call_later(self._guard.limits.write_s, self._close_unread)

    def resume_writing(self) -> None:
        """End that deadline."""
        self._cancel(self._write_timer)
        self._write_timer = None
        self._inner.resume_writing()

    def begin_request(self, body: StreamReader | None) -> None:
        """A complete header has arrived, and a handler runs.

        Args:
            body: Body that is still to come; None = the request has none.
        """
        self._busy += 1
        self._cancel(self._request_timer)
        self._request_timer = None
        if body is not None:
            # Looked at, not read: the handler reads it, and some handlers pass the request on unread.
            self._request_timer = asyncio.get_running_loop().call_later(self._guard.limits.body_s, self._close_slow_body, body)

    def end_request(self) -> None:
        """The handler has ended; the next request has its own deadline."""
        self._busy -= 1
        if not self._busy:
            self._received = False
            self._await_request()

    def _await_request(self) -> None:
        self._cancel(self._request_timer)
        self._request_timer = asyncio.get_running_loop().call_later(self._guard.limits.request_s, self._close_silent)

    def _close_silent(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size():  # a response is on its way, with the deadline for reading it
            self._await_request()
            return
        if self._received:  # half a request; a connection that is merely kept alive is closed without a word
            self._guard.timed_out += 1
            log.warning('connection from %s closed: no complete request in time', address_of(self._transport))
            self._transport.write(TIMEOUT_RESPONSE)
        self._transport.close()

    def _close_slow_body(self, body: StreamReader) -> None:
        if not body.is_eof():
            self._received = True
            self._close_silent()

    def _close_unread(self) -> None:
        if self._transport is not None:  # also when it is closing: that would wait for the client to read
            self._guard.timed_out += 1
            log.warning('connection from %s closed: it does not read', address_of(self._transport))
            self._transport.abort()

    @staticmethod
    def _cancel(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


class Seats:
    """Places for long sessions, such as pages and camera streams: limited in all and for one address."""

    def __init__(self, total: int, per_address: int, what: str, parameter: str) -> None:
        """Create free places.

        Args:
            total: Places in all.
            per_address: Places for one address.
            what: For the refusal, e.g. "camera streams".
            parameter: Name of the parameter with the total; the other has "_per_address" behind it.
        """
        self._total = total
        self._per_address = per_address
        self._what = what
        self._parameter = parameter
        self._by_address: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Number of places that are taken."""
        return self._by_address.total()

    def refusal(self, address: str | None) -> str:
        """Return why an address gets no place now; "" when there is one.

        Args:
            address: IP address of the client; None = its connection has gone.
        """
        if self.taken >= self._total:
            return f'Limit of {self._total} {self._what} reached (parameter {self._parameter}).'
        if self._by_address[address or ''] >= self._per_address:
            return (
                f'Limit of {self._per_address} {self._what} from one address reached (parameter {self._parameter}_per_address).'
            )
        return ''

    @contextlib.contextmanager
    def seat(self, address: str | None) -> Iterator[None]:
        """Take a place for the time of a `with` statement; ask `refusal` before."""
        key = address or ''
        self._by_address[key] += 1
        try:
            yield
        finally:
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]


def address_of(transport: asyncio.BaseTransport) -> str:
    """Return the IP address of the other side; "" when the connection is already gone."""
    peer = transport.get_extra_info('peername')
    return str(peer[0]) if peer else ''
