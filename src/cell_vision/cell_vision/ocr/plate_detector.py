"""Locates the part in a frame before it is read: fine detail in a small copy of the frame marks a part.

Print and the edges of a body or label are steeper than shade, reflections and the grain of the ground, in any light. If such a
region contains a plate that is uniformly darker or brighter than the rest, the plate is used instead: it excludes legs and
shadows.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.types import Polygon

if TYPE_CHECKING:
    from cv2.typing import MatLike, RotatedRect

DETAIL_SIDE = 640
"""Longest side of the copy in which detail is searched, pixels."""
DETAIL_REACH = 9
"""Side of the square over which detail is averaged, pixels of the copy."""
ABOVE_GRAIN = 6.0
"""Threshold of detail, in median deviations above the median of the frame."""
OF_STEEPEST = 0.12
"""Second threshold of detail, as a share of the range from the median to the steepest."""
STEEPEST_PERCENTILE = 99.7
"""Percentile that counts as the steepest detail."""
LEAST_REGION = 6
"""Shorter side, pixels of the copy."""
# Decision 0007, draws 3 and 4: the print of a second part may be faint or inverted.
FURTHER_DETAIL = 0.05
"""Least detail of a further region, as a share of the first one."""
MOST_PLATES = 3
JOINED_OVERLAP = 0.2
"""Regions that share more than this part of the smaller one are joined."""
REGION_RIM = 0.06
"""A region is enlarged by this share of the mean of its sides: detail ends where the print ends."""
STROKE_BLURS = (1.0, 5), (2.0, 9)
"""Two blurs of the copy (sigma, size; pixels) whose difference shows print: finer is grain, coarser is ground."""
STROKES_REACH = 13
"""Side of the square over which the squared difference is averaged, pixels of the copy."""
ABOVE_GROUND = 30.0
"""Threshold of faint print, in median deviations above the median of the frame."""
LEAST_POWER = 0.02
"""Added to the deviation, gray levels squared, so that JPEG noise in a frame without grain is no print."""
LEAST_LINE = 16
"""Least length of a line of print, pixels of the copy."""
FAINT_GROWS = 2.0
"""Factor for the height of a place of faint print, whose ends are below the threshold; it is lengthened by as much."""
REDUCTION = 4
LEAST_AREA, MOST_AREA = 0.002, 0.7
"""Area of a plate, as a share of the frame."""
LEAST_FILL = 0.75
"""Least share of its bounding rectangle that a plate fills."""
LEAST_SHORT_SIDE = 8
"""Least shorter side of a plate, pixels of the reduced frame."""
MOST_ASPECT = 9.0
"""Largest ratio of the longer to the shorter side."""
LEAST_COVER = 0.45
"""A plate replaces a region if it covers at least this share of it."""
CENTER_SHARE = 0.6
"""A point belongs to a plate within this share of its sides from the center."""
LEAST_DISTANCE = 1.1
"""Least distance of separate plates, in means of their longer sides."""
CROP_FACTOR = 1.03
"""Factor by which a plate is enlarged when it is cropped."""
DARK_SHARE, BRIGHT_SHARE = 2.0, 99.5
"""Percentiles that become black and white."""
# A flat region would otherwise be stretched until its noise looks like print.
LEAST_CONTRAST = 8
GRAIN, GRAIN_CONTRAST, GRAIN_REACH = 7, 40, 5
"""Bilateral filter: diameter in pixels, sigma in gray levels, sigma in pixels."""


@dataclass(frozen=True)
class Plate:
    """A rectangle that may carry print, in pixels of the frame.

    Attributes:
        x: Of the center.
        y: Of the center.
        long: Longer side.
        short: Shorter side.
        angle: Of the longer side, degrees, -90..90.
    """

    x: float
    y: float
    long: float
    short: float
    angle: float

    @property
    def area(self) -> float:
        """Pixels."""
        return self.long * self.short

    def contains(self, x: float, y: float) -> bool:
        """Return whether a point lies in the plate or close to it.

        Args:
            x: Pixels of the frame.
            y: Pixels of the frame.
        """
        turn = math.radians(self.angle)
        along = (x - self.x) * math.cos(turn) + (y - self.y) * math.sin(turn)
        across = (y - self.y) * math.cos(turn) - (x - self.x) * math.sin(turn)
        return abs(along) <= CENTER_SHARE * self.long and abs(across) <= CENTER_SHARE * self.short

    def is_separate_from(self, other: Plate) -> bool:
        """Return whether both could be rotated about their centers without touching."""
        return math.hypot(self.x - other.x, self.y - other.y) > LEAST_DISTANCE * (self.long + other.long) / 2


@dataclass(frozen=True)
class PlateCrop:
    """A plate, cropped with its longer side level.

    Attributes:
        image: BGR, uint8. It may be upside down: the engine finds the direction.
        to_frame: Affine matrix from the crop to the frame, shape (2, 3).
    """

    image: MatLike
    to_frame: MatLike


def detect_plates(image: MatLike) -> list[Plate]:
    """Return at most MOST_PLATES plates of a frame, the one with most detail first.

    Two searches complement each other. Detail finds parts in any light, but includes legs and
    shadows. Brightness finds the exact body, but only on a uniform ground. A body replaces the
    region whose detail it explains.

    Args:
        image: BGR, uint8, shape (height, width, 3).
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    regions = _regions(gray)
    if not regions:
        return []
    bodies = _detect_bodies(gray)
    return [next((plate for plate in bodies if _explains(plate, region)), region) for region in regions]


