"""Decides which alarm events count: latched events arrive again after each start, and clocks may be set back.

Pure: no ROS, sockets, files or clock.

A sender numbers its events within a session, and an event counts if its number is new. The time of day decides nothing, except
for a sender without sessions, and then only shortly after a start, when old events are sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ['EventFilter', 'EventOrder', 'SessionKey']

SessionKey = tuple[str, str]
"""(source, session)"""


@dataclass(frozen=True)
class EventOrder:
    """What orders an event of an alarm."""

    source: str
    key: str
    session: str
    """Start of the sending process; "" = a sender without sessions."""
    sequence: int
    stamp_ns: int
    kind: int


class EventFilter:
    """Remembers the latest event of each session, and of each alarm of a sender without sessions."""

    def __init__(
        self,
        sessions: Mapping[SessionKey, int] | None = None,
        last_event_times: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        """Restore what the database knows.

        Args:
            sessions: Sequence of the latest event by (source, session).
            last_event_times: Stamp of the latest event by (source, key) before this start, closed alarms included.
        """
        self.sessions = dict(sessions or {})
        self._stamps = dict(last_event_times or {})
        self._latest: dict[tuple[str, str], tuple[int, int]] = {}

    def accepts(self, event: EventOrder, *, replaying: bool = False) -> bool:
        """Return True if an event is new, and remember it.

        Args:
            event: The event.
            replaying: Latched events of a sender without sessions may still arrive again.
        """
        if event.session:
            session = (event.source, event.session)
            if event.sequence <= self.sessions.get(session, 0):
                return False
            self.sessions[session] = event.sequence
            return True
        key = (event.source, event.key)
        repeated = self._latest.get(key) == (event.stamp_ns, event.kind)
        if repeated or (replaying and key in self._stamps and event.stamp_ns <= self._stamps[key]):
            return False
        self._latest[key] = (event.stamp_ns, event.kind)
        return True
