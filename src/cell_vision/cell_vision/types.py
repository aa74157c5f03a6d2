"""Text, barcodes and crops that a reading of one frame consists of.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

__all__ = ['MISSING', 'UNREAD', 'Barcode', 'EvidenceCrop', 'FrameReading', 'Point', 'Polygon', 'ReadOptions', 'Reading']

Point = tuple[float, float]
"""x to the right, y down, pixels."""
Polygon = tuple[Point, Point, Point, Point]
"""Corners, clockwise from the top left of the text itself."""


UNREAD = '?'
"""Text of a reading that stands for a further part in view with illegible print."""
MISSING = '\u25af'
"""Stands in a text where a character may be missing: in a gap that is wider than the pitch, or at an end that is cut off."""


@dataclass(frozen=True)
class Reading:
    """One piece of text in a frame."""

    text: str
    """As read, never empty, with MISSING where print may be lost; UNREAD for a part without legible print beside another."""
    score: float
    """Confidence of the engine, 0..1, not calibrated."""
    polygon: Polygon
    """Corners in the frame, pixels."""


@dataclass(frozen=True)
class Barcode:
    """A one- or two-dimensional code in a frame."""

    format: str
    """Symbology, e.g. "QRCode"."""
    text: str
    """Content, never empty."""
    polygon: Polygon
    """Corners in the frame, pixels."""


@dataclass(frozen=True)
class EvidenceCrop:
    """The region of a frame that was read, rotated upright."""

    jpeg: bytes
    polygon: Polygon
    """Corners of the crop in the frame, pixels; clockwise from the crop's top left."""


@dataclass(frozen=True)
class FrameReading:
    """All text of one frame."""

    readings: tuple[Reading, ...]
    """In reading order; empty when the frame holds no text."""
    width: int
    """Of the frame, pixels."""
    height: int
    """Of the frame, pixels."""
    seconds: float
    """Time that the engine took, decoding included."""
    engine: str
    """Name and version, e.g. "rapidocr 3.8.4 openvino"."""
    codes: tuple[Barcode, ...] = ()
    """Empty when the frame holds none or none were searched for."""
    crop: EvidenceCrop | None = None
    """None when the frame holds no text or no crop was requested."""


class ReadOptions(TypedDict, total=False):
    """How one frame is read; JSON values, as they cross the pipe to the worker."""

    fast: bool
    """Search for the part at low resolution first; default true."""
    careful: bool
    """Read the part in several ways and keep contradictions; default false."""
    detector_side: int
    """Longest side of the whole frame in the detector, pixels; default as the engine is set up."""
    region: Sequence[Point]
    """Four corners of the region where the last part was read, which is read first; empty = none."""
    codes: Sequence[str]
    """Symbologies of barcodes to read; default none."""
    crop_side: int
    """Longest side of the crop, pixels; default 0 = no crop."""
    budget: float
    """Seconds after which no further pass starts; default no limit."""
