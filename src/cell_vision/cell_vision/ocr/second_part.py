"""Finds a further part in view whose print could not be read, and tells it from the fixture: holes, washers, screws, cables.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cell_vision.ocr.box_geometry import center
from cell_vision.ocr.plate_detector import Plate, corners, crop_plate
from cell_vision.types import UNREAD, Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['is_round', 'unread_parts']

FRAME_RIM = 0.01
"""Print closer than this to the edge of the frame is cut off; share of the longer side."""
PRINT_LENGTH = 3
"""Least letters and digits of a line that proves that the print of a part was read."""
LEAST_AREA_SHARE = 0.2
"""A region is no part if it covers less than this share of the part that was read."""
APART_FACTOR = 1.4
"""Factor by which regions are enlarged to see whether they are apart."""
MOST_ASPECT = 9.0
"""A region whose sides have a larger ratio is an edge, a cable or a shadow."""
SURROUND_FACTOR = 1.35
"""Factor by which a region is enlarged, so that its outline and the ground around it are seen."""
GLARE, GLARED, LARGE = 250, 0.2, 0.5
"""A round reflection whose region is saturated by this share and as large as this share of the part may hide another part."""
OUTLINE_SIDE = 96
"""Longer side of the copy in which an outline is searched, pixels."""
OUTLINE_CONTRAST = 8.0
"""Least difference from the ground, in its median deviations: the outermost outline counts, as of a part with glare."""
LEAST_STEP = 8
"""The same in gray levels."""
ROUND_FILL = 0.70, 0.87
"""Share of its rectangle that a circle (0.785), an ellipse, or the hexagon of a bolt (0.75) covers."""
DOT_SHARE = 0.08
"""Share of the enlarged region below which its outline is a dot."""
LIKE_ELLIPSE = 0.88
"""Least overlap of such an outline with its ellipse; 0.84 for a square of equal area."""


def unread_parts(image: MatLike, plates: Sequence[Plate], passes: Sequence[Sequence[Reading]]) -> list[Reading]:
    """Return a reading UNREAD for each further part in view without print that was read.

    Edges, shadows and reflections close to a part may look like plates, and so may a dark corner or a truncated neighbor at the
    edge of the frame; these are ignored, as is what is much smaller than the part or round beside a part that is not.

    Args:
        image: The frame, BGR, uint8.
        plates: Of the frame, and places of faint print.
        passes: Readings of each pass so far.
    """
    high, wide = image.shape[:2]
    rim = FRAME_RIM * max(high, wide)
    prints = [
        center(reading.polygon)
        for readings in passes
        for reading in readings
        if sum(map(str.isalnum, reading.text)) >= PRINT_LENGTH
    ]
    printed = [plate for plate in plates if any(plate.contains(*point) for point in prints)]
    bare = [
        plate
        for plate in plates
        if plate not in printed
        and all(_are_apart(plate, other) for other in printed)
        and all(rim < x < wide - rim and rim < y < high - rim for x, y in corners(plate))
        and plate.long <= MOST_ASPECT * plate.short
        and all(plate.area >= LEAST_AREA_SHARE * other.area for other in printed)
    ]
    if not printed or not bare:
        return []
    round_part = any(is_round(image, plate) for plate in printed)
    largest = max(plate.area for plate in printed)
    return [
        Reading(UNREAD, 1.0, corners(plate))
        for plate in bare
        if round_part or not is_round(image, plate) or (plate.area >= LARGE * largest and _is_glare(image, plate))
    ]


def _are_apart(one: Plate, other: Plate) -> bool:
    """Return whether two regions are far apart, or have nothing in common when enlarged: legs and shadows touch their part."""
    if one.is_separate_from(other):
        return True
    first, second = (((p.x, p.y), (APART_FACTOR * p.long, APART_FACTOR * p.short), p.angle) for p in (one, other))
    return cv2.rotatedRectangleIntersection(first, second)[0] == cv2.INTERSECT_NONE


def _is_glare(image: MatLike, plate: Plate) -> bool:
    return float((cv2.cvtColor(crop_plate(image, plate).image, cv2.COLOR_BGR2GRAY) >= GLARE).mean()) >= GLARED


def is_round(image: MatLike, plate: Plate) -> bool:
    """Return whether the outline of a region is a circle, an ellipse, a hexagon or a dot: a hole, washer, bolt or reflection.

    Args:
        image: The frame, BGR, uint8.
        plate: The region.
    """
    region = crop_plate(image, replace(plate, long=SURROUND_FACTOR * plate.long, short=SURROUND_FACTOR * plate.short)).image
    gray = cv2.cvtColor(region, cv2.COLOR_BGR2GRAY)
    scale = OUTLINE_SIDE / max(gray.shape)
    size = (max(8, round(gray.shape[1] * scale)), max(8, round(gray.shape[0] * scale)))
    small = cv2.GaussianBlur(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), (3, 3), 0).astype(np.float32)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    ground = float(np.median(border))
    limit = max(LEAST_STEP, OUTLINE_CONTRAST * float(np.median(np.abs(border - ground))))
    mask = (np.abs(small - ground) > limit).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return False
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    if cv2.contourArea(hull) < DOT_SHARE * small.size:
        return True
    sides = cv2.minAreaRect(hull)[1]
    if len(hull) < 5 or not ROUND_FILL[0] <= cv2.contourArea(hull) / (sides[0] * sides[1]) <= ROUND_FILL[1]:
        return False
    outline, ellipse = (np.zeros(small.shape, np.uint8) for _ in range(2))
    cv2.fillConvexPoly(outline, hull.astype(np.int32), 1)
    cv2.ellipse(ellipse, cv2.fitEllipse(hull), 1, -1)
    return float((outline & ellipse).sum()) >= LIKE_ELLIPSE * float((outline | ellipse).sum())
