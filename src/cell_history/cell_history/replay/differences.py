"""Compares two lists of decisions about one bag.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cell_history.replay.decisions import DecisionKind, DecisionRecord

__all__ = ['COMPARED', 'Difference', 'compare']

COMPARED: dict[DecisionKind, tuple[str, ...]] = {
    DecisionKind.READ: ('status', 'texts', 'scores', 'codes'),
    DecisionKind.MATCH: ('verdict', 'part_number', 'score', 'decided_by', 'text'),
    DecisionKind.BOOK: ('code', 'outcome', 'tray', 'count_after'),
    DecisionKind.STOCK: ('code', 'counts_after'),
    DecisionKind.BENCHMARK: ('code', 'version'),
    DecisionKind.WEIGH: ('code',),
    DecisionKind.BAG: ('outcome', 'zone', 'weigh_job_id', 'bag_number', 'net_weight', 'station'),
}
"""Values that are compared, in the order in which they are shown."""
ABSENT = 'nothing'


@dataclass(frozen=True)
class Difference:
    """One value that differs.

    Attributes:
        kind: What was decided.
        key: Of the decision.
        at_ns: Moment in the bag, ROS time in nanoseconds.
        about: Job and piece, or scale and station.
        name: The value's name; "decision" when one side has none at all.
        before: Value of the first list.
        after: Value of the second list.
    """

    kind: DecisionKind
    key: str
    at_ns: int
    about: dict[str, Any]
    name: str
    before: Any
    after: Any


def compare(before: Sequence[DecisionRecord], after: Sequence[DecisionRecord]) -> list[Difference]:
    """Return what differs, in the order of the first list; decisions of the second list alone follow.

    Args:
        before: Recorded decisions, or those of an earlier replay.
        after: Decisions of a later replay.
    """
    first, second = _numbered(before), _numbered(after)
    return [item for key in {**first, **second} for item in _differences(first.get(key), second.get(key))]


def _numbered(decisions: Sequence[DecisionRecord]) -> dict[tuple[DecisionKind, str, int], DecisionRecord]:
    """Return decisions by kind, key and number among those of that key: a request may have been repeated."""
    counts: Counter[tuple[DecisionKind, str]] = Counter()
    found = {}
    for item in decisions:
        counts[item.kind, item.key] += 1
        found[item.kind, item.key, counts[item.kind, item.key]] = item
    return found


def _differences(before: DecisionRecord | None, after: DecisionRecord | None) -> Iterator[Difference]:
    known = before or after
    assert known is not None
    about = {**(after.about if after else {}), **(before.about if before else {})}

    def differs(name: str, old: Any, new: Any) -> Difference:
        return Difference(known.kind, known.key, known.at_ns, about, name, old, new)

    if before is None or after is None:
        yield differs('decision', ABSENT if before is None else _shown(before), ABSENT if after is None else _shown(after))
        return
    for name in COMPARED[known.kind]:
        # A value that one side does not know, such as one of an older release, is no difference.
        if name in before.values and name in after.values and before.values[name] != after.values[name]:
            yield differs(name, before.values[name], after.values[name])


def _shown(decision: DecisionRecord) -> str:
    """Return the decisive value of a decision for people."""
    for name in COMPARED[decision.kind]:
        if name in decision.values:
            return f'{name} {decision.values[name]}'
    return 'decided'
