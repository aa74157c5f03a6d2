"""A limit for repeated log lines: input from outside must not fill a disk with log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ['RepeatLimit']


@dataclass
class _Window:
    """Lines of one kind in the current period: its start on the monotonic clock in seconds, and how many came."""

    began_s: float
    lines: int = 0


class RepeatLimit(logging.Filter):
    """Passes the first lines of a kind in each period; the first line of the next period says how many were left out.

    Lines of one kind have the same logger, level and format text: "client %s refused" is one kind for all clients.
    """

    def __init__(self, lines: int = 10, period_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Create a filter for a logger or a handler.

        Args:
            lines: Lines of one kind that pass in a period.
            period_s: Length of a period in seconds.
            clock: Monotonic time in seconds.
        """
        super().__init__()
        self._lines = lines
        self._period_s = period_s
        self._clock = clock
        self._windows: dict[tuple[str, int, str], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line passes; adds the number of those left out before it."""
        now_s = self._clock()
        key = (record.name, record.levelno, str(record.msg))
        window = self._windows.setdefault(key, _Window(now_s))
        if now_s - window.began_s >= self._period_s:
            left_out, seconds = window.lines - self._lines, now_s - window.began_s
            window = self._windows[key] = _Window(now_s)
            if left_out > 0:
                record.msg = f'{record.msg} (and {left_out} more like this in {seconds:.0f} s)'
        window.lines += 1
        return window.lines <= self._lines
