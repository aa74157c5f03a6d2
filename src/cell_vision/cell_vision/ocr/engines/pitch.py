"""Finds gaps in a line that are wider than the pitch of its characters: a character may be worn off there, or a blank lost.

The recognizer does not see a character that is not there, but the distance between its neighbors shows it. In right readings
the largest distance is 1.0 to 1.4 times the median one; around a hole it is 1.5 to 2.0 times.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from cell_vision.types import MISSING

__all__ = ['SUSPECT_GAP', 'gap_ratios', 'gaps', 'mark_gaps']

WIDE_GAP = 1.52
"""A gap of at least this many pitches is a hole or a lost blank (mean of two measurements at different scales)."""
WIDE_GAP_ALONE = 1.6
"""The same for a single measurement; the recognizer's steps are coarse."""
SUSPECT_GAP = 1.4
"""From this ratio on a second measurement, at another scale, is worth its time."""
BROAD, ROOMY = 'MW', 'DNOQ-'
BROAD_ROOM, ROOMY_ROOM = 0.25, 0.1
"""Pitches by which the distance to a broad character is larger."""
LEAST_CHARACTERS = 5


def gap_ratios(text: str, centers: Sequence[float]) -> list[float]:
    """Return for each pair of neighboring characters their distance in pitches; 0 beside a blank that was read.

    Args:
        text: A line.
        centers: Position of each of its characters along the line, in any unit.

    Returns:
        One value fewer than characters; empty when the line is too short to have a pitch.
    """
    pairs = list(zip(pairwise(text), pairwise(centers), strict=True)) if len(text) == len(centers) else []
    distances = [b - a for (left, right), (a, b) in pairs if ' ' not in {left, right}]
    if len(distances) < LEAST_CHARACTERS - 1:
        return []
    # The median: one hole among the distances does not move it.
    pitch = max(1e-6, median(distances))
    return [
        0.0 if ' ' in {left, right} else (b - a) / pitch / (1 + _room(left) + _room(right)) for (left, right), (a, b) in pairs
    ]


def gaps(ratios: Sequence[float], again: Sequence[float] = ()) -> list[int]:
    """Return the indices of the pairs around a gap.

    Args:
        ratios: Of `gap_ratios`.
        again: Of the same characters measured at another scale; empty = not measured.
    """
    if len(again) != len(ratios):
        return [i for i, ratio in enumerate(ratios) if ratio >= WIDE_GAP_ALONE]
    return [i for i, (one, other) in enumerate(zip(ratios, again, strict=True)) if (one + other) / 2 >= WIDE_GAP]


def mark_gaps(text: str, measured: str, found: Sequence[int]) -> str | None:
    """Return a text with MISSING in each gap.

    Args:
        text: The final text of the line.
        measured: The text whose pairs were measured; blanks may differ.
        found: Indices of pairs of `measured`.

    Returns:
        None when the texts have different numbers of characters, so that the gaps have no place.
    """
    after = {sum(c != ' ' for c in measured[: i + 1]) for i in found}
    if sum(c != ' ' for c in text) != sum(c != ' ' for c in measured):
        return None
    marked, count = '', 0
    for i, character in enumerate(text):
        marked += character
        count += character != ' '
        if character != ' ' and count in after and text[i + 1 : i + 2] != ' ':
            marked += MISSING
    return marked


def _room(character: str) -> float:
    if character.upper() in BROAD:
        return BROAD_ROOM
    return ROOMY_ROOM if character.upper() in ROOMY else 0.0
