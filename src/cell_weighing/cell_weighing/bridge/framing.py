"""Splits a byte stream into lines, for every line ending that indicators use.

CR, LF and ETX end a line, STX begins one, and an empty line is ignored. So CR, LF, CRLF, STX...ETX and the LF...CR of SMA
SCP-0499 need no setting. Fill characters and flow control (NUL, XON, XOFF) at the edges of a line are no part of it, nor is the
negotiation of a serial device server in Telnet mode before it; within a line they are noise. An indicator that sends no line
end has records that end with a silence: the caller takes the bytes from `unterminated` then.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_LINE_BYTES = 256
"""Longest line: more than any indicator sends, and a stream without line ends costs little memory."""
_FILL = b'\x00\x11\x13'
_TELNET = re.compile(rb'(?:\xff[\xfb-\xfe][\x00-\xff]?)+')
"""The four commands of RFC 854 that negotiate an option; one that is STX, ETX, CR or LF has ended the line."""
_ENDS = bytes.maketrans(b'\r\x02\x03', b'\n\n\n')


@dataclass(frozen=True, slots=True)
class MalformedLine:
    """Bytes that are not a complete line.

    Attributes:
        data: At most the length limit.
        reason: Cause for the operator.
    """

    data: bytes
    reason: str


class Framer(Protocol):
    """Splits the bytes of one connection into records."""

    @property
    def unterminated(self) -> bytes:
        """Bytes that a silence may end; b'' when every record has an end of its own."""
        ...

    def take_unterminated(self, count: int) -> None:
        """Remove the first bytes of `unterminated`."""
        ...

    def feed(self, data: bytes) -> Sequence[bytes | MalformedLine]:
        """Feed received bytes and return the records that are complete."""
        ...

    def end(self) -> Sequence[MalformedLine]:
        """Signal the end of the connection and return what was incomplete."""
        ...


class EndFramer:
    """Splits a byte stream at one end character, and keeps line ends within the records."""

    unterminated = b''
    """Always empty: every record has its end."""

    def __init__(self, end: bytes, max_bytes: int = MAX_LINE_BYTES) -> None:
        """Set end character and length limit.

        Args:
            end: The character that ends a record.
            max_bytes: Security limit of a record.
        """
        self._end = end
        self._max = max_bytes
        self._part = b''
        self._skipping = False

    def take_unterminated(self, count: int) -> None:
        """Do nothing: there are never unterminated bytes."""

    def feed(self, data: bytes) -> list[bytes | MalformedLine]:
        """Feed received bytes and return the records that are complete, without their ends; see `LineFramer.feed`."""
        *whole, rest = (self._part + data).split(self._end)
        records: list[bytes | MalformedLine] = []
        for record in whole:
            if self._skipping:
                self._skipping = False
            elif record.strip():
                records.append(record if len(record) <= self._max else self._discard(record))
        if self._skipping:
            rest = b''
        elif len(rest) > self._max:
            records.append(self._discard(rest))
            self._skipping, rest = True, b''
        self._part = rest
        return records

    def end(self) -> list[MalformedLine]:
        """Signal the end of the connection; an incomplete record is malformed."""
        part, self._part, self._skipping = self._part, b'', False
        return [MalformedLine(part, 'the connection ended in the middle of the record')] if part.strip() else []

    def _discard(self, record: bytes) -> MalformedLine:
        return MalformedLine(record[: self._max], f'the record is longer than {self._max} bytes')


class LineFramer:
    """Splits the bytes of one connection into lines.

    Memory is bounded by the length limit: bytes beyond it are counted as part of the line and
    dropped.
    """

    def __init__(self, max_bytes: int = MAX_LINE_BYTES) -> None:
        """Set the length limit.

        Args:
            max_bytes: Security limit of a line, line end excluded.
        """
        self._max = max_bytes
        self._part = b''
        self._skipping = False
        self._terminated = False

    @property
    def unterminated(self) -> bytes:
        """Bytes since the last line, when no line of this connection has had an end; else b''."""
        return b'' if self._terminated else self._part

    def take_unterminated(self, count: int) -> None:
        """Remove the first bytes of `unterminated`."""
        self._part = self._part[count:]

    @property
    def buffered(self) -> int:
        """Number of bytes of the incomplete line, at most the length limit."""
        return len(self._part)

    def feed(self, data: bytes) -> list[bytes | MalformedLine]:
        """Feed received bytes and return the lines that are complete, without their ends.

        A line over the limit is returned once, as a MalformedLine, as soon as the limit is passed;
        the rest is dropped.

        Args:
            data: Any piece of the stream; a line may be split anywhere, and one read may hold many
                lines.
        """
        # One pass in C over all bytes: a byte-wise state machine would limit the lines per second.
        *whole, rest = (self._part + data if self._part else data).translate(_ENDS).split(b'\n')
        if whole and not self._terminated:
            # A line end alone, as some indicators send after connecting, does not prove that
            # records end with one.
            self._terminated = any(whole) or bool(rest)
        lines: list[bytes | MalformedLine] = []
        for line in whole:
            if self._skipping:
                self._skipping = False
            elif line and (line := _without_fill(line)):
                lines.append(line if len(line) <= self._max else self._discard(line))
        if self._skipping:
            rest = b''
        elif len(rest) > self._max:
            lines.append(self._discard(rest))
            self._skipping, rest = True, b''
        self._part = rest
        return lines

    def end(self) -> list[MalformedLine]:
        """Signal the end of the connection; an incomplete line may lack digits, so it is malformed."""
        part, self._part, self._skipping = self._part, b'', False
        return [MalformedLine(part, 'the connection ended in the middle of the line')] if part else []

    def _discard(self, line: bytes) -> MalformedLine:
        return MalformedLine(line[: self._max], f'the line is longer than {self._max} bytes')


def _without_fill(line: bytes) -> bytes:
    line = line.strip(_FILL)
    if line.startswith(b'\xff'):
        line = _TELNET.sub(b'', line, count=1)
    return line
