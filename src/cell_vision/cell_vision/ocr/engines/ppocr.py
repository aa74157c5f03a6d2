"""The default engine: the three networks of PP-OCRv4 with as little around them as possible.

The models come in the rapidocr wheel. Compared with the pipeline of rapidocr (engine `rapidocr`) this one starts in a third of
the time, needs less memory, and reads the same; bench/vision.py compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cell_vision.likelihoods import Rendering, pack, with_blanks
from cell_vision.ocr.engines.base import EngineOptions
from cell_vision.ocr.engines.ctc_decoder import CtcDecoder, DecodedText, fuse_readings
from cell_vision.ocr.engines.inference import Network, load_network, select_backend
from cell_vision.ocr.engines.ink_gaps import ink_gaps, wide_gaps
from cell_vision.ocr.engines.likelihood_fold import LikelihoodFold
from cell_vision.ocr.engines.model_files import DETECTOR, DIRECTION, RECOGNIZER, model_folder
from cell_vision.ocr.engines.pitch import SUSPECT_GAP, gap_ratios, gaps, mark_gaps
from cell_vision.ocr.engines.ppocr_ops import (
    DIRECTION_SHAPE,
    PLATE_SHAPES,
    PLATE_SIDE,
    STRIP_HEIGHT,
    STRIP_WIDTHS,
    TextStrip,
    blur_dots,
    classifier_input,
    crop_strip,
    detector_input,
    recognizer_input,
    recognizer_places,
    text_boxes,
)
from cell_vision.ocr.engines.quantization import int8_enabled
from cell_vision.types import Reading

if TYPE_CHECKING:
    from cv2.typing import MatLike

FLIP_CERTAIN = 0.9
"""Confidence of the direction classifier above which a strip is turned over.

