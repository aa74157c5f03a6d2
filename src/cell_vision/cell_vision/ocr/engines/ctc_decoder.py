"""From the recogniser's probabilities to text, and how sure it is of it. No networks, no pictures.

Decodes as PaddleOCR's `CTCLabelDecode` does with its PP-OCRv4 settings, but only characters that part labels carry are ever
returned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

AFTER_A_DIGIT = {'O': '0', 'o': '0', 'I': '1', 'l': '1'}
"""A letter that follows a digit is the digit that looks like it, when the recogniser itself is in doubt."""
ROUND_LETTERS = 'Oo'
"""One before a digit, or before another such one, is a zero in a line with digits, too, when the recogniser is in doubt."""
LESS_DOUBT, LEAST_DOUBT = 0.01, 0.003
"""So little doubt is enough for a round letter before a digit; and for two letters beside each other that look like digits,
after a digit of their word."""
STROKE = {'!': 'I'}
"""No label of a part has an exclamation mark: it is an I whose foot is worn."""
POINTED = {'U': 'V'}
"""A dotted V has upright sides and is read as U; of a printed U the recogniser does not think so much of V."""
VOLTS = re.compile(r'(?<=\d)U(?=[AD]C)')
"""No unit is called UAC or UDC."""
DOUBT = 0.03
"""Probability of the other character against the best one's."""
DOUBTFUL = 0.9
"""A number with a character less likely than this is read once more."""
ROUNDED = {'5': 'S'}
FAINT_DOUBT = 0.002
"""A dotted S is read as 5 with confidence: so little probability of the S calls for a second reading."""
NUMBER_LENGTH, NUMBER_DIGITS = 5, 2
"""Letters and digits, and digits among them, of a line that is worth a second reading."""
SOFT_LOSES = 0.06
"""The reading of the blurred strip counts when its confidence is at most so much lower."""
SHARP_WINS = 0.05
"""A character stays as the sharp strip says unless the blurred one gives its own so much more probability."""
MOST_DIFFER = 0.34
"""Of the characters: readings that differ more are not of the same characters, one by one."""
DISPUTED = 0.89
"""Confidence, at most, of a text with a digit that two readings do not agree on: no number with a neighbour is taken on it."""
RIVAL, NO_RIVAL = 0.03, 0.001
"""A digit is disputed, too, when another digit is so likely against it, in the geometric mean of both readings, of which each
counts at least the second: letters that look like it do not count."""
FINE = ({'0', 'O'}, {'0', 'o'}, {'1', 'I'}, {'1', 'l'}, {'0', 'D'}, {'0', 'Q'}, {'0', 'U'}, {'E', 'F'})
"""Blur takes away or closes what tells these apart: of two of them the likelier by both readings together counts."""
DOTS = '.:'
SPECK = 1.25
"""A dot that keeps its neighbours no further apart than so many of the line's usual steps is no print: a scratch left it."""
PRINTED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+/.,:;()[]<>*#&%=_\'"!?@°Ωµ '


@dataclass(frozen=True)
class Decoded:
    """What the recogniser made of a strip."""

    text: str
    score: float
    """Confidence, 0..1."""
    doubtful: bool
    """It may be a number, and the recogniser is not sure of each character."""
    sure: tuple[float, ...]
    """Probability of each character of the text, 0..1."""
    rivals: tuple[float, ...] = ()
    """How likely another digit is in place of each character, against it; 0 for what is no digit."""
    fine: tuple[Mapping[str, float], ...] = ()
    """For each character the probability of those that FINE names beside it."""


def agreed(sharp: Decoded, soft: Decoded) -> tuple[str, float]:
    """Return the text and confidence that the readings of a strip and of the softened strip make together.

    Of dots the recogniser makes wrong characters with confidence, of strokes the right ones: each character is the likelier of
    the two, unless the softened strip lost as a whole. Where the two differ in a digit, or one wavers between two digits, the
    confidence is at most DISPUTED, so that whoever judges sees the doubt.
    """
    wavers = _wavers(sharp, soft)
    if soft.score < sharp.score - SOFT_LOSES:
        return sharp.text, min(sharp.score, DISPUTED) if wavers else sharp.score
    text = _likelier(sharp, soft)
    score = max((read.score for read in (sharp, soft) if read.text == text), default=soft.score)
    one, other = (''.join(filter(str.isalnum, read.text)) for read in (sharp, soft))
    return text, min(sharp.score, soft.score, DISPUTED) if wavers or _other_digit(one, other) else score


