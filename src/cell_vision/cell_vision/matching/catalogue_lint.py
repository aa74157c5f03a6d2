"""Look through a catalogue for parts that reading cannot tell apart, or hardly can, and say what would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, permutations

from cell_common.catalogue import Catalogue, Part

from cell_vision.matching.alignment import align, normalise
from cell_vision.matching.confusions import Weights
from cell_vision.matching.matcher import Pattern, patterns_of


def lint(catalogue: Catalogue, weights: Weights) -> list[str]:
    """Return a sentence for each doubt about a catalogue; empty when there is none.

    Twins print alike in many typefaces (EM1-2U1 and EM1-2UI): nothing in the number parts them. Near ones differ by characters
    that are often misread for each other. A rule that lets a maker's letters make another part's number of it is named, too.
    """
    parts = list(catalogue.parts.values())
    patterns = {part.part_number: patterns_of(part, weights) for part in parts}
    found = [
        _pair(one, other, patterns[one.part_number], patterns[other.part_number], weights)
        for one, other in combinations(parts, 2)
    ]
    return [*(sentence for sentence in found if sentence), *_swallowing(parts, patterns, weights)]


def _pair(one: Part, other: Part, first: list[Pattern], second: list[Pattern], weights: Weights) -> str:
    """Return what is wrong with a pair of parts, "" = nothing."""
    price = min(
        (align(mine.text, theirs.text, weights).cost for mine in first for theirs in second if mine.folded == theirs.folded),
        default=None,
    )
    if price is None or price > weights.accept:
        return ''
    names = f'{one.part_number} and {other.part_number}'
    means = _means(one, other)
    if means:
        return f'{names} print alike: they are told apart by {means}; without it a reading is AMBIGUOUS.'
    return (
        f'{names} print alike: a reading of either is AMBIGUOUS. Tell them apart by a text that only one of them carries '
        '(tells_apart), by a barcode (code), or keep only one of them in the cell; a benchmark helps only where more is '
        'printed than the catalogue names.'
    )


def _means(one: Part, other: Part) -> str:
    ways = []
    if one.distinguishing_patterns or other.distinguishing_patterns:
        ways.append('the text that the catalogue names (tells_apart)')
    if one.code and other.code:
        ways.append('their barcodes (code)')
    return ' or '.join(ways)


def _swallowing(parts: list[Part], patterns: dict[str, list[Pattern]], weights: Weights) -> Iterator[str]:
    """Name the parts whose affix rules make another part's number of their own."""
    for one, other in permutations(parts, 2):
        if one.prefixes is None and one.suffixes is None:
            continue
        if any(
            align(mine.text, theirs.text, weights, mine.affixes).cost <= weights.accept and mine.folded != theirs.folded
            for mine in patterns[one.part_number]
            for theirs in patterns[other.part_number]
        ):
            yield (
                f'the prefixes or suffixes of {one.part_number} make {other.part_number} of it: such a reading is '
                'AMBIGUOUS. Narrow the rule.'
            )
    for part in parts:
        if any(re.fullmatch(rule, normalise(text)) for rule in part.ignore for text in part.printed_text):
            yield f'a rule of {part.part_number} (ignore) matches its own number: correct it.'
