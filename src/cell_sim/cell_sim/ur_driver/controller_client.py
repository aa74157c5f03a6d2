"""The simulated driver's connections to the controller: state and targets over RTDE, its program over the secondary port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from cell_robot.protocols.rtde import codec
from cell_robot.protocols.rtde.codec import Kind, Recipe, Value
from cell_robot.protocols.rtde.framing import Frame, FrameSplitter, RtdeError

from cell_sim.ur_controller.external_control import DOUBLE, INT, SCRIPT

RTDE_PORT, SCRIPT_PORT = 30004, 30002
READ_SIZE = 65536
FREQUENCY = 125.0
CONNECT_S, SILENCE_S, PAUSE_S = 2.0, 2.0, 0.3
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
)
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

Values = dict[str, Value]


class ControllerClient:
    """Keeps a connection to the controller."""

    def __init__(
        self, address: str, cycle: Callable[[Values], tuple[int, tuple[float, ...]]], lost: Callable[[str], None]
    ) -> None:
        """Be ready to `run`.

        Args:
            address: The controller's.
            cycle: Takes a data package and returns what the program is told: command and joint targets.
            lost: Hears why there is no connection.
        """
        self._address, self._cycle, self._lost = address, cycle, lost
        self._writer: asyncio.StreamWriter | None = None
        self._io: Recipe | None = None

    async def run(self, began: Callable[[], Any]) -> None:
        """Connect again and again, until cancelled; `began` is called after each time that it worked."""
        while True:
            try:
                await self._once(began)
            except (OSError, RtdeError, asyncio.TimeoutError) as problem:
                self._lost(str(problem) or 'no data comes')
            await asyncio.sleep(PAUSE_S)

    def set_output(self, pin: int, on: bool) -> bool:
        """Switch a digital output; return whether there is a connection and such a pin."""
        bank = next(((first, name) for first, end, name in BANKS if first <= pin < end), None)
        if self._writer is None or self._io is None or bank is None:
            return False
        first, name = bank
        values: dict[str, Value] = dict.fromkeys(IO, 0)
        values[f'{name}_digital_output_mask'] = 1 << pin - first
        values[f'{name}_digital_output'] = int(on) << pin - first
        self._writer.write(self._io.pack(values))
        return True

    async def send_program(self) -> None:
        """Send the program that follows the targets.

        Raises:
            OSError: The controller does not take it.
        """
        reader, writer = await asyncio.wait_for(asyncio.open_connection(self._address, SCRIPT_PORT), CONNECT_S)
        try:
            await asyncio.wait_for(reader.read(79), CONNECT_S)
            writer.write(SCRIPT.encode())
            await writer.drain()
            await asyncio.sleep(0.05)
        finally:
            writer.close()

    async def _once(self, began: Callable[[], Any]) -> None:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(self._address, RTDE_PORT), CONNECT_S)
        frames = _Frames(reader)
        try:
            await frames.answer(writer, codec.ask_version(), Kind.VERSION)
            outputs = codec.recipe(await frames.answer(writer, codec.ask_outputs(FREQUENCY, OUTPUTS), Kind.OUTPUTS), OUTPUTS)
            control = codec.recipe(await frames.answer(writer, codec.ask_inputs(CONTROL), Kind.INPUTS), CONTROL)
            self._io = codec.recipe(await frames.answer(writer, codec.ask_inputs(IO), Kind.INPUTS), IO)
            if not codec.accepted(await frames.answer(writer, codec.ask_start(), Kind.START)):
                raise RtdeError('the controller sends no data')
            self._writer = writer
            began()
            while True:
                frame = await frames.next()
                if frame.kind == Kind.DATA:
                    command, targets = self._cycle(outputs.unpack(frame.payload))
                    writer.write(control.pack(_control(command, targets)))
        finally:
            self._writer = None
            with contextlib.suppress(OSError):
                writer.transport.abort()


class _Frames:
    """Frames of a connection, one at a time."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader, self._splitter = reader, FrameSplitter()
        self._waiting: list[Frame] = []

    async def next(self) -> Frame:
        """Return the next frame; raises OSError when there is none, asyncio.TimeoutError when it does not come."""
        while not self._waiting:
            data = await asyncio.wait_for(self._reader.read(READ_SIZE), SILENCE_S)
            if not data:
                raise ConnectionError('the controller closed the connection')
            self._waiting = self._splitter.feed(data)
        return self._waiting.pop(0)

    async def answer(self, writer: asyncio.StreamWriter, request: bytes, kind: Kind) -> bytes:
        """Send a request and return the payload of its answer."""
        writer.write(request)
        while (frame := await self.next()).kind != kind:
            pass
        return frame.payload


def _control(command: int, targets: tuple[float, ...]) -> Mapping[str, Value]:
    return dict(zip(CONTROL, (command, *targets), strict=True))
