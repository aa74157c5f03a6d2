"""Draw what was read, and the verdict, over the frame it was read in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cell_vision.reading import Point, Reading

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""
READ: Colour = (220, 180, 40)
GOOD: Colour = (80, 200, 60)
BAD: Colour = (60, 60, 230)
UNSURE: Colour = (40, 170, 250)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True)
class Verdict:
    """What is drawn of a match result."""

    title: str
    """E.g. "MATCH EM1-2U1"."""
    colour: Colour
    polygon: Sequence[Point] = ()
    """Of the text that decided, pixels; empty = none."""


def draw(jpeg: bytes, readings: Sequence[Reading], verdict: Verdict | None, quality: int) -> bytes:
    """Return the frame as JPEG with polygons, texts and verdict.

    Args:
        jpeg: The frame, compressed.
        readings: What was read in it.
        verdict: Drawn as a banner, None = not judged yet.
        quality: Of the JPEG returned, 1..100.
    """
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return b''
    scale = max(0.4, image.shape[1] / 1600)
    for reading in readings:
        _outline(image, reading.polygon, READ, 2)
        x, y = reading.polygon[0]
        _label(image, f'{reading.text} {reading.score:.2f}', (x, y - 6), scale, READ)
    if verdict is not None:
        if verdict.polygon:
            _outline(image, verdict.polygon, verdict.colour, 5)
        high, wide = image.shape[:2]
        cv2.rectangle(image, (0, 0), (wide - 1, high - 1), verdict.colour, max(4, high // 120))
        _label(image, verdict.title, (12, 34 * scale * 1.6), scale * 1.6, verdict.colour)
    return bytes(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def _outline(image: Any, polygon: Sequence[Point], colour: Colour, thickness: int) -> None:
    cv2.polylines(image, [np.array(polygon, np.int32)], True, colour, thickness, cv2.LINE_AA)


def _label(image: Any, text: str, at: Point, scale: float, colour: Colour) -> None:
    """Write text on a filled box, kept inside the picture."""
    text = text.encode('ascii', 'replace').decode()
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    x = int(min(max(0, at[0]), max(0, image.shape[1] - wide)))
    y = int(min(max(high, at[1]), image.shape[0] - below))
    cv2.rectangle(image, (x, y - high - 3), (x + wide, y + below), colour, -1)
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, BLACK, 2, cv2.LINE_AA)
