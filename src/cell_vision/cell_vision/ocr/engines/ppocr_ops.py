"""Pre- and post-processing of the PP-OCR networks: input batches, text boxes from a probability map, upright strips.

Same rules as `DBPostProcess` and `get_rotate_crop_image` of PaddleOCR with their PP-OCRv4 settings, but images are padded to a
few fixed shapes instead of stretched to many: each new shape costs memory and time. `ctc_decoder` turns strips into text.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.ocr.box_geometry import order_corners
from cell_vision.types import Polygon

if TYPE_CHECKING:
    from cv2.typing import MatLike

Corners: TypeAlias = NDArray[np.float32]
"""Corners of a box, shape (4, 2), clockwise from the top left in the image, pixels."""

STEP = 32
"""Stride of the detector: the sides of its input are multiples of it, pixels."""
# Decision 0004: a network for one shape runs a third faster than one for any shape.
PLATE_SHAPES = ((160, 384), (224, 320), (256, 256))
"""Heights and widths to which an image of a single part is padded. Few and fixed: a network is compiled for each."""
PLATE_SIDE = 480
"""The plate of a single part is read with a longest side of at most this, pixels."""
# Input of the direction classifier of PP-OCR: height, width.
DIRECTION_SHAPE = (48, 192)
TEXT_PROBABILITY = 0.3
"""A pixel belongs to text above this probability."""
LEAST_BOX_SCORE = 0.5
UNCLIP = 1.6
"""A box grows by area * UNCLIP / circumference, pixels: the map shows only the core of the text."""
END_EXTENSION = 0.2
"""A box is lengthened by this many of its heights at each end."""
LEAST_SIDE = 3
# Input height with which the recognizer of PP-OCRv4 was trained.
STRIP_HEIGHT = 48
# Few different widths: the first use of each takes twice as long.
STRIP_STEP = 32
STEP_WIDTH = 8
"""Pixels of the recognizer's input per step of its output."""
LEAST_STRIP = 128
LONGEST_STRIP = 480
# Decision 0008: narrowing all strips would be faster, but left a photograph undecided.
LONG, SQUEEZED = 256, 0.5
"""The part of a strip beyond LONG is narrowed by SQUEEZED: the recognizer was trained on strips of at most 320 pixels."""
STRIP_WIDTHS = range(LEAST_STRIP, LONGEST_STRIP + 1, STRIP_STEP)
RUNS_ALIKE = 0.97
"""Least cosine of the angle between two lines of the same direction."""
STANDING_ASPECT = 1.5
"""A box of at least this ratio of height to width stands on its side."""
# Decision 0008: half a dot pitch.
DOT_BLUR = 0.06
"""Sigma of the blur that joins dots to strokes, in strip heights. Rows of dots are about a tenth of a height apart."""


@dataclass(frozen=True)
class TextStrip:
    """One text box, cropped, with its longer side level.

    Attributes:
        image: BGR, uint8.
        polygon: Corners in the image, clockwise from the top left of the strip.
    """

    image: MatLike
    polygon: Polygon

    def flipped(self) -> TextStrip:
        """Return the strip rotated by 180 degrees."""
        a, b, c, d = self.polygon
        return TextStrip(cv2.rotate(self.image, cv2.ROTATE_180), (c, d, a, b))

    @property
    def aspect_ratio(self) -> float:
        """Return width over height."""
        return float(self.image.shape[1] / self.image.shape[0])

    def same_direction(self, other: TextStrip) -> bool:
        """Return whether the print of another line has the same direction, if both are upright."""
        (ax, ay), (bx, by) = self.polygon[:2]
        (cx, cy), (dx, dy) = other.polygon[:2]
        along = (bx - ax) * (dx - cx) + (by - ay) * (dy - cy)
        return along >= RUNS_ALIKE * math.hypot(bx - ax, by - ay) * math.hypot(dx - cx, dy - cy)


