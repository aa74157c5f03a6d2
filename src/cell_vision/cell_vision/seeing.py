"""From the bytes of a compressed image to what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from cell_vision.engine import BadImageError, Engine
from cell_vision.reading import FrameReading

LONGEST_SIDE = 2560
"""Larger frames are scaled down when decoded; print that needs more pixels than this is not read by any engine here."""
SMALLEST_SIDE = 8


def decode(data: bytes) -> Any:
    """Return a compressed image as BGR, uint8.

    Raises:
        BadImageError: It is not an image, or holds too few pixels.
    """
    if not data:
        raise BadImageError('the image is empty')
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise BadImageError('the image cannot be decoded: it is damaged, or neither JPEG nor PNG')
    if min(image.shape[:2]) < SMALLEST_SIDE:
        raise BadImageError(f'the image has {image.shape[1]}x{image.shape[0]} pixels: too small to hold text')
    return image


def see(engine: Engine, data: bytes, options: Mapping[str, Any]) -> FrameReading:
    """Decode and read one frame.

    Raises:
        BadImageError: The frame cannot be decoded.
    """
    image = decode(data)
    high, wide = image.shape[:2]
    readings = engine.read(image, int(options.get('detector_side', 0)))
    return FrameReading(tuple(readings), wide, high, 0.0, engine.name)
