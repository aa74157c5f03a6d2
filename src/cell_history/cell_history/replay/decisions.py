"""Decisions of a recording or of a replay, as values that can be compared and as lines of JSON.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ['DecisionKind', 'DecisionRecord', 'DecisionsError', 'parse_lines', 'to_line', 'to_lines']

DIGITS = 4
"""Scores are float32 in messages; further digits differ between processors and mean nothing."""


class DecisionsError(ValueError):
    """A text is no list of decisions."""


class DecisionKind(Enum):
    """What was decided."""

    READ = 'read'
    MATCH = 'match'
    BOOK = 'book'
    STOCK = 'stock'
    BENCHMARK = 'benchmark'
    WEIGH = 'weigh'
    BAG = 'bag'


@dataclass(frozen=True)
class DecisionRecord:
    """One decision.

    Attributes:
        kind: What was decided.
        key: Identifies it in every replay of the same bag: id of the request, job and piece, or id of the scale's reading.
        at_ns: Moment in the bag, ROS time in nanoseconds.
        values: What was decided, by the names of the messages' fields.
        about: What it belongs to, for people: job and piece, or scale and station. Not compared.
    """

    kind: DecisionKind
    key: str
    at_ns: int
    values: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)


def rounded(value: float) -> float:
    """Return a score with the digits that are compared."""
    return round(float(value), DIGITS)


def to_line(decision: DecisionRecord) -> str:
    """Return a decision as one line of JSON; equal decisions give equal lines."""
    return json.dumps(
        {
            'kind': decision.kind.value,
            'key': decision.key,
            'at_ns': decision.at_ns,
            'values': decision.values,
            'about': decision.about,
        },
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
    )


def to_lines(decisions: Iterable[DecisionRecord]) -> str:
    """Return decisions as lines of JSON."""
    return ''.join(f'{to_line(decision)}\n' for decision in decisions)


def parse_lines(text: str) -> list[DecisionRecord]:
    """Return the decisions of a text of `to_lines`.

    Raises:
        DecisionsError: A line is no decision; the text names it.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            found.append(
                DecisionRecord(
                    DecisionKind(item['kind']), str(item['key']), int(item['at_ns']), dict(item['values']), dict(item['about'])
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DecisionsError(f'line {number} is no decision: {error!r}') from error
    return found
