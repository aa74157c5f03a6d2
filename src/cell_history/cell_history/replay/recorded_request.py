"""One request of a recording, as it is asked again."""

from __future__ import annotations

from dataclasses import dataclass

from cell_history.bags.types import Message

__all__ = ['RecordedRequest']


@dataclass(frozen=True)
class RecordedRequest:
    """A request, or a reading of a scale, at the moment at which it is to be decided again.

    Attributes:
        at_ns: ROS time in nanoseconds.
        name: Service, or topic of the readings, relative to the cell's namespace.
        request: The installed request message, or the reading.
        response: The answer of that time; None for a reading.
    """

    at_ns: int
    name: str
    request: Message
    response: Message = None
