"""TCP client of one indicator: connects to the scale bridge, prints, replies to SMA commands, injects faults.

An indicator sends in one of three ways, as the installer sets it up: on demand (PRINT key, one line
per bag), as a stream at a fixed rate, or as SMA replies to the bridge's commands. All three pass
`_send`, where the pending faults of the line apply.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from cell_sim.faults import FaultInjector
from cell_sim.net.tcp_client import ReconnectingTcpClient, local_address
from cell_sim.scales.indicator import Indicator
from cell_sim.scales.line_faults import FAULTS, FLOOD_LIMIT, LineCorruptor, line_of

__all__ = ['ScaleClient']

# Without a pause the chunks would be joined into one read of the bridge.
CHUNK_PAUSE_S = 0.002
SETTLE_LIMIT_S = 2.0
"""Timeout of command P; the reply has dashes after it."""
# SCP-0499 leaves the rate of command R to the indicator.
REPEAT_S = 0.1


class ScaleClient:
    """Indicator as a TCP client of the scale bridge, like a ZM405 with an Ethernet option.

    Attributes:
        indicator: Display and print format, with the platform's load.
        stream_rate: Lines per second; 0 = no stream.
        faults: Pending faults, see `line_faults.FAULTS`.
        connected: Set while the bridge is connected.
    """

    def __init__(self, indicator: Indicator, host: str, port: int, *, stream_rate: float = 0.0, source: str = '') -> None:
        """Create a stopped client.

        Args:
            indicator: Display and print format.
            host: Host of the scale bridge.
            port: TCP port of the scale bridge.
            stream_rate: Lines per second without a request; 0 = prints on demand only.
            source: Local address, e.g. 127.0.1.1; "" = the system chooses.
        """
        self.indicator, self._host, self._port, self.stream_rate = indicator, host, port, stream_rate
        self.faults = FaultInjector(FAULTS)
        self._link = ReconnectingTcpClient(f'scale {indicator.scale_id}', host, port, self._run_session, source)
        self._source = source
        self.connected = self._link.connected
        self._corruptor = LineCorruptor(self.faults, indicator.scale_id)
        self._repeat: asyncio.Task[None] | None = None
        self._delayed: list[bytes] = []
        self._delayed_until = 0.0

    @property
    def on_demand(self) -> bool:
        """Whether it prints when PRINT is pressed; otherwise it streams, or replies to commands."""
        return not self.stream_rate and self.indicator.print_format != 'sma'

    async def start(self) -> None:
        """Switch on."""
        # The indicator has a clock of its own, which runs on; faults set it back without touching
        # the system's.
        self.indicator.set_clock(time.time(), self._now())
        self._link.start()
        if self.stream_rate:
            self._link.spawn(self._stream())

    async def stop(self) -> None:
        """Switch off."""
        await self._link.stop()

    async def print(self) -> tuple[bytes, bool]:
        """Press PRINT; return the line and whether it was sent completely (without a connection it is lost).

        Returns:
            (line with CR LF before faults of the wire, True if all of its bytes went into the
            socket). A held-back or delayed line counts as sent.
        """
        line = line_of(self.indicator, self._now(), self.faults)
        return line, await self._send(line)

    def inject(self, fault: str, value: float) -> str:
        """Inject a fault; faults of the connection take effect now.

        Args:
            fault: Key of `line_faults.FAULTS`.
            value: Count, seconds or bytes, see there; 0 = the default.

        Raises:
            UnknownFaultError: No such fault exists.
        """
        text = self.faults.inject(fault, value)
        if seconds := self.faults.take('disconnect'):
            self._link.disconnect_for(seconds)
        if seconds := self.faults.take('power_cycle'):
            self._link.disconnect_for(seconds, silently=True)
        if seconds := self.faults.take('half_open'):
            self._delayed_until = self._now() + seconds
            self._link.spawn(self._deliver_delayed(seconds))
        if lines := self.faults.take('duplicate_id'):
            self._link.spawn(self._second_client(int(lines)))
        if lines := self.faults.take('flood'):
            self._link.spawn(self._flood(min(int(lines), FLOOD_LIMIT)))
        return text

    async def _run_session(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        """Reply to commands, each LF ... CR."""
        try:
            while True:
                command = (await reader.readuntil(b'\r')).strip(b'\r\n').decode('latin-1')
                self._stop_repeating()
                if command == 'R':
                    self._repeat = self._link.spawn(self._send_repeatedly())
                else:
                    await self._send(await self._reply(command))
        finally:
            self._stop_repeating()

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    async def _reply(self, command: str) -> bytes:
        if command not in ('W', 'P') or self.indicator.print_format != 'sma':
            return self.indicator.reply(command, self._now())
        settled = command == 'W' or await self._wait_settled()
        return line_of(self.indicator, self._now(), self.faults, settled=settled)

    async def _wait_settled(self) -> bool:
        """Wait for a stable weight with a timeout; return True if it is stable."""
        deadline = self._now() + SETTLE_LIMIT_S
        while (moving := self.indicator.platform.moving(self._now())) and self._now() < deadline:
            await asyncio.sleep(0.02)
        return not moving

    async def _send_repeatedly(self) -> None:
        while await self._send(line_of(self.indicator, self._now(), self.faults)):
            await asyncio.sleep(REPEAT_S)

    async def _stream(self) -> None:
        due = self._now()
        while True:
            # Absolute due times keep the rate in spite of slow sends; after a stall no burst makes
            # up for it.
            due = max(due + 1 / self.stream_rate, self._now())
            await asyncio.sleep(due - self._now())
            await self._send(line_of(self.indicator, self._now(), self.faults))

    async def _send(self, line: bytes) -> bool:
        """Send a line with its pending faults; return True if it was sent completely."""
        if seconds := self.faults.take('cut'):
            await self._write([line[: len(line) // 2]])
            self._link.disconnect_for(seconds)
            return False
        return await self._write(self._corruptor.chunks(line))

    async def _write(self, chunks: list[bytes]) -> bool:
        # A half-open connection: the indicator believes that its lines are sent.
        if self._now() < self._delayed_until:
            self._delayed += chunks
            return True
        with contextlib.suppress(OSError):
            for number, chunk in enumerate(chunks):
                if number:
                    await asyncio.sleep(CHUNK_PAUSE_S)
                if not self._link.send(chunk):
                    return False
            if self._link.writer is not None:
                await self._link.writer.drain()
                return True
        return False

    async def _deliver_delayed(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._delayed_until, delayed, self._delayed = 0.0, self._delayed, []
        await self._write([b''.join(delayed)])

    async def _flood(self, lines: int) -> None:
        for _ in range(lines):
            if not await self._write([line_of(self.indicator, self._now(), self.faults)]):
                return

    async def _second_client(self, lines: int) -> None:
        """Connect as another indicator that was set up with the same id."""
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(self._host, self._port, local_addr=local_address(self._source))
            self._link.track(writer)
            for _ in range(lines):
                writer.write(self.indicator.print_line(self._now()))
                await writer.drain()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
