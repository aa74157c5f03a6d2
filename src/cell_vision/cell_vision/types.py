"""What an OCR engine read in one frame, free of ROS."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""x right, y down, pixels."""
Polygon = tuple[Point, Point, Point, Point]
"""Corners clockwise from the text's own top left."""


UNREAD = '?'
"""Text of a reading that stands for a further part in view whose print could not be read."""


@dataclass(frozen=True)
class Reading:
    """One piece of text in a frame."""

    text: str
    """As read, never empty; UNREAD where there is a part without legible print beside one that was read."""
    score: float
    """The engine's confidence, 0..1, not calibrated."""
    polygon: Polygon
    """Where it stands in the frame, pixels."""


@dataclass(frozen=True)
class Code:
    """A barcode or two-dimensional code in a frame."""

    format: str
    """Symbology, e.g. "QRCode"."""
    text: str
    """Its content, never empty."""
    polygon: Polygon
    """Where it stands in the frame, pixels."""


@dataclass(frozen=True)
class Crop:
    """The region of a frame that was read, turned upright."""

    jpeg: bytes
    polygon: Polygon
    """Where its corners lie in the frame, pixels; clockwise from the crop's own top left."""


@dataclass(frozen=True)
class FrameReading:
    """All the text of one frame."""

    readings: tuple[Reading, ...]
    """In reading order; empty when there is no text."""
    width: int
    """Of the frame, pixels."""
    height: int
    """Of the frame, pixels."""
    seconds: float
    """Spent by the engine, decoding included."""
    engine: str
    """Name and version, e.g. "rapidocr 3.8.4 openvino"."""
    codes: tuple[Code, ...] = ()
    """Empty when there are none, or none were looked for."""
    crop: Crop | None = None
    """None when there is no text, or no crop was asked for."""
