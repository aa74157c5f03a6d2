"""Find the part in a frame before reading it: where a small copy of the frame has fine detail, there is a part.

Print, and the edges of a body or label, are steeper than shade, reflections and the ground's grain, however dark or uneven the
light. Where such a region holds a plate that is all darker or all brighter than the rest, the plate is taken instead: it leaves
out legs and shadows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from cell_vision.types import Polygon

DETAIL_SIDE = 640
"""Longest side of the copy in which detail is looked for, pixels."""
REACH = 9
"""Detail is averaged over a square of so many pixels of that copy."""
ABOVE_GRAIN = 6.0
"""Detail stands out when it is so many mean deviations above the frame's middle value."""
OF_STEEPEST = 0.12
"""And at least this share of the way from there to the steepest."""
STEEPEST = 99.7
"""Percentile."""
LEAST_REGION = 6
"""Shorter side, pixels of the copy."""
FURTHER = 0.05
"""A further region counts when it holds at least this share of the first one's detail."""
MOST_PLATES = 3
OVERLAP = 0.2
"""Regions that share so much of the smaller one are one."""
RIM = 0.06
"""A region is grown by this share of its sides' mean: detail ends where the print ends."""
STROKES = (1.0, 5), (2.0, 9)
"""Print shows between these two blurs of the copy (sigma, size; pixels): what is finer is grain, what is coarser is ground."""
STROKES_REACH = 13
"""Their difference is squared and averaged over a square of so many pixels of the copy."""
ABOVE_GROUND = 30.0
"""Faint print stands out when it is so many mean deviations above the frame's middle value."""
LEAST_POWER = 0.02
"""Added to the deviation, gray levels squared: in a frame without grain nothing stands out by the noise of JPEG."""
LEAST_LINE = 16
"""Length of a line of print, pixels of the copy."""
FAINT_GROWS = 2.0
"""The ends of faint print do not stand out: its place is made so many times as high, and longer by as much."""
REDUCTION = 4
LEAST_AREA, MOST_AREA = 0.002, 0.7
"""Of the frame."""
RECTANGULAR = 0.75
"""A plate fills at least this share of its bounding rectangle."""
LEAST_SHORT_SIDE = 8
"""Pixels of the reduced frame."""
LONGEST = 9.0
"""Longer side to shorter side."""
COVERS = 0.45
"""A plate stands for a region when it covers at least this share of it."""
HOLDS = 0.6
"""A point this share of its sides from a plate's middle still belongs to it."""
APART = 1.1
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

    def holds(self, x: float, y: float) -> bool:
        """Say whether a point lies in it or close by."""
        turn = math.radians(self.angle)
        along = (x - self.x) * math.cos(turn) + (y - self.y) * math.sin(turn)
        across = (y - self.y) * math.cos(turn) - (x - self.x) * math.sin(turn)
        return abs(along) <= HOLDS * self.long and abs(across) <= HOLDS * self.short

    def apart_from(self, other: Plate) -> bool:
        """Say whether both could be turned about their middles without touching each other."""
        return math.hypot(self.x - other.x, self.y - other.y) > APART * (self.long + other.long) / 2


@dataclass(frozen=True)
class Crop:
    """A plate cut out and laid straight."""

    image: Any
    """BGR, uint8."""
    back: Any
    """Affine matrix from the crop to the frame, shape (2, 3)."""


def plates(image: Any) -> list[Plate]:
    """Return the plates of a frame, the one with most detail first, at most MOST_PLATES.

    Args:
        image: BGR, uint8.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    regions = _regions(gray)
    if not regions:
        return []
    tight = _bodies(gray)
    return [next((plate for plate in tight if _stands_for(plate, region)), region) for region in regions]


def faint_print(image: Any, known: Sequence[Plate]) -> list[Plate]:
    """Return where print may stand that is too faint to be found beside what is known: one place, or none.

    A second part in the dark has a hundredth of the detail of one in the light. What is found here is little evidence, so it is
    only a place to read.

    Args:
        image: BGR, uint8.
        known: Plates; places near them are left out.
    """
    small, scale = _copy(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    high, wide = image.shape[:2]
    fine, coarse = (cv2.GaussianBlur(small.astype(np.float32), (size, size), sigma) for sigma, size in STROKES)
    power = cv2.boxFilter(cv2.pow(fine - coarse, 2.0), cv2.CV_32F, (STROKES_REACH, STROKES_REACH))
    sample: Any = power[::4, ::4]
    ground = float(np.median(sample))
    deviation = float(np.median(np.abs(sample - ground))) + LEAST_POWER
    mask = _closed(power > ground + ABOVE_GROUND * deviation)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [
        (_detail(power, contour, ground), region)
        for contour in contours
        if (region := _region(cv2.minAreaRect(contour), scale, small.shape[::-1])) is not None
        and region.long >= LEAST_LINE * scale
        and all(region.apart_from(plate) for plate in known)
        and all(0 <= x < wide and 0 <= y < high for x, y in corners(region))
    ]
    if not found:
        return []
    _, place = max(found, key=lambda pair: pair[0])
    return [replace(place, long=place.long + FAINT_GROWS * place.short, short=FAINT_GROWS * place.short)]


def _copy(gray: Any) -> tuple[Any, float]:
    """Return the copy in which detail is looked for, and the scale from it to the frame."""
    scale = max(1.0, max(gray.shape) / DETAIL_SIDE)
    size = (max(1, int(gray.shape[1] / scale)), max(1, int(gray.shape[0] / scale)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA), scale


def _closed(mask: Any) -> Any:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))


def _regions(gray: Any) -> list[Plate]:
    """Return where the frame has detail, most of it first."""
    copy, scale = _copy(gray)
    small = cv2.GaussianBlur(copy, (3, 3), 0)
    steep = cv2.boxFilter(cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), cv2.CV_32F, (REACH, REACH))
    sample: Any = steep[::4, ::4]
    grain = float(np.median(sample))
    deviation = float(np.median(np.abs(sample - grain))) + 0.3
    threshold = max(grain + ABOVE_GRAIN * deviation, grain + OF_STEEPEST * (float(np.percentile(sample, STEEPEST)) - grain))
    contours, _ = cv2.findContours(_closed(steep > threshold), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [
        (_detail(steep, hull, grain), region)
        for hull in _joined(contours)
        if (region := _region(cv2.minAreaRect(hull), scale, copy.shape[::-1])) is not None
    ]
    found.sort(key=lambda pair: -pair[0])
    return [region for detail, region in found[:MOST_PLATES] if detail >= FURTHER * found[0][0]]


def _joined(contours: Sequence[Any]) -> list[Any]:
    """Join contours whose rectangles overlap: the steep parts of one edge."""
    joined: list[Any] = []
    hulls = [hull for hull in map(cv2.convexHull, contours) if min(cv2.minAreaRect(hull)[1]) >= REACH]
    for hull in sorted(hulls, key=cv2.contourArea, reverse=True):
        near = [other for other in joined if _overlap(other, hull) > OVERLAP]
        joined = [other for other in joined if all(other is not it for it in near)]
        joined.append(cv2.convexHull(np.vstack((hull, *near))))
    return joined


def _overlap(one: Any, other: Any) -> float:
    """Return how much of the smaller one's rectangle two contours share, 0..1."""
    first, second = cv2.minAreaRect(one), cv2.minAreaRect(other)
    kind, points = cv2.rotatedRectangleIntersection(first, second)
    if kind == cv2.INTERSECT_NONE or points is None:
        return 0.0
    shared = cv2.contourArea(cv2.convexHull(points))
    return float(shared / max(1.0, min(first[1][0] * first[1][1], second[1][0] * second[1][1])))