def detect_faint_print(image: MatLike, known: Sequence[Plate]) -> list[Plate]:
    """Return the place of print too faint to be found near the known plates: one place, or none.

    A second part in the dark has a hundredth of the detail of one in the light. The evidence is weak, so the result is only a
    place to read.

    Args:
        image: BGR, uint8.
        known: Plates; places near them are ignored.
    """
    small, scale = downscale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    high, wide = image.shape[:2]
    fine, coarse = (
        np.asarray(cv2.GaussianBlur(small.astype(np.float32), (size, size), sigma), np.float32) for sigma, size in STROKE_BLURS
    )
    power = cv2.boxFilter(cv2.pow(fine - coarse, 2.0), cv2.CV_32F, (STROKES_REACH, STROKES_REACH))
    sample = np.asarray(power[::4, ::4], np.float32)
    ground = float(np.median(sample))
    deviation = float(np.median(np.abs(sample - ground))) + LEAST_POWER
    # Medians, because print covers little of a frame: they describe the ground even if a part is in
    # view.
    mask = _closed(power > ground + ABOVE_GROUND * deviation)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [
        (_detail(power, contour, ground), region)
        for contour in contours
        if (region := _region(cv2.minAreaRect(contour), scale, small.shape[::-1])) is not None
        and region.long >= LEAST_LINE * scale
        and all(region.is_separate_from(plate) for plate in known)
        and all(0 <= x < wide and 0 <= y < high for x, y in corners(region))
    ]
    if not found:
        return []
    _, place = max(found, key=lambda pair: pair[0])
    return [replace(place, long=place.long + FAINT_GROWS * place.short, short=FAINT_GROWS * place.short)]


def downscale(gray: MatLike) -> tuple[MatLike, float]:
    """Return the copy in which detail is searched, and the scale from it to the frame.

    Args:
        gray: Shape (height, width), uint8.
    """
    scale = max(1.0, max(gray.shape) / DETAIL_SIDE)
    size = (max(1, int(gray.shape[1] / scale)), max(1, int(gray.shape[0] / scale)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA), scale


def _closed(mask: NDArray[np.bool_]) -> MatLike:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))


