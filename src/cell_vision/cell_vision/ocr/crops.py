"""Cut the region that was read out of a frame and turn it upright, for people and for the audit trail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from cell_vision.types import Code, Crop, Point, Reading

MARGIN = 0.6
"""Around the print, in heights of the tallest line."""
QUALITY = 85
SMALLEST = 8
"""Pixels; a crop is at least so wide and high."""


def cut(image: Any, readings: Sequence[Reading], side: int, codes: Sequence[Code] = ()) -> Crop | None:
    """Return the region that all readings and codes stand in, its lines level and its letters upright.

    Args:
        image: BGR, uint8.
        readings: What was read in it.
        side: Longest side of the crop, pixels; a larger region is scaled down. 0 = no crop.
        codes: Barcodes that belong to it.

    Returns:
        None when there is nothing to cut out.
    """
    if not readings or side <= 0:
        return None
    turn = _angle(readings)
    cos, sin = math.cos(turn), math.sin(turn)
    level = np.array([[cos, sin], [-sin, cos]])
    places = [*(reading.polygon for reading in readings), *(code.polygon for code in codes)]
    corners = np.array([point for place in places for point in place]) @ level.T
    margin = MARGIN * max(math.dist(reading.polygon[0], reading.polygon[3]) for reading in readings)
    (left, top), (right, bottom) = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    region = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) @ level
    if not np.isfinite(region).all():
        return None
    scale = min(1.0, side / max(right - left, bottom - top))
    wide, high = (max(SMALLEST, round((far - near) * scale)) for near, far in ((left, right), (top, bottom)))
    there: Any = cv2.getAffineTransform(
        region[[0, 1, 3]].astype(np.float32), np.array([(0, 0), (wide, 0), (0, high)], np.float32)
    )
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    upright = cv2.warpAffine(image, there, (wide, high), flags=smaller, borderMode=cv2.BORDER_CONSTANT)
    jpeg = bytes(cv2.imencode('.jpg', upright, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])
    a, b, c, d = ((float(x), float(y)) for x, y in region)
    return Crop(jpeg, (a, b, c, d))


def straight(image: Any, polygon: Sequence[Point], grow: float) -> tuple[Any, Any]:
    """Return a rectangle of a frame laid straight, and the affine matrix from it to the frame, shape (2, 3).

    Args:
        image: The frame, BGR, uint8.
        polygon: Four corners, clockwise from the rectangle's own top left, pixels.
        grow: The rectangle is made larger by this share of its sides.
    """
    corners = np.array(polygon, np.float32)
    corners = corners.mean(axis=0) + (corners - corners.mean(axis=0)) * (1 + grow)
    wide = max(SMALLEST, round(float(np.linalg.norm(corners[1] - corners[0]))))
    high = max(SMALLEST, round(float(np.linalg.norm(corners[3] - corners[0]))))
    there: Any = cv2.getAffineTransform(corners[[0, 1, 3]], np.array([(0, 0), (wide, 0), (0, high)], np.float32))
    return cv2.warpAffine(image, there, (wide, high), borderMode=cv2.BORDER_REPLICATE), cv2.invertAffineTransform(there)


def _angle(readings: Sequence[Reading]) -> float:
    """Return the direction of the lines, radians: the mean over the boxes, long ones count more."""
    along = sum((np.subtract(reading.polygon[1], reading.polygon[0]) for reading in readings), np.zeros(2))
    return math.atan2(along[1], along[0])
