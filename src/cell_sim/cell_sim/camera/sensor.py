"""Camera sensor and encoder: noise from a precomputed field, and JPEG.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
JPEG_QUALITY = 90
# The noise is drawn once; each frame takes another cut of it, which is much faster than new noise.
_MARGIN = 96


class Sensor:
    """Adds sensor noise to images and encodes them.

    The noise is one large precomputed field, applied to each frame at a random offset: drawing a
    million normal deviates for each frame would cost more than the rest of the rendering. Not
    thread-safe, because of its random generator.
    """

    def __init__(self, width: int, height: int, seed: int, sigma: float = 3.0) -> None:
        """Compute the noise field.

        Args:
            width: Frame width, pixels.
            height: Frame height, pixels.
            seed: The same seed gives the same frames in the same order.
            sigma: Standard deviation of the noise, gray levels of 8 bits.
        """
        self._rng = np.random.default_rng(seed)
        shape = (height + _MARGIN, width + _MARGIN)
        luma = self._rng.normal(0, sigma, shape).astype(np.float32)
        # A slight blur correlates adjacent pixels as demosaicing does; the factor restores the level.
        luma = cv2.GaussianBlur(luma, (0, 0), 0.6) * 1.5
        # Two unsigned fields instead of one signed: OpenCV's saturating add and subtract on uint8
        # are much faster than float arithmetic with a clip.
        self._more = cv2.cvtColor(np.clip(luma, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        self._less = cv2.cvtColor(np.clip(-luma, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)

    def expose(self, image: Image, quality: int = JPEG_QUALITY) -> bytes:
        """Return the JPEG of a BGR image with noise.

        Args:
            image: uint8, shape (height, width, 3), of the size given at construction.
            quality: JPEG quality, 0..100.

        Raises:
            ValueError: OpenCV cannot encode the image.
        """
        height, width = image.shape[:2]
        y, x = self._rng.integers(0, _MARGIN, 2)
        place = (slice(y, y + height), slice(x, x + width))
        noisy = cv2.subtract(cv2.add(image, self._more[place]), self._less[place])
        return encode(np.asarray(noisy, np.uint8), quality)


def defocus(image: Image, sigma: float) -> Image:
    """Blur an image by many pixels, at a quarter of its size: the result looks the same and takes 1/50 of the time.

    Args:
        image: uint8, shape (height, width, 3).
        sigma: Standard deviation of the blur, pixels of the full image.

    Returns:
        Image of the same shape.
    """
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / 4)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def encode(image: Image, quality: int = JPEG_QUALITY) -> bytes:
    """Return the JPEG of a BGR image.

    Args:
        image: uint8, shape (height, width, 3).
        quality: JPEG quality, 0..100.

    Raises:
        ValueError: OpenCV cannot encode the image.
    """
    done, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f'an image of shape {image.shape} cannot be encoded')
    return bytes(data.tobytes())
