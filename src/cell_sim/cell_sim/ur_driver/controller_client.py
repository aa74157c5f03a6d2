"""Connections of the simulated driver to the controller: RTDE for state and targets, the secondary port for its program."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from cell_common.timeouts import with_timeout
from cell_robot.protocols.rtde import (
    PacketSplitter,
    PacketType,
    RtdeError,
    RtdePacket,
    RtdeRecipe,
    RtdeValue,
    inputs_request,
    outputs_request,
    parse_accepted,
    parse_rtde_recipe,
    start_request,
    version_request,
)

from cell_sim.ur_controller.external_control import DOUBLE, INT, SCRIPT
from cell_sim.ur_driver.follower import DriverData

RTDE_PORT, SCRIPT_PORT = 30004, 30002
READ_SIZE = 65536
GREETING_SIZE = 79
"""Bytes that the secondary port sends first: version and safety mode."""
# A quarter of the controller's rate: enough for a simulated driver, and cheap.
FREQUENCY = 125.0
CONNECT_TIMEOUT_S, DATA_TIMEOUT_S, RECONNECT_S = 2.0, 2.0, 0.3
OUTPUTS = (
    'timestamp',
    'actual_q',
    'actual_qd',
    'robot_mode',
    'safety_mode',
    'runtime_state',
    'speed_scaling',
    'actual_digital_input_bits',
    'actual_digital_output_bits',
    f'output_int_register_{INT}',
    'actual_TCP_pose',
)
"""RTDE names of the fields of DriverData, in their order."""
CONTROL = (f'input_int_register_{INT}', *(f'input_double_register_{DOUBLE + number}' for number in range(6)))
IO = (
    'standard_digital_output_mask',
    'standard_digital_output',
    'configurable_digital_output_mask',
    'configurable_digital_output',
    'tool_digital_output_mask',
    'tool_digital_output',
)
BANKS = ((0, 8, 'standard'), (8, 16, 'configurable'), (16, 18, 'tool'))


class ControllerClient:
    """RTDE client of the controller that reconnects.

    Create and use it in one event loop. Callbacks are called in that loop and must not block:
    `on_data` is part of a 125 Hz control loop.
    """

    def __init__(
        self,
        address: str,
        *,
        on_data: Callable[[DriverData], tuple[int, tuple[float, ...]]],
        on_connect: Callable[[], None],
        on_disconnect: Callable[[str], None],
    ) -> None:
        """Store the callbacks; `run` connects.

        Args:
            address: Address of the controller.
            on_data: Processes a data package and returns command and joint targets for the program.
            on_connect: Called after each successful connection.
            on_disconnect: Called with the cause after each loss of the connection or failed attempt.
        """
        self._address, self._on_data = address, on_data
        self._on_connect, self._on_disconnect = on_connect, on_disconnect
        self._writer: asyncio.StreamWriter | None = None
        self._io: RtdeRecipe | None = None

    async def run(self) -> None:
        """Keep a connection until canceled.

        A connection without data for 2 s counts as lost. Every loss ends in `on_disconnect` and a
        new attempt after 0.3 s.
        """
        while True:
            try:
                await self._run_session()
            except (OSError, RtdeError, asyncio.TimeoutError) as error:
                self._on_disconnect(str(error) or f'no data for {DATA_TIMEOUT_S:g} s')
            await asyncio.sleep(RECONNECT_S)

    def set_output(self, pin: int, on: bool) -> bool:
        """Set a digital output; return False without a connection or for an unknown pin.

        Args:
            pin: 0-7 standard, 8-15 configurable, 16-17 tool.
            on: New state.
        """
        bank = next(((first, name) for first, end, name in BANKS if first <= pin < end), None)
        if self._writer is None or self._io is None or bank is None:
            return False
        first, name = bank
        values: dict[str, RtdeValue] = dict.fromkeys(IO, 0)
        values[f'{name}_digital_output_mask'] = 1 << pin - first
        values[f'{name}_digital_output'] = int(on) << pin - first
        self._writer.write(self._io.pack(values))
        return True

    async def send_program(self) -> None:
        """Send the program that follows the targets.

        Raises:
            OSError: The controller refuses the connection.
            asyncio.TimeoutError: The controller does not respond.
        """
        reader, writer = await with_timeout(asyncio.open_connection(self._address, SCRIPT_PORT), CONNECT_TIMEOUT_S)
        try:
            # The controller is ready for a program once its greeting has arrived.
            await with_timeout(reader.read(GREETING_SIZE), CONNECT_TIMEOUT_S)
            writer.write(SCRIPT.encode())
            await writer.drain()
            # Closing at once could discard the program with the reset that follows unread state
            # frames.
            await asyncio.sleep(0.05)
        finally:
            writer.close()

    async def _run_session(self) -> None:
        """Connect, agree on recipes, and pass data packages on until the connection ends."""
        reader, writer = await with_timeout(asyncio.open_connection(self._address, RTDE_PORT), CONNECT_TIMEOUT_S)
        frames = _FrameReader(reader)
        try:
            await frames.request(writer, version_request(), PacketType.VERSION)
            outputs = parse_rtde_recipe(
                await frames.request(writer, outputs_request(FREQUENCY, OUTPUTS), PacketType.OUTPUTS), OUTPUTS
            )
            control = parse_rtde_recipe(await frames.request(writer, inputs_request(CONTROL), PacketType.INPUTS), CONTROL)
            self._io = parse_rtde_recipe(await frames.request(writer, inputs_request(IO), PacketType.INPUTS), IO)
            if not parse_accepted(await frames.request(writer, start_request(), PacketType.START)):
                raise RtdeError('the controller refused to start the data packages')
            self._writer = writer
            self._on_connect()
            while True:
                frame = await frames.next()
                if frame.kind == PacketType.DATA:
                    command, targets = self._on_data(_driver_data(outputs.unpack(frame.payload)))
                    writer.write(control.pack(_control(command, targets)))
        finally:
            self._writer = None
            with contextlib.suppress(OSError):
                writer.transport.abort()


class _FrameReader:
    """Reads one frame after the other from a connection."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader, self._splitter = reader, PacketSplitter()
        self._queue: list[RtdePacket] = []

    async def next(self) -> RtdePacket:
        """Return the next frame.

        Raises:
            ConnectionError: The controller closed the connection.
            asyncio.TimeoutError: No data within DATA_TIMEOUT_S.
        """
        while not self._queue:
            data = await with_timeout(self._reader.read(READ_SIZE), DATA_TIMEOUT_S)
            if not data:
                raise ConnectionError('the controller closed the connection')
            self._queue = self._splitter.feed(data)
        return self._queue.pop(0)

    async def request(self, writer: asyncio.StreamWriter, request: bytes, kind: PacketType) -> bytes:
        """Send a request and return the payload of its reply."""
        writer.write(request)
        # Text messages may come between a request and its reply.
        while (frame := await self.next()).kind != kind:
            pass
        return frame.payload


def _driver_data(values: Mapping[str, RtdeValue]) -> DriverData:
    fields = cast(Any, tuple(values[name] for name in OUTPUTS))  # the recipe's types match the fields
    return DriverData(*fields)


def _control(command: int, targets: tuple[float, ...]) -> Mapping[str, RtdeValue]:
    return dict(zip(CONTROL, (command, *targets), strict=True))
