"""Crops of a frame: the upright region that was read, and a rectified quadrilateral.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cell_vision.types import Barcode, EvidenceCrop, Point, Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

MARGIN = 0.6
"""Margin around the print, in heights of the tallest line."""
QUALITY = 85
SMALLEST = 8
"""Least width and height of a crop, pixels."""


def evidence_crop(image: MatLike, readings: Sequence[Reading], side: int, codes: Sequence[Barcode] = ()) -> EvidenceCrop | None:
    """Return the region that contains all readings and codes, with its lines level and its letters upright.

    Args:
        image: BGR, uint8.
        readings: Texts of the frame.
        side: Longest side of the crop, pixels; a larger region is scaled down. 0 = no crop.
        codes: Barcodes of the frame.

    Returns:
        None when there are no readings or `side` is 0.
    """
    if not readings or side <= 0:
        return None
    turn = _angle(readings)
    cos, sin = math.cos(turn), math.sin(turn)
    level = np.array([[cos, sin], [-sin, cos]])
    places = [*(reading.polygon for reading in readings), *(code.polygon for code in codes)]
    points = np.array([point for place in places for point in place]) @ level.T
    margin = MARGIN * max(math.dist(reading.polygon[0], reading.polygon[3]) for reading in readings)
    (left, top), (right, bottom) = points.min(axis=0) - margin, points.max(axis=0) + margin
    region = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) @ level
    # A degenerate polygon of an engine must not end the worker.
    if not np.isfinite(region).all():
        return None
    scale = min(1.0, side / max(right - left, bottom - top))
    wide, high = (max(SMALLEST, round((far - near) * scale)) for near, far in ((left, right), (top, bottom)))
    to_crop = cv2.getAffineTransform(region[[0, 1, 3]].astype(np.float32), np.array([(0, 0), (wide, 0), (0, high)], np.float32))
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    upright = cv2.warpAffine(image, to_crop, (wide, high), flags=smaller, borderMode=cv2.BORDER_CONSTANT)
    jpeg = bytes(cv2.imencode('.jpg', upright, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])
    a, b, c, d = ((float(x), float(y)) for x, y in region)
    return EvidenceCrop(jpeg, (a, b, c, d))


def rectify(image: MatLike, polygon: Sequence[Point], grow: float) -> tuple[MatLike, MatLike]:
    """Return a rectangle of a frame rotated level, and the affine matrix from it to the frame, shape (2, 3).

    Args:
        image: The frame, BGR, uint8.
        polygon: Four corners, clockwise from the top left of the rectangle, pixels.
        grow: The rectangle is enlarged by this share of its sides.
    """
    points = np.array(polygon, np.float32)
    points = points.mean(axis=0) + (points - points.mean(axis=0)) * (1 + grow)
    wide = max(SMALLEST, round(float(np.linalg.norm(points[1] - points[0]))))
    high = max(SMALLEST, round(float(np.linalg.norm(points[3] - points[0]))))
    to_crop = cv2.getAffineTransform(points[[0, 1, 3]], np.array([(0, 0), (wide, 0), (0, high)], np.float32))
    level = cv2.warpAffine(image, to_crop, (wide, high), borderMode=cv2.BORDER_REPLICATE)
    return level, cv2.invertAffineTransform(to_crop)


def _angle(readings: Sequence[Reading]) -> float:
    """Return the direction of the lines, radians: the mean over the boxes, weighted by length."""
    along = sum((np.subtract(reading.polygon[1], reading.polygon[0]) for reading in readings), np.zeros(2))
    return math.atan2(along[1], along[0])
