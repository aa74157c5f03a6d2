"""Cache of the latest overlay images, by the time of their frame.

Overlay images and readings arrive on different topics; the frame's time stamp joins them.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_common.latest_entries import LatestEntries

__all__ = ['OverlayCache']


class OverlayCache:
    """Keeps the newest overlay images; a later one of the same frame replaces the earlier one."""

    def __init__(self, capacity: int = 8) -> None:
        """Create an empty cache.

        Args:
            capacity: Images to keep. A reading follows its image within a second, so a few are
                enough.
        """
        self._images = LatestEntries[int, bytes](capacity)

    def add(self, stamp_ns: int, jpeg: bytes) -> None:
        """Add the overlay image of a frame.

        Args:
            stamp_ns: Capture time of the frame, ROS time in nanoseconds.
            jpeg: Frame with overlay; drawn twice, with the texts and then with the verdict.
        """
        self._images[stamp_ns] = jpeg

    def of(self, stamp_ns: int) -> bytes:
        """Return the overlay image of a frame; empty when there is none."""
        return self._images.get(stamp_ns, b'')

    def newest(self, until_ns: int) -> bytes:
        """Return the image of the newest frame that was not taken after a time; empty when there is none."""
        return max(((stamp, jpeg) for stamp, jpeg in self._images.items() if stamp <= until_ns), default=(0, b''))[1]
