"""Hand camera frames to any number of viewers, each at the pace of its own connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """One encoded image."""

    jpeg: bytes
    stamp_ns: int
    """When it was taken, ROS time in nanoseconds."""


class FrameHub:
    """The newest frame of one topic, and who waits for it. Lives on one event loop.

    A viewer that is slower than the camera gets the newest frame when it is ready for one; frames in between are dropped.
    """

    def __init__(self, wanted: Callable[[bool], None], keep: bool = False) -> None:
        """Make a hub.

        Args:
            wanted: Called with True when the first viewer comes and with False when the last one goes.
            keep: Show a new viewer the last frame there was, however old; for pictures that come seldom.
        """
        self._wanted = wanted
        self._keep = keep
        self._waiting: set[asyncio.Event] = set()
        self._frame: Frame | None = None
        self._number = 0
        self.sent = 0
        self.dropped = 0

    @property
    def viewers(self) -> int:
        """How many watch now."""
        return len(self._waiting)

    def publish(self, frame: Frame) -> None:
        """Give a new frame to every viewer."""
        self._frame = frame
        self._number += 1
        for event in self._waiting:
            event.set()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield frames, newest only, until the caller stops."""
        event = asyncio.Event()
        self._enter(event)
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
            self._leave(event)

    def _enter(self, event: asyncio.Event) -> None:
        self._waiting.add(event)
        if len(self._waiting) == 1:
            self._wanted(True)

    def _leave(self, event: asyncio.Event) -> None:
        self._waiting.discard(event)
        if not self._waiting:
            self._wanted(False)
            if not self._keep:
                self._frame = None
