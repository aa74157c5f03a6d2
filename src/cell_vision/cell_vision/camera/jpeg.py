"""Completeness and size of a JPEG from its markers, without decoding (ITU-T T.81, annex B).

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

START = b'\xff\xd8'
END = b'\xff\xd9'
# SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC): ITU-T T.81, table B.1.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# TEM, RST0 to RST7 and SOI stand alone: no length follows them.
_WITHOUT_LENGTH = frozenset([0x01, *range(0xD0, 0xD8)])


def is_complete(data: bytes) -> bool:
    """Return whether the bytes begin and end like a JPEG; padding after the end is allowed.

    Args:
        data: Body of a multipart part or of a response. The contents between the markers are not
            checked.
    """
    return data.startswith(START) and data.rstrip(b'\0\r\n').endswith(END)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels from the frame header, None when there is none.

    Args:
        data: JPEG, also incomplete, as long as the frame header is in it.
    """
    at = 2
    while data.startswith(START) and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAME_HEADERS:
            return int.from_bytes(data[at + 7 : at + 9], 'big'), int.from_bytes(data[at + 5 : at + 7], 'big')
        # Fill bytes 0xFF may precede a marker (T.81, B.1.1.2).
        at += 2 if marker in _WITHOUT_LENGTH else 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return None
