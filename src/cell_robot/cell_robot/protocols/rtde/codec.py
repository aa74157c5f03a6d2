"""Requests and answers of RTDE as bytes.

Pure: no ROS, sockets, files or clock.

Layouts by the "Real-Time Data Exchange (RTDE) Guide", protocol version 2: requests and answers have the same packet type,
numbers are big-endian, lists of names and types are separated by commas.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from cell_robot.protocols.rtde.framing import RtdeError, encode_packet

# Version 1 knows no output frequency.
PROTOCOL_VERSION = 2
MAX_NAMES = 2048
"""Bytes of a list of variable names."""
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
"""Type -> (struct code of one element, number of elements)."""
REFUSALS = {'NOT_FOUND': 'the controller does not know it', 'IN_USE': 'another client owns it'}

RtdeValue = bool | int | float | tuple[int, ...] | tuple[float, ...]


class PacketType(enum.IntEnum):
    """Packet types: ASCII letters."""

    VERSION = ord('V')
    CONTROLLER_VERSION = ord('v')
    TEXT = ord('M')
    OUTPUTS = ord('O')
    INPUTS = ord('I')
    START = ord('S')
    PAUSE = ord('P')
    DATA = ord('U')


class MessageLevel(enum.IntEnum):
    """Severity of a text message."""

    EXCEPTION = 0
    ERROR = 1
    WARNING = 2
    INFO = 3


@dataclass(frozen=True)
class TextMessage:
    """Text message of the controller."""

    text: str
    source: str
    level: int
    """A value of MessageLevel, or an unknown one."""


@dataclass(frozen=True)
class RtdeRecipe:
    """Ordered list of variables that travel in one data package."""

    number: int
    """Recipe id given by the controller, 1..255."""
    names: tuple[str, ...]
    types: tuple[str, ...]
    """Keys of TYPES."""
    _layout: struct.Struct = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the layout: one byte for the recipe id, then the values without padding."""
        codes = ''.join(f'{count}{code}' for code, count in map(TYPES.__getitem__, self.types))
        object.__setattr__(self, '_layout', struct.Struct('>B' + codes))

    def unpack(self, payload: bytes) -> dict[str, RtdeValue]:
        """Return the values of a data package by name.

        Raises:
            RtdeError: The package does not belong to this recipe.
        """
        if len(payload) != self._layout.size or payload[0] != self.number:
            raise RtdeError(f'a package of {len(payload)} bytes is not of recipe {self.number} ({self._layout.size} bytes)')
        values = iter(self._layout.unpack(payload)[1:])
        result: dict[str, RtdeValue] = {}
        for name, kind in zip(self.names, self.types, strict=True):
            count = TYPES[kind][1]
            result[name] = next(values) if count == 1 else tuple(islice(values, count))
        return result

    def pack(self, values: Mapping[str, RtdeValue]) -> bytes:
        """Return the bytes of a data packet; `values` must hold every name of the recipe.

        Raises:
            RtdeError: A value is missing or does not fit its type.
        """
        flat: list[RtdeValue] = []
        for name in self.names:
            if name not in values:
                raise RtdeError(f'no value for {name}')
            value = values[name]
            flat += value if isinstance(value, tuple) else (value,)
        try:
            return encode_packet(PacketType.DATA, self._layout.pack(self.number, *flat))
        except struct.error as error:
            raise RtdeError(f'values of recipe {self.number} do not fit their types: {error}') from error


def version_request() -> bytes:
    """Return the request for protocol version 2."""
    return encode_packet(PacketType.VERSION, struct.pack('>H', PROTOCOL_VERSION))


def controller_version_request() -> bytes:
    """Return the request for the version of the controller."""
    return encode_packet(PacketType.CONTROLLER_VERSION)


def outputs_request(frequency: float, names: Sequence[str]) -> bytes:
    """Return the request for output variables: the rate as a big-endian double, then the names with commas.

    Args:
        frequency: Packages per second: 1..500 on the e-Series, 1..125 on a CB3.
        names: RTDE output names, in the order of the values.

    Raises:
        RtdeError: The list of names is empty or too long.
    """
    return encode_packet(PacketType.OUTPUTS, struct.pack('>d', frequency) + _encode_names(names))


