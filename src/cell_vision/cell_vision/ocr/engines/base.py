"""What every OCR engine looks like to the worker, and which there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cell_vision.types import Reading

ENGINES = ('ppocr', 'rapidocr', 'paddleocr')


class EngineError(Exception):
    """The engine cannot be used; the text says why and what to do."""


class BadImageError(Exception):
    """The image cannot be decoded."""


@dataclass(frozen=True)
class EngineOptions:
    """How an engine is set up."""

    detector_side: int = 960
    """Longest side of the picture given to the text detector, pixels."""
    text_score: float = 0.5
    """Readings below this confidence are dropped."""
    threads: int = 1
    backend: str = 'auto'
    """"openvino", "onnxruntime", or "auto": OpenVINO when it is installed."""
    precision: str = 'auto'
    """"float32", "int8", or "auto": 8-bit integers where the processor is made for them (engine ppocr only)."""
    model_dir: str = ''
    """Folder of the models; "" = those that come with the engine (paddleocr: `models` in the worker's environment)."""
    cache_dir: str = ''
    """Where compiled networks are kept for the next start; "" = nowhere."""


class Engine(Protocol):
    """An OCR engine: finds and reads text in a picture."""

    name: str
    """Name, version and backend, for people."""

    def read(self, image: Any, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read a picture.

        Args:
            image: BGR, uint8, shape (height, width, 3).
            detector_side: Longest side given to the detector, pixels; 0 = as set up.
            enlarge: A picture smaller than that is made at most so many times larger.

        Returns:
            The readings in reading order, polygons in pixels of `image`.
        """
        ...

    def prepare(self) -> bool:
        """Do one thing that makes later readings quicker and that the first need not wait for; return whether more is left."""
        ...


def make_engine(name: str, options: EngineOptions) -> Engine:
    """Load an engine.

    Raises:
        EngineError: It is not installed, or its models are not there.
    """
    makers: dict[str, Callable[[EngineOptions], Engine]] = {'ppocr': _ppocr, 'rapidocr': _rapidocr, 'paddleocr': _paddleocr}
    if name not in makers:
        raise EngineError(f'there is no engine "{name}"; parameter engine may be one of {", ".join(makers)}')
    return makers[name](options)


def load_libraries(name: str, backend: str) -> None:
    """Import what an engine will need, without its models.

    Raises:
        ImportError: A library is missing.
        EngineError: There is no inference library.
    """
    from cell_vision.ocr.engines.inference import choose_backend, keep_quiet

    importlib.import_module('cell_vision.ocr.pipeline')
    importlib.import_module(f'cell_vision.engine_{name}')
    if name == 'paddleocr':
        importlib.import_module('paddleocr')
        return
    keep_quiet()
    importlib.import_module(choose_backend(backend))


def _ppocr(options: EngineOptions) -> Engine:
    from cell_vision.ocr.engines.ppocr import PpOcrEngine

    return PpOcrEngine(options)


def _rapidocr(options: EngineOptions) -> Engine:
    from cell_vision.ocr.engines.rapidocr import RapidOcrEngine

    return RapidOcrEngine(options)


def _paddleocr(options: EngineOptions) -> Engine:
    from cell_vision.ocr.engines.paddleocr import PaddleOcrEngine

    return PaddleOcrEngine(options)
