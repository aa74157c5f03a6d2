"""Creates an OCR engine by name. The only module that imports the engines, each one when it is needed."""

from __future__ import annotations

import importlib

from cell_vision.ocr.engines.base import ENGINES, Engine, EngineError, EngineOptions
from cell_vision.ocr.engines.inference import disable_openvino_telemetry, select_backend

__all__ = ['load_libraries', 'make_engine']


def make_engine(name: str, options: EngineOptions) -> Engine:
    """Load an engine.

    Args:
        name: One of ENGINES.
        options: Set-up of the engine.

    Raises:
        EngineError: The engine does not exist, is not installed, or its models are missing.
    """
    if name == 'ppocr':
        from cell_vision.ocr.engines.ppocr import PpOcrEngine

        return PpOcrEngine(options)
    if name == 'rapidocr':
        from cell_vision.ocr.engines.rapidocr import RapidOcrEngine

        return RapidOcrEngine(options)
    if name == 'paddleocr':
        from cell_vision.ocr.engines.paddleocr import PaddleOcrEngine

        return PaddleOcrEngine(options)
    raise EngineError(f'there is no engine "{name}": set parameter engine to one of {", ".join(ENGINES)}')


def load_libraries(name: str, backend: str) -> None:
    """Import the libraries of an engine, without loading its models.

    Used by a standby worker: importing is a large part of a start, and costs little memory.

    Args:
        name: One of ENGINES.
        backend: "openvino", "onnxruntime" or "auto".

    Raises:
        ImportError: A library is missing.
        EngineError: No inference library is installed.
    """
    importlib.import_module(f'cell_vision.ocr.engines.{name}')
    if name == 'paddleocr':
        importlib.import_module('paddleocr')
        return
    disable_openvino_telemetry()
    importlib.import_module(select_backend(backend))
