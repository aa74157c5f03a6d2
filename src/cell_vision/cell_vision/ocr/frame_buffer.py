"""The newest camera frame, kept as it came, and those who wait for a newer one."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

CDR_LITTLE_ENDIAN = 0x01
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class SerializedFrame:
    """A sensor_msgs/CompressedImage as it came over the wire."""

    stamp: int
    """Of its header, ROS time, nanoseconds."""
    data: bytes
    """CDR, encapsulation header included."""


def stamp_of(data: bytes) -> int:
    """Return the header stamp of a serialized message that begins with a std_msgs/Header, nanoseconds.

    The layout is CDR (OMG DDSI-RTPS 10.5): four bytes of encapsulation, then `sec` (int32) and `nanosec` (uint32).

    Raises:
        ValueError: Too short.
    """
    if len(data) < 12:
        raise ValueError(f'a message of {len(data)} bytes has no header')
    order = '<' if data[1] & CDR_LITTLE_ENDIAN else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds) * NANOSECONDS + int(nanoseconds)


class FrameSlot:
    """Keeps the newest frame and hands it to those who wait for one newer than a stamp."""

    def __init__(self) -> None:
        self.newest: SerializedFrame | None = None
        self._waiting: list[tuple[int, Callable[[SerializedFrame], None]]] = []

    def put(self, frame: SerializedFrame) -> None:
        """Keep a frame that has arrived; one that arrives late but is older is kept too (the clock may have been set back)."""
        self.newest = frame
        for item in [item for item in self._waiting if frame.stamp > item[0]]:
            self._waiting.remove(item)
            item[1](frame)

    def when_newer(self, stamp: int, take: Callable[[SerializedFrame], None]) -> Callable[[], None]:
        """Call `take` with a frame whose stamp is later than `stamp` (nanoseconds), at once or when it comes.

        Returns:
            Call it to stop waiting.
        """
        if self.newest is not None and self.newest.stamp > stamp:
            take(self.newest)
            return lambda: None
        item = (stamp, take)
        self._waiting.append(item)

        def cancel() -> None:
            if item in self._waiting:
                self._waiting.remove(item)

        return cancel