def _regions(gray: MatLike) -> list[Plate]:
    """Return the regions with detail, the one with most first."""
    copy, scale = downscale(gray)
    small = cv2.GaussianBlur(copy, (3, 3), 0)
    steep = cv2.boxFilter(
        cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), cv2.CV_32F, (DETAIL_REACH, DETAIL_REACH)
    )
    sample = np.asarray(steep[::4, ::4], np.float32)
    grain = float(np.median(sample))
    # The constant is the noise of JPEG in a frame without grain.
    deviation = float(np.median(np.abs(sample - grain))) + 0.3
    # Two thresholds: the first ignores the grain of the ground, the second weak detail beside a
    # strong one, such as a shadow's edge.
    threshold = max(
        grain + ABOVE_GRAIN * deviation, grain + OF_STEEPEST * (float(np.percentile(sample, STEEPEST_PERCENTILE)) - grain)
    )
    contours, _ = cv2.findContours(_closed(steep > threshold), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [
        (_detail(steep, hull, grain), region)
        for hull in _joined(contours)
        if (region := _region(cv2.minAreaRect(hull), scale, copy.shape[::-1])) is not None
    ]
    found.sort(key=lambda pair: -pair[0])
    return [region for detail, region in found[:MOST_PLATES] if detail >= FURTHER_DETAIL * found[0][0]]


def _joined(contours: Sequence[MatLike]) -> list[MatLike]:
    """Join contours whose rectangles overlap: the steep parts of one edge."""
    joined: list[MatLike] = []
    hulls = [hull for hull in map(cv2.convexHull, contours) if min(cv2.minAreaRect(hull)[1]) >= DETAIL_REACH]
    # Largest first: small hulls join the large one that they belong to, instead of growing into it
    # one by one.
    for hull in sorted(hulls, key=cv2.contourArea, reverse=True):
        near = [other for other in joined if _overlap(other, hull) > JOINED_OVERLAP]
        joined = [other for other in joined if all(other is not it for it in near)]
        joined.append(cv2.convexHull(np.vstack((hull, *near))))
    return joined


def _overlap(one: MatLike, other: MatLike) -> float:
    """Return the share of the smaller rectangle that the rectangles of two contours have in common, 0..1."""
    first, second = cv2.minAreaRect(one), cv2.minAreaRect(other)
    kind, points = cv2.rotatedRectangleIntersection(first, second)
    if kind == cv2.INTERSECT_NONE or points is None:
        return 0.0
    shared = cv2.contourArea(cv2.convexHull(points))
    return float(shared / max(1.0, min(first[1][0] * first[1][1], second[1][0] * second[1][1])))


def _detail(steep: MatLike, contour: MatLike, grain: float) -> float:
    left, top, wide, high = cv2.boundingRect(contour)
    return float(steep[top : top + high, left : left + wide].sum()) - grain * wide * high


def _region(rectangle: RotatedRect, scale: float, size: tuple[int, ...]) -> Plate | None:
    middle, (wide, high), angle = rectangle
    # Averaging over DETAIL_REACH has widened the region by about this much.
    wide, high = wide - DETAIL_REACH + 3, high - DETAIL_REACH + 3
    if min(wide, high) < LEAST_REGION or wide * high > MOST_AREA * size[0] * size[1]:
        return None
    rim = REGION_RIM * (wide + high) / 2
    return to_plate(middle, (wide + rim, high + rim), angle, scale)


def _detect_bodies(gray: MatLike) -> list[Plate]:
    """Return the rectangles that are darker or brighter than the rest of the frame, largest first."""
    size = (max(1, gray.shape[1] // REDUCTION), max(1, gray.shape[0] // REDUCTION))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    # Otsu's method separates the two most different brightnesses, whatever the exposure.
    threshold, _ = cv2.threshold(small, 0, 255, cv2.THRESH_OTSU)
    found = [plate for mask in (small <= threshold, small > threshold) for plate in _rectangles(mask.astype(np.uint8))]
    return sorted(found, key=lambda plate: -plate.area)


def _explains(plate: Plate, region: Plate) -> bool:
    """Return whether a plate explains the detail of a region."""
    near = 0.25 * region.short + 0.1 * region.long
    return (
        abs(plate.x - region.x) < near
        and abs(plate.y - region.y) < near
        and LEAST_COVER * region.area <= plate.area <= 1.25 * region.area
    )


def to_plate(middle: Sequence[float], size: tuple[float, float], angle: float, scale: float) -> Plate:
    """Return a rectangle in a smaller copy as a plate of the frame.

    Args:
        middle: Its center, pixels of the copy.
        size: Its sides, pixels of the copy.
        angle: Of its first side, degrees.
        scale: Pixels of the frame for one of the copy.
    """
    # Pixel centers: the center of a reduced pixel lies half a block further.
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
    """Return the corners of a plate, clockwise from the top left of its level crop.

    Args:
        plate: In pixels of the frame; corners may lie outside of it.
    """
    box = cv2.boxPoints(((plate.x, plate.y), (plate.long, plate.short), plate.angle))
    a, b, c, d = ((float(x), float(y)) for x, y in (box[1], box[2], box[3], box[0]))
    return a, b, c, d


def crop_plate(image: MatLike, plate: Plate) -> PlateCrop:
    """Crop a plate from a frame, with its longer side level.

    Args:
        image: BGR, uint8, shape (height, width, 3).
        plate: In pixels of the frame; it may reach beyond its edge, where the edge pixels are
            repeated.
    """
    wide, high = plate.long * CROP_FACTOR, plate.short * CROP_FACTOR
    to_crop = np.asarray(cv2.getRotationMatrix2D((plate.x, plate.y), plate.angle, 1.0), np.float64)
    to_crop[:, 2] += (wide / 2 - plate.x, high / 2 - plate.y)
    level = cv2.warpAffine(
        image, to_crop, (max(1, round(wide)), max(1, round(high))), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return PlateCrop(level, cv2.invertAffineTransform(to_crop))


def stretch_contrast(image: MatLike) -> MatLike:
    """Return a plate with full contrast: laser-etched print is often only a few gray levels brighter than the body.

    Args:
        image: BGR, uint8. All channels get the same table, so colors keep their order.
    """
    high, wide = image.shape[:2]
    # The rim of a plate may show ground or shadow, which would set black or white.
    inside = image[high // 6 : high - high // 6, wide // 20 : wide - wide // 20]
    dark, bright = np.percentile(np.asarray(inside[::2, ::2], np.uint8), (DARK_SHARE, BRIGHT_SHARE))
    table = (np.arange(256) - dark) * 255 / max(LEAST_CONTRAST, bright - dark)
    return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8))


def denoise(image: MatLike) -> MatLike:
    """Return an image without the grain of the surface; edges are kept.

    Args:
        image: BGR, uint8.
    """
    return cv2.bilateralFilter(image, GRAIN, GRAIN_CONTRAST, GRAIN_REACH)


def _rectangles(mask: MatLike) -> list[Plate]:
    # Opening removes specks and thin legs; closing fills the print inside a body.
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [plate for contour in contours if (plate := _plate(contour, mask.shape)) is not None]


def _plate(contour: MatLike, shape: tuple[int, ...]) -> Plate | None:
    """Return the rectangle around a contour as a plate, None if its size, shape or place speaks against one."""
    (x, y), (wide, high), angle = cv2.minAreaRect(contour)
    long, short = max(wide, high), min(wide, high)
    if short < LEAST_SHORT_SIDE or long > MOST_ASPECT * short or _touches_edge(contour, shape):
        return None
    if not LEAST_AREA * shape[0] * shape[1] <= long * short <= MOST_AREA * shape[0] * shape[1]:
        return None
    if cv2.contourArea(contour) < LEAST_FILL * long * short:
        return None
    return to_plate((x, y), (wide, high), angle, REDUCTION)


def _touches_edge(contour: MatLike, shape: tuple[int, ...]) -> bool:
    left, top, wide, high = cv2.boundingRect(contour)
    return bool(left <= 0 or top <= 0 or left + wide >= shape[1] or top + high >= shape[0])
