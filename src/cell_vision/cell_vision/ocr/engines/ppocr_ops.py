"""What PP-OCR does around its networks: pictures for them, text boxes from a probability map, upright strips.

Same rules as PaddleOCR's `DBPostProcess` and `get_rotate_crop_image` with their PP-OCRv4 settings, but pictures are padded to a
few fixed shapes instead of stretched to many: each new shape costs memory and time. The characters are in `recognised`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cell_vision.types import Point, Polygon

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
SOFT = 0.06
"""Blur that makes strokes of dots, whose rows are about a tenth of a strip's height apart; sigma, share of that height."""
SMALL, STEEP = 25, 0.145
"""Print in boxes lower than this, pixels, whose edges rise less than this share of its contrast in a pixel of a strip: they are
as wide as strokes then, and 0, 8, 9 and 6 look alike."""
CONTRAST, STEEPEST = (2, 98), 97
"""Percentiles."""


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
    mean: Any = cv2.mean(probability[top : bottom + 1, left : right + 1], mask)
    return float(mean[0])


def _clockwise(corners: Any) -> Any:
    """Order a rectangle's corners clockwise, the upper one of the two leftmost first."""
    by_x = corners[np.argsort(corners[:, 0], kind='stable')]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
