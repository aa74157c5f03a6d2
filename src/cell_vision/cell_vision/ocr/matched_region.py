"""Cut the text that decided a verdict out of the crop of a reading. Without OpenCV, which the node does not load."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cell_vision.types import Point

MARGIN = 0.35
"""Around the text, in its heights."""
QUALITY = 85


def matched_region(jpeg: bytes, crop_polygon: Sequence[Point], polygon: Sequence[Point]) -> bytes:
    """Return the JPEG of the part of a crop in which a text stands.

    Args:
        jpeg: The crop.
        crop_polygon: Where the crop's corners lie in the frame, pixels, clockwise from the crop's top left.
        polygon: Where the text stands in the frame, pixels.

    Returns:
        Empty when there is no crop, no text, or the text does not lie in the crop.
    """
    if not jpeg or len(polygon) < 3 or len(crop_polygon) != 4:
        return b''
    try:
        with Image.open(io.BytesIO(jpeg)) as crop:
            box = _box(np.array(crop_polygon), np.array(polygon), crop.size)
            if box is None:
                return b''
            piece = io.BytesIO()
            crop.crop(box).convert('RGB').save(piece, 'JPEG', quality=QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b''
    return piece.getvalue()


def _box(crop: NDArray[np.float64], polygon: NDArray[np.float64], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return left, top, right, bottom of a polygon of the frame in the crop's pixels, with a margin; None = outside."""
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
