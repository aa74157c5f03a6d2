"""Wait longer after each failure, up to a cap."""

from __future__ import annotations


class Backoff:
    """Doubling delays."""

    def __init__(self, first: float, longest: float) -> None:
        """Begin with a delay of `first` seconds and never go beyond `longest`."""
        self._first = first
        self._longest = longest
        self._delay = first

    def next(self) -> float:
        """Return the delay before the next attempt, seconds, and double the one after it."""
        delay = self._delay
        self._delay = min(self._longest, delay * 2)
        return delay

    def reset(self) -> None:
        """Begin again with the first delay, after a success."""
        self._delay = self._first
