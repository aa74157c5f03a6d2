"""Folds alarms of one cause: consequential alarms are shown under the first one.

Pure: no ROS, sockets, files or clock.

`cell_common.alarm_texts.CAUSES` says which alarm can follow from which. One cause then is one line on the page, not three, and
one acknowledgement answers all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cell_common.alarm_texts import CAUSES

from cell_coordinator.alarms.book import AlarmRecord

__all__ = ['FoldedAlarm', 'fold']


_RELATED = {*CAUSES, *(cause for causes in CAUSES.values() for cause in causes)}
"""Alarms that have a cause or are one, as "source/key"."""


@dataclass(frozen=True)
class FoldedAlarm:
    """One alarm as the operator sees it."""

    first: AlarmRecord
    """The alarm that was raised first."""
    others: tuple[AlarmRecord, ...] = ()
    """Alarms of the same cause, oldest first."""


def fold(records: Sequence[AlarmRecord]) -> list[FoldedAlarm]:
    """Return the alarms, one for each cause; an alarm that is not active or is shelved stands alone.

    Relations are transitive: if A causes B and B causes C, all three fold into one, although CAUSES names no pair (A, C).

    Args:
        records: Open alarms; their order is kept.

    Returns:
        Each record once, as `first` or among the `others` of one entry.
    """
    groups: list[list[AlarmRecord]] = []
    for record in records:
        if f'{record.source}/{record.key}' not in _RELATED:
            continue  # stands alone; in a flood these are hundreds
        related = [group for group in groups if any(_same_cause(record, other) for other in group)]
        merged = [record, *(other for group in related for other in group)]
        groups = [group for group in groups if group not in related]
        groups.append(merged)
    folded = [FoldedAlarm(record) for record in records if f'{record.source}/{record.key}' not in _RELATED]
    for group in groups:
        first, *others = sorted(group, key=lambda item: (item.number, item.raised_ns, item.alarm_id))
        folded.append(FoldedAlarm(first, tuple(others)))
    position = {record.alarm_id: index for index, record in enumerate(records)}
    return sorted(folded, key=lambda item: min(position[record.alarm_id] for record in (item.first, *item.others)))


def _same_cause(one: AlarmRecord, other: AlarmRecord) -> bool:
    """Return True if one of two active alarms follows from the other, by CAUSES."""
    # A shelved cause is hidden. Its consequences would disappear with it, and nobody asked for that.
    if not all(record.active and not record.shelved_until_ns for record in (one, other)):
        return False
    a, b = f'{one.source}/{one.key}', f'{other.source}/{other.key}'
    return a in CAUSES.get(b, ()) or b in CAUSES.get(a, ())
