"""The default engine: PP-OCRv4's three networks with as little around them as possible.

The models are those of the rapidocr wheel. Against rapidocr's own pipeline (engine `rapidocr`) it starts in a third of the
time, needs less memory, and reads the same; bench/vision.py compares them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.ctc_decoder import DISPUTED, Alphabet, Decoded, agreed, may_be_number
from cell_vision.ocr.engines.inference import Network, choose_backend, load_network
from cell_vision.ocr.engines.ppocr_ops import (
    DIRECTION_SHAPE,
    PLATE_SHAPES,
    PLATE_SIDE,
    STRIP_HEIGHT,
    STRIP_WIDTHS,
    Strip,
    boxes,
    cut,
    detector_batch,
    direction_batch,
    smeared,
    softened,
    strip_batch,
)
from cell_vision.ocr.engines.quantization import wanted
from cell_vision.types import Reading

DETECTOR, DIRECTION, RECOGNISER = MODELS = (
    'ch_PP-OCRv4_det_mobile.onnx',
    'ch_ppocr_mobile_v2.0_cls_mobile.onnx',
    'ch_PP-OCRv4_rec_mobile.onnx',
)
CERTAIN = 0.9
"""A strip is turned when the classifier is at least so certain that it stands on its head.

For the other lines of its plate it decides when the classifier is as certain either way.
"""
UNSURE = 0.5
UPRIGHT = 0.88
"""A line read with less confidence is read the other way up, too: the classifier may have been wrong."""
TURNED_LENGTH = 3
"""Letters and digits of such a line."""


class PpOcrEngine:
    """Detector, direction classifier and recogniser of PP-OCRv4."""

    def __init__(self, options: EngineOptions) -> None:
        """Load the models.

        Raises:
            EngineError: A model file or the inference library is missing.
        """
        self._options = options
        backend = choose_backend(options.backend)
        folder = model_folder(options.model_dir)
        integers = wanted(options.precision, backend, [folder / DETECTOR, folder / RECOGNISER])
        load = partial(load_network, backend=backend, threads=options.threads, cache_dir=options.cache_dir)
        self._detector, recogniser = (load(folder / name, integers=integers) for name in (DETECTOR, RECOGNISER))
        self._direction = load(folder / DIRECTION, shape=DIRECTION_SHAPE)
        self._load_plate = partial(load, folder / DETECTOR, integers=integers)
        self._plates: dict[tuple[int, int], Network] = {}
        self._plates_to_load = list(PLATE_SHAPES if backend == 'openvino' else ())
        self._widths_to_try = list(STRIP_WIDTHS)
        self._recogniser = recogniser.run
        self._alphabet = Alphabet(recogniser.characters)
        self.name = f'ppocr v4 {backend}{" int8" * integers}'

    def read(self, image: Any, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read a picture; see `cell_vision.ocr.engines.base.Engine`."""
        side = detector_side or self._options.detector_side
        strips = self.find(image, side, enlarge)
        readings = [self.recognise(strip) for strip in self._upright(strips, one_plate=side <= PLATE_SIDE)]
        kept = (reading for reading in readings if reading.text.strip() and reading.score >= self._options.text_score)
        return tuple(sorted(kept, key=_reading_order))

    def prepare(self) -> bool:
        """Load a network that a start need not wait for, or let the recogniser meet a width: the first takes twice as long.

        See `cell_vision.ocr.engines.base.Engine`.
        """
        if self._plates_to_load:
            shape = self._plates_to_load.pop(0)
            self._plates[shape] = self._load_plate(shape=shape)
        elif self._widths_to_try:
            self._recogniser(np.zeros((1, 3, STRIP_HEIGHT, self._widths_to_try.pop(0)), np.float32))
        return bool(self._plates_to_load or self._widths_to_try)

    def _detector_for(self, shape: tuple[int, int]) -> Network:
        """Return the network made for this shape; as long as it is not loaded the one for any shape, which is slower."""
        return self._plates.get(shape, self._detector)

    def find(self, image: Any, side: int, enlarge: float = 1.0) -> list[Strip]:
        """Return the text boxes of a picture, cut out of it at full size."""
        batch, scale = detector_batch(image, side, enlarge)
        found = boxes(self._detector_for(batch.shape[2:]).run(batch)[0, 0])
        limit = np.array([image.shape[1], image.shape[0]], np.float32)
        return [cut(image, np.clip(box / scale, 0, limit)) for box in found]

    def _upright(self, strips: Sequence[Strip], *, one_plate: bool) -> list[Strip]:
        """Turn the strips that stand on their head; on one plate the longest line decides for all that run as it does."""
        longest = max(strips, key=lambda strip: strip.slenderness, default=None) if one_plate else None
        likely = UNSURE if longest is None else self._upside_down(longest)

        def stands_on_its_head(strip: Strip) -> bool:
            sure = not 1 - CERTAIN <= likely <= CERTAIN
            decided = longest is not None and (strip is longest or (sure and strip.runs_like(longest)))
            return (likely if decided else self._upside_down(strip)) > CERTAIN

        return [strip.flipped() if stands_on_its_head(strip) else strip for strip in strips]

    def _upside_down(self, strip: Strip) -> float:
        """Return how likely it is that a strip stands on its head, 0..1."""
        return float(self._direction.run(direction_batch(strip.image))[0, 1])

    def recognise(self, strip: Strip) -> Reading:
        """Read one upright strip, a doubtful number twice; its text may be empty."""
        sharp = self._decoded(strip.image)
        if sharp.score < UPRIGHT and sum(map(str.isalnum, sharp.text)) >= TURNED_LENGTH:
            turned = strip.flipped()
            other = self._decoded(turned.image)
            if other.score > max(sharp.score, UPRIGHT):
                strip, sharp = turned, other
        text, score = agreed(sharp, self._decoded(softened(strip.image))) if sharp.doubtful else (sharp.text, sharp.score)
        if score > DISPUTED and may_be_number(text) and smeared(strip.image):
            score = DISPUTED
        return Reading(text, score, strip.polygon)

    def _decoded(self, strip: Any) -> Decoded:
        return self._alphabet.decode(self._recogniser(strip_batch(strip))[0])


def model_folder(wanted: str) -> Path:
    """Return the folder of the model files.

    Args:
        wanted: A folder; "" = the models of the rapidocr wheel.

    Raises:
        EngineError: Files are missing there.
    """
    specification = None if wanted else importlib.util.find_spec('rapidocr')
    if not wanted and (specification is None or specification.origin is None):
        raise EngineError('the models are missing: they come with rapidocr==3.8.4 (requirements/runtime.txt)')
    folder = Path(wanted) if specification is None else Path(str(specification.origin)).parent / 'models'
    missing = [name for name in MODELS if not (folder / name).is_file()]
    if missing:
        raise EngineError(
            f'model files are missing in {folder}: {", ".join(missing)}. '
            'Reinstall rapidocr==3.8.4 (its wheel carries them) or correct parameter model_dir.'
        )
    return folder


def _reading_order(reading: Reading) -> tuple[float, float]:
    x, y = reading.polygon[0]
    return y, x