def detector_input(image: MatLike, side: int, enlarge: float = 1.0) -> tuple[NDArray[np.float32], float]:
    """Return the detector input for an image, shape (1, 3, height, width), and the scale from the image to it.

    Args:
        image: BGR, uint8.
        side: Longest side, pixels; up to PLATE_SIDE, the image is padded to one of PLATE_SHAPES.
        enlarge: Largest factor by which a smaller image is enlarged.
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
    return _blob(image), scale


def text_boxes(probability: NDArray[np.float32]) -> list[Corners]:
    """Return the text boxes of a probability map.

    Args:
        probability: float32, shape (height, width), 0..1: the output of the detector.

    Returns:
        Corners in pixels of the map, grown by UNCLIP, in no particular order.
    """
    # As in PaddleOCR: closes gaps of one pixel.
    mask = cv2.dilate((probability > TEXT_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
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
        found.append(_clockwise(cv2.boxPoints((middle, _extend_ends(wide + grow, high + grow), angle))))
    return found


def _extend_ends(wide: float, high: float) -> tuple[float, float]:
    """Lengthen a box: the detector leaves out faint print at the ends of a line."""
    ends = 2 * END_EXTENSION * min(wide, high)
    return (wide + ends, high) if wide >= high else (wide, high + ends)


def crop_strip(image: MatLike, box: Corners) -> TextStrip:
    """Crop a box from an image, with its longer side level.

    Args:
        image: BGR, uint8, at full size: the detector saw a smaller copy.
        box: Corners in pixels of `image`.
    """
    wide = max(1, round(max(math.dist(box[0], box[1]), math.dist(box[2], box[3]))))
    high = max(1, round(max(math.dist(box[0], box[3]), math.dist(box[1], box[2]))))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(box, np.float32), target)
    strip = cv2.warpPerspective(image, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    standing = high >= STANDING_ASPECT * wide
    if standing:
        strip = cv2.rotate(strip, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return TextStrip(strip, order_corners(box.tolist(), int(standing)))


def recognizer_input(strip: MatLike) -> NDArray[np.float32]:
    """Return the recognizer input for a strip: 48 pixels high, a long one narrowed, padded to one of STRIP_WIDTHS.

    Args:
        strip: BGR, uint8, of any size.

    Returns:
        float32, shape (1, 3, 48, width), values -1..1; the padding is 0, as in training.
    """
    wide = _input_width(strip)
    return _padded(strip, wide, next(width for width in STRIP_WIDTHS if width >= wide))


def recognizer_places(strip: MatLike, steps: Sequence[float]) -> list[float]:
    """Return the places of steps of the recognizer along a strip, as shares of its width.

    Args:
        strip: Shape (height, width, 3), before it is scaled to the recognizer's input.
        steps: Steps of the output, counted from 0; the middle of a step is returned.
    """
    wide = _input_width(strip)
    return [(step + 0.5) * STEP_WIDTH / wide for step in steps]


def _input_width(strip: MatLike) -> int:
    wide = float(strip.shape[1] * STRIP_HEIGHT / strip.shape[0])
    return min(LONGEST_STRIP, math.ceil(min(wide, LONG + SQUEEZED * (wide - LONG))))


def classifier_input(strip: MatLike) -> NDArray[np.float32]:
    """Return the input of the direction classifier for a strip.

    Args:
        strip: BGR, uint8. The start of a long strip is narrowed to the classifier's width.

    Returns:
        float32, shape (1, 3, 48, 192), values -1..1.
    """
    wide = min(DIRECTION_SHAPE[1], math.ceil(strip.shape[1] * DIRECTION_SHAPE[0] / strip.shape[0]))
    return _padded(strip, wide, DIRECTION_SHAPE[1])


def blur_dots(strip: MatLike) -> MatLike:
    """Return a strip in which the dots of a dot-matrix print are joined to strokes.

    Args:
        strip: BGR, uint8; the blur grows with its height.
    """
    return cv2.GaussianBlur(strip, (0, 0), DOT_BLUR * strip.shape[0])


def _padded(strip: MatLike, wide: int, padded: int) -> NDArray[np.float32]:
    # Area averaging when shrinking keeps thin strokes; it would only repeat pixels when enlarging.
    shrinks = strip.shape[0] > STRIP_HEIGHT
    small = cv2.resize(strip, (wide, STRIP_HEIGHT), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    batch = np.zeros((1, 3, STRIP_HEIGHT, padded), np.float32)
    batch[..., :wide] = _blob(small)
    return batch


def _blob(image: MatLike) -> NDArray[np.float32]:
    """Return an image as a batch of shape (1, 3, height, width), values -1..1."""
    return np.asarray(cv2.dnn.blobFromImage(image, 1 / 127.5, mean=(127.5, 127.5, 127.5)), np.float32)


def _mean_inside(probability: NDArray[np.float32], corners: MatLike) -> float:
    high, wide = probability.shape
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, (wide - 1, high - 1))
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int), 0, (wide - 1, high - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    mean = cast('tuple[float, ...]', cv2.mean(probability[top : bottom + 1, left : right + 1], mask))
    return float(mean[0])


def _clockwise(corners: MatLike) -> Corners:
    """Return the corners of a rectangle clockwise, the upper one of the two leftmost first."""
    by_x = corners[np.argsort(corners[:, 0], kind='stable')]
    left = by_x[:2][np.argsort(by_x[:2, 1])]
    right = by_x[2:][np.argsort(by_x[2:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