def _detail(steep: Any, contour: Any, grain: float) -> float:
    left, top, wide, high = cv2.boundingRect(contour)
    return float(steep[top : top + high, left : left + wide].sum()) - grain * wide * high


def _region(rectangle: Any, scale: float, size: tuple[int, int]) -> Plate | None:
    middle, (wide, high), angle = rectangle
    wide, high = wide - REACH + 3, high - REACH + 3
    if min(wide, high) < LEAST_REGION or wide * high > MOST_AREA * size[0] * size[1]:
        return None
    rim = RIM * (wide + high) / 2
    return _upright(middle, (wide + rim, high + rim), angle, scale)


def _bodies(gray: Any) -> list[Plate]:
    """Return the rectangles that are darker or brighter than the rest of the frame, largest first."""
    size = (max(1, gray.shape[1] // REDUCTION), max(1, gray.shape[0] // REDUCTION))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    threshold, _ = cv2.threshold(small, 0, 255, cv2.THRESH_OTSU)
    found = [plate for mask in (small <= threshold, small > threshold) for plate in _rectangles(mask.astype(np.uint8))]
    return sorted(found, key=lambda plate: -plate.area)


def _stands_for(plate: Plate, region: Plate) -> bool:
    """Say whether a plate is what makes the detail of a region."""
    near = 0.25 * region.short + 0.1 * region.long
    return (
        abs(plate.x - region.x) < near
        and abs(plate.y - region.y) < near
        and COVERS * region.area <= plate.area <= 1.25 * region.area
    )


def _upright(middle: tuple[float, float], size: tuple[float, float], angle: float, scale: float) -> Plate:
    """Return a rectangle of a smaller copy as a plate of the frame."""
    (wide, high), off = size, (scale - 1) / 2
    angle = angle if wide >= high else angle + 90
    return Plate(
        middle[0] * scale + off,
        middle[1] * scale + off,
        max(wide, high) * scale,
        min(wide, high) * scale,
        (angle + 90) % 180 - 90,
    )


def corners(plate: Plate) -> Polygon:
    """Return a plate's corners, clockwise from the top left of its level copy."""
    box = cv2.boxPoints(((plate.x, plate.y), (plate.long, plate.short), plate.angle))
    a, b, c, d = ((float(x), float(y)) for x, y in (box[1], box[2], box[3], box[0]))
    return a, b, c, d


def crop(image: Any, plate: Plate) -> Crop:
    """Cut a plate out of a frame, its longer side level."""
    wide, high = plate.long * MARGIN, plate.short * MARGIN
    there: Any = cv2.getRotationMatrix2D((plate.x, plate.y), plate.angle, 1.0)
    there[:, 2] += (wide / 2 - plate.x, high / 2 - plate.y)
    straight = cv2.warpAffine(
        image, there, (max(1, round(wide)), max(1, round(high))), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return Crop(straight, cv2.invertAffineTransform(there))


def stretched(image: Any) -> Any:
    """Return a plate with its contrast stretched: laser-etched print is often only a few gray levels brighter than the body."""
    high, wide = image.shape[:2]
    inside = image[high // 6 : high - high // 6, wide // 20 : wide - wide // 20]
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
    return _upright((x, y), (wide, high), angle, REDUCTION)


def _touches_the_edge(contour: Any, shape: tuple[int, int]) -> bool:
    left, top, wide, high = cv2.boundingRect(contour)
    return bool(left <= 0 or top <= 0 or left + wide >= shape[1] or top + high >= shape[0])
