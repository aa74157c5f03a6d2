"""The texts that identify the parts of a catalogue, and which of them one reading error turns into each other.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

from cell_common.catalogue import Part

from cell_vision.matching.alignment import DEFAULT_AFFIXES, Affixes, normalize
from cell_vision.matching.confusions import ConfusionWeights

__all__ = ['Pattern', 'line_splits', 'one_deletion_neighbors', 'one_digit_neighbors', 'patterns_of']

SIMILAR_DIGITS = (frozenset('035689'), frozenset('17'))
"""Digits of similar outline. They have no price, because digits distinguish similar parts, but the OCR engine may be fairly
sure of one where the other is printed."""


@dataclass(frozen=True)
class Pattern:
    """A text that identifies a part.

    Attributes:
        part_number: The part.
        text: Printed text, normalized.
        folded: Representatives of its letters and digits.
        affixes: Rules for text beside it.
    """

    part_number: str
    text: str
    folded: str
    affixes: Affixes = DEFAULT_AFFIXES


def patterns_of(part: Part, weights: ConfusionWeights) -> list[Pattern]:
    """Return the texts that identify a part, with the affixes that its maker may add.

    Args:
        part: Part of the catalogue.
        weights: For folding.
    """
    prefixes, suffixes = (None if given is None else tuple(map(re.compile, given)) for given in (part.prefixes, part.suffixes))
    affixes = Affixes(prefixes, suffixes, tuple(map(re.compile, part.required_patterns)))
    # `normalize` takes a lower-case l for a bar; printed in capitals the same number has an L.
    printed = dict.fromkeys(normalize(form) for text in part.printed_text for form in (text, text.upper()))
    return [Pattern(part.part_number, text, weights.fold(text), affixes) for text in printed]


def line_splits(patterns: Sequence[Pattern], fold: Callable[[str], str]) -> frozenset[tuple[str, str, str]]:
    """Return where a label may break the line within a number: at its blanks and separators.

    Args:
        patterns: Numbers of the catalogue.
        fold: Maps characters that look alike to one.

    Returns:
        The first half, folded; the separator that must begin the second line, "" at a blank; the second half, folded.
    """
    return frozenset(
        (fold(pattern.text[:at]), character.strip(), fold(pattern.text[at:]))
        for pattern in patterns
        for at, character in enumerate(pattern.text)
        if not character.isalnum() and fold(pattern.text[:at]) and fold(pattern.text[at:])
    )


def one_deletion_neighbors(patterns: Sequence[Pattern]) -> dict[str, set[str]]:
    """Return part -> the parts that become it when one of their characters is lost.

    Args:
        patterns: Texts of all parts. The cost grows with the length of all texts together, not with
            the number of pairs.
    """
    by_text: dict[str, set[str]] = {}
    for pattern in patterns:
        by_text.setdefault(pattern.folded, set()).add(pattern.part_number)
    result: dict[str, set[str]] = {}
    for pattern in patterns:
        for i in range(len(pattern.folded)):
            for shorter in by_text.get(pattern.folded[:i] + pattern.folded[i + 1 :], set()) - {pattern.part_number}:
                result.setdefault(shorter, set()).add(pattern.part_number)
    return result


def one_digit_neighbors(patterns: Sequence[Pattern]) -> dict[str, set[str]]:
    """Return part -> the parts whose number differs in one digit of similar outline.

    Args:
        patterns: Texts of all parts.
    """
    masked: dict[tuple[int, str], set[Pattern]] = {}
    for pattern in patterns:
        for i in range(len(pattern.folded)):
            masked.setdefault((i, pattern.folded[:i] + ' ' + pattern.folded[i + 1 :]), set()).add(pattern)
    result: dict[str, set[str]] = {}
    for alike in masked.values():
        for one, other in permutations(alike, 2):
            if one.part_number != other.part_number and _alike_in(one.folded, other.folded):
                result.setdefault(one.part_number, set()).add(other.part_number)
    return result


def _alike_in(one: str, other: str) -> bool:
    differing = [{a, b} for a, b in zip(one, other, strict=True) if a != b]
    return any(pair <= shapes for pair in differing for shapes in SIMILAR_DIGITS)
