"""Cuts the text that decided a verdict out of the crop of a reading.

It uses Pillow: the OCR node does not load OpenCV unless the overlay is viewed.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cell_vision.types import Point

MARGIN = 0.35
"""Margin around the text, in its heights."""
QUALITY = 85


def matched_region(jpeg: bytes, crop_polygon: Sequence[Point], polygon: Sequence[Point]) -> bytes:
    """Return the region of a text in a crop, as JPEG.

    Args:
        jpeg: The crop.
        crop_polygon: Corners of the crop in the frame, pixels, clockwise from the top left of the crop.
        polygon: Corners of the text in the frame, pixels.

    Returns:
        Empty when there is no crop or no text, or the text is outside the crop.
    """
    if not jpeg or len(polygon) < 3 or len(crop_polygon) != 4:
        return b''
    try:
        with Image.open(io.BytesIO(jpeg)) as crop:
            box = _box(np.array(crop_polygon), np.array(polygon), crop.size)
            if box is None:
                return b''
            region = io.BytesIO()
            crop.crop(box).convert('RGB').save(region, 'JPEG', quality=QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b''
    return region.getvalue()


def _box(crop: NDArray[np.float64], polygon: NDArray[np.float64], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return left, top, right, bottom of a polygon in pixels of the crop, with a margin; None = outside."""
    sides = np.array([crop[1] - crop[0], crop[3] - crop[0]])
    if abs(np.linalg.det(sides)) < 1e-6:
        return None
    inside = (polygon - crop[0]) @ np.linalg.inv(sides) * size
    (left, top), (right, bottom) = inside.min(axis=0), inside.max(axis=0)
    margin = MARGIN * min(right - left, bottom - top)
    box = (
        max(0, round(left - margin)),
        max(0, round(top - margin)),
        min(size[0], round(right + margin)),
        min(size[1], round(bottom + margin)),
    )
    return box if box[2] - box[0] >= 2 and box[3] - box[1] >= 2 else None
