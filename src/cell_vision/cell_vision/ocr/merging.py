"""Put several readings of one frame together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median_low

from cell_vision.matching.alignment import normalise
from cell_vision.types import Point, Reading

SAME_PLACE = 0.5
"""Two boxes stand at the same place when their middles are closer than this, in heights of the lower one."""
CONTRADICTS = 0.15
"""A differing text counts against the best one when its score is at most so much lower."""
CERTAIN = 0.9
"""A differing text that only one look gave must be so certain."""


def merged(looks: Sequence[Sequence[Reading]], *, keep_contradictions: bool) -> list[Reading]:
    """Return the best reading of each place, in reading order.

    Args:
        looks: Readings of the same frame.
        keep_contradictions: Keep other texts of a place, too, when they are nearly as certain, and let each be as certain as
            the middle one of its readings: then whoever judges sees that the looks did not agree.
    """
    places: list[list[Reading]] = []
    for reading in sorted((reading for look in looks for reading in look), key=lambda reading: -reading.score):
        place = next((place for place in places if same_place(place[0], reading)), None)
        if place is None:
            places.append([reading])
        else:
            place.append(reading)
    kept = [reading for place in places for reading in (_texts(place) if keep_contradictions else place[:1])]
    return sorted(kept, key=lambda reading: reading.polygon[0][::-1])


def _texts(place: Sequence[Reading]) -> list[Reading]:
    """Return one reading of each text that was read at a place, only of those that count, with its middle score.

    Of looks at the same print some are sure of a digit that the others doubt: most of them must be sure. A text that goes on
    where the best one ends was read by a look to which less of the print was too faint: it need not be certain.
    """
    by_text: dict[str, list[Reading]] = {}
    for reading in place:
        by_text.setdefault(normalise(reading.text), []).append(reading)
    best = normalise(place[0].text)
    counted = [
        same
        for text, same in by_text.items()
        if text == best
        or (place[0].score - same[0].score <= CONTRADICTS and (len(same) > 1 or same[0].score >= CERTAIN or best in text))
    ]
    return [replace(same[0], score=median_low(reading.score for reading in same)) for same in counted]


def same_place(one: Reading, other: Reading) -> bool:
    """Say whether two readings are of the same print: one's middle lies in the other's box, on the same line."""
    narrow, broad = sorted((one, other), key=_length)
    middle, height = _middle(narrow), min(_height(one), _height(other))
    along, across = _offset(broad, middle)
    return abs(across) < SAME_PLACE * height and abs(along) < _length(broad) / 2


def _middle(reading: Reading) -> Point:
    return sum(x for x, _ in reading.polygon) / 4, sum(y for _, y in reading.polygon) / 4


def _length(reading: Reading) -> float:
    return math.dist(reading.polygon[0], reading.polygon[1])


def _height(reading: Reading) -> float:
    return max(1.0, math.dist(reading.polygon[0], reading.polygon[3]))


def _offset(reading: Reading, point: Point) -> tuple[float, float]:
    middle, (a, b) = _middle(reading), reading.polygon[:2]
    length = max(1e-6, math.dist(a, b))
    cos, sin = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    dx, dy = point[0] - middle[0], point[1] - middle[1]
    return dx * cos + dy * sin, dy * cos - dx * sin
