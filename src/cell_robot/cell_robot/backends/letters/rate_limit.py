"""Rate-limits repeated log messages and reports how many were suppressed.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

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
