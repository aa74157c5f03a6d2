"""Files of the three PP-OCRv4 networks (ONNX), which come in the rapidocr wheel."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from cell_vision.ocr.engines.base import EngineError

__all__ = ['DETECTOR', 'DIRECTION', 'MODELS', 'RECOGNIZER', 'model_folder']

DETECTOR, DIRECTION, RECOGNIZER = MODELS = (
    'ch_PP-OCRv4_det_mobile.onnx',
    'ch_ppocr_mobile_v2.0_cls_mobile.onnx',
    'ch_PP-OCRv4_rec_mobile.onnx',
)


def model_folder(wanted: str) -> Path:
    """Return the folder of the model files.

    Args:
        wanted: A folder; "" = the models of the rapidocr wheel.

    Raises:
        EngineError: Files are missing.
    """
    specification = None if wanted else importlib.util.find_spec('rapidocr')
    if not wanted and (specification is None or specification.origin is None):
        raise EngineError(
            'the models are missing: install rapidocr==3.8.4, whose wheel contains them (requirements/runtime.txt)'
        )
    folder = Path(wanted) if specification is None else Path(str(specification.origin)).parent / 'models'
    missing = [name for name in MODELS if not (folder / name).is_file()]
    if missing:
        raise EngineError(
            f'model files are missing in {folder}: {", ".join(missing)}. '
            'Reinstall rapidocr==3.8.4, whose wheel contains them, or correct parameter model_dir.'
        )
    return folder
