"""Recognizes a flood of alarms, which is then one more alarm that says so; no alarm is left out for it.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import deque

from cell_common.time import NS_PER_S

__all__ = ['FLOOD_ALARMS', 'FloodDetector']

FLOOD_ALARMS = 50
"""New alarms within the window from which on they are a flood: nobody reads them one by one."""
# ISA-18.2 calls more than ten alarms in ten minutes a flood; a cascade after one cause comes within seconds.
WINDOW_NS = 10 * NS_PER_S


class FloodDetector:
    """Counts new alarms in a sliding window of steady time."""

    def __init__(self) -> None:
        self._raised: deque[int] = deque()
        self._peak = 0

    def update(self, new_alarms: int, steady_ns: int) -> int:
        """Return how many alarms the flood has brought at most at once; 0 while there is none.

        Args:
            new_alarms: Alarms that were opened since the last call.
            steady_ns: Steady time in nanoseconds.
        """
        self._raised.extend([steady_ns] * new_alarms)
        while self._raised and steady_ns - self._raised[0] > WINDOW_NS:
            self._raised.popleft()
        if len(self._raised) < FLOOD_ALARMS and not (self._peak and self._raised):
            self._peak = 0
        else:
            self._peak = max(self._peak, len(self._raised))
        return self._peak
