"""Finds the outlines of bodies in a frame: closed, straight-edged regions, however little they differ from the ground.

A part that lies with its print turned away has hardly any detail, and a body nearly as bright as the ground is below every
threshold of it. Its closed outline still shows.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from cell_vision.ocr.plate_detector import Plate, downscale, to_plate

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['body_outlines']

BLUR = 1.2
"""Sigma of the blur before edges are searched, pixels of the copy: finer detail is grain or print."""
STRONG, WEAK = 4.0, 2.2
"""Thresholds of an edge and of what continues it, in medians of the gradient: noise has 3.6 medians in a ten-thousandth."""
LEAST_GRADIENT = 8.0
"""Added to both, so that the blocks of JPEG in a frame without grain are no bodies: the edge of a step of three gray levels."""
JOINT = 5
"""Side of the square that closes gaps of an outline, pixels of the copy."""
LEAST_SIDE = 10
"""Shorter side of a body, pixels of the copy."""
MOST_AREA = 0.5
"""Largest body, as a share of the frame."""
LEAST_FILL, SURE_FILL = 0.82, 0.9
"""Least share of its rectangle that a body covers, with three right angles and without; a circle of few pixels covers 0.84."""
CUT_FILL = 0.6
"""The same for a body that one side of the frame cuts off obliquely."""
BEND, RIGHT_ANGLE = 0.02, 15.0
"""A body that is cut off has two corners in view: bends by more than BEND of its perimeter, of 90 degrees, RIGHT_ANGLE off."""


def body_outlines(image: MatLike) -> list[Plate]:
    """Return the rectangles of all closed, straight-edged outlines; the outline of a label in a body is another one.

    A side of the frame closes the outline of a body that it cuts off. What touches two sides is a shadow, a wall or the ground.

    Args:
        image: BGR, uint8, shape (height, width, 3).
    """
    small, scale = downscale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    smooth = cv2.GaussianBlur(small, (0, 0), BLUR)
    across, down = (cv2.Sobel(smooth, cv2.CV_16S, dx, dy) for dx, dy in ((1, 0), (0, 1)))
    sample = np.hypot(across[::4, ::4].astype(np.float32), down[::4, ::4].astype(np.float32))
    grain = float(np.median(sample))
    edges = cv2.Canny(across, down, WEAK * grain + LEAST_GRADIENT, STRONG * grain + LEAST_GRADIENT, L2gradient=True)
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((JOINT, JOINT), np.uint8))
    closed[[0, -1]] = 255
    closed[:, [0, -1]] = 255
    contours, tree = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour, (_, _, _, parent) in zip(contours, tree[0] if tree is not None else (), strict=True):
        # The inner side of an edge: only an outline without a hole in it has one.
        if parent < 0 or len(contour) < 4:
            continue
        middle, (wide, high), angle = cv2.minAreaRect(contour)
        if min(wide, high) < LEAST_SIDE or wide * high > MOST_AREA * small.size:
            continue
        sides = _sides_touched(contour, small.shape[1], small.shape[0])
        covered = cv2.contourArea(contour) / (wide * high)
        if sides == 1:
            straight = covered >= CUT_FILL and _corners(contour) >= 2
        else:
            straight = covered >= SURE_FILL or (covered >= LEAST_FILL and _corners(contour) >= 3)
        if sides < 2 and straight:
            found.append(to_plate(middle, (wide, high), angle, scale))
    return found


def _sides_touched(contour: MatLike, wide: int, high: int) -> int:
    """Return the number of sides of a frame that a contour touches."""
    left, top, across, down = cv2.boundingRect(contour)
    return sum((left < JOINT, top < JOINT, left + across > wide - JOINT, top + down > high - JOINT))


def _corners(contour: MatLike) -> int:
    """Return the number of right angles of a contour."""
    bends = cv2.approxPolyDP(contour, BEND * cv2.arcLength(contour, True), True)[:, 0].astype(np.float64)
    before, after = np.roll(bends, 1, 0) - bends, np.roll(bends, -1, 0) - bends
    cosines = (before * after).sum(1) / np.maximum(1e-6, np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1))
    return int((np.abs(np.degrees(np.arccos(np.clip(cosines, -1, 1))) - 90) < RIGHT_ANGLE).sum())
