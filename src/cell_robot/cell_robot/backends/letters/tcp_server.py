"""TCP for the letters link: the PC listens, the UR program connects."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import struct
import weakref
from collections.abc import Iterable
from typing import Protocol

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0
BACKLOG = 1024
"""A burst of connections must not make the robot's own one wait for a second SYN."""
KEEPALIVE = {'TCP_KEEPIDLE': 2, 'TCP_KEEPINTVL': 1, 'TCP_KEEPCNT': 3}
"""A cable pulled out is noticed after about 5 s even when nothing is sent."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Listener(Protocol):
    """Is told what happens; every call comes from the event loop's thread."""

    def opened(self, connection: Connection) -> None:
        """An allowed peer has connected."""

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes came."""

    def closed(self, connection: Connection, why: str) -> None:
        """The connection is gone; `why` is for people."""

    def rejected(self, address: str) -> None:
        """A peer that is not on the allow-list was turned away."""

    def listening(self, problem: str) -> None:
        """The port is open (""), or cannot be opened for this reason."""


def networks(allowed: Iterable[str]) -> list[Network]:
    """Return an allow-list as networks; empty texts are ignored.

    Raises:
        ValueError: One is neither an address nor a network such as 192.168.0.0/24.
    """
    return [ipaddress.ip_network(text, strict=False) for text in allowed if text]


class Connection(asyncio.Protocol):
    """One peer."""

    def __init__(self, listener: Listener, allowed: list[Network]) -> None:
        """Wait to be connected by the server."""
        self._listener = listener
        self._allowed = allowed
        self._transport: asyncio.Transport | None = None
        self._why = ''
        self._accepted = False
        self.peer = ''

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Check the peer and tell the listener."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        name = transport.get_extra_info('peername')
        if not name or not self._is_allowed(str(name[0])):
            self._listener.rejected(str(name[0]) if name else 'unknown')
            transport.abort()
            return
        self.peer = f'{name[0]}:{name[1]}'
        self._accepted = True
        _keep_alive(transport.get_extra_info('socket'))
        self._listener.opened(self)

    def data_received(self, data: bytes) -> None:
        """Hand bytes on."""
        if self._accepted:
            self._listener.received(self, data)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the listener once."""
        if self._accepted:
            self._accepted = False
            self._listener.closed(
                self, self._why or (f'{error.strerror or error}' if isinstance(error, OSError) else 'closed by the robot')
            )

    def send(self, data: bytes) -> bool:
        """Write bytes; False when the connection is gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    def reset(self, why: str) -> None:
        """End the connection by TCP RST, so that the peer's next send fails at once."""
        if self._transport is None or self._transport.is_closing():
            return
        self._why = why
        with contextlib.suppress(OSError):
            self._transport.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self._transport.abort()

    def _is_allowed(self, address: str) -> bool:
        peer = ipaddress.ip_address(address.partition('%')[0])
        peer = getattr(peer, 'ipv4_mapped', None) or peer
        return any(peer in network for network in self._allowed)


class Server:
    """Listens, and keeps trying when the port cannot be opened."""

    def __init__(self, address: str, port: int, allowed: list[Network], listener: Listener) -> None:
        """Open nothing yet; `run` does."""
        self._address, self._port = address, port
        self._allowed = allowed
        self._listener = listener
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()

    async def run(self) -> None:
        """Listen until cancelled."""
        server = await self._open()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for connection in list(self._connections):
                connection.reset('the cell is ending')
            await asyncio.sleep(0)  # the loop closes the sockets in its next round

    async def _open(self) -> asyncio.Server:
        delay = FIRST_RETRY_S
        while True:
            try:
                server = await asyncio.get_running_loop().create_server(
                    self._connection, self._address, self._port, backlog=BACKLOG
                )
            except OSError as problem:
                self._listener.listening(_explain(problem, self._address, self._port))
                await asyncio.sleep(delay)
                delay = min(2 * delay, LAST_RETRY_S)
            else:
                self._listener.listening('')
                return server

    def _connection(self) -> Connection:
        connection = Connection(self._listener, self._allowed)
        self._connections.add(connection)
        return connection


def _explain(problem: OSError, address: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        advice = f'another program holds the port: end it (ss -ltnp "sport = :{port}" names it), or change parameter port'
    elif problem.errno == errno.EACCES:
        advice = 'use a port above 1023, parameter port'
    else:
        advice = 'check parameter listen_address and the network'
    return f'cannot listen on {address}:{port} ({problem.strerror or problem}); {advice}'


def _keep_alive(stream: socket.socket) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