def _wavers(sharp: Decoded, soft: Decoded) -> bool:
    """Say whether the readings together leave another digit in place of one that was read."""
    known, blurred = ([pair for pair in zip(read.text, read.rivals, strict=False) if pair[0] != ' '] for read in (sharp, soft))
    if len(known) != len(blurred):
        return max((rival for _, rival in (*known, *blurred)), default=0.0) >= RIVAL
    return any(_rivalry(a, one, b, other) >= RIVAL for (a, one), (b, other) in zip(known, blurred, strict=True))


def _rivalry(sharp: str, of_sharp: float, soft: str, of_soft: float) -> float:
    if ROUNDED.get(sharp) == soft:
        return 0.0
    if sharp.isdigit() and soft.isdigit():
        return math.sqrt(max(of_sharp, NO_RIVAL) * max(of_soft, NO_RIVAL))
    return max(of_sharp, of_soft)


def _likelier(sharp: Decoded, soft: Decoded) -> str:
    """Return the likelier characters of both readings, blanks as in the soft one; the likelier text if they do not fit."""
    known, blurred = (_characters(read) for read in (sharp, soft))
    pairs = list(zip(known, blurred, strict=False))
    differ = sum(a != b and {a, b} not in FINE for (a, *_), (b, *_) in pairs)
    if len(known) != len(blurred) or differ > MOST_DIFFER * len(known):
        return soft.text if soft.score >= sharp.score else sharp.text
    chosen = (_character(one, other) for one, other in pairs)
    return ''.join(' ' if read == ' ' else next(chosen) for read in soft.text)


_Character = tuple[str, float, Mapping[str, float]]
"""What was read, its probability, and that of those that FINE names beside it."""


def _characters(read: Decoded) -> list[_Character]:
    fine = read.fine or ({},) * len(read.text)
    return [character for character in zip(read.text, read.sure, fine, strict=True) if character[0] != ' ']


def _character(one: _Character, other: _Character) -> str:
    (sharp, of_sharp, sharp_fine), (soft, of_soft, soft_fine) = one, other
    if ROUNDED.get(sharp) == soft:
        return soft
    if {sharp, soft} in FINE:
        return soft if of_soft * sharp_fine.get(soft, 0.0) > of_sharp * soft_fine.get(sharp, 0.0) else sharp
    return sharp if of_sharp > of_soft - SHARP_WINS else soft


def _other_digit(one: str, other: str) -> bool:
    """Say whether two readings of letters and digits differ in a digit, and not only in what looks like one."""
    if len(one) == len(other):
        return any(a != b and a.isdigit() and b.isdigit() for a, b in zip(one, other, strict=True))
    first, second = (''.join(filter(str.isdigit, text)) for text in (one, other))
    return first != second


