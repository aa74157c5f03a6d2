"""Messages between the OCR node and its worker process: one line of JSON, then `size` bytes of payload.

Requests: `{"job": 7, "size": 81234}` with the fields of `cell_vision.types.ReadOptions`, and the compressed image as payload.
Results: `{"job": 7, "readings": [...], ...}` with the crop (JPEG) as payload, or
`{"job": 7, "error": "BAD_IMAGE", "message": "..."}`. The first message of a worker is `{"ready": "<engine>"}` or
`{"fatal": "<cause and remedy>"}`. A standby worker sends it only after the request ACTIVATE, which is not a job.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import IO, Any

from cell_vision.types import Barcode, EvidenceCrop, FrameReading, Polygon, Reading

Header = dict[str, Any]
"""The JSON object of a message."""

ACTIVATE: Header = {'go': True}
STANDBY_MODES = ('off', 'light', 'warm')
"""Preparation of the standby worker: none is kept; its libraries are loaded; its models are loaded, too."""
# Both limits bound the memory when the stream is out of step, as after a library printed to it.
LONGEST_HEADER = 1_000_000
LARGEST_PAYLOAD = 256_000_000


class ProtocolError(Exception):
    """The data is not a message of this protocol."""


def write_message(stream: IO[bytes], header: Mapping[str, object], payload: bytes = b'') -> None:
    """Send one message.

    Args:
        stream: Pipe, binary.
        header: JSON values; `size` is added.
        payload: Bytes that follow the header.

    Raises:
        OSError: The other side closed the pipe.
    """
    # NaN is no JSON; it would be refused here, in the process that produced it.
    line = json.dumps({**header, 'size': len(payload)}, allow_nan=False).encode() + b'\n'
    stream.write(line)
    stream.write(payload)
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[Header, bytes] | None:
    """Receive one message; None at the end of the stream.

    Args:
        stream: Pipe, binary. Blocks until a whole message is there; sizes are limited, so a broken
            peer cannot fill the memory.

    Raises:
        ProtocolError: The data is not a message.
    """
    line = stream.readline(LONGEST_HEADER)
    if not line.endswith(b'\n'):
        return None
    try:
        header = json.loads(line)
        size = int(header.pop('size'))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f'not a message: {line[:80]!r}') from error
    if not 0 <= size <= LARGEST_PAYLOAD:
        raise ProtocolError(f'a payload of {size} bytes')
    payload = stream.read(size)
    return (header, payload) if len(payload) == size else None


def encode_reading(result: FrameReading) -> Header:
    """Return the reading of a frame as JSON values, without the bytes of its crop."""
    return {
        'readings': [
            [r.text, r.score, [list(point) for point in r.polygon], *(b64encode(strip).decode() for strip in r.likelihoods)]
            for r in result.readings
        ],
        'width': result.width,
        'height': result.height,
        'seconds': result.seconds,
        'engine': result.engine,
        'codes': [[code.format, code.text, [list(point) for point in code.polygon]] for code in result.codes],
        'crop': [list(point) for point in result.crop.polygon] if result.crop is not None else None,
    }


def decode_reading(header: Header, crop: bytes = b'') -> FrameReading:
    """Return the reading in a result message whose payload is the crop.

    Args:
        header: JSON object of the message, as `encode_reading` makes it.
        crop: JPEG; empty = no crop.

    Raises:
        ProtocolError: A field is missing or has a wrong type.
    """
    try:
        readings = tuple(
            Reading(str(text), float(score), _polygon(points), tuple(b64decode(strip, validate=True) for strip in strips))
            for text, score, points, *strips in header['readings']
        )
        codes = tuple(Barcode(str(kind), str(text), _polygon(points)) for kind, text, points in header.get('codes', ()))
        corners = header.get('crop')
        return FrameReading(
            readings,
            int(header['width']),
            int(header['height']),
            float(header['seconds']),
            str(header['engine']),
            codes,
            EvidenceCrop(crop, _polygon(corners)) if crop and corners else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f'not a reading: {error!r}') from error


def _polygon(points: Iterable[tuple[float, float]]) -> Polygon:
    """Return a polygon of JSON.

    Raises:
        ValueError: It has not four corners of two numbers each.
    """
    corners = tuple((float(x), float(y)) for x, y in points)
    if len(corners) != 4:
        raise ValueError(f'a polygon of {len(corners)} corners')
    a, b, c, d = corners
    return a, b, c, d
