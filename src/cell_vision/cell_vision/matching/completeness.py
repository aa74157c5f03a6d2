"""Doubts about a number of which a character may be missing: worn off, hidden, or cut off.

A reading holds no trace of a character that is not there. Where the line has a gap or is cut off, a longer number of the
catalogue that fits there is as likely as the shorter one that was read.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from cell_vision.matching.alignment import BLANKS

__all__ = ['Incompleteness', 'find_incompleteness', 'longer_numbers', 'own_gaps']

SEPARATORS = '-/'
MOST_MISSING = 2
"""Characters that may have stood in one gap."""


@dataclass(frozen=True)
class Incompleteness:
    """A place where a character of a number may be missing.

    Attributes:
        longer: Parts whose number would fit with further characters there; empty = none of the
            catalogue.
        cut: The print is cut off there, rather than that a gap is in it.
    """

    longer: tuple[str, ...]
    cut: bool


@dataclass(frozen=True)
class NumberPlace:
    """A number found in a line.

    Attributes:
        text: The line, normalized.
        begin: Index of its first character.
        end: Just after its last character.
        holes: Where a character may be missing; a blank stands there when it is inside the line.
        own_gaps: Number of letters and digits of the number before each of its own separators and
            blanks: there a gap is no doubt.
    """

    text: str
    begin: int
    end: int
    holes: tuple[int, ...] = ()
    own_gaps: frozenset[int] = frozenset()


def find_incompleteness(
    place: NumberPlace, own: Set[str], numbers: Mapping[str, Iterable[str]], fold: Callable[[str], str]
) -> list[Incompleteness]:
    """Return the places where a character of a number may be missing.

    A gap at the begin or end of a number is one of the print's own blanks, unless a longer number would fit. A blank inside a
    number is treated alike: the reader may have read a hole as a blank.

    Args:
        place: Where the number was found.
        own: Its part's folded texts.
        numbers: Part number -> folded texts, of all other parts.
        fold: Folds text of the line, see `ConfusionWeights.fold`.
    """
    folded = fold(place.text[place.begin : place.end])
    result = []
    # A hole before the number, after it, or inside it: only the first two may hide any number of
    # characters.
    for hole in sorted({*place.holes, *_blanks_inside(place), *_dangling_separators(place)}):
        before = fold(place.text[place.begin : max(place.begin, min(hole, place.end))])
        if hole <= place.begin:
            kind = _outside(place.text[hole : place.begin], cut=hole == 0)
            longer = _longer_outside(folded, fold(place.text[hole : place.begin]), own, numbers, before=True)
        elif hole >= place.end:
            kind = _outside(place.text[place.end : hole], cut=hole == len(place.text))
            longer = _longer_outside(folded, fold(place.text[place.end : hole]), own, numbers, before=False)
        else:
            kind = 'gap' if hole in place.holes and len(before) not in place.own_gaps else 'blank'
            longer = longer_numbers(folded, len(before), own, numbers)
        if kind != 'apart' and (longer or kind in {'cut', 'gap'}):
            result.append(Incompleteness(tuple(longer), kind == 'cut'))
    if glued := _longer_in(folded + fold(_run_after(place)), folded, own, numbers):
        result.append(Incompleteness(tuple(glued), cut=False))
    return result


def own_gaps(texts: Iterable[str]) -> frozenset[int]:
    """Return after how many letters and digits the printed texts of a part have a separator or a blank."""
    return frozenset(
        sum(map(str.isalnum, text[:at])) for text in texts for at, character in enumerate(text) if not character.isalnum()
    )


def _run_after(place: NumberPlace) -> str:
    """Return the letters and digits that follow a number without a blank, as a rating whose blank was lost."""
    rest = place.text[place.end :]
    return rest[: next((i for i, character in enumerate(rest) if not character.isalnum()), len(rest))]


def _longer_in(text: str, folded: str, own: Set[str], numbers: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the parts whose number takes further characters of what follows the one that was read."""
    return sorted(
        part
        for part, others in numbers.items()
        if any(text.startswith(other) and len(other) > len(folded) and other not in own for other in others)
    )


def longer_numbers(folded: str, at: int, own: Set[str], numbers: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the parts whose number is this one with further characters at one place.

    Args:
        folded: The number as read, folded.
        at: Where characters may be missing; at its begin or end any number of them.
        own: Folded texts of the part itself; they do not count.
        numbers: Part number -> folded texts.
    """
    # A gap between two characters holds few; a cut end may hide any number of them.
    most = MOST_MISSING if 0 < at < len(folded) else len(folded) + 64

    def fits(text: str) -> bool:
        more = len(text) - len(folded)
        return 0 < more <= most and text not in own and text.startswith(folded[:at]) and text.endswith(folded[at:])

    return sorted(part for part, texts in numbers.items() if any(map(fits, texts)))


def _longer_outside(
    folded: str, between: str, own: Set[str], numbers: Mapping[str, Iterable[str]], *, before: bool
) -> list[str]:
    """Return the parts whose number goes on where print is lost, beyond what was read between it and the hole.

    The character at the hole may be the stump of another one.
    """
    known = between + folded if before else folded + between
    stumped = known[1:] if before else known[:-1]
    found = {*longer_numbers(known, 0 if before else len(known), own, numbers)}
    for part, texts in numbers.items():
        for text in texts:
            same = text.endswith(stumped) if before else text.startswith(stumped)
            if same and len(text) >= len(known) and text not in own:
                found.add(part)
    return sorted(found)


def _outside(between: str, *, cut: bool) -> str:
    """Return how print between a number and a hole outside it ties both: "cut", "edge" (a blank, unless ...) or "apart".

    A hole right after a blank stands for further print on the line that could not be read.
    """
    if between and all(c in BLANKS or c in SEPARATORS for c in between):
        return 'edge'
    if any(c in BLANKS for c in between):
        return 'apart'
    return 'cut' if cut else 'edge'


def _dangling_separators(place: NumberPlace) -> Iterator[int]:
    """Yield where a separator beside the number shows that it goes on, with nothing read there."""
    if place.text[place.end : place.end + 1] in {*SEPARATORS} and not place.text[place.end + 1 : place.end + 2].isalnum():
        yield place.end + 1
    if place.begin and place.text[place.begin - 1] in SEPARATORS and not place.text[: place.begin - 1][-1:].isalnum():
        yield place.begin - 1


def _blanks_inside(place: NumberPlace) -> Iterator[int]:
    return (i for i in range(place.begin + 1, place.end - 1) if place.text[i] in BLANKS)
