"""Find a printed text inside a line that was read, and price the differences.

A semi-global alignment: the whole pattern must be explained; what stands before and after it in the line is free, but only
where the rules of `edges` allow the number to begin and end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from cell_vision.matching.confusions import DIGITS, Weights

SEAM = '\x1f'
"""Stands between two boxes with no visible gap: the detector cut a text in two."""
BLANKS = ' ' + SEAM
NEVER = float('inf')
LONGEST_PREFIX = 4
LONGEST_SUFFIX = 3
SHORT_NUMBER = 2
"""A number of so few digits after a blank may be the rest of the part number."""
_REPLACED = str.maketrans(
    {
        'l': 'I',
        '|': 'I',
        '\u2013': '-',
        '\u2014': '-',
        '\u2212': '-',
        '_': '-',
        '~': '-',
        '\u00b7': '.',
        '\u3002': '.',
        '\u00d8': '0',
        '\t': ' ',
    }
)


@dataclass(frozen=True)
class Affixes:
    """What may stand right before and after a number without a blank, by a catalogue's rule; None = as usual, see `edges`."""

    prefixes: tuple[re.Pattern[str], ...] | None = None
    suffixes: tuple[re.Pattern[str], ...] | None = None


AS_USUAL = Affixes()


@dataclass(frozen=True)
class Alignment:
    """Where a pattern was found and what it costs."""

    cost: float
    end: int
    """Index into the normalised line just after the pattern."""


NOT_FOUND = Alignment(NEVER, 0)


def normalise(text: str) -> str:
    """Return a text in the matcher's alphabet: capital letters, digits, blanks, separators.

    A small l stands for I: part numbers are printed in capitals, and recognisers write a bar as l.
    """
    return unicodedata.normalize('NFKC', text.translate(_REPLACED)).upper().strip()


def align(pattern: str, line: str, weights: Weights, affixes: Affixes = AS_USUAL) -> Alignment:
    """Return the cheapest place of a pattern in a line, both normalised; cost is infinite when the edges forbid all."""
    may_begin, may_end = edges(pattern, line, weights, affixes)
    length = len(line)
    row = [0.0 if may_begin(j) else NEVER for j in range(length + 1)]
    for i, printed in enumerate(pattern):
        previous, row = row, [NEVER] * (length + 1)
        missing = _missing(pattern, i, weights)
        row[0] = previous[0] + missing
        last = i == len(pattern) - 1
        for j, read in enumerate(line):
            best = min(previous[j + 1] + missing, previous[j] + _swapped(printed, read, weights))
            if not last:
                best = min(best, row[j] + _added(line, j, weights))
            row[j + 1] = best
    ends = [Alignment(row[j], j) for j in range(1, length + 1) if row[j] < NEVER and may_end(j)]
    return min(ends, key=lambda found: found.cost, default=NOT_FOUND)


def edges(
    pattern: str, line: str, weights: Weights, affixes: Affixes = AS_USUAL
) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """Return two predicates: may the pattern begin before character j of the line, may it end there.

    A number that begins with a digit (74LS192) may carry a maker's letters before (SN) and a package's letters after it (N).
    Any other may not: a letter more makes another part of it. A digit, or a letter that may be a misread digit, never adjoins
    a digit: 74LS19 is not found in 74LS192, nor EM1-2U1 in EM1-2U1O. A catalogue's rules replace what may adjoin.
    """
    maker = pattern[:1] in DIGITS

    def may_begin(j: int) -> bool:
        before = line[:j].rstrip(SEAM)
        run = _tail(before)
        if not run:
            return not before.endswith('-') and not (maker and _short_number(before.split()[-1:]))
        if affixes.prefixes is not None:
            return any(rule.fullmatch(run) for rule in affixes.prefixes)
        return (
            maker
            and len(run) <= LONGEST_PREFIX
            and run[-1] not in DIGITS
            and all(c.isalpha() or c in weights.classes for c in run)
        )

    def may_end(j: int) -> bool:
        after = line[j:].lstrip(SEAM)
        run = _head(after)
        rest = after[len(run) :]
        if run and not _may_follow(run, pattern, weights, affixes):
            return False
        if rest[:1] in {'-', '/', '.'} and rest[1:2].isalnum():
            return False
        return bool(run) or pattern[-1:] not in DIGITS or not _short_number(rest.split()[:1])

    return may_begin, may_end


def _may_follow(run: str, pattern: str, weights: Weights, affixes: Affixes) -> bool:
    if affixes.suffixes is not None:
        return any(rule.fullmatch(run) for rule in affixes.suffixes)
    return (
        pattern[0] in DIGITS
        and pattern[-1] in DIGITS
        and len(run) <= LONGEST_SUFFIX
        and run.isalpha()
        and not any(weights.may_be_digit(c) for c in run)
    )


def _tail(text: str) -> str:
    start = len(text)
    while start and text[start - 1].isalnum():
        start -= 1
    return text[start:]


def _head(text: str) -> str:
    end = 0
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[:end]


def _short_number(tokens: list[str]) -> bool:
    return bool(tokens) and tokens[0].isdigit() and len(tokens[0]) <= SHORT_NUMBER


def _swapped(printed: str, read: str, weights: Weights) -> float:
    if printed.isalnum() and read.isalnum():
        return weights.substitution(printed, read)
    if printed == read:
        return 0.0
    return weights.separator_swapped if not printed.isalnum() and not read.isalnum() else 1.0


def _missing(pattern: str, i: int, weights: Weights) -> float:
    if pattern[i].isalnum():
        return 1.0
    between = _between_digits(pattern, i)
    return weights.separator_between_digits if between else weights.separator_missing


def _added(line: str, j: int, weights: Weights) -> float:
    if line[j].isalnum():
        return 1.0
    if line[j] not in BLANKS:
        return weights.separator_added
    return weights.space_between_digits if _between_digits(line, j) else weights.space_added


def _between_digits(text: str, i: int) -> bool:
    return 0 < i < len(text) - 1 and text[i - 1] in DIGITS and text[i + 1] in DIGITS
