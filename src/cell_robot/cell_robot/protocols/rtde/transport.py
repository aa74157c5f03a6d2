"""Listens to a controller's real-time data, and connects again whenever the connection has gone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Protocol

from cell_robot.protocols.rtde.codec import Value
from cell_robot.protocols.rtde.framing import RtdeError
from cell_robot.protocols.rtde.session import ReceiveSession

PORT = 30004
CONNECT_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
HANDSHAKE_S = 3.0
"""Also the time without any data after which a connection is given up."""


class Listener(Protocol):
    """Who hears of it; in the event loop."""

    def connected(self) -> None:
        """Data begins to come."""

    def package(self, values: dict[str, Value]) -> None:
        """A data package came."""

    def lost(self, why: str) -> None:
        """There is no connection, or it broke."""


class _Connection(asyncio.Protocol):
    """One connection; `gone` is done when it has ended."""

    def __init__(self, session: ReceiveSession, listener: Listener) -> None:
        self._session, self._listener = session, listener
        self._loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[str] = self._loop.create_future()
        self.heard_at = self._loop.time()
        self._told = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        stream = transport.get_extra_info('socket')
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(self._session.begin())

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        try:
            received = self._session.feed(data)
        except RtdeError as problem:
            self.close(str(problem))
            return
        if received.send:
            self._transport.write(received.send)
        for values in received.packages:
            if not self._told:
                self._told = True
                self._listener.connected()
            self._listener.package(values)

    def connection_lost(self, problem: Exception | None) -> None:
        self.close(str(problem) if problem else 'closed by the controller')

    def close(self, why: str) -> None:
        if not self.gone.done():
            self.gone.set_result(why)
        self._transport.abort()


class Receiver:
    """Keeps a connection that asks for variables."""

    def __init__(self, address: str, frequency: float, names: Sequence[str], listener: Listener) -> None:
        """Be ready to `run`.

        Args:
            address: The robot's.
            frequency: Packages a second.
            names: Output variables, as the RTDE guide names them.
            listener: Who hears of it.
        """
        self._address, self._frequency, self._names, self._listener = address, frequency, names, listener

    async def run(self) -> None:
        """Connect again and again, until cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            began = asyncio.get_running_loop().time()
            why = await self._once()
            self._listener.lost(why)
            stood = asyncio.get_running_loop().time() - began > HANDSHAKE_S
            pause = FIRST_PAUSE_S if stood else min(2 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _once(self) -> str:
        """Listen until the connection has gone; return why."""
        loop = asyncio.get_running_loop()
        session = ReceiveSession(self._frequency, self._names)
        try:
            _, connection = await asyncio.wait_for(
                loop.create_connection(lambda: _Connection(session, self._listener), self._address, PORT), CONNECT_S
            )
        except (OSError, asyncio.TimeoutError) as problem:
            return f'the controller at {self._address}:{PORT} does not answer ({problem or "no answer"})'
        try:
            while not connection.gone.done():
                left = connection.heard_at + HANDSHAKE_S - loop.time()
                if left <= 0:
                    return f'no data for {HANDSHAKE_S:g} s'
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(connection.gone), left)
            return connection.gone.result()
        finally:
            connection.close('given up')
