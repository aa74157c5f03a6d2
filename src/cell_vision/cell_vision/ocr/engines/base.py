"""The interface of an OCR engine, its options and its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cell_vision.types import Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['ENGINES', 'BadImageError', 'Engine', 'EngineError', 'EngineOptions']

ENGINES = ('ppocr', 'rapidocr', 'paddleocr')


class EngineError(Exception):
    """The engine cannot be used; the text gives the cause and the remedy."""


class BadImageError(Exception):
    """The image cannot be decoded."""


@dataclass(frozen=True)
class EngineOptions:
    """Set-up of an engine.

    Attributes:
        detector_side: Longest side of the image given to the text detector, pixels.
        text_score: Readings below this confidence are dropped, 0..1.
        threads: Threads of the inference library.
        backend: "openvino", "onnxruntime", or "auto": OpenVINO if it is installed.
        precision: "float32", "int8", or "auto": int8 if the processor has instructions for it
            (engine ppocr only).
        model_dir: Folder of the models; "" = the models that come with the engine (paddleocr:
            `models` in the worker's environment).
        cache_dir: Folder for compiled networks, which speeds up the next start; "" = no cache.
    """

    detector_side: int = 960
    text_score: float = 0.5
    threads: int = 1
    backend: str = 'auto'
    precision: str = 'auto'
    model_dir: str = ''
    cache_dir: str = ''


class Engine(Protocol):
    """An OCR engine: detects and recognizes text in an image. Used by one thread.

    Attributes:
        name: Name, version and backend, for logs and diagnostics.
    """

    name: str

    def read(self, image: MatLike, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read an image.

        Args:
            image: BGR, uint8, shape (height, width, 3).
            detector_side: Longest side given to the detector, pixels; 0 = as in the options.
            enlarge: Largest factor by which a smaller image is enlarged.

        Returns:
            The readings in reading order, polygons in pixels of `image`.
        """
        ...

    def warm_next(self) -> bool:
        """Do one piece of warm-up that the first reading need not wait for; return whether more remains."""
        ...
