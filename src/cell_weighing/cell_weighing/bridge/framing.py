"""Bytes to lines, for every line ending that indicators use.

CR and LF both end a line and an empty line means nothing, so CR, LF, CRLF and the LF...CR of SMA SCP-0499 need no setting.
No socket and no clock in here: feed bytes in, take lines out.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_LINE_BYTES = 256
"""Longest line kept: far more than any indicator sends, little enough that a stream without line ends costs nothing."""


@dataclass(frozen=True, slots=True)
class MalformedLine:
    """Bytes that are not a whole line."""

    data: bytes
    """What is known of it, at most the cap."""
    reason: str
    """For people."""


class LineFramer:
    """Cuts one connection's bytes into lines."""

    def __init__(self, max_bytes: int = MAX_LINE_BYTES) -> None:
        """Begin with an empty line; `max_bytes` is a security limit, line end not counted."""
        self._max = max_bytes
        self._part = b''
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | MalformedLine]:
        """Take bytes as they came and return the lines that are now whole, without their ends.

        A line over the limit comes out once, as a BadLine, as soon as the limit is passed; the rest of it is dropped.
        """
        *whole, rest = (self._part + data if self._part else data).replace(b'\r', b'\n').split(b'\n')
        lines: list[bytes | MalformedLine] = []
        for line in whole:
            if self._skipping:
                self._skipping = False
            elif line:
                lines.append(line if len(line) <= self._max else self._discard(line))
        if self._skipping:
            rest = b''
        elif len(rest) > self._max:
            lines.append(self._discard(rest))
            self._skipping, rest = True, b''
        self._part = rest
        return lines

    def end(self) -> list[MalformedLine]:
        """Say that the connection has ended: a line that was under way is not a line, its number may lack digits."""
        part, self._part, self._skipping = self._part, b'', False
        return [MalformedLine(part, 'the connection ended in the middle of the line')] if part else []

    def _discard(self, line: bytes) -> MalformedLine:
        return MalformedLine(line[: self._max], f'the line is longer than {self._max} bytes')
