"""Geometry of text boxes: center, length, height, and offsets along and across a line of print.

A box is a quadrilateral whose corners run clockwise from the top left of its text.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cell_vision.types import Point, Polygon

LEAST_LENGTH = 1e-6
"""Avoids a division by zero for a degenerate box, pixels."""


def center(box: Polygon) -> Point:
    """Return the mean of the corners."""
    return sum(x for x, _ in box) / 4, sum(y for _, y in box) / 4


def length(box: Polygon) -> float:
    """Return the length of the upper side, pixels."""
    return math.dist(box[0], box[1])


def height(box: Polygon) -> float:
    """Return the length of the left side, pixels, at least 1."""
    return max(1.0, math.dist(box[0], box[3]))


def offset(box: Polygon, point: Point) -> tuple[float, float]:
    """Return how far a point lies from the center of a box, along and across its line; across is positive below.

    Args:
        box: Its upper side gives the direction of the line.
        point: In the same frame, pixels.
    """
    (x, y), (a, b) = center(box), box[:2]
    long = max(LEAST_LENGTH, math.dist(a, b))
    cos, sin = (b[0] - a[0]) / long, (b[1] - a[1]) / long
    dx, dy = point[0] - x, point[1] - y
    return dx * cos + dy * sin, dy * cos - dx * sin


def overlaps(one: Polygon, other: Polygon, tolerance: float) -> bool:
    """Return whether two boxes hold the same print: the center of the shorter one lies in the longer one, on its line.

    Args:
        one: A box.
        other: Another box of the same frame.
        tolerance: Largest distance across the line, in heights of the lower box.
    """
    narrow, broad = sorted((one, other), key=length)
    along, across = offset(broad, center(narrow))
    return abs(across) < tolerance * min(height(one), height(other)) and abs(along) < length(broad) / 2


def enclose(boxes: Sequence[Polygon]) -> Polygon:
    """Return the box from the start of the first to the end of the last of some boxes of one line, in reading order.

    Args:
        boxes: At least one.
    """
    if len(boxes) == 1:
        return boxes[0]
    first, last = boxes[0], boxes[-1]
    return first[0], last[1], last[2], first[3]


def order_corners(corners: Sequence[Sequence[float]], quarter_turns: int) -> Polygon:
    """Return corners in the order of the text, for a crop that was rotated before it was read.

    Args:
        corners: Clockwise from the top left in the image.
        quarter_turns: Rotation of the crop to the left, in steps of 90 degrees.
    """
    a, b, c, d = ((float(corners[(quarter_turns + i) % 4][0]), float(corners[(quarter_turns + i) % 4][1])) for i in range(4))
    return a, b, c, d
