"""Monitors the images of the camera: frozen, too dark, over-exposed, out of focus.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from cell_common.time import NS_PER_S
from PIL import Image, ImageFilter, ImageStat, UnidentifiedImageError

PERIOD = NS_PER_S
"""Least time between two measurements, nanoseconds."""
# A quarter of the pixels: the measurement must not cost more than capturing the frame.
REDUCTION = 2
SATURATED = 250
"""Least gray value of a saturated pixel: compression rounds 255 down."""
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


@dataclass(frozen=True)
class QualityLimits:
    """Thresholds of the warnings.

    Attributes:
        frozen_after: Seconds of identical images; 0 = no limit. The noise of a live sensor makes
            each image different.
        brightness: Least mean gray value, 0..255.
        sharpness: Least variance of the Laplacian at half size, 0 = no limit; the diagnostics show
            the value of a sharp image.
        white: Largest share of saturated pixels, 0..1; 1 = no limit.
    """

    frozen_after: float
    brightness: float
    sharpness: float
    white: float = 1.0


class ImageQualityMonitor:
    """Compares and measures published images.

    Images are compared by their bytes, each one; measured once a second, since decoding costs
    milliseconds. `update` runs in the capture thread, `warning` in the node's: only single numbers
    are shared.

    Attributes:
        brightness: Mean gray value of the last measured image, 0..255; NaN before the first.
        sharpness: Variance of the Laplacian at half size; NaN before the first.
        white: Share of saturated pixels, 0..1; NaN before the first.
    """

    def __init__(self, limits: QualityLimits) -> None:
        """Start without a measurement: the figures are NaN, and no warning is given before the first frame.

        Args:
            limits: Bounds for the warnings.
        """
        self._limits = limits
        self._last = b''
        self._changed = 0
        self._looked = -PERIOD
        self.brightness = float('nan')
        self.sharpness = float('nan')
        self.white = float('nan')

    def update(self, jpeg: bytes, now: int) -> None:
        """Add an image.

        Args:
            jpeg: The image as published.
            now: The time, nanoseconds.
        """
        if jpeg != self._last:
            self._last, self._changed = jpeg, now
        if abs(now - self._looked) >= PERIOD:
            self._looked = now
            self.brightness, self.sharpness, self.white = measure(jpeg)

    def warning(self, now: int) -> str:
        """Return a message about the images for the operator, "" = none.

        Comparisons with NaN are false, so nothing is reported before the first measurement.

        Args:
            now: The time, nanoseconds.
        """
        still = (now - self._changed) / NS_PER_S
        if self._last and 0 < self._limits.frozen_after < still:
            return f'identical images for {still:.0f} s: the camera may be frozen; switch it off and on'
        if self.brightness < self._limits.brightness:
            return f'the image is too dark ({self.brightness:.0f} of 255); check the light and the lens'
        if self.white > self._limits.white:
            return f'the image is over-exposed ({self.white:.0%} of it is white); shorten the exposure or dim the light'
        if self.sharpness < self._limits.sharpness:
            return f'the image is blurred (sharpness {self.sharpness:.0f}); check focus and lens'
        return ''


def measure(jpeg: bytes) -> tuple[float, float, float]:
    """Return mean brightness, 0..255, sharpness (variance of the Laplacian at half size) and share of saturated pixels.

    Pillow instead of OpenCV, whose memory this node does not need for a network camera.

    Args:
        jpeg: Any bytes; all results are NaN for invalid images.
    """
    try:
        image = Image.open(io.BytesIO(jpeg))
        image.draft(
            'L', (image.width // REDUCTION, image.height // REDUCTION)
        )  # Scaling in the decoder is cheaper than after it.
        gray = image.convert('L')
        edges = gray.filter(LAPLACIAN).crop((1, 1, gray.width - 1, gray.height - 1))  # Pillow does not filter the rim.
    except (OSError, UnidentifiedImageError, ValueError):
        return float('nan'), float('nan'), float('nan')
    white = sum(gray.histogram()[SATURATED:]) / (gray.width * gray.height)
    return float(ImageStat.Stat(gray).mean[0]), float(ImageStat.Stat(edges).var[0]), white
