"""State machine of the alarms after ANSI/ISA-18.2, "Management of Alarm Systems for the Process Industries".

Pure: no ROS, sockets, files or clock.

    UNACKNOWLEDGED --acknowledge--> ACKNOWLEDGED --clear--> CLOSED
    UNACKNOWLEDGED --clear--> RETURNED --acknowledge--> CLOSED
    any of these --shelve--> SHELVED --time over, or shown again--> the state it would have without shelving

An alarm that is raised again after its acknowledgement becomes UNACKNOWLEDGED again, because its condition has recurred.

The state is not stored: `AlarmRecord.state` derives it from three facts (active, acknowledged, shelved). So no combination of
events can make them disagree.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from cell_common.error_code import ErrorCode
from cell_common.time import NS_PER_S

MAX_SHELVE_NS = 8 * 3600 * NS_PER_S
"""One shift."""


class AlarmState(enum.IntEnum):
    """State of an alarm; numbers of cell_interfaces/msg/Alarm. A CLOSED alarm is not published.

    RETURNED means that the condition is gone and no operator has seen it: the alarm stays on the list.
    """

    UNACKNOWLEDGED = 0
    ACKNOWLEDGED = 1
    RETURNED = 2
    SHELVED = 3
    CLOSED = 4


class AlarmError(Exception):
    """A command on an alarm is not possible; the text tells the operator why.

    Attributes:
        code: Code of the response, UNKNOWN_ALARM or INVALID_ARGUMENT.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        """Store the code of the response."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class AlarmRecord:
    """One occurrence of an alarm, from its first raise until it is closed.

    The same condition after that is a new occurrence with a new id. Times are ROS time in nanoseconds. Text, consequence and
    action are those of the latest raise.
    """

    alarm_id: str
    source: str
    key: str
    priority: int
    text: str
    consequence: str
    action: str
    raised_ns: int
    last_event_ns: int = 0
    """Stamp of the latest event of this alarm."""
    number: int = 0
    """Order in which the open alarms were raised; 0 = by an earlier release."""
    count: int = 1
    active: bool = True
    """The condition exists."""
    acknowledged_by: str = ''
    acknowledged_ns: int = 0
    cleared_ns: int = 0
    """When its condition ended; 0 = it exists, or was cleared by an earlier release."""
    shelved_until_ns: int = 0
    """0 = not shelved."""

    @property
    def acknowledged(self) -> bool:
        """True if an operator has acknowledged the alarm since it was last raised."""
        return self.acknowledged_ns > 0

    @property
    def state(self) -> AlarmState:
        """State after ISA-18.2.

        CLOSED wins over SHELVED: an alarm that is over and acknowledged needs no hiding.
        """
        if not self.active and self.acknowledged:
            return AlarmState.CLOSED
        if self.shelved_until_ns:
            return AlarmState.SHELVED
        if not self.active:
            return AlarmState.RETURNED
        return AlarmState.ACKNOWLEDGED if self.acknowledged else AlarmState.UNACKNOWLEDGED


@dataclass(frozen=True)
class AlarmRaise:
    """Content of an event that raises an alarm; see cell_interfaces/msg/AlarmEvent.

    The field names are those of `AlarmRecord`, into which they are copied.
    """

    source: str
    key: str
    priority: int
    text: str
    consequence: str
    action: str


class AlarmBook:
    """The open alarms, one for each (source, key). Each method that changes alarms returns the changed records.

    The caller passes on new events only (see `event_filter`), stores the returned records, the CLOSED ones included, and
    publishes `active`.
    """

    def __init__(self, records: Iterable[AlarmRecord] = ()) -> None:
        """Restore the alarms of the database.

        Args:
            records: Alarms; closed ones are ignored.
        """
        self._open = {(record.source, record.key): record for record in records if record.state is not AlarmState.CLOSED}
        self._number = max((record.number for record in self._open.values()), default=0)

    def active(self) -> list[AlarmRecord]:
        """Return the open alarms: highest priority first, then newest first."""
        return sorted(
            self._open.values(), key=lambda record: (-record.priority, -record.number, -record.raised_ns, record.alarm_id)
        )

    def raise_alarm(self, raised: AlarmRaise, alarm_id: str, event_ns: int) -> list[AlarmRecord]:
        """Open an alarm, or count a repeated raise of an open one.

        A repeated raise withdraws the acknowledgement. It does not end a shelving: the operator asked for quiet from this
        condition.

        Args:
            raised: Content of the event.
            alarm_id: Id for a new occurrence.
            event_ns: Stamp of the event.

        Returns:
            The changed record.
        """
        key = (raised.source, raised.key)
        known = self._open.get(key)
        if known is None:
            self._number += 1
            opened = AlarmRecord(alarm_id, **vars(raised), raised_ns=event_ns, last_event_ns=event_ns, number=self._number)
            return [self._store(opened)]
        return [
            self._store(
                replace(
                    known,
                    **vars(raised),
                    active=True,
                    count=known.count + 1,
                    last_event_ns=event_ns,
                    cleared_ns=0,
                    acknowledged_by='',
                    acknowledged_ns=0,
                )
            )
        ]

    def clear(self, source: str, key: str, event_ns: int) -> list[AlarmRecord]:
        """Mark an alarm as inactive: its condition no longer exists.

        Args:
            source: Node that raised it.
            key: Its key within the node.
            event_ns: Stamp of the event.

        Returns:
            The changed record; empty for an unknown or inactive alarm.
        """
        known = self._open.get((source, key))
        if known is None or not known.active:
            return []
        return [self._store(replace(known, active=False, last_event_ns=event_ns, cleared_ns=event_ns))]

    def clear_source(self, source: str, event_ns: int) -> list[AlarmRecord]:
        """Mark all alarms of a node as inactive: a new process of it has started and knows of no condition yet.

        Unacknowledged ones stay on the list as RETURNED.

        Args:
            source: The node.
            event_ns: Stamp of its start event.

        Returns:
            The changed records.
        """
        keys = [key for of, key in self._open if of == source]
        return [record for key in keys for record in self.clear(source, key, event_ns)]

    def acknowledge(self, alarm_id: str, operator_id: str, now_ns: int) -> list[AlarmRecord]:
        """Acknowledge an alarm; an empty id acknowledges all that are not shelved.

        Args:
            alarm_id: Id of an open alarm, or "".
            operator_id: Stored with the alarm.
            now_ns: ROS time; must not be 0, which means "not acknowledged".

        Returns:
            The changed records; an alarm that was acknowledged before is not among them.

        Raises:
            AlarmError: UNKNOWN_ALARM.
        """
        chosen = [self._find(alarm_id)] if alarm_id else [r for r in self.active() if not r.shelved_until_ns]
        return [
            self._store(replace(record, acknowledged_by=operator_id, acknowledged_ns=now_ns))
            for record in chosen
            if not record.acknowledged
        ]

    def shelve(self, alarm_id: str, for_ns: int, now_ns: int) -> list[AlarmRecord]:
        """Hide an alarm for a limited time, or show it again.

        ISA-18.2 asks for a limit: a shelved alarm that nobody remembers is a disabled alarm.

        Args:
            alarm_id: Id of an open alarm.
            for_ns: Duration in nanoseconds, at most MAX_SHELVE_NS; 0 = show it again.
            now_ns: ROS time.

        Raises:
            AlarmError: UNKNOWN_ALARM, or INVALID_ARGUMENT for a time that is not allowed.
        """
        if not 0 <= for_ns <= MAX_SHELVE_NS:
            raise AlarmError(ErrorCode.INVALID_ARGUMENT, 'an alarm can be shelved for at most 8 hours')
        return [self._store(replace(self._find(alarm_id), shelved_until_ns=now_ns + for_ns if for_ns else 0))]

    def expire(self, now_ns: int) -> list[AlarmRecord]:
        """End the shelving of alarms whose time is over."""
        expired = [record for record in self._open.values() if 0 < record.shelved_until_ns <= now_ns]
        return [self._store(replace(record, shelved_until_ns=0)) for record in expired]

    def shift_shelving(self, jump_ns: int, now_ns: int) -> list[AlarmRecord]:
        """Move the ends of shelving with a clock that was set, so that no alarm is hidden for longer than was said.

        Args:
            jump_ns: How far the clock was set ahead; negative = back.
            now_ns: ROS time in nanoseconds.
        """
        latest = now_ns + MAX_SHELVE_NS
        moved = [
            replace(record, shelved_until_ns=max(1, min(record.shelved_until_ns + jump_ns, latest)))
            for record in self._open.values()
            if record.shelved_until_ns
        ]
        return [self._store(record) for record in moved if self._open[record.source, record.key] != record]

    def _find(self, alarm_id: str) -> AlarmRecord:
        """Return an open alarm.

        Raises:
            AlarmError: UNKNOWN_ALARM: there is none with this id.
        """
        for record in self._open.values():
            if record.alarm_id == alarm_id:
                return record
        raise AlarmError(ErrorCode.UNKNOWN_ALARM, f'alarm {alarm_id} does not exist: it may be closed already')

    def _store(self, record: AlarmRecord) -> AlarmRecord:
        key = (record.source, record.key)
        if record.state is AlarmState.CLOSED:
            self._open.pop(key, None)
        else:
            self._open[key] = record
        return record


def to_json(record: AlarmRecord) -> str:
    """Return the snapshot that is stored in the database."""
    return json.dumps(asdict(record))


def from_json(text: str) -> AlarmRecord:
    """Return the record of a snapshot.

    A field that a later release added has its default here. An unknown field makes the snapshot incompatible.

    Raises:
        ValueError: The snapshot was written by an incompatible release.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        return AlarmRecord(**data)
    except TypeError as error:
        raise ValueError(f'alarm snapshot not understood: {error}') from error
