"""Buffer of the latest camera frame, serialized as it was received, with callbacks for a newer one.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from cell_common.time import NS_PER_S

# Second byte of the encapsulation header: CDR_BE is 0x00, CDR_LE 0x01.
CDR_LITTLE_ENDIAN = 0x01


@dataclass(frozen=True)
class SerializedFrame:
    """A sensor_msgs/CompressedImage as received.

    Attributes:
        stamp: Header stamp, ROS time, nanoseconds.
        data: CDR, encapsulation header included.
    """

    stamp: int
    data: bytes


def stamp_of(data: bytes) -> int:
    """Return the header stamp of a serialized message that begins with a std_msgs/Header, nanoseconds.

    The layout is CDR (OMG DDSI-RTPS 10.5): four bytes of encapsulation, then `sec` (int32) and `nanosec` (uint32).

    Raises:
        ValueError: The message is too short.
    """
    if len(data) < 12:
        raise ValueError(f'a message of {len(data)} bytes has no header')
    # Read from the bytes: deserializing each frame would copy it, and most frames are never read.
    order = '<' if data[1] & CDR_LITTLE_ENDIAN else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds) * NS_PER_S + int(nanoseconds)


class LatestFrame:
    """Keeps the latest frame and passes it to callers that wait for one newer than a stamp. Used by one thread.

    Attributes:
        newest: The latest frame, None before the first.
    """

    def __init__(self) -> None:
        self.newest: SerializedFrame | None = None
        self._waiting: list[tuple[int, Callable[[SerializedFrame], None]]] = []

    def update(self, frame: SerializedFrame) -> None:
        """Store a received frame, also one with an older stamp: the clock may have been set back."""
        self.newest = frame
        for item in [item for item in self._waiting if frame.stamp > item[0]]:
            self._waiting.remove(item)
            item[1](frame)

    def on_newer(self, stamp: int, callback: Callable[[SerializedFrame], None]) -> Callable[[], None]:
        """Call back once with a frame later than `stamp`, now or when it is received.

        Args:
            stamp: Nanoseconds.
            callback: Called in the thread of `update`; it may register another one.

        Returns:
            A function that cancels the callback.
        """
        if self.newest is not None and self.newest.stamp > stamp:
            callback(self.newest)
            return lambda: None
        item = (stamp, callback)
        self._waiting.append(item)

        def cancel() -> None:
            if item in self._waiting:
                self._waiting.remove(item)

        return cancel
