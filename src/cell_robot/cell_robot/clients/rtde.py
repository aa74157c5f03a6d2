"""RTDE receiver: subscribes to the controller's real-time data and reconnects after a loss.

RTDE is UR's Real-Time Data Exchange on TCP 30004 ("Real-Time Data Exchange (RTDE) Guide"). `protocols.rtde` has its packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Protocol

from cell_common.backoff import Backoff
from cell_common.timeouts import with_timeout

from cell_robot.protocols.rtde.codec import RtdeValue
from cell_robot.protocols.rtde.framing import RtdeError, RtdeRefusedError
from cell_robot.protocols.rtde.session import ReceiveSession, SoftwareVersion, VersionRefusal, accept_version

PORT = 30004
CONNECT_TIMEOUT_S = 2.0
# Short: while the connection is lost no trigger can be sent, and the job stands.
FIRST_RETRY_S, LAST_RETRY_S = 0.1, 2.0
IDLE_TIMEOUT_S = 3.0
"""Maximum time without data, also during the handshake."""
CHECK_CABLE = 'Switch it on, check the network cable.'
REFUSED = 'The network is fine.'


class RtdeListener(Protocol):
    """Callbacks of the receiver, in the event loop."""

    def connected(self) -> None:
        """Data begins to arrive."""

    def package(self, values: dict[str, RtdeValue]) -> None:
        """A data package arrived."""

    def lost(self, reason: str, remedy: str) -> None:
        """There is no connection, or it broke.

        Args:
            reason: What happened.
            remedy: What the operator should do.
        """


class _Connection(asyncio.Protocol):
    """One connection; the future `closed` has reason and remedy of its end."""

    def __init__(self, session: ReceiveSession, listener: RtdeListener) -> None:
        self._session, self._listener = session, listener
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[tuple[str, str]] = self._loop.create_future()
        self.last_received_at = self._loop.time()
        self._connected = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request of the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        stream = transport.get_extra_info('socket')
        # The handshake consists of small packets that each wait for the other end.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(self._session.hello())

    def data_received(self, data: bytes) -> None:
        """Feed bytes to the session, send its requests, and pass packages on; an error closes the connection."""
        self.last_received_at = self._loop.time()
        try:
            received = self._session.feed(data)
        except RtdeRefusedError as error:
            self.close(str(error), REFUSED)
            return
        except RtdeError as error:
            self.close(str(error))
            return
        if received.send:
            self._transport.write(received.send)
        for values in received.packages:
            if not self._connected:
                self._connected = True
                self._listener.connected()
            self._listener.package(values)

    def connection_lost(self, error: Exception | None) -> None:
        """Complete `closed` with the reason."""
        self.close(str(error) if error else 'closed by the controller')

    def close(self, reason: str, remedy: str = CHECK_CABLE) -> None:
        """Complete `closed` and abort the connection; further calls change nothing."""
        if not self.closed.done():
            self.closed.set_result((reason, remedy))
        self._transport.abort()


class RtdeReceiver:
    """Keeps a connection that subscribes to output variables.

    A connection counts as lost after IDLE_TIMEOUT_S without a byte: after an unplugged cable TCP reports nothing for minutes.
    """

    def __init__(
        self,
        address: str,
        frequency: float,
        names: Sequence[str],
        listener: RtdeListener,
        optional: Sequence[str] = (),
        version_refusal: VersionRefusal = accept_version,
    ) -> None:
        """Store the settings; `run` connects.

        Args:
            address: Address of the robot.
            frequency: Packages per second.
            names: Output variables, as in the RTDE guide.
            listener: Receiver of data and connection events.
            optional: Output variables that the packages hold only where the firmware knows them.
            version_refusal: Returns why a software version is not supported, "" when it is.
        """
        self._address, self._frequency, self._names, self._listener = address, frequency, names, listener
        self._optional, self._version_refusal = optional, version_refusal
        self._session: ReceiveSession | None = None

    @property
    def version(self) -> SoftwareVersion | None:
        """Software of the controller; None before its answer."""
        return self._session.version if self._session is not None else None

    async def run(self) -> None:
        """Connect and reconnect until canceled."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            started = asyncio.get_running_loop().time()
            # Reported for each attempt: the reason may change, e.g. from "no route" to "refused".
            self._listener.lost(*await self._run_connection())
            # Only a connection that lived counts as a success: a controller that refuses each handshake is asked ever more
            # rarely.
            if asyncio.get_running_loop().time() - started > IDLE_TIMEOUT_S:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def _run_connection(self) -> tuple[str, str]:
        """Receive until the connection ends; returns reason and remedy."""
        loop = asyncio.get_running_loop()
        session = ReceiveSession(self._frequency, self._names, self._optional, self._version_refusal)
        self._session = session
        try:
            _, connection = await with_timeout(
                loop.create_connection(lambda: _Connection(session, self._listener), self._address, PORT), CONNECT_TIMEOUT_S
            )
        except (OSError, asyncio.TimeoutError) as error:
            return f'the controller at {self._address}:{PORT} does not answer ({error or "no answer"})', CHECK_CABLE
        try:
            while not connection.closed.done():
                left = connection.last_received_at + IDLE_TIMEOUT_S - loop.time()
                if left <= 0:
                    return f'no data for {IDLE_TIMEOUT_S:g} s', CHECK_CABLE
                with contextlib.suppress(asyncio.TimeoutError):
                    await with_timeout(asyncio.shield(connection.closed), left)
            return connection.closed.result()
        finally:
            connection.close('idle timeout')
