"""Log likelihoods of letters and digits along a line of print, as the recognizer gives them, in a compact form.

A rendering is one run of the recognizer over a strip: a matrix with a row for each step (8 pixels of a strip 48 pixels high)
and a column for each class of ALPHABET. A value is the log of the class's probability over that of the step's best class: 0
for the best one, never positive, at least FLOOR.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    'ALPHABET',
    'CLASSES',
    'FLOOR',
    'NOTHING',
    'SEPARATOR',
    'SPACE',
    'Rendering',
    'StripEnds',
    'ends_of',
    'frame_of',
    'join_strips',
    'pack',
    'split_strips',
    'unpack',
    'with_blanks',
    'with_ends',
    'with_frame',
]

ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
NOTHING, SEPARATOR, SPACE = (len(ALPHABET) + i for i in range(3))
"""Classes of a step without letter or digit: nothing new is printed there (or a bracket, a colon), a separator, a blank."""
CLASSES = len(ALPHABET) + 3
# exp(-12) is less than a recognizer can mean; the limit also keeps a packed value below 8 bits.
FLOOR = -12.0
STEPS_PER_NAT = 8
"""Resolution of the packed values."""
LARGEST = 1_000_000
"""Bytes of an unpacked strip."""
_ENDS, _FRAME = 0x0F, 4
"""Bits of the first byte of a packed strip with its ends, and place of those with its frame."""

Rendering = NDArray[np.float32]
"""Shape (steps, CLASSES)."""


@dataclass(frozen=True)
class StripEnds:
    """What the picture shows at the ends of a strip.

    Attributes:
        cut_start: The print may be cut off at its start.
        cut_end: The same at its end.
        more_before: Print that was not read stands close before it.
        more_after: The same after it.
    """

    cut_start: bool = False
    cut_end: bool = False
    more_before: bool = False
    more_after: bool = False


def with_ends(data: bytes, ends: StripEnds) -> bytes:
    """Return a packed strip with other ends.

    Args:
        data: Result of `pack`; not unpacked, because the ends are its first byte.
        ends: Bit 0 of that byte is `cut_start`, bit 3 `more_after`.
    """
    flags = ends.cut_start, ends.cut_end, ends.more_before, ends.more_after
    return bytes([data[0] & ~_ENDS | sum(flag << bit for bit, flag in enumerate(flags))]) + data[1:]


def ends_of(data: bytes) -> StripEnds:
    """Return the ends of a packed strip."""
    bits = data[0] if data else 0
    return StripEnds(*(bool(bits >> bit & 1) for bit in range(4)))


def with_frame(data: bytes, number: int) -> bytes:
    """Return a packed strip with the number of its frame, of those whose readings are fused; 16 and more count from 0 again."""
    return bytes([data[0] & _ENDS | (number & 0x0F) << _FRAME]) + data[1:]


def frame_of(data: bytes) -> int:
    """Return the number of the frame of a packed strip, 0 if it was not set."""
    return data[0] >> _FRAME if data else 0


def pack(renderings: Sequence[Rendering]) -> bytes:
    """Return the renderings of one strip as bytes: one for its ends and its frame, then the compressed values."""
    parts = []
    for rendering in renderings:
        values = np.round(-np.clip(rendering, FLOOR, 0.0) * STEPS_PER_NAT).astype(np.uint8)
        parts.append(struct.pack('<H', len(values)) + values.T.tobytes())
    return b'\0' + zlib.compress(b''.join(parts), 1)


def unpack(data: bytes) -> list[Rendering]:
    """Return the renderings of one strip.

    Raises:
        ValueError: The bytes are not those of `pack`.
    """
    try:
        stream = zlib.decompressobj()
        plain = stream.decompress(data[1:], LARGEST)
        if not stream.eof:
            raise ValueError('it is incomplete or too large')
        renderings: list[Rendering] = []
        at = 0
        while at < len(plain):
            (steps,) = struct.unpack_from('<H', plain, at)
            at += 2
            values = np.frombuffer(plain, np.uint8, steps * CLASSES, at).reshape(CLASSES, steps)
            at += steps * CLASSES
            renderings.append(np.asarray(values.T, np.float32) / np.float32(-STEPS_PER_NAT))
    except (zlib.error, struct.error, ValueError) as error:
        raise ValueError(f'not the likelihoods of a strip: {error}') from error
    return renderings


def with_blanks(rendering: Rendering, steps: Sequence[float]) -> Rendering:
    """Return a rendering with a blank at some steps: gaps that the picture shows and the recognizer passed over.

    Args:
        rendering: Shape (steps, CLASSES); not changed.
        steps: Places of the gaps, in steps, fractions allowed; places outside are moved to the next end.
    """
    if not steps:
        return rendering
    result = rendering.copy()
    for step in steps:
        at = min(len(result) - 1, max(0, round(step)))
        result[at, NOTHING] = min(float(result[at, NOTHING]), -1 / STEPS_PER_NAT)
        result[at, SPACE] = 0.0
    return result


def join_strips(strips: Sequence[bytes]) -> bytes:
    """Return packed strips as one row of bytes."""
    return b''.join(struct.pack('<I', len(strip)) + strip for strip in strips)


def split_strips(data: bytes) -> tuple[bytes, ...]:
    """Return the packed strips in a row of bytes.

    Raises:
        ValueError: The bytes are not those of `join_strips`.
    """
    strips, at = [], 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError('likelihoods end in the middle of a length')
        (size,) = struct.unpack_from('<I', data, at)
        strip = data[at + 4 : at + 4 + size]
        if len(strip) != size:
            raise ValueError('likelihoods end in the middle of a strip')
        strips.append(strip)
        at += 4 + size
    return tuple(strips)