class Alphabet:
    """Turns the recogniser's output into text."""

    def __init__(self, characters: Sequence[str]) -> None:
        """Keep the printed characters of an alphabet; class 0 is "no character", the last one is a blank."""
        known = ['', *characters, ' ']
        self._classes = np.array([0, *(i for i, c in enumerate(known) if c and c in PRINTED)])
        self._characters = [known[i] for i in self._classes]
        place = {character: i for i, character in enumerate(self._characters)}
        self._figures = {place[figure] for figure in '0123456789' if figure in place}
        self._places = np.array(sorted(self._figures), int)
        self._digits, self._pointed, self._rounded, self._strokes = (
            {place[read]: place[other] for read, other in pairs.items() if read in place and other in place}
            for pairs in (AFTER_A_DIGIT, POINTED, ROUNDED, STROKE)
        )
        self._alike = {
            digit: [digit, *(letter for letter, other in self._digits.items() if other == digit)]
            for digit in self._digits.values()
        }
        """A digit -> what counts as it beside another one."""
        self._fine = {
            place[read]: tuple(
                (other, place[other]) for pair in FINE if read in pair for other in pair - {read} if other in place
            )
            for read in set().union(*FINE)
            if read in place
        }

    def decode(self, probabilities: Any) -> Decoded:
        """Return the text and its confidence from probabilities of shape (steps, classes).

        Each run of steps with the same best character is one character (CTC); the confidence is the mean over the characters of
        the probability at their first step, as PP-OCR counts it.
        """
        kept = probabilities[:, self._classes]
        best = kept.argmax(1)
        first = np.flatnonzero((best != 0) & (np.diff(best, prepend=-1) != 0))
        first = first[[not speck for speck in _specks([self._characters[i] for i in best[first]], first.tolist())]]
        if not len(first):
            return Decoded('', 0.0, doubtful=False, sure=())
        likely, chosen = kept[first], best[first]
        sure = likely[np.arange(len(first)), chosen]
        self._put_right(likely, chosen, sure)
        text = VOLTS.sub('V', ''.join(self._characters[i] for i in chosen))
        faint = any(
            likely[i, self._rounded[read]] >= FAINT_DOUBT * sure[i]
            for i, read in enumerate(map(int, chosen))
            if read in self._rounded
        )
        return Decoded(
            text,
            float(sure.mean()),
            bool(faint or sure.min() < DOUBTFUL) and may_be_number(text),
            tuple(map(float, sure)),
            self._rivals(likely, chosen, sure),
            tuple(
                {other: float(likely[i, at]) for other, at in self._fine.get(int(read), ())} for i, read in enumerate(chosen)
            ),
        )

    def _put_right(self, likely: Any, chosen: Any, sure: Any) -> None:
        """Take for a character the one that looks like it, where its neighbours and the recogniser's doubt speak for that.

        What counts as sure of a digit beside a digit is both: the letter that looks like it is no doubt about the number.
        """
        chosen[:] = [self._strokes.get(int(read), int(read)) for read in chosen]
        doubt = {
            i: (other, float(likely[i, other] / sure[i]))
            for i, read in enumerate(map(int, chosen))
            if (other := self._pointed.get(read) or self._digits.get(read))
        }
        text = ''.join(self._characters[read] for read in chosen)
        pairs = _pairs(text, {i for i, (_, much) in doubt.items() if text[i] in AFTER_A_DIGIT and much >= LEAST_DOUBT})
        zeros = {
            i
            for i, (_, much) in doubt.items()
            if text[i] in ROUND_LETTERS and much >= LESS_DOUBT and sum(map(str.isdigit, text)) >= NUMBER_DIGITS
        }

        def is_figure(i: int) -> bool:
            return 0 <= i < len(chosen) and int(chosen[i]) in self._figures

        for i in (*reversed(doubt), *doubt):  # from behind first: a zero may make its neighbour one
            other, much = doubt[i]
            beside = much >= DOUBT and (text[i] in POINTED or is_figure(i - 1))
            if beside or i in pairs or (i in zeros and (is_figure(i + 1) or i + 1 in zeros)):
                chosen[i] = other
        for i, read in enumerate(map(int, chosen)):
            if read in self._alike and (is_figure(i - 1) or is_figure(i + 1)):
                sure[i] = likely[i, self._alike[read]].sum()

    def _rivals(self, likely: Any, chosen: Any, sure: Any) -> tuple[float, ...]:
        """Return how likely another digit is in place of each digit, against it, from the probabilities at the characters."""
        others = likely[:, self._places]
        others[chosen[:, None] == self._places] = 0.0
        against = np.where(np.isin(chosen, self._places), others.max(1, initial=0.0) / sure, 0.0)
        return tuple(map(float, against))


def _pairs(text: str, alike: set[int]) -> set[int]:
    """Return which of the letters that look like digits stand beside each other, after a digit of their word."""
    return {i for i in alike if alike & {i - 1, i + 1} and any(map(str.isdigit, text[:i].rpartition(' ')[2]))}


def _specks(text: Sequence[str], steps: Sequence[int]) -> list[bool]:
    """Say of each character whether it is a dot without room of its own, from the steps at which the characters begin.

    A dash behind a dash is one, too: the two are one long stroke.
    """
    printed = [character.isalnum() for character in text]
    apart = [steps[i + 1] - steps[i] for i in range(len(text) - 1) if printed[i] and printed[i + 1]]
    room = SPECK * sum(apart) / max(1, len(apart))

    def is_speck(i: int) -> bool:
        if text[i] == '-':
            return i > 0 and text[i - 1] == '-'
        return (
            text[i] in DOTS
            and 0 < i < len(text) - 1
            and printed[i - 1]
            and printed[i + 1]
            and steps[i + 1] - steps[i - 1] <= room
        )

    return [is_speck(i) for i in range(len(text))]


def may_be_number(text: str) -> bool:
    """Say whether a line has the letters and digits of a part number."""
    return sum(map(str.isalnum, text)) >= NUMBER_LENGTH and sum(map(str.isdigit, text)) >= NUMBER_DIGITS
