"""Cut the bytes of a UR program into lines. Whatever comes in, no more than one capped line is kept."""

from __future__ import annotations

import re
from typing import Protocol

MAX_LINE = 256
"""Bytes; the longest line that makes sense is an ERR with its reason."""
_END = re.compile(rb'[\r\n]+')


class Framing(Protocol):
    """Cuts a stream of bytes into frames."""

    overlong: int
    """Lines dropped because they were longer than the cap."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came and return the frames that are complete, without their line ends."""


class LineFraming:
    """Lines that end with LF, CR or CR LF; empty lines are left out."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        """Begin with nothing received; `max_line` is the cap in bytes."""
        self.overlong = 0
        self._max = max_line
        self._rest = b''
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came and return the lines that are complete."""
        *ended, self._rest = _END.split(self._rest + data)
        frames = [frame for line in ended if (frame := self._whole(line))]
        if len(self._rest) > self._max:
            self.overlong += not self._skipping
            self._skipping, self._rest = True, b''
        return frames

    def _whole(self, line: bytes) -> bytes:
        """Return a line that has ended, or nothing when it is the tail of one that was too long, or too long itself."""
        if self._skipping:
            self._skipping = False
            return b''
        if len(line) > self._max:
            self.overlong += 1
            return b''
        return line


class WordFraming(LineFraming):
    """Lines, and also known words without a line end: many programs in the field answer by socket_send_string("ack")."""

    def __init__(self, words: frozenset[bytes], max_line: int = MAX_LINE) -> None:
        """Begin with nothing received; `words` are in small letters."""
        super().__init__(max_line)
        self._words = words

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came and return the lines and known words that are complete."""
        frames = super().feed(data)
        if not self._skipping and self._rest.lower() in self._words:
            frames.append(self._rest)
            self._rest = b''
        return frames
