"""CDR encoding of readings and of the list of scales, as ROS sends them.

`Publisher.publish` accepts these bytes instead of a message. rclpy serializes a message by reading the Python property of each
field: 20 us for a ScaleReading, three times the rest of the publication.

Source: OMG DDSI-RTPS 2.5, 10.2 (header, plain CDR, little endian) and CORBA 3.4 part 2, 9.3: a value of n bytes begins at a
multiple of n behind the header; a string is its length with the final NUL, its bytes, and the NUL.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from struct import Struct

from cell_common.time import NS_PER_S

from cell_weighing.bridge.scale_registry import ScaleEntry
from cell_weighing.domain.reading import WeightReading, printable

_HEADER = b'\x00\x01\x00\x00'
_LENGTH = Struct('<I')
_NUMBERS = Struct('<QiI')
_LIST = Struct('<iIH2xI')
_TIME = Struct('<iI')
_COUNTS = Struct('<QQ')
_PADDING = (b'', b'\0\0\0', b'\0\0', b'\0')


def encode_reading(reading: WeightReading) -> bytes:
    """Return the bytes of a cell_interfaces/ScaleReading, field by field in its order.

    A change of the message needs the same change here; a test compares both encodings.

    Args:
        reading: Stored reading.

    Returns:
        Encapsulation header (little-endian plain CDR) and the fields.
    """
    start = _padded(_string(reading.reading_id)) + _aligned(reading.scale_id)
    # The next field is a uint64, aligned to 8 bytes behind the header; everything before is aligned
    # to 4.
    if len(start) % 8:
        start += b'\0\0\0\0'
    times = divmod(reading.received_ns, NS_PER_S)
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
    """Return the bytes of a cell_interfaces/ScaleList, each scale a cell_interfaces/ScaleState.

    Args:
        stamp_ns: Stamp of the list, nanoseconds since 1970.
        port: TCP port of the bridge.
        entries: The scales.
    """
    entries = list(entries)
    out = bytearray(_LIST.pack(*divmod(stamp_ns, NS_PER_S), port, len(entries)))
    for entry in entries:
        out += _aligned(entry.scale_id) + _padded(_string(entry.peer) + bytes((bool(entry.peer),)))
        out += _TIME.pack(*divmod(entry.last_received_ns, NS_PER_S))
        # Everything so far is aligned to 4 bytes, so the padding to 8 is 0 or 4.
        out += bytes(len(out) % 8) + _COUNTS.pack(entry.readings, entry.malformed)
        out += _aligned(entry.last_weight) + _padded(_string(entry.format) + bytes((entry.needs_silence,)))
        out += _aligned(entry.last_unit)
    return _HEADER + out


def _string(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data) + 1) + data + b'\0'


def _padded(data: bytes) -> bytes:
    return data + _PADDING[len(data) % 4]


@lru_cache(maxsize=10_000)
def _aligned(text: str) -> bytes:
    """Return a string padded to 4 bytes; cached, because ids, weights and units recur."""
    return _padded(_string(text))
