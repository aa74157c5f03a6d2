"""Numbers that read as another number when they are turned by 180 degrees, and the proof of which way up a part lies.

9060-8 upside down is 8-0906. The reader turns lines until they read well, so the number itself proves nothing about its
direction; a line that is no text upside down does.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from cell_vision.types import Point

__all__ = ['may_be_turned', 'proves_direction', 'same_direction', 'turned_twins']

TURNED: Mapping[str, str] = {
    '0': '0OD',
    '1': '1IL',
    '2': '2Z',
    '5': '5S',
    '6': '9',
    '8': '8B',
    '9': '6',
    'H': 'H',
    'I': '1I',
    'N': 'N',
    'O': 'O0D',
    'S': 'S5',
    'X': 'X',
    'Z': 'Z2',
    'M': 'W',
    'W': 'M',
    'Q': 'O',
    'D': 'O0',
    'B': '8',
    'L': '71',
    '7': 'L',
    'E': '3',
    '3': 'E',
    'A': 'V',
    'V': 'A',
    'U': 'N',
    'G': '9',
    '4': 'H',
}
"""Character -> what it may be read as upside down, in some typeface."""
ORIENTED_CHARACTERS = frozenset('CFJKRTYPADEGL347')
"""Characters that do not look the same upside down; in sure reading they tell a line's direction."""
LEAST_ORIENTED = 3
LEAST_SCORE = 0.9
SAME_ANGLE = math.radians(45)


def may_be_turned(one: str, other: str, fold: Callable[[str], str]) -> bool:
    """Return whether a number may be read as another one upside down.

    Args:
        one: Number as printed; separators do not count.
        other: The other number.
        fold: Folds look-alike characters, see `ConfusionWeights.fold`.
    """
    printed, read = ([c for c in text.upper() if c.isalnum()] for text in (one, other))
    return len(printed) == len(read) and all(
        any(fold(turned) == fold(seen) for turned in TURNED.get(character, ''))
        for character, seen in zip(printed, reversed(read), strict=True)
    )


def turned_twins(texts: Mapping[str, Iterable[str]], fold: Callable[[str], str]) -> dict[str, set[str]]:
    """Return part -> the other parts that its number becomes upside down.

    Args:
        texts: Part number -> its printed texts.
        fold: Folds look-alike characters.
    """
    by_length: dict[int, list[tuple[str, str]]] = {}
    for part, printed in texts.items():
        for text in printed:
            by_length.setdefault(sum(map(str.isalnum, text)), []).append((part, text))
    twins: dict[str, set[str]] = {}
    for alike in by_length.values():
        # Pairs are compared within one length and among turnable numbers only: catalogues have
        # thousands of parts.
        turnable = [(part, text) for part, text in alike if all(c in TURNED for c in text.upper() if c.isalnum())]
        for (one, printed), (other, read) in product(turnable, turnable):
            if one != other and may_be_turned(printed, read, fold):
                twins.setdefault(one, set()).add(other)
                twins.setdefault(other, set()).add(one)
    return twins


def proves_direction(text: str, score: float) -> bool:
    """Return whether a line was read so that it cannot be upside down.

    Args:
        text: Normalized text of the line.
        score: Its confidence, 0..1.
    """
    return score >= LEAST_SCORE and sum(c in ORIENTED_CHARACTERS for c in text.upper()) >= LEAST_ORIENTED


def same_direction(one: Sequence[Point], other: Sequence[Point]) -> bool:
    """Return whether two lines run in the same direction; corners are clockwise from the top left of the text.

    Args:
        one: Corners of a line.
        other: Corners of another line; the order of the corners carries the direction that the
            reader found.
    """
    angles = [math.atan2(box[1][1] - box[0][1], box[1][0] - box[0][0]) for box in (one, other)]
    return abs(math.remainder(angles[0] - angles[1], math.tau)) < SAME_ANGLE
