"""What PP-OCR does before and after its networks: text boxes from a probability map, upright strips, characters.

Same rules as PaddleOCR's `DBPostProcess`, `get_rotate_crop_image` and `CTCLabelDecode` with their PP-OCRv4 settings, with two
differences: pictures are padded to a few fixed shapes instead of stretched to many (each new shape costs memory and time), and
only characters that part labels carry are ever returned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cell_vision.reading import Point, Polygon

STEP = 32
"""The detector's stride: its input sides are multiples of it, pixels."""
PLATE_SHAPES = ((160, 384), (224, 320), (256, 256))
"""Heights and widths to which a picture of a single part is laid: few and fixed, so that networks are made for just these."""
PLATE_SIDE = 480
"""At most this longest side of the detector's picture means a part's plate, pixels."""
DIRECTION_SHAPE = (48, 192)
FILLED = 0.3
"""A pixel belongs to text above this probability."""
LEAST_BOX_SCORE = 0.5
UNCLIP = 1.6
"""How far a box grows: area * UNCLIP / circumference, pixels (the map shows the core of the text only)."""
ENDS = 0.2
"""How much longer a box is made at each end, in its heights."""
LEAST_SIDE = 3
STRIP_HEIGHT = 48
STRIP_STEP = 32
LEAST_STRIP = 128
LONGEST_STRIP = 480
LONG, SQUEEZED = 256, 0.5
"""What a strip is longer is narrowed: the recogniser knows long lines so, it was trained on strips of at most 320 pixels."""
STRIP_WIDTHS = range(LEAST_STRIP, LONGEST_STRIP + 1, STRIP_STEP)
RUNS_ALIKE = 0.97
"""Cosine of the angle between two lines that run the same way, at least."""
TALL = 1.5
"""A strip so much higher than wide stands on its side."""
AFTER_A_DIGIT = {'O': '0', 'o': '0', 'I': '1', 'l': '1'}
"""A letter that follows a digit is the digit that looks like it, when the recogniser itself is in doubt."""
ROUND_LETTERS = 'Oo'
"""One before a digit, or before another such one, is a zero in a line with digits, too, when the recogniser is in doubt."""
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
SOFT = 0.06
"""Blur that makes strokes of dots, whose rows are about a tenth of a strip's height apart; sigma, share of that height."""
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
SMALL, STEEP = 25, 0.145
"""Print in boxes lower than this, pixels, whose edges rise less than this share of its contrast in a pixel of a strip: they are
as wide as strokes then, and 0, 8, 9 and 6 look alike."""
CONTRAST, STEEPEST = (2, 98), 97
"""Percentiles."""
FINE = ({'0', 'O'}, {'0', 'o'}, {'1', 'I'}, {'1', 'l'}, {'0', 'D'}, {'0', 'Q'}, {'0', 'U'}, {'E', 'F'})
"""Blur takes away or closes what tells these apart: it must make its own likelier by FINE_WINS."""
FINE_WINS = 0.25
SPECK = 1.25
"""A dot that keeps its neighbours no further apart than so many of the line's usual steps is no print: a scratch left it."""
PRINTED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+/.,:;()[]<>*#&%=_\'"!?@°Ωµ '


@dataclass(frozen=True)
class Strip:
    """One text box, cut out."""

    image: Any
    """BGR, uint8."""
    polygon: Polygon
    """Corners in the picture, clockwise from the strip's top left."""

    def flipped(self) -> Strip:
        """Return the strip turned by 180 degrees."""
        a, b, c, d = self.polygon
        return Strip(cv2.rotate(self.image, cv2.ROTATE_180), (c, d, a, b))

    @property
    def slenderness(self) -> float:
        """Width over height."""
        return float(self.image.shape[1] / self.image.shape[0])

    def runs_like(self, other: Strip) -> bool:
        """Say whether the other line's print runs the same way, if both are upright."""
        (ax, ay), (bx, by) = self.polygon[:2]
        (cx, cy), (dx, dy) = other.polygon[:2]
        along = (bx - ax) * (dx - cx) + (by - ay) * (dy - cy)
        return along >= RUNS_ALIKE * math.hypot(bx - ax, by - ay) * math.hypot(dx - cx, dy - cy)


