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
    """One piece of text in a frame.

    Attributes:
        text: As read, never empty, with MISSING where print may be lost; UNREAD for a part without
            legible print beside another.
        score: Confidence of the engine, 0..1, not calibrated.
        polygon: Corners in the frame, pixels.
        likelihoods: The strips from which it was read, each packed by `cell_vision.likelihoods`;
            empty when the engine gives none.
    """

    text: str
    score: float
    polygon: Polygon
    likelihoods: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Barcode:
    """A one- or two-dimensional code in a frame.

    Attributes:
        format: Symbology, e.g. "QRCode".
        text: Content, never empty.
        polygon: Corners in the frame, pixels, clockwise from the top left of the code itself.
    """

    format: str
    text: str
    polygon: Polygon


@dataclass(frozen=True)
class EvidenceCrop:
    """The region of a frame that was read, rotated upright.

    Attributes:
        jpeg: The crop, compressed.
        polygon: Corners of the crop in the frame, pixels; clockwise from the crop's top left.
    """

    jpeg: bytes
    polygon: Polygon


@dataclass(frozen=True)
class FrameReading:
    """All text of one frame.

    Attributes:
        readings: In reading order; empty when the frame holds no text.
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        seconds: Time that the engine took, decoding included.
        engine: Name and version, e.g. "rapidocr 3.8.4 openvino".
        codes: Empty when the frame holds none or none were searched for.
        crop: None when the frame holds no text or no crop was requested.
    """

    readings: tuple[Reading, ...]
    width: int
    height: int
    seconds: float
    engine: str
    codes: tuple[Barcode, ...] = ()
    crop: EvidenceCrop | None = None


class ReadOptions(TypedDict, total=False):
    """Options of reading one frame; JSON values, as they cross the pipe to the worker.

    Attributes:
        fast: Search for the part at low resolution first; default true.
        careful: Read the part in several ways and keep contradictions; default false.
        detector_side: Longest side of the whole frame in the detector, pixels; default as the
            engine is set up.
        region: Four corners of the region where the last part was read, which is read first; empty
            = none.
        codes: Symbologies of barcodes to read; default none.
        crop_side: Longest side of the crop, pixels; default 0 = no crop.
        budget: Seconds after which no further pass starts; default no limit.
    """

    fast: bool
    careful: bool
    detector_side: int
    region: Sequence[Point]
    codes: Sequence[str]
    crop_side: int
    budget: float
