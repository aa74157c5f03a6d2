"""The messages between the OCR node and its worker process: one line of JSON, then `size` bytes of payload.

Requests: `{"job": 7, "size": 81234}` + the compressed image, with the options of `see` and, as `"budget"`, the seconds after
which no further look is begun. Answers: `{"job": 7, "readings": [...], ...}` or
`{"job": 7, "error": "BAD_IMAGE", "message": "..."}`; the payload of an answer is the crop, a JPEG. The worker's first message
is `{"ready": "<engine>"}` or `{"fatal": "<what is wrong and what to do>"}`. A spare worker says it only after the request
`{"go": true}`, which is no job: its turn has come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from cell_vision.types import Code, Crop, FrameReading, Reading

GO = {'go': True}
SPARES = ('off', 'light', 'warm')
"""How far a spare worker gets before its turn: none is kept; its libraries are loaded; its models are, too."""
LONGEST_HEADER = 1_000_000
LARGEST_PAYLOAD = 256_000_000


class ProtocolError(Exception):
    """The other side sent something that is not a message."""


def write_message(stream: IO[bytes], header: Mapping[str, Any], payload: bytes = b'') -> None:
    """Send one message.

    Raises:
        OSError: The other side has gone.
    """
    line = json.dumps({**header, 'size': len(payload)}, allow_nan=False).encode() + b'\n'
    stream.write(line)
    stream.write(payload)
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Receive one message, None at the end of the stream.

    Raises:
        ProtocolError: What came is not a message.
    """
    line = stream.readline(LONGEST_HEADER)
    if not line.endswith(b'\n'):
        return None
    try:
        header = json.loads(line)
        size = int(header.pop('size'))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ProtocolError(f'not a message: {line[:80]!r}') from problem
    if not 0 <= size <= LARGEST_PAYLOAD:
        raise ProtocolError(f'a payload of {size} bytes')
    payload = stream.read(size)
    return (header, payload) if len(payload) == size else None


def encode_reading(result: FrameReading) -> dict[str, Any]:
    """Return a frame's reading as JSON values."""
    return {
        'readings': [[r.text, r.score, [list(point) for point in r.polygon]] for r in result.readings],
        'width': result.width,
        'height': result.height,
        'seconds': result.seconds,
        'engine': result.engine,
        'codes': [[code.format, code.text, [list(point) for point in code.polygon]] for code in result.codes],
        'crop': [list(point) for point in result.crop.polygon] if result.crop is not None else None,
    }


def decode_reading(header: Mapping[str, Any], crop: bytes = b'') -> FrameReading:
    """Return the frame's reading that an answer carries, with the crop that is its payload.

    Raises:
        ProtocolError: A field is missing or is not what it should be.
    """
    try:
        readings = tuple(Reading(str(text), float(score), _polygon(points)) for text, score, points in header['readings'])
        codes = tuple(Code(str(kind), str(text), _polygon(points)) for kind, text, points in header.get('codes', ()))
        corners = header.get('crop')
        return FrameReading(
            readings,
            int(header['width']),
            int(header['height']),
            float(header['seconds']),
            str(header['engine']),
            codes,
            Crop(crop, _polygon(corners)) if crop and corners else None,
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise ProtocolError(f'not a reading: {problem!r}') from problem


def _polygon(points: Any) -> Any:
    corners = tuple((float(x), float(y)) for x, y in points)
    if len(corners) != 4:
        raise ValueError(f'a polygon of {len(corners)} corners')
    return corners
