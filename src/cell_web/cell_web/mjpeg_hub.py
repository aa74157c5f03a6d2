"""Fan-out of camera frames to any number of viewers, each at the rate of its connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class MjpegFrame:
    """One encoded image.

    Attributes:
        jpeg: Encoded image, sent unchanged.
        stamp_ns: Capture time, ROS time in nanoseconds.
    """

    jpeg: bytes
    stamp_ns: int


class FrameHub:
    """Newest frame of one topic and its waiting viewers. Used from one event loop only.

    A viewer slower than the camera gets the newest frame when it is ready; frames in between are
    dropped. No frame is queued, so a slow viewer costs no memory and never sees an old image.

    Attributes:
        sent: Frames that viewers have taken, all viewers together.
        dropped: Frames that a viewer missed because it was slow.
    """

    def __init__(self, on_demand: Callable[[bool], None], keep: bool = False) -> None:
        """Create a hub without viewers.

        Args:
            on_demand: Called with True when the first viewer subscribes, with False when the last one leaves.
            keep: Send a new viewer the last frame, whatever its age; for topics with rare images.
        """
        self._on_demand = on_demand
        self._keep = keep
        self._waiting: set[asyncio.Event] = set()
        self._frame: MjpegFrame | None = None
        self._number = 0
        self.sent = 0
        self.dropped = 0

    @property
    def viewers(self) -> int:
        """Number of current viewers."""
        return len(self._waiting)

    def publish(self, frame: MjpegFrame) -> None:
        """Pass a new frame to every viewer.

        Args:
            frame: Replaces the frame before, whether or not every viewer has taken that.
        """
        self._frame = frame
        # Counted, not compared: a camera may send the same bytes twice.
        self._number += 1
        for event in self._waiting:
            event.set()

    async def frames(self) -> AsyncGenerator[MjpegFrame, None]:
        """Yield frames, always the newest, until the caller closes the generator.

        The viewer counts from the first iteration to the close. Close it with `aclosing`: the
        garbage collector may be late, and the camera would stay subscribed.
        """
        event = asyncio.Event()
        self._subscribe(event)
        # A kept frame counts as not seen yet, so the first iteration returns it.
        seen = self._number - (self._frame is not None)
        try:
            while True:
                if seen == self._number:
                    event.clear()
                    await event.wait()
                self.dropped += self._number - seen - 1
                seen = self._number
                assert self._frame is not None
                yield self._frame
                self.sent += 1
        finally:
            self._unsubscribe(event)

    def _subscribe(self, event: asyncio.Event) -> None:
        self._waiting.add(event)
        if len(self._waiting) == 1:
            self._on_demand(True)

    def _unsubscribe(self, event: asyncio.Event) -> None:
        self._waiting.discard(event)
        if not self._waiting:
            self._on_demand(False)
            if not self._keep:
                self._frame = None
