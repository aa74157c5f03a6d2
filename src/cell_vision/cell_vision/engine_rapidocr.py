"""RapidOCR with the PP-OCRv4 models that come in its wheel. Runs offline; never tries a download.

The three stages are called one by one instead of through `RapidOCR.__call__`: release 3.8.4 ignores `limit_side_len` when
`limit_type` is "max" (ch_ppocr_det/main.py, get_preprocess), and cutting the text boxes out of the full picture instead of
the scaled one reads small print better.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cell_vision.engine import EngineError, EngineOptions
from cell_vision.reading import Point, Polygon, Reading

MODELS = {'Det': 'ch_PP-OCRv4_det_mobile.onnx', 'Cls': 'ch_ppocr_mobile_v2.0_cls_mobile.onnx',
          'Rec': 'ch_PP-OCRv4_rec_mobile.onnx'}
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

    def read(self, image: Any, detector_side: int = 0) -> Sequence[Reading]:
        """Read a picture; see `cell_vision.engine.Engine`."""
        boxes = self._detect(image, detector_side or self._side)
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

    def _detect(self, image: Any, side: int) -> Any:
        """Return the text boxes, float32 of shape (n, 4, 2), in pixels of `image`."""
        scale = min(1.0, side / max(image.shape[:2]))
        small = image
        if scale < 1.0:
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if min(small.shape[:2]) < 32:
            small = _at_least(small, 32)
        found = self._engine.text_det(small).boxes
        if found is None:
            return np.empty((0, 4, 2), np.float32)
        boxes = np.asarray(found, np.float32) / scale
        limit = np.array([image.shape[1], image.shape[0]], np.float32)
        return np.clip(boxes, 0, limit)


def choose_backend(wanted: str) -> str:
    """Return the inference library to use.

    Raises:
        EngineError: The wanted one is not installed.
    """
    order = ('openvino', 'onnxruntime') if wanted == 'auto' else (wanted,)
    for name in order:
        if importlib.util.find_spec(name) is not None:
            return name
    raise EngineError(f'no inference library: install {" or ".join(order)} (requirements/runtime.txt names the release)')


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


def keep_quiet() -> None:
    """Keep OpenVINO from reporting its use over the network.

    `openvino` 2026.4 imports `openvino.tools.ovc`, which forks a process that calls a statistics server; on a machine without a
    network that process waits for ever. With the reporting package hidden, OpenVINO uses its own empty stand-in
    (openvino/tools/ovc/telemetry_stub.py).
    """
    sys.modules['openvino_telemetry'] = None  # type: ignore[assignment]


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
    folder = Path(options.model_dir) if options.model_dir else Path(rapidocr.__file__).parent / 'models'
    missing = [name for name in MODELS.values() if not (folder / name).is_file()]
    if missing:
        raise EngineError(f'model files are missing in {folder}: {", ".join(missing)}. '
                          'Reinstall rapidocr==3.8.4 (its wheel carries them) or correct parameter model_dir.')
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
