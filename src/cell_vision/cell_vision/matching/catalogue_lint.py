"""Checks a catalogue for parts that a reading cannot distinguish, or hardly can.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, permutations

from cell_common.catalogue import Catalogue, Part

from cell_vision.matching.alignment import align, normalize
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.patterns import Pattern, patterns_of


def lint_catalogue(catalogue: Catalogue, weights: ConfusionWeights) -> list[str]:
    """Return a warning for each problem of a catalogue.

    Some parts print alike in many typefaces (EM1-2U1 and EM1-2UI), so their numbers cannot be
    distinguished. Others differ only by characters that are often misread for each other. Affix
    rules that turn one number into another are also reported.

    Args:
        catalogue: Valid catalogue.
        weights: Weights of the matcher; a pair is reported if the matcher would accept one for
            the other.

    Returns:
        Sentences for the integrator, each with a remedy. A catalogue with warnings still works:
        such readings are AMBIGUOUS.
    """
    parts = list(catalogue.parts.values())
    patterns = {part.part_number: patterns_of(part, weights) for part in parts}
    found = [
        _pair(one, other, patterns[one.part_number], patterns[other.part_number], weights)
        for one, other in combinations(parts, 2)
    ]
    return [*(warning for warning in found if warning), *_shadowed_parts(parts, patterns, weights)]


def _pair(one: Part, other: Part, first: list[Pattern], second: list[Pattern], weights: ConfusionWeights) -> str:
    """Return the warning about a pair of parts, "" = none."""
    cost = min(
        # Only pairs that fold alike can cost at most `accept`, which saves most alignments.
        (align(mine.text, theirs.text, weights).cost for mine in first for theirs in second if mine.folded == theirs.folded),
        default=None,
    )
    if cost is None or cost > weights.accept:
        return ''
    names = f'{one.part_number} and {other.part_number}'
    remedies = _remedies(one, other)
    if remedies:
        return f'{names} print alike: they are distinguished by {remedies}; without it a reading is AMBIGUOUS.'
    return (
        f'{names} print alike: a reading of either is AMBIGUOUS. Distinguish them by a text that only one of them carries '
        '(tells_apart), by a barcode (code), or keep only one of them in the cell; a benchmark helps only where more is '
        'printed than the catalogue names.'
    )


def _remedies(one: Part, other: Part) -> str:
    ways = []
    if one.distinguishing_patterns or other.distinguishing_patterns:
        ways.append('the text that the catalogue names (tells_apart)')
    if one.code and other.code:
        ways.append('their barcodes (code)')
    return ' or '.join(ways)


def _shadowed_parts(parts: list[Part], patterns: dict[str, list[Pattern]], weights: ConfusionWeights) -> Iterator[str]:
    """Yield warnings about affix or ignore rules that hide the number of a part."""
    for one, other in permutations(parts, 2):
        if one.prefixes is None and one.suffixes is None:
            continue
        if any(
            align(mine.text, theirs.text, weights, mine.affixes).cost <= weights.accept and mine.folded != theirs.folded
            for mine in patterns[one.part_number]
            for theirs in patterns[other.part_number]
        ):
            yield (
                f'the prefixes or suffixes of {one.part_number} also match {other.part_number}: such a reading is '
                'AMBIGUOUS. Narrow the rule.'
            )
    for part in parts:
        if any(re.fullmatch(rule, normalize(text)) for rule in part.ignore for text in part.printed_text):
            yield f'a rule of {part.part_number} (ignore) matches its own number: correct it.'
