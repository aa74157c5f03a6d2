"""Is what the camera shows fit to be read? Frozen, too dark, out of focus."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageStat, UnidentifiedImageError

PERIOD = 1_000_000_000
"""A picture is looked at once in so many nanoseconds."""
REDUCTION = 2
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Limits:
    """What is still good enough."""

    frozen_after: float
    """Seconds of the very same picture; 0 = any. A sensor's noise makes every picture another one."""
    brightness: float
    """Least mean, 0..255."""
    sharpness: float
    """Least variance of the Laplacian at half size, 0 = any; see the value in the diagnostics with a sharp picture first."""


class PictureWatch:
    """Looks at the pictures that pass."""

    def __init__(self, limits: Limits) -> None:
        """Begin with nothing seen."""
        self._limits = limits
        self._last = b''
        self._changed = 0
        self._looked = -PERIOD
        self.brightness = float('nan')
        self.sharpness = float('nan')

    def see(self, jpeg: bytes, now: int) -> None:
        """Take a picture.

        Args:
            jpeg: As published.
            now: The clock, nanoseconds.
        """
        if jpeg != self._last:
            self._last, self._changed = jpeg, now
        if abs(now - self._looked) >= PERIOD:
            self._looked = now
            self.brightness, self.sharpness = measure(jpeg)

    def problem(self, now: int) -> str:
        """Return what is wrong with the pictures, for people; "" when nothing is."""
        still = (now - self._changed) / NANOSECONDS
        if self._last and 0 < self._limits.frozen_after < still:
            return f'the very same picture has come for {still:.0f} s: the camera may be frozen; switch it off and on'
        if self.brightness < self._limits.brightness:
            return f'the picture is too dark ({self.brightness:.0f} of 255); check the light and the lens'
        if self.sharpness < self._limits.sharpness:
            return f'the picture is blurred (sharpness {self.sharpness:.0f}); check focus and lens'
        return ''


def measure(jpeg: bytes) -> tuple[float, float]:
    """Return mean brightness, 0..255, and sharpness (Laplacian's variance at half size); NaN when there is no picture."""
    try:
        image = Image.open(io.BytesIO(jpeg))
        image.draft('L', (image.width // REDUCTION, image.height // REDUCTION))  # The decoder scales: cheaper than after it.
        gray = image.convert('L')
        edges = gray.filter(LAPLACIAN).crop((1, 1, gray.width - 1, gray.height - 1))  # Pillow leaves the rim as it was.
    except (OSError, UnidentifiedImageError, ValueError):
        return float('nan'), float('nan')
    return float(ImageStat.Stat(gray).mean[0]), float(ImageStat.Stat(edges).var[0])
