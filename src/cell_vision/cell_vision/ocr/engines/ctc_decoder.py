"""Decodes the character probabilities of the recognizer (CTC) to text and confidence.

Same result as `CTCLabelDecode` of PaddleOCR with its PP-OCRv4 settings, restricted to characters that labels of parts carry.
Look-alike characters are corrected from their neighbors, and a sharp and a blurred reading of a strip are fused.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AFTER_A_DIGIT = {'O': '0', 'o': '0', 'I': '1', 'l': '1'}
"""A letter after a digit is the digit that looks like it, if the recognizer is in doubt."""
ROUND_LETTERS = 'Oo'
"""A round letter before a digit or another round letter is a zero in a line with digits, if the recognizer is in doubt."""
# Decision 0007, draw 9: O was read for 0 after an S.
LESS_DOUBT, LEAST_DOUBT = 0.01, 0.003
"""Doubt that suffices for a round letter before a digit, and for adjacent digit-like letters after a digit of their word."""
STROKE = {'!': 'I'}
"""Labels of parts have no exclamation marks: it is an I with a worn foot."""
POINTED = {'U': 'V'}
"""A dotted V has upright sides and is read as U. For a printed U the recognizer gives V less probability."""
# Decision 0007, draw 12.
VOLTS = re.compile(r'(?<=\d)U(?=[AD]C)')
"""There is no unit UAC or UDC."""
RIVAL_PROBABILITY = 0.03
"""Probability of the other character relative to the best one."""
SURE_PROBABILITY = 0.9
"""A number with a character less likely than this is read a second time."""
ROUNDED = {'5': 'S'}
FAINT_DOUBT = 0.002
"""A dotted S is read as 5 with confidence, so this relative probability of S already triggers a second reading."""
NUMBER_LENGTH, NUMBER_DIGITS = 5, 2
"""Least letters and digits, and digits among them, of a line that is worth a second reading."""
SOFT_LOSES = 0.06
"""The reading of the blurred strip is used if its confidence is lower by at most this."""
SHARP_WINS = 0.05
"""A character of the sharp strip is kept unless the blurred strip is more confident by at least this."""
MOST_DIFFER = 0.34
"""Largest share of differing characters up to which two readings are compared character by character."""
BLUR_SENSITIVE = ({'0', 'O'}, {'0', 'o'}, {'1', 'I'}, {'1', 'l'}, {'0', 'D'}, {'0', 'Q'}, {'0', 'U'}, {'E', 'F'})
"""Pairs whose difference blur removes: the character with the higher joint probability of both readings is taken."""
DOTS = '.:'
# Decision 0007, draw 6.
SPECK_STEPS = 1.25
"""A dot between neighbors at most this many usual steps apart is a scratch, not print."""
PRINTED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+/.,:;()[]<>*#&%=_\'"!?@°Ωµ '


@dataclass(frozen=True)
class DecodedText:
    """Text of one strip with the probabilities behind it.

    Attributes:
        text: Decoded and corrected text.
        score: Confidence, 0..1.
        doubtful: The text may be a number and a character of it is not certain.
        sure: Probability of each character of the text, 0..1.
        fine: For each character the probabilities of its partners in BLUR_SENSITIVE.
        centers: For each character the step at its center, in steps of the recognizer.
    """

    text: str
    score: float
    doubtful: bool
    sure: tuple[float, ...]
    fine: tuple[Mapping[str, float], ...] = ()
    centers: tuple[float, ...] = ()


def fuse_readings(sharp: DecodedText, soft: DecodedText) -> tuple[str, float]:
    """Return text and confidence of a strip from its sharp and its blurred reading.

    Dots are read as wrong characters with confidence, strokes as the right ones. Each character is therefore the more likely of
    the two, unless the blurred reading is much worse as a whole. The text is for the operator, and for texts beside the number:
    what speaks against a digit, the matcher sees in the likelihoods of both readings.

    Args:
        sharp: Reading of the strip as it is.
        soft: Reading of the same strip, blurred so that dots join to strokes.

    Returns:
        The text, and a confidence 0..1.
    """
    if soft.score < sharp.score - SOFT_LOSES:
        return sharp.text, sharp.score
    text = _most_likely(sharp, soft)
    return text, max((read.score for read in (sharp, soft) if read.text == text), default=soft.score)


def _most_likely(sharp: DecodedText, soft: DecodedText) -> str:
    """Return the more likely characters of both readings, with the blanks of the blurred one.

    If the readings do not correspond character by character, the text with the higher confidence is returned.
    """
    known, blurred = (_characters(read) for read in (sharp, soft))
    pairs = list(zip(known, blurred, strict=False))
    differ = sum(a != b and {a, b} not in BLUR_SENSITIVE for (a, *_), (b, *_) in pairs)
    if len(known) != len(blurred) or differ > MOST_DIFFER * len(known):
        return soft.text if soft.score >= sharp.score else sharp.text
    chosen = (_character(one, other) for one, other in pairs)
    return ''.join(' ' if read == ' ' else next(chosen) for read in soft.text)


_Character = tuple[str, float, Mapping[str, float]]
"""Character, its probability, and the probabilities of its partners in BLUR_SENSITIVE."""


def _characters(read: DecodedText) -> list[_Character]:
    fine = read.fine or ({},) * len(read.text)
    return [character for character in zip(read.text, read.sure, fine, strict=True) if character[0] != ' ']


def _character(one: _Character, other: _Character) -> str:
    (sharp, of_sharp, sharp_fine), (soft, of_soft, soft_fine) = one, other
    if ROUNDED.get(sharp) == soft:
        return soft
    if {sharp, soft} in BLUR_SENSITIVE:
        return soft if of_soft * sharp_fine.get(soft, 0.0) > of_sharp * soft_fine.get(sharp, 0.0) else sharp
    return sharp if of_sharp > of_soft - SHARP_WINS else soft


class CtcDecoder:
    """Decodes the output of the recognizer for one alphabet.

    The recognizer knows some 6600 characters, most of them Chinese. Only the classes of PRINTED are
    looked at, so a worn digit cannot become a Chinese one. Class numbers below are indices into
    this selection.
    """

    def __init__(self, characters: Sequence[str]) -> None:
        """Select the characters of PRINTED from an alphabet; class 0 is "no character", the last one is a blank."""
        known = ['', *characters, ' ']
        self._classes = np.array([0, *(i for i, c in enumerate(known) if c and c in PRINTED)])
        self._characters = [known[i] for i in self._classes]
        place = {character: i for i, character in enumerate(self._characters)}
        self._figures = {place[figure] for figure in '0123456789' if figure in place}
        self._digits, self._pointed, self._rounded, self._strokes = (
            {place[read]: place[other] for read, other in pairs.items() if read in place and other in place}
            for pairs in (AFTER_A_DIGIT, POINTED, ROUNDED, STROKE)
        )
        self._alike = {
            digit: [digit, *(letter for letter, other in self._digits.items() if other == digit)]
            for digit in self._digits.values()
        }
        """Digit -> classes that count as this digit next to another one."""
        self._fine = {
            place[read]: tuple(
                (other, place[other]) for pair in BLUR_SENSITIVE if read in pair for other in pair - {read} if other in place
            )
            for read in set().union(*BLUR_SENSITIVE)
            if read in place
        }

    def decode(self, probabilities: NDArray[np.float32]) -> DecodedText:
        """Return text and confidence from probabilities.

        Each run of steps with the same best class is one character (CTC). As in PP-OCR, the
        confidence is the mean over the characters of the probability at their first step.

        Args:
            probabilities: float32, shape (steps, classes), each row sums to 1.
        """
        kept = probabilities[:, self._classes]
        best = kept.argmax(1)
        # A run starts where the best class changes; class 0 separates equal characters.
        first = np.flatnonzero((best != 0) & (np.diff(best, prepend=-1) != 0))
        first = first[[not speck for speck in _find_specks([self._characters[i] for i in best[first]], first.tolist())]]
        if not len(first):
            return DecodedText('', 0.0, doubtful=False, sure=())
        likely, chosen = kept[first], best[first]
        sure = likely[np.arange(len(first)), chosen]
        self._correct(likely, chosen, sure)
        text = VOLTS.sub('V', ''.join(self._characters[i] for i in chosen))
        faint = any(
            likely[i, self._rounded[read]] >= FAINT_DOUBT * sure[i]
            for i, read in enumerate(map(int, chosen))
            if read in self._rounded
        )
        return DecodedText(
            text,
            float(sure.mean()),
            bool(faint or sure.min() < SURE_PROBABILITY) and may_be_number(text),
            tuple(map(float, sure)),
            tuple(
                {other: float(likely[i, at]) for other, at in self._fine.get(int(read), ())} for i, read in enumerate(chosen)
            ),
            _centers(1.0 - kept[:, 0], first, best),
        )

    def _correct(self, likely: NDArray[np.float32], chosen: NDArray[np.intp], sure: NDArray[np.float32]) -> None:
        """Replace characters in place by look-alikes, where neighbors and the recognizer's doubt support it.

        The probability of a digit next to a digit includes its look-alike letters: they are no doubt about the number.
        """
        # Strokes first: an I that was read as "!" may stand beside a digit in the next step.
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

        for i in (*reversed(doubt), *doubt):  # backward first: a new zero may turn its neighbor into one
            other, much = doubt[i]
            beside = much >= RIVAL_PROBABILITY and (text[i] in POINTED or is_figure(i - 1))
            if beside or i in pairs or (i in zeros and (is_figure(i + 1) or i + 1 in zeros)):
                chosen[i] = other
        for i, read in enumerate(map(int, chosen)):
            if read in self._alike and (is_figure(i - 1) or is_figure(i + 1)):
                sure[i] = likely[i, self._alike[read]].sum()


def _centers(printed: NDArray[np.float32], first: NDArray[np.intp], best: NDArray[np.intp]) -> tuple[float, ...]:
    """Return the center of each character: the mean of the steps of its run, weighted by the probability of print."""
    centers = []
    for start in map(int, first):
        end = start + 1
        while end < len(best) and best[end] == best[start]:
            end += 1
        steps, weights = np.arange(start, end), printed[start:end]
        centers.append(float((steps * weights).sum() / weights.sum()))
    return tuple(centers)


def _pairs(text: str, alike: set[int]) -> set[int]:
    """Return the indices of adjacent digit-like letters that follow a digit of their word."""
    return {i for i in alike if alike & {i - 1, i + 1} and any(map(str.isdigit, text[:i].rpartition(' ')[2]))}


def _find_specks(text: Sequence[str], steps: Sequence[int]) -> list[bool]:
    """Return for each character whether it is a dot without room of its own, from the steps at which the characters begin.

    A dash after a dash counts as a speck, too: both are one long stroke.
    """
    printed = [character.isalnum() for character in text]
    apart = [steps[i + 1] - steps[i] for i in range(len(text) - 1) if printed[i] and printed[i + 1]]
    room = SPECK_STEPS * sum(apart) / max(1, len(apart))

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
    """Return whether a line has enough letters and digits for a part number.

    Args:
        text: Decoded line.
    """
    return sum(map(str.isalnum, text)) >= NUMBER_LENGTH and sum(map(str.isdigit, text)) >= NUMBER_DIGITS