def detector_batch(image: Any, side: int, enlarge: float = 1.0) -> tuple[Any, float]:
    """Return the detector's input for a picture, and the scale from the picture to it.

    Args:
        image: BGR, uint8.
        side: Longest side, pixels; up to PLATE_SIDE, the picture is laid into one of PLATE_SHAPES.
        enlarge: A smaller picture is made at most so many times larger.
    """
    high, wide = image.shape[:2]
    shape = max(PLATE_SHAPES, key=lambda shape: min(shape[0] / high, shape[1] / wide)) if side <= PLATE_SIDE else None
    room = min(shape[0] / high, shape[1] / wide) if shape else side / max(high, wide)
    scale = min(enlarge, room)
    if scale != 1.0:
        method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
        size = (max(1, round(wide * scale)), max(1, round(high * scale)))
        image = cv2.resize(image, size, interpolation=method)
    high, wide = image.shape[:2]
    below, beside = (shape[0] - high, shape[1] - wide) if shape else (-high % STEP, -wide % STEP)
    image = cv2.copyMakeBorder(image, 0, max(0, below), 0, max(0, beside), cv2.BORDER_REPLICATE)
    return cv2.dnn.blobFromImage(image, 1 / 127.5, mean=(127.5, 127.5, 127.5)), scale


def boxes(probability: Any) -> list[Any]:
    """Return the text boxes of a probability map (height, width): float32 (4, 2), clockwise from the top left."""
    mask = cv2.dilate((probability > FILLED).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        middle, (wide, high), angle = cv2.minAreaRect(contour)
        if min(wide, high) < LEAST_SIDE:
            continue
        core = cv2.boxPoints((middle, (wide, high), angle))
        if _mean_inside(probability, core) < LEAST_BOX_SCORE:
            continue
        grow = 2 * wide * high * UNCLIP / (2 * (wide + high))
        found.append(_clockwise(cv2.boxPoints((middle, _with_ends(wide + grow, high + grow), angle))))
    return found


def _with_ends(wide: float, high: float) -> tuple[float, float]:
    """Lengthen a box: faint print at the ends of a line is left out by the detector."""
    ends = 2 * ENDS * min(wide, high)
    return (wide + ends, high) if wide >= high else (wide, high + ends)


def cut(image: Any, box: Any) -> Strip:
    """Cut a box out of a picture and lay its longer side down."""
    wide = max(1, round(max(math.dist(box[0], box[1]), math.dist(box[2], box[3]))))
    high = max(1, round(max(math.dist(box[0], box[3]), math.dist(box[1], box[2]))))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(box, np.float32), target)
    strip = cv2.warpPerspective(image, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    corners: list[Point] = [(float(x), float(y)) for x, y in box]
    if high >= TALL * wide:
        strip = cv2.rotate(strip, cv2.ROTATE_90_COUNTERCLOCKWISE)
        corners = corners[1:] + corners[:1]
    return Strip(strip, (corners[0], corners[1], corners[2], corners[3]))


def strip_batch(strip: Any) -> Any:
    """Return the recogniser's input for a strip: 48 pixels high, what is LONG squeezed, padded to one of STRIP_WIDTHS."""
    wide = strip.shape[1] * STRIP_HEIGHT / strip.shape[0]
    wide = min(LONGEST_STRIP, math.ceil(min(wide, LONG + SQUEEZED * (wide - LONG))))
    return _padded(strip, wide, next(width for width in STRIP_WIDTHS if width >= wide))


def direction_batch(strip: Any) -> Any:
    """Return the direction classifier's input for a strip."""
    wide = min(DIRECTION_SHAPE[1], math.ceil(strip.shape[1] * DIRECTION_SHAPE[0] / strip.shape[0]))
    return _padded(strip, wide, DIRECTION_SHAPE[1])


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


def softened(strip: Any) -> Any:
    """Return a strip with a dot matrix' dots run together."""
    return cv2.GaussianBlur(strip, (0, 0), SOFT * strip.shape[0])


def smeared(strip: Any) -> bool:
    """Say whether a strip's print is too small and too blurred to tell a digit by."""
    if strip.shape[0] >= SMALL:
        return False
    gray = cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY).astype(np.float32)
    gray = cv2.resize(gray, (max(2, round(strip.shape[1] * STRIP_HEIGHT / strip.shape[0])), STRIP_HEIGHT))
    dark, bright = np.percentile(gray, CONTRAST)
    return bool(np.percentile(np.abs(np.diff(gray, axis=1)), STEEPEST) < STEEP * (bright - dark + 1))


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
    known, blurred = ([pair for pair in zip(read.text, read.sure, strict=True) if pair[0] != ' '] for read in (sharp, soft))
    pairs = list(zip(known, blurred, strict=False))
    differ = sum(a != b and {a, b} not in FINE for (a, _), (b, _) in pairs)
    if len(known) != len(blurred) or differ > MOST_DIFFER * len(known):
        return soft.text if soft.score >= sharp.score else sharp.text
    chosen = (_character(a, likely, b, other) for (a, likely), (b, other) in pairs)
    return ''.join(' ' if read == ' ' else next(chosen) for read in soft.text)


