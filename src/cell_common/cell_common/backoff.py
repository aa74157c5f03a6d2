"""Exponential backoff: the delay before a retry doubles with each failure, up to a maximum.

Pure: no ROS, sockets, files or clock.

`Backoff` counts the failures itself. `retry_delay` is for callers that count them, e.g. because a server's wish changes the
delay.
"""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ['Backoff', 'retry_delay']

_MAX_DOUBLINGS = 30  # keeps 2.0**n in the range of a float, whatever the number of attempts


def retry_delay(
    attempts: int,
    initial_s: float,
    maximum_s: float,
    *,
    jitter: float = 0.0,
    uniform: Callable[[], float] = random.random,
) -> float:
    """Return the delay before the next attempt in seconds.

    Args:
        attempts: Number of failed attempts, at least 1.
        initial_s: Delay after the first failure.
        maximum_s: Upper limit of the delay.
        jitter: Share of the delay that is random, 0..1, so that many clients do not retry in step.
        uniform: Returns a random number of 0..1.
    """
    delay = min(maximum_s, initial_s * 2.0 ** min(attempts - 1, _MAX_DOUBLINGS))
    return delay * (1.0 - jitter + jitter * uniform()) if jitter else delay


class Backoff:
    """Counts failures in a row and returns the delay before each retry; see `retry_delay`.

    Not synchronized: use one instance per connection, in one thread.
    """

    def __init__(
        self,
        initial_s: float,
        maximum_s: float,
        *,
        jitter: float = 0.0,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        """Store the limits; the arguments are those of `retry_delay`."""
        self._initial_s = initial_s
        self._maximum_s = maximum_s
        self._jitter = jitter
        self._uniform = uniform
        self._failures = 0

    def next(self) -> float:
        """Count a failure and return the delay before the next attempt in seconds."""
        self._failures += 1
        return retry_delay(self._failures, self._initial_s, self._maximum_s, jitter=self._jitter, uniform=self._uniform)

    def reset(self) -> None:
        """Start over with the initial delay, after a success."""
        self._failures = 0
