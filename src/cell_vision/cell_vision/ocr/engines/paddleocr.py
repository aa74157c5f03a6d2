"""PaddleOCR itself, release 2 (2.10) or 3 (3.7), on models of a local folder. Never tries a download.

It is not thread-safe and grows with each new shape of picture, so it belongs into the worker process; its libraries do not get
along with the node's (opencv-contrib, numpy), so the worker runs under an interpreter of its own (parameter engine_python).
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.paddle_models import PaddleModel, paddle_models
from cell_vision.types import Polygon, Reading

MODELS = 'models'
"""Folder of the worker's environment where models are looked for when model_dir names none."""
STANDING = 1.5
"""PaddleOCR turns a cut-out that is so many times as high as wide by 90 degrees to the left before it is read."""


class PaddleOcrEngine:
    """Detector, direction classifier and recogniser as PaddleOCR runs them."""

    def __init__(self, options: EngineOptions) -> None:
        """Load the models.

        Raises:
            EngineError: PaddleOCR or a model file is missing.
        """
        release = installed_release()
        major = int(release.split('.', 1)[0])
        folder = Path(options.model_dir).expanduser() if options.model_dir else Path(sys.prefix) / MODELS
        models = paddle_models(folder, major)
        _stay_local(options.cache_dir)
        from paddleocr import PaddleOCR

        logging.getLogger('ppocr').setLevel(logging.ERROR)
        self._side, self._score, self._major = options.detector_side, options.text_score, major
        self._paddle = PaddleOCR(**(arguments_3 if major >= 3 else arguments_2)(models, options))
        self.name = f'paddleocr {release}'

    def read(self, image: Any, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read a picture; see `Engine`. Release 2 takes the detector's size at construction only."""
        side = detector_side or self._side
        scale = max(1.0, min(enlarge, side / max(image.shape[:2])))
        if scale > 1.0:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        if self._major >= 3:
            found = readings_of_3(self._paddle.predict(image, text_det_limit_side_len=side, text_det_limit_type='max'), scale)
        else:
            found = readings_of_2(self._paddle.ocr(image, cls=True), scale)
        kept = (reading for reading in found if reading.text.strip() and reading.score >= self._score)
        return tuple(sorted(kept, key=lambda reading: min((y, x) for x, y in reading.polygon)))

    def prepare(self) -> bool:
        """Have all done already; see `cell_vision.ocr.engines.base.Engine`."""
        return False


def installed_release() -> str:
    """Return PaddleOCR's release in this interpreter.

    Raises:
        EngineError: It is not installed, or is a release whose arguments and results are not known here.
    """
    try:
        release = version('paddleocr')
        version('paddlepaddle')
    except PackageNotFoundError as problem:
        raise EngineError(
            f'paddleocr or paddlepaddle is not installed for {sys.executable}: run "make paddleocr" and set '
            'parameter engine_python to the interpreter that it names'
        ) from problem
    if release.split('.', 1)[0] not in {'2', '3'}:
        raise EngineError(f'paddleocr {release} is not supported: install 3.7.0 (requirements/paddleocr.txt) or 2.10.0')
    return release


def arguments_2(models: Mapping[str, PaddleModel], options: EngineOptions) -> dict[str, Any]:
    """Return how release 2 is constructed."""
    arguments = {
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
        arguments['rec_char_dict_path'] = _dictionary(models['rec'].characters)
    return arguments


def arguments_3(models: Mapping[str, PaddleModel], options: EngineOptions) -> dict[str, Any]:
    """Return how release 3 is constructed; a step that is not named there is downloaded, so each one is."""
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


def readings_of_2(result: Any, scale: float = 1.0) -> list[Reading]:
    """Return what `PaddleOCR.ocr` of release 2 gave: `[[[box, (text, score)], ...]]`, `[None]` or `None` when there is no text.

    That release does not tell which lines it turned over: polygons begin at the top left as if none was.
    """
    lines = (result[0] or ()) if result else ()
    return [_reading(text, score, box, False, scale) for box, (text, score) in lines]


def readings_of_3(result: Iterable[Mapping[str, Any]], scale: float = 1.0) -> list[Reading]:
    """Return what `PaddleOCR.predict` of release 3 gave: a mapping for each picture."""
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


def _reading(text: str, score: float, box: Any, flipped: bool, scale: float) -> Reading:
    return Reading(str(text), float(score), upright(np.asarray(box, np.float64) / scale, flipped))


def upright(box: Any, flipped: bool) -> Polygon:
    """Order a box's corners from the text's own top left, as the cut-out was turned to read it.

    Args:
        box: Corners from the box's top left in the picture, clockwise, shape (4, 2).
        flipped: The direction classifier turned it over.
    """
    wide = max(np.linalg.norm(box[1] - box[0]), np.linalg.norm(box[2] - box[3]))
    high = max(np.linalg.norm(box[3] - box[0]), np.linalg.norm(box[2] - box[1]))
    start = (1 if high >= STANDING * wide else 0) + (2 if flipped else 0)
    a, b, c, d = ((float(x), float(y)) for x, y in np.roll(box, -start, axis=0))
    return a, b, c, d


def _stay_local(cache_dir: str) -> None:
    """Keep PaddleX (under PaddleOCR 3) from asking model servers, and from writing into a home folder that a service lacks."""
    os.environ['PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK'] = 'True'
    if cache_dir:
        home = Path(cache_dir).expanduser() / 'paddlex'
        os.environ.setdefault('PADDLE_PDX_CACHE_HOME', str(home))


def _dictionary(characters: Sequence[str]) -> str:
    with tempfile.NamedTemporaryFile('w', encoding='utf-8', prefix='cell_alphabet_', suffix='.txt', delete=False) as file:
        file.write('\n'.join(characters) + '\n')
    return file.name
