"""OCR with PaddleOCR where it is installed, and with the cell's own reader otherwise.

Kept for scripts. In the cell, service `ocr/read` reads a frame in a worker process.
"""

from __future__ import annotations

import importlib.util
import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from cell_legacy.camera.preprocess import preprocess_for_ocr, to_bgr
from cell_legacy.utils.draw import RecognizedText

__all__ = ['OCREngine', 'OcrOutput', 'parse_paddle_result']

Polygon = list[list[float]]
Found = tuple[Polygon, str, float]
LOG = logging.getLogger(__name__)


class OcrOutput(TypedDict):
    """What `OCREngine.run_ocr` returns; polygon and text with the same index belong together."""

    processed_frame: NDArray[np.uint8]
    det_polygons: list[Polygon]
    rec_texts: list[RecognizedText]


class FrameReader(Protocol):
    """Reads one BGR image."""

    def __call__(self, frame: NDArray[np.uint8]) -> list[Found]:
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

        Args:
            frame: BGR, BGRA or gray image, uint8, or with values 0..1 as floating-point numbers.

        Raises:
            ValueError: It is not such an image.
        """
        frame = to_bgr(frame)
        processed = self.preprocess(frame)
        # See above: each reader gets the image that it reads best.
        found = self._read(processed if self.model is not None else frame)
        return {
            'processed_frame': processed,
            'det_polygons': [polygon for polygon, _, _ in found],
            'rec_texts': [{'text': text, 'score': score} for _, text, score in found],
        }


def parse_paddle_result(result: object) -> list[Found]:
    """Return (polygon, text, score) of each text in a result of PaddleOCR.

    Release 2 returns, for each image, a list of `[polygon, (text, score)]`, or None when it found nothing; releases 2.0 to
    2.6.0 return this list without one around it. Release 3 returns, for each image, a mapping with `rec_polys`, `dt_polys` or
    `rec_boxes`, `rec_texts` and `rec_scores`; `predict_iter` yields them. A text without a polygon has an empty one, a text
    without a score has 0.

    What has another form is left out with a warning in the log.
    """
    if result is None:
        return []
    pages = _pages(result)
    if pages and all(_is_line(page) for page in pages):
        pages = [pages]
    found: list[Found] = []
    for page in pages:
        found += _parse_mapping(page) if isinstance(page, Mapping) else _parse_lines(page)
    return found


def _pages(result: object) -> list[object]:
    if isinstance(result, Mapping):
        return [result]
    if isinstance(result, str | bytes) or not isinstance(result, Iterable):
        _warn_unknown(result)
        return []
    return list(result)


def _parse_mapping(page: Mapping[str, object]) -> Iterator[Found]:
    inner = page.get('res')
    if isinstance(inner, Mapping):  # the JSON form of release 3
        page = inner
    if 'rec_texts' not in page:
        _warn_unknown(page)
        return
    texts, scores = _sequence(page['rec_texts']), _sequence(page.get('rec_scores'))
    polygons = _polygons(page, len(texts))
    for index, text in enumerate(texts):
        score = _number(scores[index]) if index < len(scores) else 0.0
        yield polygons[index], str(text), score


def _polygons(page: Mapping[str, object], count: int) -> list[Polygon]:
    """Return the polygon of each text; `dt_polys` also has those in which no text was read, and cannot be assigned then."""
    for name in ('rec_polys', 'dt_polys', 'rec_boxes'):
        found = _sequence(page.get(name))
        if count and len(found) == count:
            return [_polygon(points) if name != 'rec_boxes' else _corners(points) for points in found]
    if count:
        LOG.warning('PaddleOCR result: no polygon for each of its %d texts', count)
    return [[] for _ in range(count)]


def _parse_lines(page: object) -> Iterator[Found]:
    if page is None:
        return
    if isinstance(page, np.ndarray) or not isinstance(page, list | tuple):
        _warn_unknown(page)
        return
    for line in page:
        match line:
            case [polygon, [str() as text, score]] if not isinstance(polygon, str):
                yield _polygon(polygon), text, _number(score)
            case [str() as text, int() | float() | np.number() as score]:  # det=False: no polygons
                yield [], text, _number(score)
            case _:
                _warn_unknown(line)


def _is_line(page: object) -> bool:
    """Return whether a page is a line itself: the result has no list for each image."""
    match page:
        case [polygon, [str(), int() | float() | np.number()]]:
            return not isinstance(polygon, str) and len(_sequence(polygon)) > 2
    return False


def _warn_unknown(part: object) -> None:
    LOG.warning('PaddleOCR result of an unknown form, left out: %.200r; is its release 2 or 3?', part)


def _sequence(value: object) -> Sequence[object]:
    if isinstance(value, np.ndarray):
        return list(value)
    return value if isinstance(value, list | tuple) else []


def _number(value: object) -> float:
    return 0.0 if value is None else float(np.asarray(value, float).item())


def _polygon(points: object) -> Polygon:
    return [[float(x), float(y)] for x, y in np.asarray(points, float).reshape(-1, 2)]


def _corners(box: object) -> Polygon:
    left, top, right, bottom = (float(value) for value in np.asarray(box, float).reshape(-1))
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


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

    def read(frame: NDArray[np.uint8]) -> list[Found]:
        readings = read_image(engine, frame, {})
        return [([list(point) for point in reading.polygon], reading.text, float(reading.score)) for reading in readings]

    return read
