"""Readings, and the list of scales, as the bytes that ROS messages of them have on the wire. No ROS.

rclpy serialises a message by asking each field's Python property for its value: 20 us for a ScaleReading, three times what all
else costs of publishing it. `Publisher.publish` takes these bytes instead.

Source: OMG DDSI-RTPS 2.5, 10.2 (header, plain CDR, little endian) and CORBA 3.4 part 2, 9.3: a value of n bytes begins at a
multiple of n behind the header, a string is its length with the final NUL, its bytes, and the NUL.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from struct import Struct

from cell_weighing.bridge.scale_registry import ScaleEntry
from cell_weighing.domain.reading import WeightReading, printable

SECOND_NS = 1_000_000_000
_HEADER = b'\x00\x01\x00\x00'
_LENGTH = Struct('<I')
_NUMBERS = Struct('<QiI')
_LIST = Struct('<iIH2xI')
_TIME = Struct('<iI')
_COUNTS = Struct('<QQ')
_PADDING = (b'', b'\0\0\0', b'\0\0', b'\0')


def encode_reading(reading: WeightReading) -> bytes:
    """Return the bytes of cell_interfaces/ScaleReading, field by field in its order."""
    start = _padded(_string(reading.reading_id)) + _aligned(reading.scale_id)
    if len(start) % 8:
        start += b'\0\0\0\0'
    times = divmod(reading.received_ns, SECOND_NS)
    raw = _string(printable(reading.raw)) + bytes((reading.status,))
    unit = _string(reading.unit) + bytes((reading.stability, reading.mode))
    return b''.join(
        (
            _HEADER,
            start,
            _NUMBERS.pack(reading.sequence, *times),
            _padded(raw),
            _aligned(reading.weight),
            _padded(unit),
            _aligned(reading.tare),
            _string(reading.message),
        )
    )


def encode_scale_list(stamp_ns: int, port: int, entries: Iterable[ScaleEntry]) -> bytes:
    """Return the bytes of cell_interfaces/ScaleList, each scale a cell_interfaces/ScaleState."""
    entries = list(entries)
    out = bytearray(_LIST.pack(*divmod(stamp_ns, SECOND_NS), port, len(entries)))
    for entry in entries:
        out += _aligned(entry.scale_id) + _padded(_string(entry.peer) + bytes((bool(entry.peer),)))
        out += _TIME.pack(*divmod(entry.last_heard_ns, SECOND_NS))
        out += bytes(len(out) % 8) + _COUNTS.pack(entry.readings, entry.malformed)
        out += _aligned(entry.last_weight) + _aligned(entry.last_unit)
    return _HEADER + out


def _string(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data) + 1) + data + b'\0'


def _padded(data: bytes) -> bytes:
    return data + _PADDING[len(data) % 4]


@lru_cache(maxsize=10_000)
def _aligned(text: str) -> bytes:
    """Return a string with what is to stand behind it; for those that come again and again."""
    return _padded(_string(text))