def _character(sharp: str, of_sharp: float, soft: str, of_soft: float) -> str:
    if ROUNDED.get(sharp) == soft:
        return soft
    return sharp if of_sharp > of_soft - (FINE_WINS if {sharp, soft} in FINE else SHARP_WINS) else soft


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
            for pairs in (AFTER_A_DIGIT, POINTED, ROUNDED, STROKE))
        self._alike = {digit: [digit, *(letter for letter, other in self._digits.items() if other == digit)]
                       for digit in self._digits.values()}
        """A digit -> what counts as it beside another one."""

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
        faint = any(likely[i, self._rounded[read]] >= FAINT_DOUBT * sure[i]
                    for i, read in enumerate(map(int, chosen)) if read in self._rounded)
        return Decoded(text, float(sure.mean()), bool(faint or sure.min() < DOUBTFUL) and may_be_number(text),
                       tuple(map(float, sure)), self._rivals(likely, chosen, sure))

    def _put_right(self, likely: Any, chosen: Any, sure: Any) -> None:
        """Take for a character the one that looks like it, where its neighbours and the recogniser's doubt speak for that.

        What counts as sure of a digit beside a digit is both: the letter that looks like it is no doubt about the number.
        """
        chosen[:] = [self._strokes.get(int(read), int(read)) for read in chosen]
        doubted = {}
        for i, read in enumerate(map(int, chosen)):
            other = self._pointed.get(read) or self._digits.get(read)
            if other and likely[i, other] >= DOUBT * sure[i]:
                doubted[i] = other
        numeric = sum(int(read) in self._figures for read in chosen) >= NUMBER_DIGITS
        zeros = {i for i in doubted if numeric and self._characters[chosen[i]] in ROUND_LETTERS}

        def is_figure(i: int) -> bool:
            return 0 <= i < len(chosen) and int(chosen[i]) in self._figures

        for i in (*reversed(doubted), *doubted):  # from behind first: a zero may make its neighbour one
            if is_figure(i - 1) or int(chosen[i]) in self._pointed or (i in zeros and (is_figure(i + 1) or i + 1 in zeros)):
                chosen[i] = doubted[i]
        for i, read in enumerate(map(int, chosen)):
            if read in self._alike and (is_figure(i - 1) or is_figure(i + 1)):
                sure[i] = likely[i, self._alike[read]].sum()

    def _rivals(self, likely: Any, chosen: Any, sure: Any) -> tuple[float, ...]:
        """Return how likely another digit is in place of each digit, against it, from the probabilities at the characters."""
        others = likely[:, self._places]
        others[chosen[:, None] == self._places] = 0.0
        against = np.where(np.isin(chosen, self._places), others.max(1, initial=0.0) / sure, 0.0)
        return tuple(map(float, against))


def _specks(text: Sequence[str], steps: Sequence[int]) -> list[bool]:
    """Say of each character whether it is a dot without room of its own, from the steps at which the characters begin."""
    printed = [character.isalnum() for character in text]
    apart = [steps[i + 1] - steps[i] for i in range(len(text) - 1) if printed[i] and printed[i + 1]]
    room = SPECK * sum(apart) / max(1, len(apart))
    return [0 < i < len(text) - 1 and character == '.' and printed[i - 1] and printed[i + 1]
            and steps[i + 1] - steps[i - 1] <= room for i, character in enumerate(text)]


def may_be_number(text: str) -> bool:
    """Say whether a line has the letters and digits of a part number."""
    return sum(map(str.isalnum, text)) >= NUMBER_LENGTH and sum(map(str.isdigit, text)) >= NUMBER_DIGITS


def _padded(strip: Any, wide: int, padded: int) -> Any:
    shrinks = strip.shape[0] > STRIP_HEIGHT
    small = cv2.resize(strip, (wide, STRIP_HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    batch = np.zeros((1, 3, STRIP_HEIGHT, padded), np.float32)
    batch[..., :wide] = cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5, 127.5, 127.5))
    return batch


def _mean_inside(probability: Any, corners: Any) -> float:
    high, wide = probability.shape
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, (wide - 1, high - 1))
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int), 0, (wide - 1, high - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    mean: Any = cv2.mean(probability[top:bottom + 1, left:right + 1], mask)
    return float(mean[0])


def _clockwise(corners: Any) -> Any:
    """Order a rectangle's corners clockwise, the upper one of the two leftmost first."""
    by_x = corners[np.argsort(corners[:, 0], kind='stable')]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
