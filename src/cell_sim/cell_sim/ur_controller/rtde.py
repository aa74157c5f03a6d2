"""The controller's side of RTDE: one session for each connection, and who owns which input."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cell_robot.protocols.rtde.codec import PROTOCOL, Kind, Level, Recipe
from cell_robot.protocols.rtde.framing import Frame, RtdeError, frame

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.variables import INPUTS, OUTPUTS

MAX_FREQUENCY = 500.0
MAX_INPUT_RECIPES = 255
NOT_FOUND, IN_USE = 'NOT_FOUND', 'IN_USE'


class Ownership:
    """Which session writes which input; nobody else may until its connection ends."""

    def __init__(self) -> None:
        """Begin with nothing owned."""
        self._owners: dict[str, object] = {}

    def free(self, name: str, session: object) -> bool:
        """Return whether a session may claim an input."""
        return self._owners.get(name, session) is session

    def claim(self, names: Sequence[str], session: object) -> None:
        """Give inputs that are free to a session."""
        self._owners.update(dict.fromkeys(names, session))

    def release(self, session: object) -> None:
        """Take back what a session owns."""
        self._owners = {name: owner for name, owner in self._owners.items() if owner is not session}


class RtdeSession:
    """One client's connection."""

    def __init__(self, controller: Controller, ownership: Ownership) -> None:
        """Begin with nothing agreed upon."""
        self._controller, self._ownership = controller, ownership
        self._inputs: list[Recipe] = []
        self._outputs: Recipe | None = None
        self._period, self._due = 1.0 / MAX_FREQUENCY, 0.0
        self.started = False
        self.skipped = 0
        """Packages that were due while nobody could take them."""

    def handle(self, request: Frame, now: float) -> bytes:
        """Return the answer to a frame; a data package has none.

        Raises:
            RtdeError: The frame makes no sense; a controller closes the connection.
        """
        kind, payload = request.kind, request.payload
        if kind == Kind.DATA:
            self._take(payload)
            return b''
        if kind == Kind.OUTPUTS:
            return self._agree_outputs(payload, now)
        if kind == Kind.INPUTS:
            return self._agree_inputs(payload)
        return self._answer(kind, payload, now)

    def due(self, now: float) -> bytes:
        """Return the data package that is due, b'' when none is."""
        if not self.started or self._outputs is None or now < self._due:
            return b''
        behind = int((now - self._due) / self._period)
        self.skipped += behind
        self._due += (behind + 1) * self._period
        return self._outputs.pack({name: OUTPUTS[name][1](self._controller) for name in self._outputs.names})

    def close(self) -> None:
        """Give back the inputs: the connection has ended."""
        self.started = False
        self._ownership.release(self)

    def _answer(self, kind: int, payload: bytes, now: float) -> bytes:
        if kind == Kind.VERSION:
            return frame(kind, bytes([payload == struct.pack('>H', PROTOCOL)]))
        if kind == Kind.CONTROLLER_VERSION:
            version = self._controller.version
            return frame(kind, struct.pack('>IIII', version.major, version.minor, version.bugfix, version.build))
        if kind in (Kind.START, Kind.PAUSE):
            possible = kind == Kind.PAUSE or self._outputs is not None
            self.started, self._due = possible and kind == Kind.START, now
            return frame(kind, bytes([possible]))
        return message(f'unknown kind of package {kind}', Level.ERROR)

    def _take(self, payload: bytes) -> None:
        if not payload or not 0 < payload[0] <= len(self._inputs):
            raise RtdeError('a data package of an input recipe that does not exist')
        self._controller.registers.write(self._inputs[payload[0] - 1].unpack(payload))

    def _agree_outputs(self, payload: bytes, now: float) -> bytes:
        if len(payload) < 8:
            raise RtdeError('an output request without a frequency')
        (frequency,) = struct.unpack_from('>d', payload)
        names = _names(payload[8:])
        types = [OUTPUTS[name][0] if name in OUTPUTS else NOT_FOUND for name in names]
        if not 0.0 < frequency <= MAX_FREQUENCY or NOT_FOUND in types or not names:
            return _agreed(Kind.OUTPUTS, 0, types)
        self._outputs, self._period, self._due = Recipe(1, names, tuple(types)), 1.0 / frequency, now
        return _agreed(Kind.OUTPUTS, 1, types)

    def _agree_inputs(self, payload: bytes) -> bytes:
        names = _names(payload)
        types = [self._input_type(name) for name in names]
        if not names or NOT_FOUND in types or IN_USE in types or len(self._inputs) >= MAX_INPUT_RECIPES:
            return _agreed(Kind.INPUTS, 0, types)
        self._ownership.claim(names, self)
        self._inputs.append(Recipe(len(self._inputs) + 1, names, tuple(types)))
        return _agreed(Kind.INPUTS, len(self._inputs), types)

    def _input_type(self, name: str) -> str:
        if name not in INPUTS:
            return NOT_FOUND
        return INPUTS[name] if self._ownership.free(name, self) else IN_USE


def message(text: str, level: Level) -> bytes:
    """Return a text message of the controller (at most 255 bytes of text)."""
    data = text.encode()[:255]
    return frame(Kind.TEXT, bytes([len(data)]) + data + b'\x04RTDE' + bytes([level]))


def _names(data: bytes) -> tuple[str, ...]:
    """Return the names of a list; clients end it with a comma or do not."""
    return tuple(name for name in data.decode('ascii', 'replace').split(',') if name)


def _agreed(kind: Kind, number: int, types: Sequence[str]) -> bytes:
    return frame(kind, bytes([number]) + ','.join(types).encode())
