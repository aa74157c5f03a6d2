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
from cell_vision.types import UNREAD, Polygon, Reading

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
GLARE, GLARED, LARGE = 250, 0.2, 0.4
"""A reflection whose region is saturated by this share and as large as this share of the part may hide another part."""
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


MOST_AREA_RATIO = 4.0
"""A place of detail that is larger than the part by this factor holds more than the part."""
LEAST_SIDE_RATIO = 0.75
"""Bodies have one size if the ratios of their longer and of their shorter sides are at least this."""


def unread_parts(
    image: MatLike, plates: Sequence[Plate], passes: Sequence[Sequence[Reading]], outlines: Sequence[Plate] = ()
) -> list[Reading]:
    """Return a reading UNREAD for each further part in view without print that was read.

    Edges, shadows and reflections close to a part may look like plates, and so may a dark corner at the edge of the frame. They
    are ignored, as is what is much smaller than the part or round beside a part that is not.

    Args:
        image: The frame, BGR, uint8.
        plates: Of the frame, and places of faint print.
        passes: Readings of each pass so far.
        outlines: Closed outlines in the frame, see `body_outlines`; also of what is cut off by the edge of the frame.
    """
    high, wide = image.shape[:2]
    rim = FRAME_RIM * max(high, wide)

    def is_whole(place: Plate) -> bool:
        return all(rim < x < wide - rim and rim < y < high - rim for x, y in corners(place))

    read = [
        reading.polygon for readings in passes for reading in readings if sum(map(str.isalnum, reading.text)) >= PRINT_LENGTH
    ]
    printed = [plate for plate in plates if any(plate.contains(*center(box)) for box in read)]
    own = [body for body in outlines if any(_holds(body, box) for box in read)]
    if not printed and not own:
        return []
    # The outline of the part tells its size and shape; a place of detail may hold much beside it.
    parts = own or printed
    largest = max(part.area for part in parts)
    around = [*own, *(plate for plate in printed if plate.area <= MOST_AREA_RATIO * largest)]
    round_part = not own and any(is_round(image, plate) for plate in printed)

    # On a saturated ground everything is partly saturated.
    overexposed = float(np.median(np.asarray(image[::8, ::8], np.uint8))) >= GLARE

    def hides_part(plate: Plate) -> bool:
        return not overexposed and plate.area >= LARGE * largest and _is_glare(image, plate)

    found = [
        plate
        for plate in plates
        if plate not in printed
        and all(_are_apart(plate, other) for other in printed)
        and plate.long <= MOST_ASPECT * plate.short
        and all(plate.area >= LEAST_AREA_SHARE * other.area for other in printed)
        and (is_whole(plate) or hides_part(plate))
        and (round_part or not is_round(image, plate) or hides_part(plate))
    ]
    # A body and a label on it have an outline each, and a body may have detail, too: it is one part.
    for body in sorted(outlines, key=lambda body: -body.area):
        if body in own or any(other.contains(body.x, body.y) or body.contains(other.x, other.y) for other in (*own, *found)):
            continue
        alike = is_whole(body) and any(_are_alike(body, other) for other in own)
        if not alike and not all(_are_apart(body, other) for other in around):
            continue  # What reaches into the frame up to the part is the gripper that holds it.
        if body.long <= MOST_ASPECT * body.short and body.area >= LEAST_AREA_SHARE * largest:
            found.append(body)
    return [Reading(UNREAD, 1.0, corners(place)) for place in found]


def _holds(body: Plate, box: Polygon) -> bool:
    """Return whether a text lies in a body: an outline within a letter holds none."""
    return body.contains(*center(box)) and body.area >= cv2.contourArea(np.array(box, np.float32))


def _are_alike(one: Plate, other: Plate) -> bool:
    sides = (one.long, other.long), (one.short, other.short)
    return all(min(pair) >= LEAST_SIDE_RATIO * max(pair) for pair in sides)


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
