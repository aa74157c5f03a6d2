"""RapidOCR with the PP-OCRv4 models of its wheel. Runs offline; never downloads.

The three stages are called one by one instead of through `RapidOCR.__call__`: release 3.8.4 ignores `limit_side_len` when
`limit_type` is "max" (ch_ppocr_det/main.py, get_preprocess). Text boxes are cropped from the full image instead of the scaled
one, which reads small print better.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_vision.ocr.box_geometry import order_corners
from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.inference import disable_openvino_telemetry, select_backend
from cell_vision.ocr.engines.model_files import DETECTOR, DIRECTION, RECOGNIZER, model_folder
from cell_vision.types import Polygon, Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

MODELS = {'Det': DETECTOR, 'Cls': DIRECTION, 'Rec': RECOGNIZER}
FLIP_CERTAIN = 0.9
"""Confidence of the direction classifier above which a line is turned over (default of PP-OCR)."""
STANDING_ASPECT = 1.5
"""RapidOCR rotates a crop with at least this ratio of height to width by 90 degrees to the left."""


class _Classified(Protocol):
    img_list: Sequence[MatLike]
    cls_res: Sequence[tuple[str, float]]


class _Recognized(Protocol):
    txts: Sequence[str]
    scores: Sequence[float]


class _Detected(Protocol):
    boxes: NDArray[np.float32] | None


class _RapidOcr(Protocol):
    """The stages of `rapidocr.RapidOCR` 3.8.4 that are used here."""

    def text_det(self, image: MatLike) -> _Detected: ...

    def crop_text_regions(self, image: MatLike, boxes: NDArray[np.float32]) -> Sequence[MatLike]: ...

    def text_cls(self, crops: Sequence[MatLike]) -> _Classified: ...

    def recognize_txt(self, crops: Sequence[MatLike]) -> _Recognized: ...


class RapidOcrEngine:
    """Detector, direction classifier and recognizer of PP-OCR, as RapidOCR runs them."""

    def __init__(self, options: EngineOptions) -> None:
        """Load the models.

        Raises:
            EngineError: rapidocr or a model file is missing.
        """
        os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
        self._side = options.detector_side
        self._score = options.text_score
        backend = select_backend(options.backend)
        self._engine = _load(options, backend)
        self.name = f'rapidocr {version("rapidocr")} {backend}'

    def read(self, image: MatLike, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read an image; see `cell_vision.ocr.engines.base.Engine`."""
        boxes = self._detect(image, detector_side or self._side, enlarge)
        if not len(boxes):
            return ()
        crops = self._engine.crop_text_regions(image, boxes)
        flips = self._engine.text_cls(crops)
        read = self._engine.recognize_txt(flips.img_list)
        readings = []
        for box, crop, flip, text, score in zip(boxes, crops, flips.cls_res, read.txts, read.scores, strict=True):
            if text.strip() and score >= self._score:
                readings.append(Reading(text, float(score), _text_corners(box, crop.shape, flip)))
        return tuple(readings)

    def warm_next(self) -> bool:
        """Return False: nothing remains to be loaded; see `cell_vision.ocr.engines.base.Engine`."""
        return False

    def _detect(self, image: MatLike, side: int, enlarge: float) -> NDArray[np.float32]:
        """Return the text boxes, float32 of shape (n, 4, 2), in pixels of `image`."""
        scale = min(enlarge, side / max(image.shape[:2]))
        small = image
        if scale != 1.0:
            method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
        # The detector's stride: a smaller image would become empty inside the network.
        if min(small.shape[:2]) < 32:
            small = _pad_to(small, 32)
        found = self._engine.text_det(small).boxes
        if found is None:
            return np.empty((0, 4, 2), np.float32)
        boxes = np.asarray(found, np.float32) / scale
        limit = np.array([image.shape[1], image.shape[0]], np.float32)
        clipped: NDArray[np.float32] = np.clip(boxes, 0, limit)
        return clipped


def _text_corners(box: NDArray[np.float32], crop_shape: tuple[int, ...], flip: tuple[str, float]) -> Polygon:
    """Return the corners of a box from the top left of its text.

    Args:
        box: Corners from the top left in the image, clockwise, shape (4, 2).
        crop_shape: Shape of the crop; a standing one was rotated by 90 degrees to the left.
        flip: Result of the direction classifier: label "0" or "180", and its confidence.
    """
    wide = np.hypot(*(box[1] - box[0]))
    high = np.hypot(*(box[3] - box[0]))
    rotated = high >= STANDING_ASPECT * wide and crop_shape[1] >= crop_shape[0]
    flipped = '180' in str(flip[0]) and flip[1] > FLIP_CERTAIN
    return order_corners(box.tolist(), int(rotated) + 2 * flipped)


def _pad_to(image: MatLike, pixels: int) -> MatLike:
    high, wide = image.shape[:2]
    return cv2.copyMakeBorder(image, 0, max(0, pixels - high), 0, max(0, pixels - wide), cv2.BORDER_REPLICATE)


def _load(options: EngineOptions, backend: str) -> _RapidOcr:
    """Load RapidOCR with local models and without its downloader.

    Args:
        options: Options of the engine.
        backend: "openvino" or "onnxruntime".

    Raises:
        EngineError: RapidOCR is not installed, or a model is missing.
    """
    disable_openvino_telemetry()
    try:
        import rapidocr
        from rapidocr.utils.download_file import DownloadFile
    except ImportError as error:
        raise EngineError(f'rapidocr is not installed ({error}): pip install -r requirements/runtime.txt') from error
    logging.getLogger('RapidOCR').setLevel(logging.ERROR)
    # RapidOCR downloads a model that it misses; on a machine without a network that would hang for
    # minutes.
    DownloadFile.run = staticmethod(_refuse_download)
    folder = model_folder(options.model_dir)
    settings: dict[str, object] = {
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
    engine: _RapidOcr = rapidocr.RapidOCR(params=settings)
    return engine


def _refuse_download(*_: object) -> None:
    """Stand in for RapidOCR's downloader.

    Raises:
        EngineError: Always: a model is missing.
    """
    raise EngineError('a model is missing and downloads are off: reinstall rapidocr==3.8.4')
