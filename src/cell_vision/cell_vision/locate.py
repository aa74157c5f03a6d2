"""Find the part in a frame before reading it: a dark body or a bright label, at a quarter of the frame's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

REDUCTION = 4
LEAST_AREA, MOST_AREA = 0.004, 0.7
"""Of the frame."""
RECTANGULAR = 0.75
"""A plate fills at least this share of its bounding rectangle."""
LEAST_SHORT_SIDE = 8
"""Pixels of the reduced frame."""
LONGEST = 9.0
"""Longer side to shorter side."""
SECOND = 0.5
"""A second plate counts when it is at least this large against the first."""
MARGIN = 1.03
DARK_SHARE, BRIGHT_SHARE = 2.0, 99.5
"""Percentiles that become black and white."""
LEAST_CONTRAST = 8
GRAIN, GRAIN_CONTRAST, GRAIN_REACH = 7, 40, 5
"""Diameter in pixels, gray levels, pixels."""


@dataclass(frozen=True)
class Plate:
    """A rectangle that may carry print, in pixels of the frame."""

    x: float
    """Of the middle."""
    y: float
    long: float
    """Longer side."""
    short: float
    """Shorter side."""
    angle: float
    """Of the longer side, degrees, -90..90."""

    @property
    def area(self) -> float:
        """Pixels."""
        return self.long * self.short


@dataclass(frozen=True)
class Crop:
    """A plate cut out and laid straight."""

    image: Any
    """BGR, uint8."""
    back: Any
    """Affine matrix from the crop to the frame, shape (2, 3)."""


def plates(image: Any) -> list[Plate]:
    """Return the plates of a frame, largest first, at most two.

    Args:
        image: BGR, uint8.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    size = (max(1, gray.shape[1] // REDUCTION), max(1, gray.shape[0] // REDUCTION))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    threshold, _ = cv2.threshold(small, 0, 255, cv2.THRESH_OTSU)
    found = [plate for mask in (small <= threshold, small > threshold) for plate in _rectangles(mask.astype(np.uint8))]
    found.sort(key=lambda plate: -plate.area)
    return [plate for plate in found[:2] if plate.area >= SECOND * found[0].area]


def crop(image: Any, plate: Plate) -> Crop:
    """Cut a plate out of a frame, its longer side level."""
    wide, high = plate.long * MARGIN, plate.short * MARGIN
    there: Any = cv2.getRotationMatrix2D((plate.x, plate.y), plate.angle, 1.0)
    there[:, 2] += (wide / 2 - plate.x, high / 2 - plate.y)
    straight = cv2.warpAffine(image, there, (max(1, round(wide)), max(1, round(high))), flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)
    return Crop(straight, cv2.invertAffineTransform(there))


def stretched(image: Any) -> Any:
    """Return a plate with its contrast stretched: laser-etched print is often only a few gray levels brighter than the body."""
    high, wide = image.shape[:2]
    inside = image[high // 6:high - high // 6, wide // 20:wide - wide // 20]
    dark, bright = np.percentile(inside[::2, ::2], (DARK_SHARE, BRIGHT_SHARE))
    table = (np.arange(256) - dark) * 255 / max(LEAST_CONTRAST, bright - dark)
    return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))


def smoothed(image: Any) -> Any:
    """Return a picture without the grain of the surface; edges stay."""
    return cv2.bilateralFilter(image, GRAIN, GRAIN_CONTRAST, GRAIN_REACH)


def _rectangles(mask: Any) -> list[Plate]:
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [plate for contour in contours if (plate := _plate(contour, mask.shape)) is not None]


def _plate(contour: Any, shape: tuple[int, int]) -> Plate | None:
    (x, y), (wide, high), angle = cv2.minAreaRect(contour)
    long, short = max(wide, high), min(wide, high)
    if short < LEAST_SHORT_SIDE or long > LONGEST * short or _touches_the_edge(contour, shape):
        return None
    if not LEAST_AREA * shape[0] * shape[1] <= long * short <= MOST_AREA * shape[0] * shape[1]:
        return None
    if cv2.contourArea(contour) < RECTANGULAR * long * short:
        return None
    angle = angle if wide >= high else angle + 90
    middle = (REDUCTION - 1) / 2
    return Plate(x * REDUCTION + middle, y * REDUCTION + middle, long * REDUCTION, short * REDUCTION, (angle + 90) % 180 - 90)


def _touches_the_edge(contour: Any, shape: tuple[int, int]) -> bool:
    left, top, wide, high = cv2.boundingRect(contour)
    return bool(left <= 0 or top <= 0 or left + wide >= shape[1] or top + high >= shape[0])
