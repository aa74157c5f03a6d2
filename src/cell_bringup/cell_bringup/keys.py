"""Single keys of a terminal, or lines of a pipe, without waiting for them."""

from __future__ import annotations

import contextlib
import select
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Protocol, TextIO

__all__ = ['Keys', 'terminal_keys']

END = 'q'


class Keys(Protocol):
    """Source of keys."""

    def poll(self, seconds: float) -> str:
        """Return the next key, in lower case; "" if none came in time, END at the end of the input."""


class TerminalKeys:
    """Keys of a terminal in cbreak mode: each counts at once, without Enter."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def poll(self, seconds: float) -> str:
        """Return the next key."""
        if not select.select([self._stream], [], [], seconds)[0]:
            return ''
        return self._stream.read(1).lower() or END


class LineKeys:
    """First letters of the lines of a pipe, for scripts and tests."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def poll(self, seconds: float) -> str:  # noqa: ARG002 - a pipe has its lines ready
        """Return the first letter of the next line."""
        line = self._stream.readline()
        return (line.strip()[:1].lower() or '\n') if line else END


@contextlib.contextmanager
def terminal_keys() -> Iterator[Keys]:
    """Provide the keys of the standard input; the terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield LineKeys(sys.stdin)
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield TerminalKeys(sys.stdin)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
