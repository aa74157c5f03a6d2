"""Merges the readings that several passes made of one frame.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median_low

from cell_vision.matching.alignment import normalize
from cell_vision.ocr import box_geometry
from cell_vision.types import MISSING, Polygon, Reading

SAME_PLACE = 0.5
"""Two boxes are at the same place if their centers are closer than this across the line, in heights of the lower one."""
CONTRADICTS = 0.15
"""A different text counts against the best one if its score is lower by at most this."""
GAP_SEEN = 0.34
"""A gap counts if at least this share of the readings with the same characters shows it."""
CERTAIN = 0.9
"""Least score of a different text that only one pass read."""


def merge_passes(passes: Sequence[Sequence[Reading]], *, keep_contradictions: bool) -> list[Reading]:
    """Return the best reading of each place, in reading order.

    Args:
        passes: Readings of the same frame.
        keep_contradictions: Also keep different texts of a place that are nearly as certain, each with the median score of
            its readings. The matcher then sees that the passes disagree.
    """
    places: list[list[Reading]] = []
    for reading in sorted((reading for readings in passes for reading in readings), key=_rank):
        # Compared with the most certain reading of a place, which is its first: chains of overlaps
        # would join neighboring lines.
        place = next((place for place in places if overlaps(place[0], reading)), None)
        if place is None:
            places.append([reading])
        else:
            place.append(reading)
    marked = [_with_all_likelihoods(_with_common_gaps(place)) for place in places]
    kept = [reading for place in marked for reading in (_texts(place) if keep_contradictions else place[:1])]
    return sorted(kept, key=lambda reading: reading.polygon[0][::-1])


def _rank(reading: Reading) -> tuple[float, str, Polygon]:
    """Return the sort key of readings, the most certain first; it does not depend on the order of the passes."""
    return -reading.score, reading.text, reading.polygon


def _with_common_gaps(place: Sequence[Reading]) -> list[Reading]:
    """Give readings with the same characters the same gaps: one that many of them saw is in all, one of a few in none.

    Whether a gap is seen depends on the scale of the pass; the number itself must not change with
    the pass that won.
    """
    same: dict[str, list[Reading]] = {}
    for reading in place:
        same.setdefault(_characters(reading), []).append(reading)
    texts: dict[str, str] = {}
    for characters, readings in same.items():
        seen = [reading for reading in readings if MISSING in reading.text]
        chosen = seen if len(seen) >= GAP_SEEN * len(readings) and seen else [r for r in readings if r not in seen]
        texts[characters] = max((reading.text for reading in chosen), key=lambda text: (text.count(MISSING), text))
    common = [(reading, texts[_characters(reading)]) for reading in place]
    return [
        replace(reading, text=text) if (MISSING in reading.text) != (MISSING in text) else reading for reading, text in common
    ]


def _with_all_likelihoods(place: Sequence[Reading]) -> list[Reading]:
    """Give the readings of a place the likelihoods of all its strips: each pass saw the same print."""
    strips = tuple(dict.fromkeys(strip for reading in place for strip in reading.likelihoods))
    return [replace(reading, likelihoods=strips) for reading in place]


def _characters(reading: Reading) -> str:
    return normalize(reading.text).replace(MISSING, '').replace(' ', '')


def _texts(place: Sequence[Reading]) -> list[Reading]:
    """Return one reading for each relevant text at a place, with the median score of its readings.

    Some passes are sure of a digit that others doubt, so most must be sure. A text that contains the best one and continues it
    comes from a pass that saw more of the print, and need not be certain.
    """
    by_text: dict[str, list[Reading]] = {}
    for reading in place:
        by_text.setdefault(normalize(reading.text), []).append(reading)
    best = normalize(place[0].text)
    counted = [
        same
        for text, same in by_text.items()
        if text == best
        or (place[0].score - same[0].score <= CONTRADICTS and (len(same) > 1 or same[0].score >= CERTAIN or best in text))
    ]
    return [replace(same[0], score=median_low(reading.score for reading in same)) for same in counted]


def overlaps(one: Reading, other: Reading) -> bool:
    """Return whether two readings are of the same print.

    Args:
        one: A reading.
        other: A reading of the same frame, of this or another pass; the texts do not matter.
    """
    return box_geometry.overlaps(one.polygon, other.polygon, SAME_PLACE)
