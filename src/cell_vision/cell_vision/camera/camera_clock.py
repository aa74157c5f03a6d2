"""Turns the timestamps of a camera's own clock into times of the cell, and rejects frames that the camera sent before.

The camera's clock has an unknown offset: it may count from power-on. The smallest difference between arrival and timestamp is
taken as the offset, so a frame that was delayed more than the quickest one gets the earlier time at which it was taken. A
constant delay cannot be seen this way; the OCR node measures it on the parts.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cell_common.time import NS_PER_S

__all__ = ['CameraClock', 'timestamp_of']

DRIFT = 200e-6
"""Largest drift of the camera's clock against ours: two crystals differ by less."""
RESYNC_NS = 2 * NS_PER_S
"""A clock that goes on below its last accepted time, or stands, for this long was set back, or is none."""
LONGEST_DELAY_NS = 60 * NS_PER_S
"""A frame that seems older than this shows no delay, but a clock that was set."""
_SECONDS = re.compile(r'\d{1,11}\.(?:\d{3}|\d{6}|\d{9})')
_HEADERS = 'x-timestamp', 'x-frame-timestamp'


def timestamp_of(head: Mapping[str, str]) -> float | None:
    """Return the camera's time of a frame in seconds, None when its part of the stream has none.

    Args:
        head: Header fields of the part, names in lower case. `X-Timestamp` with seconds and microseconds is that of
            mjpg-streamer and of the firmwares for ESP32 cameras. Fractions of other lengths are ignored: some cameras print
            the microseconds without leading zeros.
    """
    for name in _HEADERS:
        text = head.get(name, '').strip()
        if _SECONDS.fullmatch(text):
            return float(text)
    return None


class CameraClock:
    """Clock of one connection to a camera.

    Attributes:
        rejected: Number of frames that the camera had sent before, or later ones.
    """

    def __init__(self) -> None:
        self._offset: int | None = None
        self._arrival = self._taken = 0
        self._back: tuple[int, int] | None = None
        """Arrival of the first and timestamp of the last of consecutive frames that are older than accepted ones."""
        self._stands = False
        self.rejected = 0

    def time_of(self, arrival_ns: int, taken_s: float | None) -> int | None:
        """Return when a frame was taken, nanoseconds of our clock; None when the camera sent it or a later one before.

        Args:
            arrival_ns: When it was received.
            taken_s: Timestamp of the camera, seconds; None = the camera has no clock.
        """
        if taken_s is None or self._stands:
            return arrival_ns
        taken = round(taken_s * NS_PER_S)
        if self._offset is not None and taken <= self._taken:
            if not self._is_set_back(arrival_ns, taken):
                self.rejected += 1
                return None
            self._offset, self._stands = None, taken == self._taken
        self._back = None
        offset = arrival_ns - taken
        if self._offset is not None:
            known = self._offset + round(DRIFT * max(0, arrival_ns - self._arrival))
            # A jump of minutes is no delay: the clock was set.
            offset = known if 0 < offset - known <= LONGEST_DELAY_NS else offset
        self._offset, self._arrival, self._taken = offset, arrival_ns, taken
        return taken + offset

    def _is_set_back(self, arrival_ns: int, taken: int) -> bool:
        """Return whether the clock goes on from an earlier time, or stands, rather than that single old frames are sent."""
        begin, last = self._back or (arrival_ns, taken)
        goes_on = taken > last or taken == last == self._taken
        self._back = (begin if goes_on else arrival_ns), taken
        return goes_on and arrival_ns - begin >= RESYNC_NS
