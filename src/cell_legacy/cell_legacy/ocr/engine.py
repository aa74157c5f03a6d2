"""OCR with PaddleOCR where it is installed, and with the cell's own reader otherwise.

Kept for scripts. In the cell, service `ocr/read` reads a frame in a worker process.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_legacy.camera.preprocess import preprocess_for_ocr
from cell_legacy.utils.draw import RecognizedText

__all__ = ['OCREngine', 'OcrOutput', 'parse_paddle_result']

Polygon = list[list[float]]


class OcrOutput(TypedDict):
    """What `OCREngine.run_ocr` returns; polygon and text with the same index belong together."""

    processed_frame: NDArray[np.uint8]
    det_polygons: list[Polygon]
    rec_texts: list[RecognizedText]


class FrameReader(Protocol):
    """Reads one BGR image."""

    def __call__(self, frame: NDArray[np.uint8]) -> list[tuple[Polygon, str, float]]:
        """Return (polygon, text, score) of each text."""
        ...


class OCREngine:
    """Reads the texts of a frame.

    Attributes:
        model: The PaddleOCR object in use, None with the cell's own reader.
    """

    def __init__(self, model: object | None = None) -> None:
        """Load PaddleOCR (English, angle classifier on), or the cell's own reader where PaddleOCR is not installed.

        Args:
            model: A PaddleOCR object of release 2 or 3 to use instead; anything with its `predict` or `ocr`.

        Raises:
            TypeError: The model has neither.
            RuntimeError: Neither PaddleOCR nor the cell's own reader can be loaded.
        """
        self.model = model if model is not None else _load_paddle()
        self._read: FrameReader = _paddle_reader(self.model) if self.model is not None else _cell_reader()

    def preprocess(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the frame as `preprocess_for_ocr` prepares it."""
        return preprocess_for_ocr(frame)

    def run_ocr(self, frame: NDArray[np.uint8]) -> OcrOutput:
        """Read the texts of a frame.

        PaddleOCR reads the prepared frame, as it did before. The cell's own reader reads the frame itself, which it reads
        better than a thresholded one; polygons are in pixels of the frame in both cases.

        Raises:
            ValueError: It is not an image.
        """
        processed = self.preprocess(frame)
        # See above: each reader gets the image that it reads best.
        found = self._read(processed if self.model is not None else frame)
        return {
            'processed_frame': processed,
            'det_polygons': [polygon for polygon, _, _ in found],
            'rec_texts': [{'text': text, 'score': score} for _, text, score in found],
        }


def parse_paddle_result(result: object) -> list[tuple[Polygon, str, float]]:
    """Return (polygon, text, score) of each text in a result of PaddleOCR.

    Release 2 returns, for each image, a list of `[polygon, (text, score)]`, or None when it found nothing. Release 3 returns,
    for each image, a mapping with `rec_polys` or `dt_polys`, `rec_texts` and `rec_scores`.
    """
    found: list[tuple[Polygon, str, float]] = []
    for page in _sequence(result):
        found += _parse_mapping(page) if isinstance(page, Mapping) else _parse_lines(page)
    return found


def _parse_mapping(page: Mapping[str, object]) -> Iterator[tuple[Polygon, str, float]]:
    polygons = _sequence(page.get('rec_polys')) or _sequence(page.get('dt_polys'))
    rows = zip(polygons, _sequence(page.get('rec_texts')), _sequence(page.get('rec_scores')), strict=False)
    for polygon, text, score in rows:
        yield _polygon(polygon), str(text), _number(score)


def _parse_lines(page: object) -> Iterator[tuple[Polygon, str, float]]:
    for line in _sequence(page):
        match line:
            case [polygon, [str() as text, score]]:
                yield _polygon(polygon), text, _number(score)


def _sequence(value: object) -> Sequence[object]:
    if isinstance(value, np.ndarray):
        return list(value)
    return value if isinstance(value, list | tuple) else []


def _number(value: object) -> float:
    return float(np.asarray(value, float).item())


def _polygon(points: object) -> Polygon:
    return [[float(x), float(y)] for x, y in np.asarray(points, float).reshape(-1, 2)]


def _load_paddle() -> object | None:
    """Return a PaddleOCR object, or None where PaddleOCR is not installed."""
    if importlib.util.find_spec('paddleocr') is None:
        return None
    from paddleocr import PaddleOCR

    # Release 3 renamed the angle classifier's option; both refuse names that they do not know.
    names = inspect.signature(PaddleOCR.__init__).parameters
    option = 'use_textline_orientation' if 'use_textline_orientation' in names else 'use_angle_cls'
    model: object = PaddleOCR(lang='en', **{option: True})
    return model


def _paddle_reader(model: object) -> FrameReader:
    predict, ocr = getattr(model, 'predict', None), getattr(model, 'ocr', None)
    if callable(predict):
        return lambda frame: parse_paddle_result(predict(frame))
    if callable(ocr):
        return lambda frame: parse_paddle_result(ocr(frame, cls=True))
    raise TypeError(f'model {type(model).__name__} has neither predict nor ocr: pass a PaddleOCR object')


def _cell_reader() -> FrameReader:
    try:
        from cell_vision.ocr.engines.base import EngineOptions
        from cell_vision.ocr.engines.registry import make_engine
        from cell_vision.ocr.pipeline import read_image

        engine = make_engine('ppocr', EngineOptions())
    except Exception as error:
        raise RuntimeError(f'no OCR available: install paddleocr, or the cell ({error})') from error

    def read(frame: NDArray[np.uint8]) -> list[tuple[Polygon, str, float]]:
        image = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR) if frame.ndim == 2 else frame
        readings = read_image(engine, image, {})
        return [([list(point) for point in reading.polygon], reading.text, float(reading.score)) for reading in readings]

    return read
