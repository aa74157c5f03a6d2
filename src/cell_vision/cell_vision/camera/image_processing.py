"""Crops, rotates, compresses and decodes frames of a camera.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cell_vision.camera.jpeg import size_of

if TYPE_CHECKING:
    from cv2.typing import MatLike


@dataclass(frozen=True)
class ProcessedFrame:
    """A frame ready to be published.

    Attributes:
        jpeg: The frame, compressed.
        width: Pixels.
        height: Pixels.
        stamp: Time of its arrival, nanoseconds.
        pixels: BGR, uint8, shape (height, width, 3); None unless requested.
    """

    jpeg: bytes
    width: int
    height: int
    stamp: int
    pixels: MatLike | None = None


@dataclass(frozen=True)
class ImageProcessing:
    """Processing of each frame.

    Attributes:
        roi: x, y, width, height in pixels of the source, before the rotation; width 0 = the whole
            frame.
        rotation: Clockwise, degrees: "0", "90", "180" or "270".
        quality: JPEG quality, 1..100.
    """

    roi: Sequence[int]
    rotation: str
    quality: int

    @property
    def is_passthrough(self) -> bool:
        """Whether a JPEG is passed on unchanged."""
        return self.rotation == '0' and not self.roi[2]


def process_frame(frame: bytes | MatLike, stamp: int, processing: ImageProcessing, *, pixels: bool) -> ProcessedFrame | None:
    """Prepare a frame for publication; JPEGs pass unchanged unless they are cropped or rotated.

    Args:
        frame: JPEG bytes, or a BGR image.
        stamp: Time of its arrival, nanoseconds.
        processing: What is done to it.
        pixels: Also return the decoded image.

    Returns:
        None when the frame cannot be decoded or the cropped region is empty.
    """
    if isinstance(frame, bytes) and processing.is_passthrough and not pixels:
        size = size_of(frame)
        return ProcessedFrame(frame, *size, stamp) if size else None
    import cv2  # takes memory that a node which only passes JPEGs on does not need

    image = _decoded(frame)
    if image is None:
        return None
    # A subscriber wants pixels, too; the JPEG is still passed on as it came.
    jpeg = frame if isinstance(frame, bytes) and processing.is_passthrough else b''
    if not jpeg:
        image = _rotate(image, processing)
        if not image.size:
            return None
        jpeg = bytes(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, processing.quality])[1])
    return ProcessedFrame(jpeg, image.shape[1], image.shape[0], stamp, image if pixels else None)


def _decoded(frame: bytes | MatLike) -> MatLike | None:
    if not isinstance(frame, bytes):
        return to_bgr(frame)
    import cv2
    import numpy as np

    return cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)


def to_bgr(image: MatLike) -> MatLike | None:
    """Return an image of a driver as BGR, uint8; None when it is not an image.

    Args:
        image: Gray, BGR or BGRA, of any size; integers of 12, 14 or 16 bits in 16 are scaled down, floats are in
            0..255.
    """
    import cv2
    import numpy as np

    if not isinstance(image, np.ndarray) or image.ndim not in {2, 3} or not image.size:
        return None
    if image.dtype == np.uint16:
        image = (image.astype(np.uint16, copy=False) >> _unused_bits(image)).astype(np.uint8)
    elif image.dtype != np.uint8:
        image = np.nan_to_num(np.clip(image, 0, 255)).astype(np.uint8)
    channels = image.shape[2] if image.ndim == 3 else 1
    conversions = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
    if channels == 3:
        return image
    return cv2.cvtColor(image, conversions[channels]) if channels in conversions else None


def _unused_bits(image: MatLike) -> int:
    """Return by how many bits to shift 16-bit integers to get 8 bits: sensors of 12 or 14 bits leave the highest bits 0."""
    largest = int(image.max())
    return next((bits - 8 for bits in (12, 14) if largest < 1 << bits), 8)


def _rotate(image: MatLike, processing: ImageProcessing) -> MatLike:
    """Crop a frame, then rotate it; the result is empty if the region lies outside the frame."""
    import cv2

    if processing.roi[2]:
        x, y, wide, high = processing.roi
        image = image[y : y + high, x : x + wide]
    turns = {'90': cv2.ROTATE_90_CLOCKWISE, '180': cv2.ROTATE_180, '270': cv2.ROTATE_90_COUNTERCLOCKWISE}
    if processing.rotation not in turns or not image.size:
        return image
    return cv2.rotate(image, turns[processing.rotation])
