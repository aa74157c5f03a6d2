"""What RTDE frames say."""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from cell_robot.protocols.rtde.framing import RtdeError, frame

PROTOCOL = 2
MAX_NAMES = 2048
"""Bytes of a list of names."""
TYPES: Mapping[str, tuple[str, int]] = {
    'BOOL': ('?', 1),
    'UINT8': ('B', 1),
    'UINT32': ('I', 1),
    'UINT64': ('Q', 1),
    'INT32': ('i', 1),
    'DOUBLE': ('d', 1),
    'VECTOR3D': ('d', 3),
    'VECTOR6D': ('d', 6),
    'VECTOR6INT32': ('i', 6),
    'VECTOR6UINT32': ('I', 6),
}
"""Type -> (struct code of one element, elements)."""
REFUSALS = {'NOT_FOUND': 'the controller does not know it', 'IN_USE': 'another client owns it'}

Value = bool | int | float | tuple[int, ...] | tuple[float, ...]


class Kind(enum.IntEnum):
    """Kinds of frames: ASCII letters."""

    VERSION = ord('V')
    CONTROLLER_VERSION = ord('v')
    TEXT = ord('M')
    OUTPUTS = ord('O')
    INPUTS = ord('I')
    START = ord('S')
    PAUSE = ord('P')
    DATA = ord('U')


class Level(enum.IntEnum):
    """How bad a text message of the controller is."""

    EXCEPTION = 0
    ERROR = 1
    WARNING = 2
    INFO = 3


@dataclass(frozen=True)
class Text:
    """A text message of the controller."""

    text: str
    source: str
    level: int
    """A value of Level, or one that is not known."""


@dataclass(frozen=True)
class Recipe:
    """A list of variables that travel together."""

    number: int
    """Recipe id given by the controller, 1..255."""
    names: tuple[str, ...]
    types: tuple[str, ...]
    """Keys of TYPES."""
    _layout: struct.Struct = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the layout: a byte for the id, then the values without padding."""
        codes = ''.join(f'{count}{code}' for code, count in map(TYPES.__getitem__, self.types))
        object.__setattr__(self, '_layout', struct.Struct('>B' + codes))

    def unpack(self, payload: bytes) -> dict[str, Value]:
        """Return the values of a data package by name.

        Raises:
            RtdeError: The package is not of this recipe.
        """
        if len(payload) != self._layout.size or payload[0] != self.number:
            raise RtdeError(f'a package of {len(payload)} bytes is not of recipe {self.number} ({self._layout.size} bytes)')
        values = iter(self._layout.unpack(payload)[1:])
        result: dict[str, Value] = {}
        for name, kind in zip(self.names, self.types, strict=True):
            count = TYPES[kind][1]
            result[name] = next(values) if count == 1 else tuple(islice(values, count))
        return result

    def pack(self, values: Mapping[str, Value]) -> bytes:
        """Return the bytes of a data package; `values` must hold every name of the recipe.

        Raises:
            RtdeError: A value is missing or does not fit its type.
        """
        flat: list[Value] = []
        for name in self.names:
            if name not in values:
                raise RtdeError(f'no value for {name}')
            value = values[name]
            flat += value if isinstance(value, tuple) else (value,)
        try:
            return frame(Kind.DATA, self._layout.pack(self.number, *flat))
        except struct.error as problem:
            raise RtdeError(f'values of recipe {self.number} do not fit their types: {problem}') from problem


def ask_version() -> bytes:
    """Return the request for protocol version 2."""
    return frame(Kind.VERSION, struct.pack('>H', PROTOCOL))


def ask_controller_version() -> bytes:
    """Return the request for the controller's version."""
    return frame(Kind.CONTROLLER_VERSION)


def ask_outputs(frequency: float, names: Sequence[str]) -> bytes:
    """Return the request for variables of the controller at so many packages a second (1..500 on the e-Series)."""
    return frame(Kind.OUTPUTS, struct.pack('>d', frequency) + _names(names))


def ask_inputs(names: Sequence[str]) -> bytes:
    """Return the request to own variables that this client is going to write."""
    return frame(Kind.INPUTS, _names(names))


def ask_start() -> bytes:
    """Return the request to start the packages."""
    return frame(Kind.START)


def ask_pause() -> bytes:
    """Return the request to stop the packages."""
    return frame(Kind.PAUSE)


def accepted(payload: bytes) -> bool:
    """Return what the answer to a version, start or pause request says.

    Raises:
        RtdeError: The answer has the wrong length.
    """
    return bool(_unpack('>B', payload, 'an answer')[0])


def controller_version(payload: bytes) -> tuple[int, int, int, int]:
    """Return major, minor, bugfix and build.

    Raises:
        RtdeError: The answer has the wrong length.
    """
    major, minor, bugfix, build = _unpack('>IIII', payload, 'the version')
    return major, minor, bugfix, build


def recipe(payload: bytes, names: Sequence[str]) -> Recipe:
    """Return the recipe that the controller made of an outputs or inputs request for `names`.

    Raises:
        RtdeError: It refused; the text names each variable and why.
    """
    if not payload:
        raise RtdeError('the answer to a list of variables is empty')
    types = payload[1:].decode('ascii', 'replace').rstrip(',').split(',')
    if len(types) != len(names):
        raise RtdeError(f'the controller answered {len(types)} types to {len(names)} variables')
    refused = [
        f'{name}: {REFUSALS.get(kind, f"unknown type {kind}")}'
        for name, kind in zip(names, types, strict=True)
        if kind not in TYPES
    ]
    if refused:
        raise RtdeError('the controller refused ' + '; '.join(refused))
    if payload[0] == 0:
        raise RtdeError('the controller refused the list of variables: ' + ', '.join(names))
    return Recipe(payload[0], tuple(names), tuple(types))


def text(payload: bytes) -> Text:
    """Return a text message.

    Raises:
        RtdeError: Its lengths do not fit.
    """
    message, rest = _short_text(payload)
    source, rest = _short_text(rest)
    if len(rest) != 1:
        raise RtdeError('a text message has the wrong length')
    return Text(message, source, rest[0])


def _short_text(data: bytes) -> tuple[str, bytes]:
    """Take a text with its length in front; returns the text and what follows it."""
    if not data or len(data) < 1 + data[0]:
        raise RtdeError('a text message is cut off')
    return data[1 : 1 + data[0]].decode('utf-8', 'replace'), data[1 + data[0] :]


def _names(names: Sequence[str]) -> bytes:
    data = ','.join(names).encode('ascii')
    if not names or len(data) > MAX_NAMES:
        raise RtdeError(f'a list of variables must be 1 to {MAX_NAMES} bytes long; it is {len(data)}')
    return data


def _unpack(layout: str, payload: bytes, what: str) -> tuple[int, ...]:
    if len(payload) != struct.calcsize(layout):
        raise RtdeError(f'{what} is {len(payload)} bytes long')
    return struct.unpack(layout, payload)
