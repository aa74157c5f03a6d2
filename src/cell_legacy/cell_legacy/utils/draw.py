"""Draws an OCR result over a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ['RecognizedText', 'draw_ocr_overlays']

GREEN, RED = (0, 255, 0), (0, 0, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 0.6
LINE_WIDTH = 2
MOST_PIXELS = 30_000.0
"""Largest coordinate that OpenCV draws without overflow."""
LABEL_GAP = 5
"""Between a polygon's top and its label, pixels."""
LIST_LEFT, LIST_TOP, LIST_STEP = 10, 30, 25
"""Place of the labels of a result without polygons, pixels."""


class RecognizedText(TypedDict):
    """One text of an OCR result."""

    text: str
    score: float


def draw_ocr_overlays(
    frame: NDArray[np.uint8], result: Mapping[str, object] | Sequence[RecognizedText] | None
) -> NDArray[np.uint8]:
    """Draw each text's polygon in green and its text and score in red.

    Args:
        frame: BGR image; it is not changed. The replaced module drew into the caller's frame.
        result: What `OCREngine.run_ocr` returns, or a list of `{"text", "score"}`, whose labels are listed at the top left.

    Returns:
        A copy of the frame with the overlay.
    """
    image = frame.copy()
    polygons, texts = _parts(result)
    for polygon in polygons:
        if polygon.size == 0:  # a text whose place is not known
            continue
        cv2.polylines(image, [polygon], isClosed=True, color=GREEN, thickness=LINE_WIDTH)
    for index, item in enumerate(texts):
        if index < len(polygons) and polygons[index].size:
            # The smallest coordinates: the first corner of a turned text is not its top left in the
            # image.
            left, top = (int(value) for value in polygons[index].reshape(-1, 2).min(axis=0))
            place = (left, max(top - LABEL_GAP, LIST_STEP))
        else:
            place = (LIST_LEFT, LIST_TOP + LIST_STEP * index)
        cv2.putText(image, _label(item), place, FONT, FONT_SCALE, RED, LINE_WIDTH, cv2.LINE_AA)
    return image


def _parts(
    result: Mapping[str, object] | Sequence[RecognizedText] | None,
) -> tuple[list[NDArray[np.int32]], Sequence[RecognizedText]]:
    if not isinstance(result, Mapping):
        return [], _listed(result)
    return [_points(polygon) for polygon in _listed(result.get('det_polygons'))], _listed(result.get('rec_texts'))


def _listed(value: object) -> list[RecognizedText]:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else []


def _points(polygon: object) -> NDArray[np.int32]:
    """Return a polygon as OpenCV takes it, shape (points, 1, 2), pixels; without points when one of them is no number."""
    points = np.asarray([] if polygon is None else polygon, float).reshape(-1, 1, 2)
    if not np.isfinite(points).all():
        return np.zeros((0, 1, 2), np.int32)
    return np.asarray(np.rint(points.clip(-MOST_PIXELS, MOST_PIXELS)), np.int32)


def _label(item: RecognizedText) -> str:
    """Return the text, and its score where it has one; OpenCV's fonts only have ASCII, other characters become "?"."""
    score = item.get('score')
    label = item['text'] if score is None else f'{item["text"]} ({float(score):.2f})'
    return label.encode('ascii', 'replace').decode('ascii')
