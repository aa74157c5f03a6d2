"""Cut the bytes of an RTDE connection into frames: uint16 size of the whole frame, uint8 kind, payload."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct('>HB')
MAX_FRAME = 0xFFFF


class RtdeError(Exception):
    """The controller said something that the protocol does not allow, or refused; the text says what."""


@dataclass(frozen=True)
class Frame:
    """One message."""

    kind: int
    """A value of codec.Kind, or one that is not known."""
    payload: bytes


class FrameSplitter:
    """Keeps at most one frame of at most 65,535 bytes."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._rest = b''

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they came and return the frames that are complete.

        Raises:
            RtdeError: A size makes no sense, so that the place of the next frame is unknown: close the connection.
        """
        data, at, frames = self._rest + data, 0, []
        while len(data) - at >= HEADER.size:
            size, kind = HEADER.unpack_from(data, at)
            if size < HEADER.size:
                raise RtdeError(f'a frame says that it is {size} bytes long: this is no RTDE server')
            if len(data) - at < size:
                break
            frames.append(Frame(kind, data[at + HEADER.size : at + size]))
            at += size
        self._rest = data[at:]
        return frames


def frame(kind: int, payload: bytes = b'') -> bytes:
    """Return the bytes of a frame.

    Raises:
        RtdeError: The payload is too long for a frame.
    """
    size = HEADER.size + len(payload)
    if size > MAX_FRAME:
        raise RtdeError(f'a frame of {size} bytes is longer than {MAX_FRAME}')
    return HEADER.pack(size, kind) + payload
