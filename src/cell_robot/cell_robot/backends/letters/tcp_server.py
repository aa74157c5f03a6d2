"""TCP server of the letters backend: the node listens, the UR program connects."""

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

from cell_common.backoff import Backoff

# The port may be held by an earlier process of the node that has not ended yet.
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 30.0
BACKLOG = 1024
"""A burst of connections must not delay the robot's own one by a second SYN."""
KEEPALIVE = {'TCP_KEEPIDLE': 2, 'TCP_KEEPINTVL': 1, 'TCP_KEEPCNT': 3}
"""Detects an unplugged cable within about 5 s, even without traffic."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConnectionListener(Protocol):
    """Callbacks of the server, all in the event loop's thread."""

    def opened(self, connection: ProgramConnection) -> None:
        """An allowed peer connected."""

    def received(self, connection: ProgramConnection, data: bytes) -> None:
        """Bytes arrived; called in the event loop's thread.

        Args:
            connection: The sender.
            data: At least one byte; not aligned to records.
        """

    def closed(self, connection: ProgramConnection, reason: str) -> None:
        """The connection closed, from either end; called once for each connection.

        Args:
            connection: No longer usable.
            reason: For the operator.
        """

    def rejected(self, address: str) -> None:
        """A peer outside the allow-list was rejected."""

    def listening(self, error: str) -> None:
        """The port is open (""), or opening it failed with `error`."""


def parse_networks(allowed: Iterable[str]) -> list[Network]:
    """Return an allow-list as networks; empty texts are ignored.

    Raises:
        ValueError: A text is neither an address nor a network such as 192.168.0.0/24.
    """
    return [ipaddress.ip_network(text, strict=False) for text in allowed if text]


class ProgramConnection(asyncio.Protocol):
    """TCP connection of one peer.

    Attributes:
        peer: "address:port" of an allowed peer, "" before that.
    """

    def __init__(self, listener: ConnectionListener, allowed: list[Network]) -> None:
        """Store the collaborators; asyncio calls `connection_made` next.

        Args:
            listener: Receives the bytes and the end of the connection.
            allowed: Networks whose members may connect; empty = everyone.
        """
        self._listener = listener
        self._allowed = allowed
        self._transport: asyncio.Transport | None = None
        self._reason = ''
        self._accepted = False
        self.peer = ''

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Check the peer against the allow-list and notify the listener."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        name = transport.get_extra_info('peername')
        if not name or not self._is_allowed(str(name[0])):
            self._listener.rejected(str(name[0]) if name else 'unknown')
            # Without a byte: a stranger learns nothing about the service.
            transport.abort()
            return
        self.peer = f'{name[0]}:{name[1]}'
        self._accepted = True
        # A bare program sends nothing between answers, so only the kernel can notice that it is gone.
        _enable_keepalive(transport.get_extra_info('socket'))
        self._listener.opened(self)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the listener."""
        if self._accepted:
            self._listener.received(self, data)

    def connection_lost(self, error: Exception | None) -> None:
        """Notify the listener once."""
        if self._accepted:
            self._accepted = False
            cause = f'{error.strerror or error}' if isinstance(error, OSError) else 'closed by the robot'
            self._listener.closed(self, self._reason or cause)

    def send(self, data: bytes) -> bool:
        """Write bytes; returns False when the connection is gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    def reset(self, reason: str) -> None:
        """Close the connection with a TCP RST, so that the peer's next send fails immediately.

        After a normal close (FIN) the peer's first send would still succeed, and URScript reports nothing else. Bytes not yet
        read by the peer are discarded, which is wanted: no letter may be read after a reset.

        Args:
            reason: Passed to the listener's `closed`.
        """
        if self._transport is None or self._transport.is_closing():
            return
        self._reason = reason
        with contextlib.suppress(OSError):
            self._transport.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self._transport.abort()

    def _is_allowed(self, address: str) -> bool:
        peer = ipaddress.ip_address(address.partition('%')[0])
        # A dual-stack socket reports IPv4 peers as ::ffff:a.b.c.d.
        peer = getattr(peer, 'ipv4_mapped', None) or peer
        return any(peer in network for network in self._allowed)


class LettersServer:
    """Listening socket; retries when the port cannot be opened."""

    def __init__(self, address: str, port: int, allowed: list[Network], listener: ConnectionListener) -> None:
        """Store the settings; `run` opens the port."""
        self._address, self._port = address, port
        self._allowed = allowed
        self._listener = listener
        # Weak: asyncio's transports own the connections, this set only finds them at the end.
        self._connections: weakref.WeakSet[ProgramConnection] = weakref.WeakSet()

    async def run(self) -> None:
        """Listen until canceled; then reset all connections."""
        server = await self._open()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for connection in list(self._connections):
                connection.reset('the cell is ending')
            await asyncio.sleep(0)  # the loop closes the sockets in its next iteration

    async def _open(self) -> asyncio.Server:
        """Open the port; retry with back-off, and report each error to the listener."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                server = await asyncio.get_running_loop().create_server(
                    self._make_connection, self._address, self._port, backlog=BACKLOG
                )
            except OSError as error:
                self._listener.listening(_explain(error, self._address, self._port))
                await asyncio.sleep(backoff.next())
            else:
                self._listener.listening('')
                return server

    def _make_connection(self) -> ProgramConnection:
        connection = ProgramConnection(self._listener, self._allowed)
        self._connections.add(connection)
        return connection


def _explain(error: OSError, address: str, port: int) -> str:
    """Return why the port cannot be opened, with the remedy."""
    if error.errno == errno.EADDRINUSE:
        advice = f'another program holds the port: end it (ss -ltnp "sport = :{port}" names it), or change parameter port'
    elif error.errno == errno.EACCES:
        advice = 'use a port above 1023, parameter port'
    else:
        advice = 'check parameter listen_address and the network'
    return f'cannot listen on {address}:{port} ({error.strerror or error}); {advice}'


def _enable_keepalive(stream: socket.socket) -> None:
    """Let the kernel detect a peer that is gone; options that this system does not have are left out."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
