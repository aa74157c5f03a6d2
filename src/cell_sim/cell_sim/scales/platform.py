"""Load on a scale while a bag is filled, settles, and is removed. Time is an argument.

The load rises linearly, then swings around its final value with a falling amplitude of at most 2 %,
and stands still after the fill time.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math

# A plausible natural frequency of a loaded bench platform; chosen, not measured.
SWING_HZ = 4.0
FILLED, SETTLED = 0.75, 1.0
"""Shares of the fill time at which the flow stops, and at which the platform stands still."""


class ScalePlatform:
    """Load on one platform over time, kilograms."""

    def __init__(self) -> None:
        self._weight, self._start, self._duration = 0.0, 0.0, 0.0

    def fill(self, weight: float, now: float, duration: float) -> None:
        """Start to fill a bag.

        Args:
            weight: Final load, kilograms.
            now: Time, seconds.
            duration: Seconds until the load is stable.
        """
        self._weight, self._start, self._duration = weight, now, duration

    def clear(self) -> None:
        """Remove the load."""
        self._weight, self._duration = 0.0, 0.0

    def moving(self, now: float) -> bool:
        """Return True if the load has not settled yet."""
        return self._share(now) < SETTLED

    def load(self, now: float) -> float:
        """Return the load, kilograms."""
        share = self._share(now)
        if share >= SETTLED:
            return self._weight
        if share < FILLED:
            return self._weight * share / FILLED
        swing = math.sin(2 * math.pi * SWING_HZ * (now - self._start)) * (SETTLED - share) / (SETTLED - FILLED)
        return self._weight * (1 + 0.02 * swing)

    def _share(self, now: float) -> float:
        return SETTLED if self._duration <= 0 else min(SETTLED, (now - self._start) / self._duration)
