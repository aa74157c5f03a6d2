"""Aligns a printed text with a line that was read, and returns the cost of the differences.

A semi-global alignment: the whole pattern must be explained. Text before and after it is free, but only where the rules of
`edge_predicates` allow the number to begin and end.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from cell_vision.matching.confusions import DIGITS, ConfusionWeights

SEAM = '\x1f'
"""Separates two boxes without a visible gap: the detector split a text."""
BLANKS = ' ' + SEAM
NEVER = float('inf')
LONGEST_PREFIX = 4
LONGEST_SUFFIX = 3
SHORT_NUMBER = 2
"""A number with at most this many digits after a blank may be the rest of the part number."""
RATING = re.compile(r'\d{1,3}(V|VDC|VAC|V?DC|V?AC|VA|A|MA|W|HZ)|[AD]C\d{1,3}V?')
"""A voltage, current or power that follows a number ending with a letter: only the blank between them was lost."""
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
    """Rules of a catalogue for text directly before and after a number; None = the default of `edge_predicates`.

    Attributes:
        prefixes: Patterns of the text before it; () = nothing may adjoin.
        suffixes: Patterns of the text after it; () = nothing may adjoin.
    """

    prefixes: tuple[re.Pattern[str], ...] | None = None
    suffixes: tuple[re.Pattern[str], ...] | None = None
    beside: tuple[re.Pattern[str], ...] = ()
    """Text that must stand beside the number; it may follow directly, as a reader loses blanks."""


DEFAULT_AFFIXES = Affixes()


@dataclass(frozen=True)
class Alignment:
    """Place and cost of a pattern in a line.

    Attributes:
        cost: Sum of the prices of all differences; a whole error costs 1, infinity = not found.
        end: Index into the normalized line just after the pattern.
        begin: Index into the normalized line of the pattern's first character.
    """

    cost: float
    end: int
    begin: int = 0


NOT_FOUND = Alignment(NEVER, 0)


def normalize(text: str) -> str:
    """Return a text in the matcher's alphabet: capital letters, digits, blanks, separators.

    A lower-case l becomes I: part numbers are printed in capitals, and OCR engines return a bar as
    l.

    Args:
        text: As read, or as the catalogue gives it; both sides pass through here.
    """
    return unicodedata.normalize('NFKC', text.translate(_REPLACED)).upper().strip()


def align(pattern: str, line: str, weights: ConfusionWeights, affixes: Affixes = DEFAULT_AFFIXES) -> Alignment:
    """Return the cheapest place of a pattern in a line; the cost is infinite if no place is allowed.

    Dynamic programming over (pattern, line), as in the algorithm of Sellers (1980): the first row
    is free where the pattern may begin, and the minimum of the last row is taken where it may end.

    Args:
        pattern: Printed text, normalized, not empty.
        line: Line that was read, normalized.
        weights: Prices of the differences.
        affixes: Rules for text beside the number.
    """
    may_begin, may_end = edge_predicates(pattern, line, weights, affixes)
    length = len(line)
    row = [0.0 if may_begin(j) else NEVER for j in range(length + 1)]
    begins = list(range(length + 1))
    for i, printed in enumerate(pattern):
        previous, row = row, [NEVER] * (length + 1)
        started, begins = begins, [0] * (length + 1)
        missing = deletion_cost(pattern, i, weights)
        row[0] = previous[0] + missing
        last = i == len(pattern) - 1
        for j, read in enumerate(line):
            # At equal cost a substitution wins over a deletion, so that `begin` and `end` enclose
            # as much print as possible.
            lost, same = previous[j + 1] + missing, previous[j] + substitution_cost(printed, read, weights)
            best, begin = (same, started[j]) if same <= lost else (lost, started[j + 1])
            if not last and (added := row[j] + insertion_cost(line, j, weights)) < best:
                best, begin = added, begins[j]
            row[j + 1], begins[j + 1] = best, begin
    ends = [Alignment(row[j], j, begins[j]) for j in range(1, length + 1) if row[j] < NEVER and may_end(j)]
    return min(ends, key=lambda found: found.cost, default=NOT_FOUND)


def edge_predicates(
    pattern: str, line: str, weights: ConfusionWeights, affixes: Affixes = DEFAULT_AFFIXES
) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """Return two predicates: may the pattern begin before character j of the line, may it end there.

    A number that begins with a digit (74LS192) may have the letters of a maker before it (SN) and
    of a package after it (N). Other numbers may not: a further letter makes another part. A digit,
    or a letter that may be a misread digit, never adjoins a digit: 74LS19 is not found in 74LS192,
    nor EM1-2U1 in EM1-2U1O. Rules of the catalogue replace this default.

    Args:
        pattern: Printed text, normalized.
        line: Line that was read, normalized.
        weights: Knows which letters may be misread digits.
        affixes: Rules of the catalogue.
    """
    maker = pattern[:1] in DIGITS

    def may_begin(j: int) -> bool:
        before = line[:j].rstrip(SEAM)
        run = _trailing(before)
        if not run:
            # A short number before a blank may belong to this one: "1 4148" is not 4148.
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
        run = _leading(after)
        rest = after[len(run) :]
        if run and not _may_follow(run, pattern, weights, affixes):
            return False
        if rest[:1] in {'-', '/', '.'} and rest[1:2].isalnum():
            return False
        return bool(run) or pattern[-1:] not in DIGITS or not _short_number(rest.split()[:1])

    return may_begin, may_end


def _may_follow(run: str, pattern: str, weights: ConfusionWeights, affixes: Affixes) -> bool:
    """Return whether letters right after a number may belong to the maker, not to the number.

    Args:
        run: Letters and digits between the number and the next blank or separator.
        pattern: The number as the catalogue has it.
        weights: Which letters may be misread digits.
        affixes: Rules of the catalogue for this number.
    """
    if any(rule.fullmatch(run) for rule in affixes.beside) or (pattern[-1].isalpha() and RATING.fullmatch(run)):
        return True
    if affixes.suffixes is not None:
        return any(rule.fullmatch(run) for rule in affixes.suffixes)
    return (
        pattern[0] in DIGITS
        and pattern[-1] in DIGITS
        and len(run) <= LONGEST_SUFFIX
        and run.isalpha()
        # A letter that may be a misread digit would make another number.
        and not any(weights.digit_like(c) for c in run)
    )


def _trailing(text: str) -> str:
    start = len(text)
    while start and text[start - 1].isalnum():
        start -= 1
    return text[start:]


def _leading(text: str) -> str:
    end = 0
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[:end]


def _short_number(tokens: list[str]) -> bool:
    return bool(tokens) and tokens[0].isdigit() and len(tokens[0]) <= SHORT_NUMBER


def substitution_cost(printed: str, read: str, weights: ConfusionWeights) -> float:
    """Return the cost of reading one character for another.

    Args:
        printed: Character of the pattern.
        read: Character of the line.
        weights: Prices; a separator read for another one is cheap, for a letter or digit a whole
            error.
    """
    if printed.isalnum() and read.isalnum():
        return weights.substitution(printed, read)
    if printed == read:
        return 0.0
    return weights.separator_swapped if not printed.isalnum() and not read.isalnum() else 1.0


def deletion_cost(pattern: str, i: int, weights: ConfusionWeights) -> float:
    """Return the cost of a character of the pattern missing in the line.

    Args:
        pattern: Printed text.
        i: Index of the missing character.
        weights: Prices; a lost separator is cheap, but not between digits, where it makes another
            number.
    """
    if pattern[i].isalnum():
        return 1.0
    between = _between_digits(pattern, i)
    return weights.separator_between_digits if between else weights.separator_missing


def insertion_cost(line: str, j: int, weights: ConfusionWeights) -> float:
    """Return the cost of an additional character in the line.

    Args:
        line: Line that was read.
        j: Index of the additional character.
        weights: Prices; a blank is nearly free, but not between digits.
    """
    if line[j].isalnum():
        return 1.0
    if line[j] not in BLANKS:
        return weights.separator_added
    return weights.space_between_digits if _between_digits(line, j) else weights.space_added


def _between_digits(text: str, i: int) -> bool:
    return 0 < i < len(text) - 1 and text[i - 1] in DIGITS and text[i + 1] in DIGITS
