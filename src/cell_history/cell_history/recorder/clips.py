"""Keeps the last seconds of all topics, and cuts a clip around each reject, alarm and stop.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

from cell_common.time import seconds_to_ns

__all__ = ['Cause', 'Clip', 'ClipBuffer', 'ClipMessage', 'to_line']


@dataclass(frozen=True)
class ClipMessage:
    """A message as it goes into a clip."""

    time_ns: int
    topic: str
    kind: str
    data: bytes


@dataclass(frozen=True)
class Cause:
    """Why a clip is cut.

    Attributes:
        kind: "reject", "alarm" or "stop".
        at_ns: ROS time in nanoseconds.
        text: For people.
        job_id: Pick job of a reject; "" = none.
        piece: Number of the piece; 0 = none.
    """

    kind: str
    at_ns: int
    text: str
    job_id: str = ''
    piece: int = 0


@dataclass
class Clip:
    """A clip that is due.

    Attributes:
        start_ns: First moment.
        stop_ns: Last moment; a cause within it moves it on.
        causes: In the order of their moments.
        messages: In the order of their arrival; filled when the clip is finished.
    """

    start_ns: int
    stop_ns: int
    causes: list[Cause] = field(default_factory=list)
    messages: list[ClipMessage] = field(default_factory=list)


class ClipBuffer:
    """Messages of the last seconds, and the clip that is being collected."""

    def __init__(self, before_s: float, after_s: float, most_bytes: int, longest_s: float = 60.0) -> None:
        """Set the lengths.

        Args:
            before_s: Seconds before a cause.
            after_s: Seconds after it.
            most_bytes: Limit of the memory; the oldest messages are dropped first.
            longest_s: Longest clip: in a flood of causes another one begins.
        """
        self._before_ns, self._after_ns = seconds_to_ns(before_s), seconds_to_ns(after_s)
        self._most_bytes, self._longest_ns = most_bytes, seconds_to_ns(longest_s)
        self._messages: deque[ClipMessage] = deque()
        self._size = 0
        self._open: Clip | None = None
        self._later: list[Cause] = []

    def add(self, message: ClipMessage) -> None:
        """Add a message, and drop those that no clip can need."""
        self._messages.append(message)
        self._size += len(message.data)
        oldest_ns = message.time_ns - self._before_ns - self._after_ns
        if self._open is not None:
            oldest_ns = min(oldest_ns, self._open.start_ns)
        while self._messages and (self._messages[0].time_ns < oldest_ns or self._size > self._most_bytes):
            self._size -= len(self._messages.popleft().data)

    def cut(self, cause: Cause) -> None:
        """Begin a clip, or add a cause to the one that is being collected.

        A cause after the last moment of that clip waits until it is finished, and begins the next one.
        """
        if self._open is None:
            self._open = Clip(cause.at_ns - self._before_ns, cause.at_ns + self._after_ns, [cause])
        elif cause.at_ns <= self._open.stop_ns:
            latest_ns = self._open.start_ns + self._longest_ns
            self._open.causes.append(cause)
            self._open.stop_ns = min(max(self._open.stop_ns, cause.at_ns + self._after_ns), latest_ns)
        else:
            self._later.append(cause)

    def finished(self, now_ns: int) -> Clip | None:
        """Return the clip whose last moment is over, with its messages; None if there is none.

        Args:
            now_ns: ROS time in nanoseconds.
        """
        clip = self._open
        if clip is None or now_ns <= clip.stop_ns:
            return None
        self._open = None
        later, self._later = self._later, []
        for cause in later:
            self.cut(cause)
        clip.messages = [item for item in self._messages if clip.start_ns <= item.time_ns <= clip.stop_ns]
        return clip


def to_line(name: str, clip: Clip) -> str:
    """Return the entry of a clip in the index, one line of JSON.

    Args:
        name: Of its folder.
        clip: A finished clip.
    """
    causes = [vars(cause) for cause in clip.causes]
    return json.dumps({'clip': name, 'start_ns': clip.start_ns, 'stop_ns': clip.stop_ns, 'causes': causes}, ensure_ascii=False)
