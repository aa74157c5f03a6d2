"""The alarms that stand or wait for an acknowledgement: states after ANSI/ISA-18.2. No ROS, no clock, no database.

    UNACKNOWLEDGED --acknowledge--> ACKNOWLEDGED --cleared--> closed
    UNACKNOWLEDGED --cleared--> RETURNED --acknowledge--> closed
    any of these --shelve--> SHELVED --time over--> what it would be by then

An alarm that comes again after a person acknowledged it is unacknowledged again, because something new has happened.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from cell_interfaces.msg import ResultCode

LONGEST_SHELVE_NS = 8 * 3600 * 1_000_000_000


class AlarmState(enum.IntEnum):
    """Numbers as in cell_interfaces/msg/Alarm; CLOSED alarms are not shown."""

    UNACKNOWLEDGED = 0
    ACKNOWLEDGED = 1
    RETURNED = 2
    SHELVED = 3
    CLOSED = 4


class AlarmError(Exception):
    """A command cannot be carried out; `code` is a ResultCode."""

    def __init__(self, code: int, message: str) -> None:
        """Take the code and the sentence for the answer."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class AlarmRecord:
    """One occurrence of an alarm."""

    alarm_id: str
    source: str
    key: str
    priority: int
    text: str
    consequence: str
    action: str
    raised_ns: int
    heard_ns: int = 0
    """Stamp of the latest event of it."""
    count: int = 1
    standing: bool = True
    """The condition is there."""
    acknowledged_by: str = ''
    acknowledged_ns: int = 0
    shelved_until_ns: int = 0
    """0 = not shelved."""

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has seen it."""
        return self.acknowledged_ns > 0

    @property
    def state(self) -> AlarmState:
        """The state of ISA-18.2."""
        if not self.standing and self.acknowledged:
            return AlarmState.CLOSED
        if self.shelved_until_ns:
            return AlarmState.SHELVED
        if not self.standing:
            return AlarmState.RETURNED
        return AlarmState.ACKNOWLEDGED if self.acknowledged else AlarmState.UNACKNOWLEDGED


@dataclass(frozen=True)
class Raised:
    """What a node says when it raises an alarm."""

    source: str
    key: str
    priority: int
    text: str
    consequence: str
    action: str


class AlarmBook:
    """The open alarms, one for each (source, key). Each change returns the records that changed.

    The nodes' events are latched, so after a restart of the alarms node they all come again: an event that is not newer than
    the latest one of the same alarm changes nothing.
    """

    def __init__(self, records: Iterable[AlarmRecord] = (), last_heard: Mapping[tuple[str, str], int] | None = None) -> None:
        """Take up the open alarms of the database, and when each alarm was heard of last."""
        self._heard = dict(last_heard or {})
        self._open = {(record.source, record.key): record for record in records if record.state is not AlarmState.CLOSED}

    def shown(self) -> list[AlarmRecord]:
        """Return the open alarms: highest priority first, then newest first."""
        return sorted(self._open.values(), key=lambda record: (-record.priority, -record.raised_ns, record.alarm_id))

    def raise_alarm(self, raised: Raised, alarm_id: str, event_ns: int) -> list[AlarmRecord]:
        """Add an alarm, or count one that is open already.

        Args:
            raised: What the node said.
            alarm_id: Id for a new occurrence.
            event_ns: When the node said it.
        """
        key = (raised.source, raised.key)
        if not self._news(key, event_ns):
            return []
        known = self._open.get(key)
        if known is None:
            return [
                self._put(
                    AlarmRecord(
                        alarm_id,
                        raised.source,
                        raised.key,
                        raised.priority,
                        raised.text,
                        raised.consequence,
                        raised.action,
                        event_ns,
                        event_ns,
                    )
                )
            ]
        return [
            self._put(
                replace(
                    known,
                    priority=raised.priority,
                    text=raised.text,
                    consequence=raised.consequence,
                    action=raised.action,
                    standing=True,
                    count=known.count + 1,
                    heard_ns=event_ns,
                    acknowledged_by='',
                    acknowledged_ns=0,
                )
            )
        ]

    def clear(self, source: str, key: str, event_ns: int) -> list[AlarmRecord]:
        """Note that a condition has gone."""
        known = self._open.get((source, key))
        if known is None or not self._news((source, key), event_ns) or not known.standing:
            return []
        return [self._put(replace(known, standing=False, heard_ns=event_ns))]

    def acknowledge(self, alarm_id: str, who: str, now_ns: int) -> list[AlarmRecord]:
        """Note that somebody has seen an alarm; "" = all of them, shelved ones excepted.

        Raises:
            AlarmError: UNKNOWN_ALARM.
        """
        chosen = [self._find(alarm_id)] if alarm_id else [r for r in self.shown() if not r.shelved_until_ns]
        return [
            self._put(replace(record, acknowledged_by=who, acknowledged_ns=now_ns))
            for record in chosen
            if not record.acknowledged
        ]

    def shelve(self, alarm_id: str, for_ns: int, now_ns: int) -> list[AlarmRecord]:
        """Hide an alarm for some time.

        Raises:
            AlarmError: UNKNOWN_ALARM, or a time that is not allowed.
        """
        if not 0 < for_ns <= LONGEST_SHELVE_NS:
            raise AlarmError(ResultCode.INVALID_ARGUMENT, 'an alarm can be shelved for more than 0 and at most 8 hours')
        return [self._put(replace(self._find(alarm_id), shelved_until_ns=now_ns + for_ns))]

    def expire(self, now_ns: int) -> list[AlarmRecord]:
        """Bring back what was shelved for long enough."""
        over = [record for record in self._open.values() if 0 < record.shelved_until_ns <= now_ns]
        return [self._put(replace(record, shelved_until_ns=0)) for record in over]

    def _news(self, key: tuple[str, str], event_ns: int) -> bool:
        if event_ns <= self._heard.get(key, 0):
            return False
        self._heard[key] = event_ns
        return True

    def _find(self, alarm_id: str) -> AlarmRecord:
        for record in self._open.values():
            if record.alarm_id == alarm_id:
                return record
        raise AlarmError(ResultCode.UNKNOWN_ALARM, f'there is no alarm {alarm_id}: it may be closed already')

    def _put(self, record: AlarmRecord) -> AlarmRecord:
        key = (record.source, record.key)
        if record.state is AlarmState.CLOSED:
            self._open.pop(key, None)
        else:
            self._open[key] = record
        return record


def to_json(record: AlarmRecord) -> str:
    """Return the snapshot kept in the database."""
    return json.dumps(asdict(record))


def from_json(text: str) -> AlarmRecord:
    """Return the record of a snapshot.

    Raises:
        ValueError: It was not written by a release that this one understands.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        return AlarmRecord(**data)
    except TypeError as problem:
        raise ValueError(f'alarm snapshot not understood: {problem}') from problem
