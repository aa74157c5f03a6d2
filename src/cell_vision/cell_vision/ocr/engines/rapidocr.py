"""RapidOCR with the PP-OCRv4 models that come in its wheel. Runs offline; never tries a download.

The three stages are called one by one instead of through `RapidOCR.__call__`: release 3.8.4 ignores `limit_side_len` when
`limit_type` is "max" (ch_ppocr_det/main.py, get_preprocess), and cutting the text boxes out of the full picture instead of
the scaled one reads small print better.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np

from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.inference import choose_backend, keep_quiet
from cell_vision.ocr.engines.ppocr import DETECTOR, DIRECTION, RECOGNISER, model_folder
from cell_vision.types import Point, Polygon, Reading

MODELS = {'Det': DETECTOR, 'Cls': DIRECTION, 'Rec': RECOGNISER}
FLIP_CERTAIN = 0.9
"""The direction classifier turns a line over only when it is this sure (PP-OCR's own default)."""


class RapidOcrEngine:
    """Detector, direction classifier and recogniser of PP-OCR."""

    def __init__(self, options: EngineOptions) -> None:
        """Load the models.

        Raises:
            EngineError: rapidocr or a model file is missing.
        """
        os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
        self._side = options.detector_side
        self._score = options.text_score
        backend = choose_backend(options.backend)
        self._engine = _load(options, backend)
        self.name = f'rapidocr {version("rapidocr")} {backend}'

    def read(self, image: Any, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read a picture; see `cell_vision.ocr.engines.base.Engine`."""
        boxes = self._detect(image, detector_side or self._side, enlarge)
        if not len(boxes):
            return ()
        crops = self._engine.crop_text_regions(image, boxes)
        flips = self._engine.text_cls(crops)
        read = self._engine.recognize_txt(flips.img_list)
        readings = []
        for box, crop, flip, text, score in zip(boxes, crops, flips.cls_res, read.txts, read.scores, strict=True):
            if text.strip() and score >= self._score:
                readings.append(Reading(text, float(score), upright(box, crop.shape, flip)))
        return tuple(readings)

    def prepare(self) -> bool:
        """Have all done already; see `cell_vision.ocr.engines.base.Engine`."""
        return False

    def _detect(self, image: Any, side: int, enlarge: float) -> Any:
        """Return the text boxes, float32 of shape (n, 4, 2), in pixels of `image`."""
        scale = min(enlarge, side / max(image.shape[:2]))
        small = image
        if scale != 1.0:
            method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
        if min(small.shape[:2]) < 32:
            small = _at_least(small, 32)
        found = self._engine.text_det(small).boxes
        if found is None:
            return np.empty((0, 4, 2), np.float32)
        boxes = np.asarray(found, np.float32) / scale
        limit = np.array([image.shape[1], image.shape[0]], np.float32)
        return np.clip(boxes, 0, limit)


def upright(box: Any, crop_shape: tuple[int, ...], flip: tuple[str, float]) -> Polygon:
    """Order a box's corners from the text's own top left, as the crop was turned to read it.

    Args:
        box: Corners from the box's top left in the picture, clockwise.
        crop_shape: Shape of what was cut out; a crop at least 1.5 times as high as wide was turned by 90 degrees to the left.
        flip: Answer of the direction classifier: label "0" or "180", and its certainty.
    """
    corners: list[Point] = [(float(x), float(y)) for x, y in box]
    wide = np.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1])
    high = np.hypot(corners[3][0] - corners[0][0], corners[3][1] - corners[0][1])
    turned = high >= 1.5 * wide and crop_shape[1] >= crop_shape[0]
    start = 1 if turned else 0
    if '180' in str(flip[0]) and flip[1] > FLIP_CERTAIN:
        start += 2
    return tuple(corners[(start + i) % 4] for i in range(4))  # type: ignore[return-value]


def _at_least(image: Any, pixels: int) -> Any:
    high, wide = image.shape[:2]
    return cv2.copyMakeBorder(image, 0, max(0, pixels - high), 0, max(0, pixels - wide), cv2.BORDER_REPLICATE)


def _load(options: EngineOptions, backend: str) -> Any:
    keep_quiet()
    try:
        import rapidocr
        from rapidocr.utils.download_file import DownloadFile
    except ImportError as problem:
        raise EngineError(f'rapidocr is not installed ({problem}): pip install -r requirements/runtime.txt') from problem
    logging.getLogger('RapidOCR').setLevel(logging.ERROR)
    DownloadFile.run = staticmethod(_refuse_download)
    folder = model_folder(options.model_dir)
    settings: dict[str, Any] = {
        'Global.log_level': 'error',
        'EngineConfig.onnxruntime.intra_op_num_threads': options.threads,
        'EngineConfig.onnxruntime.inter_op_num_threads': 1,
        'EngineConfig.openvino.inference_num_threads': options.threads,
        'EngineConfig.openvino.num_streams': 1,
        'EngineConfig.openvino.enable_cpu_pinning': False,
        'Det.limit_type': 'max',
    }
    for stage, name in MODELS.items():
        settings[f'{stage}.engine_type'] = rapidocr.EngineType(backend)
        settings[f'{stage}.model_path'] = str(folder / name)
    return rapidocr.RapidOCR(params=settings)


def _refuse_download(*_: object) -> None:
    raise EngineError('a model is missing and downloads are off; reinstall rapidocr==3.8.4')
