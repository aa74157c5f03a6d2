"""Parser of multipart/x-mixed-replace streams of JPEGs (RFC 2046 section 5.1, as used by IP cameras).

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from cell_vision.camera.camera_clock import timestamp_of
from cell_vision.camera.jpeg import is_complete

# A stream without boundaries must not fill the memory.
LARGEST_PART = 32_000_000
LONGEST_HEAD = 16_384
HEAD_END = b'\r\n\r\n'


class MultipartError(Exception):
    """The stream is not a valid multipart stream of JPEGs."""


def boundary_of(content_type: str) -> bytes:
    """Return the boundary in a Content-Type header, with its leading dashes.

    Args:
        content_type: Header value. Many cameras state the boundary with its dashes already; both
            forms are accepted.

    Raises:
        MultipartError: The type is not multipart, or has no boundary.
    """
    kind, *parameters = [part.strip() for part in content_type.split(';')]
    if not kind.lower().startswith('multipart/'):
        raise MultipartError(f'the camera serves {kind or "no content type"}, not a multipart stream of JPEGs')
    for parameter in parameters:
        name, _, value = parameter.partition('=')
        if name.strip().lower() == 'boundary' and value:
            text = value.strip().strip('"')
            return b'--' + text.removeprefix('--').encode('latin-1')
    raise MultipartError('the stream has no boundary')


@dataclass(frozen=True)
class StreamFrame:
    """A JPEG of a stream.

    Attributes:
        jpeg: Complete JPEG.
        taken: Timestamp by the camera's own clock, seconds; None when the stream has none.
    """

    jpeg: bytes
    taken: float | None = None


class MultipartReader:
    """Collects bytes and returns complete JPEGs; damaged ones are skipped and counted.

    Works with and without Content-Length. Memory is bounded by LARGEST_PART.

    Attributes:
        damaged: Number of parts that were no complete JPEG.
    """

    def __init__(self, boundary: bytes) -> None:
        """Set the boundary, leading dashes included."""
        self._boundary = boundary
        self._buffer = bytearray()
        self._length: int | None = None
        self._in_body = False
        self._taken: float | None = None
        self.damaged = 0

    def feed(self, data: bytes) -> list[StreamFrame]:
        """Add received bytes and return the JPEGs that are now complete, oldest first.

        Args:
            data: Any piece of the stream; boundaries, heads and images may be split anywhere.

        Raises:
            MultipartError: A part is larger than LARGEST_PART.
        """
        self._buffer += data
        frames = []
        while (body := self._next()) is not None:
            if is_complete(body):
                frames.append(StreamFrame(body, self._taken))
            else:
                self.damaged += 1
        # After the loop: whole parts have left the buffer, so the rest belongs to one part.
        if len(self._buffer) > LARGEST_PART:
            raise MultipartError(f'a part of more than {LARGEST_PART // 1_000_000} MB: not an image of a camera')
        return frames

    def _next(self) -> bytes | None:
        if not self._in_body and not self._skip_head():
            return None
        if self._length is not None:
            return self._counted(self._length)
        end = self._buffer.find(self._boundary)
        return None if end < 0 else self._cut(end).removesuffix(b'\r\n')

    def _counted(self, length: int) -> bytes | None:
        """Return a body of stated length; where another part begins within it, the body was cut short."""
        early = self._buffer.find(b'\r\n' + self._boundary, 0, length)
        if early >= 0:
            return self._cut(early)
        return self._cut(length) if len(self._buffer) >= length else None

    def _cut(self, end: int) -> bytes:
        body = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._in_body, self._length = False, None
        return body

    def _skip_head(self) -> bool:
        """Drop all bytes before the body of the next part; return whether it begins."""
        start = self._buffer.find(self._boundary)
        if start < 0:
            # The boundary may be split between two reads, so its length is kept.
            del self._buffer[: max(0, len(self._buffer) - len(self._boundary))]
            return False
        end = self._buffer.find(HEAD_END, start)
        if end < 0:
            del self._buffer[: start if len(self._buffer) - start < LONGEST_HEAD else start + 1]
            return False
        head = _fields(bytes(self._buffer[start:end]))
        self._length, self._taken = _content_length(head), timestamp_of(head)
        self._in_body = True
        del self._buffer[: end + len(HEAD_END)]
        return True


def _fields(head: bytes) -> dict[str, str]:
    lines = (line.partition(b':') for line in head.split(b'\r\n'))
    return {name.strip().lower().decode('latin-1'): value.strip().decode('latin-1') for name, _, value in lines}


def _content_length(head: dict[str, str]) -> int | None:
    text = head.get('content-length', '')
    length = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return length if 0 < length <= LARGEST_PART else None
