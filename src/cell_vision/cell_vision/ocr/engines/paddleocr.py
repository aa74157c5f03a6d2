"""PaddleOCR, release 2 (2.10) or 3 (3.7), with models of a local folder. Never downloads.

PaddleOCR is not thread-safe and its memory grows with each new image shape, so it runs in the worker process. Its libraries
conflict with those of the node (opencv-contrib, numpy), so the worker has an interpreter of its own (parameter engine_python).
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.ocr.box_geometry import order_corners
from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.paddle_models import MODELS_FOLDER, PaddleModel, paddle_models
from cell_vision.types import Polygon, Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

    Release2Result = Sequence[Sequence[tuple[NDArray[np.float32], tuple[str, float]]] | None] | None
    """`[[[box, (text, score)], ...]]`, `[None]` or None when there is no text."""

STANDING_ASPECT = 1.5
"""PaddleOCR rotates a crop with at least this ratio of height to width by 90 degrees to the left."""


class Release3Page(TypedDict, total=False):
    """One image in the result of `PaddleOCR.predict`, release 3."""

    rec_texts: Sequence[str]
    rec_scores: Sequence[float]
    rec_polys: Sequence[NDArray[np.float32]]
    textline_orientation_angles: Sequence[int]
    """1 = the line was turned over; missing when the classifier is off."""


class PaddleOcrEngine:
    """Detector, direction classifier and recognizer, as PaddleOCR runs them."""

    def __init__(self, options: EngineOptions) -> None:
        """Load the models.

        Raises:
            EngineError: PaddleOCR or a model file is missing.
        """
        release = installed_release()
        major = int(release.split('.', 1)[0])
        folder = Path(options.model_dir).expanduser() if options.model_dir else Path(sys.prefix) / MODELS_FOLDER
        models = paddle_models(folder, major)
        _disable_network_use(options.cache_dir)
        from paddleocr import PaddleOCR

        logging.getLogger('ppocr').setLevel(logging.ERROR)
        self._side, self._score, self._major = options.detector_side, options.text_score, major
        self._paddle = PaddleOCR(**(arguments_3 if major >= 3 else arguments_2)(models, options))
        self.name = f'paddleocr {release}'

    def read(self, image: MatLike, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read an image; see `Engine`. Release 2 accepts the detector's size only when it is constructed.

        Args:
            image: Shape (height, width, 3), BGR, 8 bits.
            detector_side: Longest side of the detector's input, pixels; 0 = that of the options.
            enlarge: Largest factor by which a small image is enlarged.
        """
        side = detector_side or self._side
        scale = max(1.0, min(enlarge, side / max(image.shape[:2])))
        if scale > 1.0:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        if self._major >= 3:
            found = readings_of_3(self._paddle.predict(image, text_det_limit_side_len=side, text_det_limit_type='max'), scale)
        else:
            found = readings_of_2(self._paddle.ocr(image, cls=True), scale)
        kept = (reading for reading in found if reading.text.strip() and reading.score >= self._score)
        return tuple(sorted(kept, key=_reading_order))

    def warm_next(self) -> bool:
        """Return False: nothing remains to be loaded; see `cell_vision.ocr.engines.base.Engine`."""
        return False


def installed_release() -> str:
    """Return the release of PaddleOCR in this interpreter.

    Raises:
        EngineError: PaddleOCR is not installed, or its arguments and results differ from the supported releases.
    """
    try:
        release = version('paddleocr')
        version('paddlepaddle')
    except PackageNotFoundError as error:
        raise EngineError(
            f'paddleocr or paddlepaddle is not installed for {sys.executable}: run "make paddleocr" and set '
            'parameter engine_python to the interpreter that it names'
        ) from error
    if release.split('.', 1)[0] not in {'2', '3'}:
        raise EngineError(f'paddleocr {release} is not supported: install 3.7.0 (requirements/paddleocr.txt) or 2.10.0')
    return release


