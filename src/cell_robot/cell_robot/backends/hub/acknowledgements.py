"""Rules that attribute a hub's acknowledgements to triggers: an acknowledgement only names its event.

Pure: no ROS, sockets, files or clock.

One trigger is open at a time. Its own event's acknowledgement ends it, unless a former trigger of that event was never
acknowledged: then the acknowledgement may be the former one's. Whenever an acknowledgement cannot be attributed, or one is
missing, the rules block further triggers until a recovery.

An acknowledgement that is attributed wrongly makes the cell believe in a move that has not ended. So in doubt it counts for
the older trigger, and the open one times out as unknown.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

SETTLE_S = 1.0
"""Time in which a hub may repeat an acknowledgement. The same event is sent again only after it."""
HOME = 'HOME'


class AckKind(enum.Enum):
    """Meaning of an acknowledgement."""

    DONE = 'done'
    """It ends the open trigger."""
    LATE = 'late'
    """It belongs to a trigger whose outcome was reported as unknown, or may belong to it."""
    DUPLICATE = 'duplicate'
    """The hub repeated the last acknowledgement."""
    FOREIGN = 'foreign'
    """No trigger of the cell is waiting for it: another program moves the robot, or the hub renames events."""


@dataclass(frozen=True)
class AckReport:
    """An acknowledgement with the trigger it belongs to."""

    kind: AckKind
    trigger_id: str = ''
    """Valid for DONE, LATE and DUPLICATE."""
    seconds: float = 0.0
    """Time since the trigger was sent; valid for DONE and LATE."""


@dataclass
class _Sent:
    trigger_id: str
    event: str
    at: float
    doubtful: bool = False
    """An acknowledgement of its event came that may belong to a former trigger."""


class AckRules:
    """The open trigger, the triggers that were never acknowledged, and why further ones must wait.

    Times are seconds of the caller's monotonic clock.
    """

    def __init__(self, ack_timeout: float) -> None:
        """Wait for each acknowledgement for `ack_timeout` seconds."""
        self._timeout = ack_timeout
        self._open: _Sent | None = None
        self._unanswered: list[_Sent] = []
        self._acknowledged: dict[str, tuple[str, float]] = {}
        self._foreign = ''

    @property
    def open_event(self) -> str:
        """Event of the open trigger; "" without one."""
        return self._open.event if self._open is not None else ''

    @property
    def deadline(self) -> float | None:
        """Time at which the open trigger's outcome becomes unknown."""
        return self._open.at + self._timeout if self._open is not None else None

    @property
    def blocked(self) -> str:
        """Why nothing may be sent before a recovery, with the remedy; "" = triggers may be sent."""
        if self._foreign:
            return (
                f'The hub acknowledged {self._foreign}, which the cell did not wait for. '
                'Stop every other program that moves the robot, look where the robot is, then recover the robot.'
            )
        if self._unanswered:
            last = self._unanswered[-1]
            return (
                f'The hub has not acknowledged {last.event} (trigger {last.trigger_id}). '
                'Wait for it, or look where the robot is and recover the robot.'
            )
        return ''

    def wait_before(self, event: str, now: float) -> float:
        """Return the seconds to wait before an event is sent, so that a repeated acknowledgement cannot answer it.

        Args:
            event: Event to send. Other events need no wait: their name tells them apart.
            now: Seconds.
        """
        _, at = self._acknowledged.get(event, ('', now - SETTLE_S))
        return max(0.0, at + SETTLE_S - now)

    def sent(self, trigger_id: str, event: str, now: float) -> None:
        """Open a trigger; none may be open.

        Args:
            trigger_id: For messages and reports; the hub does not see it.
            event: Name under which the acknowledgement will come.
            now: Seconds; the deadline counts from here.
        """
        self._open = _Sent(trigger_id, event, now)

    def acknowledge(self, event: str, now: float) -> AckReport:
        """Attribute an acknowledgement.

        Args:
            event: The cell's name of the event.
            now: Time of arrival, seconds.

        Returns:
            Kind and trigger; only DONE ends the open trigger.
        """
        former = next((sent for sent in self._unanswered if sent.event == event), None)
        if former is not None:
            self._unanswered.remove(former)
            self._acknowledged[event] = former.trigger_id, now
            # In doubt the older trigger gets it: the open one then times out as unknown, and an operator looks.
            if self._open is not None and self._open.event == event:
                self._open.doubtful = True
            return AckReport(AckKind.LATE, former.trigger_id, now - former.at)
        if self._open is not None and self._open.event == event:
            done, self._open = self._open, None
            self._acknowledged[event] = done.trigger_id, now
            return AckReport(AckKind.DONE, done.trigger_id, now - done.at)
        trigger_id, at = self._acknowledged.get(event, ('', now - 2 * SETTLE_S))
        # Some hubs repeat an acknowledgement; within this time it needs no operator.
        if now - at <= SETTLE_S:
            self._acknowledged[event] = trigger_id, now
            return AckReport(AckKind.DUPLICATE, trigger_id)
        self._foreign = self._foreign or event
        return AckReport(AckKind.FOREIGN)

    def on_timeout(self, now: float) -> str | None:
        """Return why the open trigger's outcome is unknown; None before its deadline."""
        if self._open is None or now < self._open.at + self._timeout:
            return None
        if self._open.doubtful:
            reason = 'the only acknowledgement may belong to a former trigger of this event'
        else:
            reason = f'no acknowledgement within {self._timeout:g} s'
        return self._give_up(reason)

    def on_disconnect(self, reason: str) -> str | None:
        """Return why the open trigger's outcome is unknown; None without one."""
        return None if self._open is None else self._give_up(f'the connection to the hub was lost ({reason})')

    def _give_up(self, reason: str) -> str:
        """End the open trigger as unanswered, which blocks further ones; return the reason."""
        assert self._open is not None
        # Kept: its acknowledgement may come late, and must not answer a later trigger.
        self._unanswered.append(self._open)
        self._open = None
        return reason

    def is_home(self) -> bool:
        """Return whether HOME was acknowledged, after it ended as unknown: each of two HOMEs leaves the robot at home."""
        return bool(self._unanswered) and self._unanswered[-1].event == HOME and self._unanswered[-1].doubtful

    def recovered(self) -> None:
        """Unblock: HOME was acknowledged, and a robot program acknowledges in the order of its letters."""
        self._unanswered.clear()
        self._foreign = ''
