"""TCP connections of indicators: server, dialling out, keep-alive, back pressure. `line_pipeline` interprets the bytes.

Everything runs in one event loop; `on_event` and the journal's `append` are its only exits. No
connection is closed because of its contents: an indicator that loses its connection may lose the
next bag.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cell_weighing.bridge.dialing import keep_dialing
from cell_weighing.bridge.events import (
    ConnectionReplaced,
    IdentityMismatch,
    IndicatorConnected,
    IndicatorDisconnected,
    LineEndMissing,
    ListeningState,
    ServerEvent,
)
from cell_weighing.bridge.line_pipeline import LinePipeline, SiteConfig
from cell_weighing.bridge.peers import PeerConfig
from cell_weighing.bridge.stream_capture import StreamCaptureState
from cell_weighing.domain.reading import ReadingStatus, WeightReading

BIND_RETRY_S = 2.0
# How late a paused socket is resumed, and an idle connection is closed.
HOUSEKEEPING_S = 0.25
LOW_WATER = 0.25
"""Share of the limit of waiting readings below which the sockets are read again."""
# Receive buffer, shared by all connections: a buffer allocated for each read costs more than its line.
BUFFER = memoryview(bytearray(4096))
# 30 s + 3 x 10 s: a dead peer is detected within a minute, with little traffic on a quiet line.
KEEP_ALIVE_IDLE_S, KEEP_ALIVE_INTERVAL_S, KEEP_ALIVE_COUNT = 30, 10, 3


class ReadingSink(Protocol):
    """Destination of the readings.

    Attributes:
        pending: Readings not yet durable; read from the server's thread.
    """

    pending: int

    def append(self, readings: list[WeightReading], capture_updates: Mapping[str, StreamCaptureState]) -> None:
        """Queue readings and changed capture states; returns immediately.

        Args:
            readings: In order of arrival.
            capture_updates: Changed states of streaming scales, by scale id.
        """
        ...


@dataclass
class TcpServerSettings:
    """Settings of the server.

    Attributes:
        address: Address to listen on.
        port: TCP port; 0 = any free one.
        idle_timeout: Seconds without data after which a connection is closed; 0 = never.
        max_connections: Further connections are refused.
        poll_period: Seconds between two poll commands to an indicator that only responds to
            commands.
        waiting_limit: Readings not yet durable at which the sockets are no longer read: TCP then
            holds back the senders, nothing is lost.
    """

    address: str
    port: int
    idle_timeout: float = 0.0
    max_connections: int = 2000
    poll_period: float = 0.2
    waiting_limit: int = 20_000


@dataclass
class IndicatorServer:
    """Accepts indicators and passes their readings to the journal.

    Attributes:
        settings: Address and limits.
        site: Settings and state that all connections share.
        journal: Destination of the readings.
        on_event: Called in the server's thread.
        connections: Open connections.
        owners: The connection that sent each scale id last.
        shared_ids: Scale ids that two connections have sent.
        paused: The journal is behind: no socket is read.
    """

    settings: TcpServerSettings
    site: SiteConfig
    journal: ReadingSink
    on_event: Callable[[ServerEvent], None]
    connections: set[Connection] = field(default_factory=set)
    owners: dict[str, Connection] = field(default_factory=dict)
    shared_ids: set[str] = field(default_factory=set)
    paused: bool = False

    async def serve(self) -> None:
        """Listen and dial until canceled; retry while a port is in use or an indicator does not answer."""
        peers = self.site.peers.values()
        tasks = [asyncio.ensure_future(self._dial(peer)) for peer in peers if peer.dial]
        tasks += [asyncio.ensure_future(self._listen_on(peer)) for peer in peers if peer.port]
        try:
            async with await self._bind(self.settings.port):
                await self._housekeeping()
        finally:
            for task in tasks:
                task.cancel()
            for connection in list(self.connections):
                connection.close('the bridge is stopping')

    async def _listen_on(self, config: PeerConfig) -> None:
        """Listen on a further port until canceled."""
        async with await self._bind(config.port, config) as server:
            await server.serve_forever()

    async def _dial(self, config: PeerConfig) -> None:
        """Keep a connection to an indicator that is the server, until canceled."""
        loop = asyncio.get_running_loop()

        async def connect(host: str, port: int) -> Connection:
            _, connection = await loop.create_connection(lambda: Connection(self, config), host, port)
            return connection

        await keep_dialing(config.dial, connect, self.on_event)

    async def _bind(self, port: int, config: PeerConfig | None = None) -> asyncio.Server:
        """Return a listening server; a port in use is tried again, and each new reason is reported once."""
        loop = asyncio.get_running_loop()
        main, reported = config is None, ''
        while True:
            try:
                server = await loop.create_server(lambda: Connection(self, config), self.settings.address, port, backlog=1024)
            except (OSError, OverflowError) as error:
                message = str(getattr(error, 'strerror', None) or error)
                if message != reported:
                    self.on_event(ListeningState(port, message, main))
                reported = message
                await asyncio.sleep(BIND_RETRY_S)
                continue
            self.on_event(ListeningState(int(server.sockets[0].getsockname()[1]), main=main))
            return server

    async def _housekeeping(self) -> None:
        """Resume paused sockets, and close idle connections."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            if self.paused and self.journal.pending < LOW_WATER * self.settings.waiting_limit:
                self.paused = False
                for connection in self.connections:
                    connection.resume()
            if self.settings.idle_timeout and not self.paused:
                oldest = time.monotonic_ns() - int(self.settings.idle_timeout * 1e9)
                for connection in [c for c in self.connections if c.last_received_ns < oldest]:
                    connection.close(f'idle timeout: no data for {self.settings.idle_timeout:g} s')

    def submit(self, readings: list[WeightReading], capture_updates: Mapping[str, StreamCaptureState]) -> None:
        """Pass readings to the journal, and pause the sockets when the journal is behind.

        Args:
            readings: Completed readings of one connection.
            capture_updates: Changed states of streaming scales.
        """
        self.journal.append(readings, capture_updates)
        if not self.paused and self.journal.pending >= self.settings.waiting_limit:
            self.paused = True
            for connection in self.connections:
                connection.pause()

    def claim_scale(self, scale_id: str, connection: Connection) -> None:
        """Assign a scale id to a connection; of two with one id, both are read on.

        An indicator that was switched off leaves a dead connection, which keep-alive ends. Closing
        the older one would lose the next line of an indicator that has a wrong id.

        Args:
            scale_id: Id in a line of the connection.
            connection: Becomes the owner of the id.
        """
        other = self.owners.get(scale_id)
        self.owners[scale_id] = connection
        if other is not None and other is not connection:
            self.shared_ids.add(scale_id)
            self.on_event(ConnectionReplaced(scale_id, other.pipeline.peer, connection.pipeline.peer))

    def mark_shared(self, readings: list[WeightReading], connection: Connection) -> None:
        """Mark the readings of scale ids that two open connections send.

        Args:
            readings: Readings of `connection`; their messages are set.
            connection: Connection that sent them.
        """
        for reading in readings:
            if reading.scale_id in self.shared_ids and reading.status is ReadingStatus.VALID:
                others = [
                    c.pipeline.peer
                    for c in self.connections
                    if c is not connection and reading.scale_id in c.pipeline.scale_ids
                ]
                if not others:
                    self.shared_ids.discard(reading.scale_id)
                    continue
                reading.message = f'scale {reading.scale_id} is also connected from {", ".join(others)}'[:200]
                if self.owners.get(reading.scale_id) is not connection:
                    self.owners[reading.scale_id] = connection
                    self.on_event(ConnectionReplaced(reading.scale_id, others[0], connection.pipeline.peer))