def arguments_2(models: Mapping[str, PaddleModel], options: EngineOptions) -> dict[str, object]:
    """Return the constructor arguments of release 2.

    Args:
        models: Role -> model.
        options: Set-up of the engine.
    """
    arguments: dict[str, object] = {
        'det_model_dir': str(models['det'].folder),
        'rec_model_dir': str(models['rec'].folder),
        'cls_model_dir': str(models['cls'].folder),
        'use_angle_cls': True,
        'lang': 'ch',
        'use_gpu': False,
        'show_log': False,
        'enable_mkldnn': True,
        'cpu_threads': options.threads,
        'det_limit_type': 'max',
        'det_limit_side_len': options.detector_side,
        'drop_score': 0.0,
    }
    if models['rec'].characters:
        arguments['rec_char_dict_path'] = _write_dictionary(models['rec'].characters)
    return arguments


def arguments_3(models: Mapping[str, PaddleModel], options: EngineOptions) -> dict[str, object]:
    """Return the constructor arguments of release 3, which downloads the model of each stage that is not named.

    Args:
        models: Role ("det", "rec", "cls") -> model.
        options: Options of the engine; only `threads` is used here.
    """
    return {
        'text_detection_model_name': models['det'].name,
        'text_detection_model_dir': str(models['det'].folder),
        'text_recognition_model_name': models['rec'].name,
        'text_recognition_model_dir': str(models['rec'].folder),
        'textline_orientation_model_name': models['cls'].name,
        'textline_orientation_model_dir': str(models['cls'].folder),
        'use_textline_orientation': True,
        'use_doc_orientation_classify': False,
        'use_doc_unwarping': False,
        'cpu_threads': options.threads,
    }


def readings_of_2(result: Release2Result, scale: float = 1.0) -> list[Reading]:
    """Return the readings in a result of `PaddleOCR.ocr`, release 2.

    This release does not report which lines it turned over, so polygons begin at the top left in
    the image.

    Args:
        result: Result for one image.
        scale: Factor by which the image was enlarged before; polygons are divided by it.
    """
    lines = (result[0] or ()) if result else ()
    return [_reading(text, score, box, False, scale) for box, (text, score) in lines]


def readings_of_3(result: Iterable[Release3Page], scale: float = 1.0) -> list[Reading]:
    """Return the readings in a result of `PaddleOCR.predict`, release 3.

    Args:
        result: Pages; one for each image.
        scale: Factor by which the image was enlarged before; polygons are divided by it.
    """
    readings = []
    for page in result:
        texts = page['rec_texts']
        turned = list(page.get('textline_orientation_angles', ()))
        flips = [angle == 1 for angle in turned] if len(turned) == len(texts) else [False] * len(texts)
        readings += [
            _reading(text, score, box, flip, scale)
            for text, score, box, flip in zip(texts, page['rec_scores'], page['rec_polys'], flips, strict=True)
        ]
    return readings


def _reading(text: str, score: float, box: NDArray[np.float32], flipped: bool, scale: float) -> Reading:
    corners = np.asarray(box, np.float64) / scale
    return Reading(str(text), float(score), _text_corners(corners, flipped))


def _text_corners(box: NDArray[np.float64], flipped: bool) -> Polygon:
    """Return the corners of a box from the top left of its text.

    Args:
        box: Corners from the top left in the image, clockwise, shape (4, 2).
        flipped: The direction classifier turned the crop over.
    """
    wide = max(np.linalg.norm(box[1] - box[0]), np.linalg.norm(box[2] - box[3]))
    high = max(np.linalg.norm(box[3] - box[0]), np.linalg.norm(box[2] - box[1]))
    return order_corners(box.tolist(), int(high >= STANDING_ASPECT * wide) + 2 * flipped)


def _reading_order(reading: Reading) -> tuple[float, float]:
    return min((y, x) for x, y in reading.polygon)


def _disable_network_use(cache_dir: str) -> None:
    """Keep PaddleX (below PaddleOCR 3) from asking model servers, and from writing to a home folder that a service lacks."""
    os.environ['PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK'] = 'True'
    if cache_dir:
        home = Path(cache_dir).expanduser() / 'paddlex'
        os.environ.setdefault('PADDLE_PDX_CACHE_HOME', str(home))


def _write_dictionary(characters: Sequence[str]) -> str:
    with tempfile.NamedTemporaryFile('w', encoding='utf-8', prefix='cell_alphabet_', suffix='.txt', delete=False) as file:
        file.write('\n'.join(characters) + '\n')
    return file.name