For the other lines of a plate the longest line decides if it is as certain either way.
"""
FLIP_UNSURE = 0.5
# Decision 0007, draw 11: a part upside down was read at 0.87.
UPRIGHT_CONFIDENCE = 0.88
"""A line read with less confidence is also read turned over: the classifier may be wrong."""
SECOND_SCALE = 1.3
"""Stretch of a strip whose gaps are measured a second time."""
LEAST_MARKED = 4
"""Letters and digits of a line whose gaps are marked, at least."""
TURNED_LENGTH = 3
"""Letters and digits of such a line, at least."""


class PpOcrEngine:
    """Detector, direction classifier and recognizer of PP-OCRv4.

    With OpenVINO further networks are compiled for the shapes of a single plate; `warm_next` loads
    them while no job waits. Until then the network for any shape does the same work, more slowly.

    Attributes:
        decoder: Decodes the recognizer's output.
        name: Name, version and backend.
    """

    def __init__(self, options: EngineOptions) -> None:
        """Load the models.

        Raises:
            EngineError: A model file or the inference library is missing, or int8 is requested but not possible.
        """
        self._options = options
        backend = select_backend(options.backend)
        folder = model_folder(options.model_dir)
        # The direction classifier stays in float32: it is small, so integers would save little.
        integers = int8_enabled(options.precision, backend, [folder / DETECTOR, folder / RECOGNIZER])
        load = partial(load_network, backend=backend, threads=options.threads, cache_dir=options.cache_dir)
        self._detector, recognizer = (load(folder / name, integers=integers) for name in (DETECTOR, RECOGNIZER))
        self._direction = load(folder / DIRECTION, shape=DIRECTION_SHAPE)
        self._load_plate = partial(load, folder / DETECTOR, integers=integers)
        self._plates: dict[tuple[int, int], Network] = {}
        self._plates_to_load = list(PLATE_SHAPES if backend == 'openvino' else ())
        self._widths_to_try = list(STRIP_WIDTHS)
        self._recognizer = recognizer.run
        self.decoder = CtcDecoder(recognizer.characters)
        self._fold = LikelihoodFold(recognizer.characters)
        self.name = f'ppocr v4 {backend}{" int8" * integers}'

    def read(self, image: MatLike, detector_side: int = 0, enlarge: float = 1.0) -> Sequence[Reading]:
        """Read an image; see `cell_vision.ocr.engines.base.Engine`."""
        side = detector_side or self._options.detector_side
        strips = self.detect(image, side, enlarge)
        readings = [self.recognize(strip) for strip in self.fix_orientation(strips, one_plate=side <= PLATE_SIDE)]
        kept = (reading for reading in readings if reading.text.strip() and reading.score >= self._options.text_score)
        return tuple(sorted(kept, key=_reading_order))

    def warm_next(self) -> bool:
        """Load one network for a plate shape, or run the recognizer once at a width whose first use takes twice as long.

        See `cell_vision.ocr.engines.base.Engine`.
        """
        if self._plates_to_load:
            shape = self._plates_to_load.pop(0)
            self._plates[shape] = self._load_plate(shape=shape)
        elif self._widths_to_try:
            self._recognizer(np.zeros((1, 3, STRIP_HEIGHT, self._widths_to_try.pop(0)), np.float32))
        return bool(self._plates_to_load or self._widths_to_try)

    def _detector_for(self, shape: tuple[int, int]) -> Network:
        """Return the network for this shape; until it is loaded, the slower one for any shape."""
        return self._plates.get(shape, self._detector)

    def detect(self, image: MatLike, side: int, enlarge: float = 1.0) -> list[TextStrip]:
        """Return the text boxes of an image, cropped from it at full size.

        Args:
            image: BGR, uint8.
            side: Longest side given to the detector, pixels.
            enlarge: Largest factor by which a smaller image is enlarged.
        """
        batch, scale = detector_input(image, side, enlarge)
        found = text_boxes(self._detector_for((batch.shape[2], batch.shape[3])).run(batch)[0, 0])
        limit = np.array([image.shape[1], image.shape[0]], np.float32)
        return [crop_strip(image, np.clip(box / scale, 0, limit)) for box in found]

    def fix_orientation(self, strips: Sequence[TextStrip], *, one_plate: bool) -> list[TextStrip]:
        """Turn over the strips that are upside down; on one plate the longest line decides for all parallel ones.

        The classifier is unsure about short strips, and all lines of a label have one direction.

        Args:
            strips: Cropped boxes of one image.
            one_plate: The image shows a single plate.
        """
        longest = max(strips, key=lambda strip: strip.aspect_ratio, default=None) if one_plate else None
        likely = FLIP_UNSURE if longest is None else self._is_upside_down(longest)

        def must_turn(strip: TextStrip) -> bool:
            sure = not 1 - FLIP_CERTAIN <= likely <= FLIP_CERTAIN
            decided = longest is not None and (strip is longest or (sure and strip.same_direction(longest)))
            return (likely if decided else self._is_upside_down(strip)) > FLIP_CERTAIN

        return [strip.flipped() if must_turn(strip) else strip for strip in strips]

    def _is_upside_down(self, strip: TextStrip) -> float:
        """Return the probability that a strip is upside down, 0..1."""
        return float(self._direction.run(classifier_input(strip.image))[0, 1])

    def recognize(self, strip: TextStrip) -> Reading:
        """Read one upright strip, a doubtful number twice; the text may be empty.

        Args:
            strip: Cropped box.

        Returns:
            Reading with MISSING in each gap, and the likelihoods of all readings of the strip.
        """
        sharp, rendering = self._run(strip.image)
        if sharp.score < UPRIGHT_CONFIDENCE and sum(map(str.isalnum, sharp.text)) >= TURNED_LENGTH:
            turned = strip.flipped()
            other, turned_rendering = self._run(turned.image)
            if other.score > max(sharp.score, UPRIGHT_CONFIDENCE):
                strip, sharp, rendering = turned, other, turned_rendering
        text, score, renderings = sharp.text, sharp.score, [rendering]
        if sharp.doubtful:
            soft, soft_rendering = self._run(blur_dots(strip.image))
            text, score = fuse_readings(sharp, soft)
            renderings.append(soft_rendering)
        if sum(map(str.isalnum, text)) >= LEAST_MARKED and any(map(str.isdigit, text)):
            seen, timed = self._gaps(strip, sharp)
            marked = mark_gaps(text, sharp.text, timed if seen is None else seen)
            blanks = [sum(sharp.centers[i : i + 2]) / 2 for i in {*(seen or ()), *timed}]
            renderings = [with_blanks(each, blanks) for each in renderings]
            text = marked or text
        return Reading(text, score, strip.polygon, (pack(renderings),))

    def _gaps(self, strip: TextStrip, read: DecodedText) -> tuple[list[int] | None, list[int]]:
        """Return the gaps of a line on the image, None if grain hides them, and those in the recognizer's timing.

        Over a scratched character the image has ink, but the timing shows a gap. A suspicious timing is measured again at
        another scale.
        """
        if len(read.centers) != len(read.text):
            return [], []
        printed = [i for i, character in enumerate(read.text) if character != ' ']
        rooms = ink_gaps(strip.image, recognizer_places(strip.image, [read.centers[i] for i in printed]))
        seen = [printed[i] for i in wide_gaps(read.text.replace(' ', ''), rooms)] if rooms else None
        ratios = gap_ratios(read.text, read.centers)
        if max(ratios, default=0.0) < SUSPECT_GAP:
            return seen, []
        wide, _ = self._run(_stretched(strip.image, SECOND_SCALE))
        again = gap_ratios(wide.text, wide.centers) if wide.text == read.text else []
        return seen, gaps(ratios, again)

    def _run(self, strip: MatLike) -> tuple[DecodedText, Rendering]:
        probabilities = self._recognizer(recognizer_input(strip))[0]
        return self.decoder.decode(probabilities), self._fold.fold(probabilities)


def _stretched(strip: MatLike, factor: float) -> MatLike:
    return cv2.resize(strip, None, fx=factor, fy=1.0, interpolation=cv2.INTER_LINEAR)


def _reading_order(reading: Reading) -> tuple[float, float]:
    x, y = reading.polygon[0]
    return y, x
