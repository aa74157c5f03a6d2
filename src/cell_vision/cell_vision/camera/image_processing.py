"""Cut, turn, compress and decode a camera's frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cell_vision.camera.jpeg import size_of


@dataclass(frozen=True)
class Picture:
    """A frame ready to be published."""

    jpeg: bytes
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    stamp: int
    """Clock at its arrival, nanoseconds."""
    pixels: Any = None
    """BGR, uint8, shape (height, width, 3); None unless asked for."""


@dataclass(frozen=True)
class Treatment:
    """What is done to each frame."""

    roi: Sequence[int]
    """x, y, width, height in pixels; width 0 = the whole frame."""
    rotation: str
    """Clockwise, degrees: "0", "90", "180" or "270"."""
    quality: int
    """Of the JPEG, 1..100."""

    @property
    def passes(self) -> bool:
        """A JPEG may pass as it came."""
        return self.rotation == '0' and not self.roi[2]


def prepare(frame: Any, stamp: int, treatment: Treatment, *, pixels: bool) -> Picture | None:
    """Make a frame ready; JPEGs pass unchanged where nothing is to be done to them.

    Args:
        frame: JPEG bytes, or a BGR picture.
        stamp: Clock at its arrival, nanoseconds.
        treatment: What is done to it.
        pixels: Decode it, too.

    Returns:
        None when it cannot be decoded or nothing of it is left.
    """
    if isinstance(frame, bytes) and treatment.passes and not pixels:
        size = size_of(frame)
        return Picture(frame, *size, stamp) if size else None
    import cv2  # Costs memory that a node which only hands JPEGs on does not need.

    image = _decoded(frame)
    if image is None:
        return None
    jpeg = frame if isinstance(frame, bytes) and treatment.passes else b''
    if not jpeg:
        image = _turned(image, treatment)
        if not image.size:
            return None
        jpeg = bytes(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, treatment.quality])[1])
    return Picture(jpeg, image.shape[1], image.shape[0], stamp, image if pixels else None)


def _decoded(frame: Any) -> Any:
    if not isinstance(frame, bytes):
        return as_bgr(frame)
    import cv2
    import numpy as np

    return cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)


def as_bgr(image: Any) -> Any:
    """Return a driver's picture as BGR, uint8; None when it is none.

    Args:
        image: Gray, BGR or BGRA, of any size; integers of 16 bits are scaled down, and of floats 0..255 is meant.
    """
    import cv2
    import numpy as np

    if not isinstance(image, np.ndarray) or image.ndim not in {2, 3} or not image.size:
        return None
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    elif image.dtype != np.uint8:
        image = np.nan_to_num(np.clip(image, 0, 255)).astype(np.uint8)
    channels = image.shape[2] if image.ndim == 3 else 1
    turn = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
    if channels == 3:
        return image
    return cv2.cvtColor(image, turn[channels]) if channels in turn else None


def _turned(image: Any, treatment: Treatment) -> Any:
    import cv2

    if treatment.roi[2]:
        x, y, wide, high = treatment.roi
        image = image[y : y + high, x : x + wide]
    turns = {'90': cv2.ROTATE_90_CLOCKWISE, '180': cv2.ROTATE_180, '270': cv2.ROTATE_90_COUNTERCLOCKWISE}
    return cv2.rotate(image, turns[treatment.rotation]) if treatment.rotation in turns and image.size else image
