"""Limits repeated log lines: a peer must not be able to fill the disk with log."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ['LogRateLimiter', 'RepeatLimit']

# Kinds may contain an address: a port scanner must not make the table grow without a bound.
MAX_KINDS = 256


@dataclass
class _Window:
    start: float
    logged: int = 0
    suppressed: int = 0


class LogRateLimiter:
    """Allows a number of messages per kind and period.

    The number of kinds is limited, too: a kind may contain an address, which a peer chooses.
    """

    def __init__(self, max_per_period: int, period: float) -> None:
        """Allow `max_per_period` messages of each kind in `period` seconds."""
        self._max_per_period, self._period = max_per_period, period
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def allow(self, kind: str, now: float) -> str | None:
        """Return a suffix for the message ("" or the number of suppressed ones), None to suppress it.

        Args:
            kind: Kind of the message; limits are per kind.
            now: Seconds of a monotonic clock.
        """
        window = self._windows.setdefault(kind, _Window(now))
        self._windows.move_to_end(kind)
        if len(self._windows) > MAX_KINDS:
            self._windows.popitem(last=False)
        if now - window.start >= self._period:
            window.start, window.logged = now, 0
        if window.logged >= self._max_per_period:
            window.suppressed += 1
            return None
        suppressed, window.suppressed = window.suppressed, 0
        window.logged += 1
        return f' (and {suppressed} more like it)' if suppressed else ''


class RepeatLimit(logging.Filter):
    """Passes the first lines of a kind in each period; the first line of the next period has the number of suppressed ones.

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
        self._limiter = LogRateLimiter(lines, period_s)
        self._clock = clock

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line passes; adds the number of suppressed ones before it."""
        suffix = self._limiter.allow(f'{record.name} {record.levelno} {record.msg}', self._clock())
        if suffix:
            record.msg = f'{record.msg}{suffix}'
        return suffix is not None