class Connection(asyncio.BufferedProtocol):
    """Connection of one indicator.

    A BufferedProtocol receives into a shared buffer, which is safe because the loop runs one
    callback at a time and `buffer_updated` copies the bytes.

    Attributes:
        pipeline: Framing, codec and capture of this connection.
        number: Increases with every connection.
        last_received_ns: Time of the last byte, monotonic nanoseconds.
    """

    _numbers = itertools.count()

    def __init__(self, server: IndicatorServer, config: PeerConfig | None = None) -> None:
        """Store the server.

        Args:
            server: The server.
            config: Settings of the peer; None = those of its address.
        """
        self._server = server
        self._config = config
        self.closed = asyncio.Event()
        """Set when the connection has ended."""
        self._transport: asyncio.Transport | None = None
        self._reason = ''
        self._poll_timer: asyncio.TimerHandle | None = None
        self._silence_timer: asyncio.TimerHandle | None = None
        self._claimed = 0
        self._reported_ids: set[str] = set()
        self.pipeline = LinePipeline(server.site, '', 0)
        self.number = next(self._numbers)
        self.last_received_ns = self._opened_ns = time.monotonic_ns()

    @property
    def received(self) -> bool:
        """Whether a byte has come."""
        return self.last_received_ns != self._opened_ns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection, or abort it when there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        address, port = (transport.get_extra_info('peername') or ('', 0))[:2]
        if len(self._server.connections) >= self._server.settings.max_connections:
            transport.abort()
            reason = f'refused: more than {self._server.settings.max_connections} connections'
            self._server.on_event(IndicatorDisconnected(f'{address}:{port}', (), reason))
            return
        self.pipeline = LinePipeline(self._server.site, address, port, self._config)
        _set_keep_alive(transport.get_extra_info('socket'))
        self._server.connections.add(self)
        self._server.on_event(IndicatorConnected(self.pipeline.peer, self.pipeline.format))
        if self._server.paused:
            self.pause()
        self._poll()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's
        """Return the shared receive buffer."""
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Convert received bytes to readings."""
        received_ns, self.last_received_ns = time.time_ns(), time.monotonic_ns()
        self._submit(self.pipeline.feed(bytes(BUFFER[:nbytes]), received_ns, self.last_received_ns))
        if self.pipeline.incomplete and self._silence_timer is None and self._server.site.silence:
            self._silence_timer = asyncio.get_running_loop().call_later(self._server.site.silence, self._on_silence)

    def eof_received(self) -> bool:
        """Close the transport: an indicator that sends no more needs no response either."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Record an incomplete line, and release the scale ids."""
        self.closed.set()
        if self not in self._server.connections:
            return
        for timer in (self._poll_timer, self._silence_timer):
            if timer:
                timer.cancel()
        self._submit(self.pipeline.end(time.time_ns(), time.monotonic_ns()))
        self._server.connections.discard(self)
        for scale_id in self.pipeline.scale_ids:
            if self._server.owners.get(scale_id) is self:
                del self._server.owners[scale_id]
        reason = self._reason or (str(exc) if exc else 'the indicator closed it')
        self._server.on_event(IndicatorDisconnected(self.pipeline.peer, tuple(sorted(self.pipeline.scale_ids)), reason))

    def close(self, reason: str) -> None:
        """Close the connection from this side."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Stop reading the socket."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read the socket again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _submit(self, readings: list[WeightReading]) -> None:
        """Claim the ids of a line before its readings are submitted: a second indicator with one id must be known by then."""
        pipeline = self.pipeline
        if len(pipeline.scale_ids) != self._claimed:
            self._claimed = len(pipeline.scale_ids)
            for scale_id in pipeline.scale_ids:
                self._server.claim_scale(scale_id, self)
        if readings or pipeline.capture_updates:
            if self._server.shared_ids:
                self._server.mark_shared(readings, self)
            capture_updates, pipeline.capture_updates = pipeline.capture_updates, {}
            self._server.submit(readings, capture_updates)
        for scale_id in pipeline.spoofed_ids - self._reported_ids:
            self._reported_ids.add(scale_id)
            self._server.on_event(IdentityMismatch(scale_id, pipeline.peer))

    def _on_silence(self) -> None:
        """End a record without a line end, unless bytes came meanwhile."""
        self._silence_timer = None
        if not self.pipeline.incomplete:
            return
        left = self._server.site.silence - (time.monotonic_ns() - self.last_received_ns) / 1e9
        if left > 0:
            self._silence_timer = asyncio.get_running_loop().call_later(left, self._on_silence)
            return
        before = self.pipeline.without_line_end
        self._submit(self.pipeline.silence(time.time_ns(), self.last_received_ns))
        if self.pipeline.without_line_end and not before:
            self._server.on_event(LineEndMissing(self.pipeline.peer))

    def _poll(self) -> None:
        command = self.pipeline.poll_command
        if command and self._transport is not None and not self._transport.is_closing():
            # A command that could not be sent yet is not repeated: an indicator that wakes up must
            # not reply to a hundred of them.
            if not self._transport.get_write_buffer_size():
                self._transport.write(command)
            self._poll_timer = asyncio.get_running_loop().call_later(self._server.settings.poll_period, self._poll)


def _set_keep_alive(sock: socket.socket) -> None:
    """Detect within about a minute that an indicator has lost its power or its cable."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEP_ALIVE_COUNT)
