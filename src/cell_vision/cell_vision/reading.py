"""What an OCR engine read in one frame, free of ROS."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""x right, y down, pixels."""
Polygon = tuple[Point, Point, Point, Point]
"""Corners clockwise from the text's own top left."""


@dataclass(frozen=True)
class Reading:
    """One piece of text in a frame."""

    text: str
    """As read, never empty."""
    score: float
    """The engine's confidence, 0..1, not calibrated."""
    polygon: Polygon
    """Where it stands in the frame, pixels."""


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
