"""Moments of a recording on the clock of this machine.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_common.time import NS_PER_S

__all__ = ['Pace']


class Pace:
    """Converts between the recording's time and steady time.

    The recording never runs on while a decision is made: `hold` moves what is still to come. So decisions meet the same state
    at every rate and on every machine.
    """

    def __init__(self, first_ns: int, now_s: float, rate: float) -> None:
        """Start now.

        Args:
            first_ns: First moment of the recording, ROS time in nanoseconds.
            now_s: Steady time in seconds.
            rate: 1 = as recorded.
        """
        self._first_ns, self._started_s, self._rate = first_ns, now_s, rate

    def due_s(self, moment_ns: int) -> float:
        """Return the steady time at which a moment of the recording comes."""
        return self._started_s + (moment_ns - self._first_ns) / NS_PER_S / self._rate

    def moment_ns(self, now_s: float) -> int:
        """Return the moment of the recording at a steady time."""
        return self._first_ns + round((now_s - self._started_s) * self._rate * NS_PER_S)

    def hold(self, moment_ns: int, now_s: float) -> None:
        """Go on from a moment now, if its time is past: a decision took longer than the recording has time for."""
        self._started_s += max(0.0, now_s - self.due_s(moment_ns))