def inputs_request(names: Sequence[str]) -> bytes:
    """Return the request to own input variables that this client is going to write.

    An input has one owner: the answer is IN_USE for one of another client. Ownership ends with the connection.

    Raises:
        RtdeError: The list of names is empty or too long.
    """
    return encode_packet(PacketType.INPUTS, _encode_names(names))


def start_request() -> bytes:
    """Return the request to start the data packages."""
    return encode_packet(PacketType.START)


def pause_request() -> bytes:
    """Return the request to stop the data packages."""
    return encode_packet(PacketType.PAUSE)


def parse_accepted(payload: bytes) -> bool:
    """Return whether the controller accepted a version, start or pause request.

    Raises:
        RtdeError: The answer has the wrong length.
    """
    return bool(_unpack('>B', payload, 'an answer')[0])


def parse_controller_version(payload: bytes) -> tuple[int, int, int, int]:
    """Return major, minor, bugfix and build number.

    Raises:
        RtdeError: The answer has the wrong length.
    """
    major, minor, bugfix, build = _unpack('>IIII', payload, 'the version')
    return major, minor, bugfix, build


def parse_rtde_recipe(payload: bytes, names: Sequence[str]) -> RtdeRecipe:
    """Return the recipe that the controller made from an outputs or inputs request for `names`.

    Args:
        payload: Answer of version 2: recipe id, 0 = failed, then the types.
        names: The requested names, in order.

    Raises:
        RtdeError: The controller refused; the text names each variable and the reason.
    """
    types = parse_types(payload, names)
    refused = [
        f'{name}: {REFUSALS.get(kind, f"unknown type {kind}")}'
        for name, kind in zip(names, types, strict=True)
        if kind not in TYPES
    ]
    if refused:
        raise RtdeError('the controller refused ' + '; '.join(refused))
    # All types are known and the recipe is still refused, e.g. for the frequency.
    if payload[0] == 0:
        raise RtdeError('the controller refused the list of variables: ' + ', '.join(names))
    return RtdeRecipe(payload[0], tuple(names), tuple(types))


def parse_types(payload: bytes, names: Sequence[str]) -> list[str]:
    """Return the answer for each variable of an outputs or inputs request: its type, NOT_FOUND or IN_USE.

    Args:
        payload: Answer of version 2.
        names: The requested names; only their number is used.

    Raises:
        RtdeError: The answer does not fit the request.
    """
    if not payload:
        raise RtdeError('the answer to a list of variables is empty')
    types = [kind.strip() for kind in payload[1:].decode('ascii', 'replace').rstrip(',').split(',')]
    if len(types) != len(names):
        raise RtdeError(f'the controller answered {len(types)} types to {len(names)} variables')
    return types


def parse_text(payload: bytes) -> TextMessage:
    """Return a text message.

    Layout of version 2: length, message, length, source, level; each length and the level are one byte.

    Raises:
        RtdeError: Its lengths do not fit.
    """
    message, rest = _split_text(payload)
    source, rest = _split_text(rest)
    if len(rest) != 1:
        raise RtdeError('a text message has the wrong length')
    return TextMessage(message, source, rest[0])


def _split_text(data: bytes) -> tuple[str, bytes]:
    """Return a text with a length byte in front, and the remaining bytes.

    Raises:
        RtdeError: The data end within the text.
    """
    if not data or len(data) < 1 + data[0]:
        raise RtdeError('a text message is cut off')
    return data[1 : 1 + data[0]].decode('utf-8', 'replace'), data[1 + data[0] :]


def _encode_names(names: Sequence[str]) -> bytes:
    """Return names joined by commas, ASCII.

    Raises:
        RtdeError: No name, or more than MAX_NAMES bytes.
    """
    data = ','.join(names).encode('ascii')
    if not names or len(data) > MAX_NAMES:
        raise RtdeError(f'a list of variables must be 1 to {MAX_NAMES} bytes long; it is {len(data)}')
    return data


def _unpack(layout: str, payload: bytes, name: str) -> tuple[int, ...]:
    """Return the numbers of a payload of fixed length; `layout` is that of `struct`, `name` is for the error.

    Raises:
        RtdeError: The payload has another length.
    """
    if len(payload) != struct.calcsize(layout):
        raise RtdeError(f'{name} is {len(payload)} bytes long')
    return struct.unpack(layout, payload)
