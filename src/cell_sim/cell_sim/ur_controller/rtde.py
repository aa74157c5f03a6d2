"""Server side of RTDE: one session for each connection, and the ownership of inputs.

Source: Universal Robots, "Real-Time Data Exchange (RTDE) Guide".

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cell_robot.protocols.rtde import (
    PROTOCOL_VERSION,
    MessageLevel,
    PacketType,
    RtdeError,
    RtdePacket,
    RtdeRecipe,
    encode_packet,
)

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.variables import INPUTS, OUTPUTS

# The e-Series; a CB3 sends at most 125 packages a second.
MAX_FREQUENCY = 500.0
MAX_INPUT_RECIPES = 255
NOT_FOUND, IN_USE = 'NOT_FOUND', 'IN_USE'


class InputOwnership:
    """Owners of the inputs: a session owns its inputs until its connection ends.

    RTDE gives an input to one client only. A second one gets IN_USE, which is how a robot node
    notices a fieldbus or another program on its registers.
    """

    def __init__(self) -> None:
        self._owners: dict[str, object] = {}

    def free(self, name: str, session: object) -> bool:
        """Return True if a session may claim an input."""
        return self._owners.get(name, session) is session

    def claim(self, names: Sequence[str], session: object) -> None:
        """Assign free inputs to a session."""
        self._owners.update(dict.fromkeys(names, session))

    def release(self, session: object) -> None:
        """Free all inputs of a session."""
        self._owners = {name: owner for name, owner in self._owners.items() if owner is not session}


class RtdeSession:
    """RTDE session of one connection.

    Frames come and go as bytes; time is an argument. The order of a client is: version, outputs,
    inputs (once per recipe), start, then data in both directions.

    Attributes:
        started: Whether data packages are sent.
        skipped: Data packages that were due but skipped, because the cycle came late.
    """

    def __init__(self, controller: Controller, ownership: InputOwnership) -> None:
        self._controller, self._ownership = controller, ownership
        self._inputs: list[RtdeRecipe] = []
        self._outputs: RtdeRecipe | None = None
        self._period, self._due = 1.0 / MAX_FREQUENCY, 0.0
        self.started = False
        self.skipped = 0

    def handle(self, request: RtdePacket, now: float) -> bytes:
        """Return the reply to a frame, b'' for a data package.

        Args:
            request: Frame of the client, complete.
            now: Seconds, by the clock of `due`.

        Raises:
            RtdeError: The frame is invalid; close the connection.
        """
        kind, payload = request.kind, request.payload
        if kind == PacketType.DATA:
            self._write_inputs(payload)
            return b''
        if kind == PacketType.OUTPUTS:
            return self._setup_outputs(payload, now)
        if kind == PacketType.INPUTS:
            return self._setup_inputs(payload)
        return self._reply(kind, payload, now)

    def due(self, now: float) -> bytes:
        """Return the data package that is due, b'' if none is.

        At most one is returned: a late cycle skips packages instead of sending a burst, as the real
        controller does.

        Args:
            now: Seconds.
        """
        if not self.started or self._outputs is None or now < self._due:
            return b''
        behind = int((now - self._due) / self._period)
        self.skipped += behind
        # Multiples of the period: the rate does not drift with late cycles.
        self._due += (behind + 1) * self._period
        return self._outputs.pack({name: OUTPUTS[name][1](self._controller) for name in self._outputs.names})

    def close(self) -> None:
        """Free the inputs after the end of the connection."""
        self.started = False
        self._ownership.release(self)

    def _reply(self, kind: int, payload: bytes, now: float) -> bytes:
        if kind == PacketType.VERSION:
            return encode_packet(kind, bytes([payload == struct.pack('>H', PROTOCOL_VERSION)]))
        if kind == PacketType.CONTROLLER_VERSION:
            version = self._controller.version
            return encode_packet(kind, struct.pack('>IIII', version.major, version.minor, version.bugfix, version.build))
        if kind in (PacketType.START, PacketType.PAUSE):
            possible = kind == PacketType.PAUSE or self._outputs is not None
            self.started, self._due = possible and kind == PacketType.START, now
            return encode_packet(kind, bytes([possible]))
        return message(f'unknown package type {kind}', MessageLevel.ERROR)

    def _write_inputs(self, payload: bytes) -> None:
        if not payload or not 0 < payload[0] <= len(self._inputs):
            raise RtdeError('a data package for an unknown input recipe')
        self._controller.registers.write(self._inputs[payload[0] - 1].unpack(payload))

    def _setup_outputs(self, payload: bytes, now: float) -> bytes:
        """Set up the output recipe; a recipe with an unknown variable is refused as a whole."""
        if len(payload) < 8:
            raise RtdeError('an output request without a frequency')
        (frequency,) = struct.unpack_from('>d', payload)
        names = _names(payload[8:])
        types = [OUTPUTS[name][0] if name in OUTPUTS else NOT_FOUND for name in names]
        if not 0.0 < frequency <= MAX_FREQUENCY or NOT_FOUND in types or not names:
            return _setup_reply(PacketType.OUTPUTS, 0, types)
        self._outputs, self._period, self._due = RtdeRecipe(1, names, tuple(types)), 1.0 / frequency, now
        return _setup_reply(PacketType.OUTPUTS, 1, types)

    def _setup_inputs(self, payload: bytes) -> bytes:
        """Set up an input recipe; all its inputs are claimed, or none."""
        names = _names(payload)
        types = [self._input_type(name) for name in names]
        if not names or NOT_FOUND in types or IN_USE in types or len(self._inputs) >= MAX_INPUT_RECIPES:
            return _setup_reply(PacketType.INPUTS, 0, types)
        self._ownership.claim(names, self)
        self._inputs.append(RtdeRecipe(len(self._inputs) + 1, names, tuple(types)))
        return _setup_reply(PacketType.INPUTS, len(self._inputs), types)

    def _input_type(self, name: str) -> str:
        if name not in INPUTS:
            return NOT_FOUND
        return INPUTS[name] if self._ownership.free(name, self) else IN_USE


def message(text: str, level: MessageLevel) -> bytes:
    """Return a text message frame; the text is cut at 255 bytes.

    Args:
        text: Message; its length field has one byte.
        level: Exception, error, warning or info.
    """
    data = text.encode()[:255]
    return encode_packet(PacketType.TEXT, bytes([len(data)]) + data + b'\x04RTDE' + bytes([level]))


def _names(data: bytes) -> tuple[str, ...]:
    """Return the names of a comma-separated list; a trailing comma is allowed."""
    return tuple(name for name in data.decode('ascii', 'replace').split(',') if name)


def _setup_reply(kind: PacketType, number: int, types: Sequence[str]) -> bytes:
    return encode_packet(kind, bytes([number]) + ','.join(types).encode())
