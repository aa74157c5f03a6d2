"""Reads one frame: from its compressed bytes to texts, barcodes and a crop, with as few passes as a good reading needs.

First the part is located at low resolution and only its plate is read, level and with its contrast stretched; then the whole
frame; then, in a careful reading, both again at higher resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cell_vision.matching.alignment import normalize
from cell_vision.ocr.body_outlines import body_outlines
from cell_vision.ocr.box_geometry import center
from cell_vision.ocr.completeness import mark_cut_ends
from cell_vision.ocr.crops import evidence_crop, rectify
from cell_vision.ocr.engines.base import BadImageError, Engine
from cell_vision.ocr.engines.ppocr_ops import PLATE_SIDE
from cell_vision.ocr.fusion import is_certain, merge_passes
from cell_vision.ocr.plate_detector import (
    Plate,
    PlateCrop,
    crop_plate,
    denoise,
    detect_faint_print,
    detect_plates,
    stretch_contrast,
)
from cell_vision.ocr.second_part import unread_parts
from cell_vision.types import UNREAD, FrameReading, Point, Reading, ReadOptions

__all__ = ['add_barcodes_and_crop', 'decode', 'is_confident', 'no_deadline', 'read_frame', 'read_image']

if TYPE_CHECKING:
    from cv2.typing import MatLike

SMALLEST_SIDE = 8
FRAME_SIDE = 640
ENLARGE = 2.0
"""Largest factor by which a small plate is enlarged."""
REGION_GROWS = 0.3
"""The region of the last part is enlarged by this share: the next part may lie a little elsewhere."""
RIM = 2.0
"""Print closer than this to the edge of a region may be cut off, pixels."""
# Lower than `fusion.CERTAIN`: this decides about a further pass over the same frame, not about a further frame.
GOOD_SCORE = 0.85
GOOD_LENGTH = 5
GOOD_DIGITS = 2


@dataclass(frozen=True)
class _Variant:
    """How a plate is changed before it is read."""

    side: int
    """Longest side, pixels."""
    smoothings: int = 0
    """Number of times that its grain is smoothed."""
    blur: float = 0.0
    """Sigma of a blur of the gray image, pixels; 0 = the image in color. Only grain differs between the colors."""


SMOOTH_VARIANTS = (_Variant(544, smoothings=2), _Variant(544, smoothings=1, blur=1.2))
"""Second and third pass: they find faint and noisy print that no other pass does."""
CAREFUL_VARIANTS = (_Variant(736), _Variant(480, blur=0.8))
"""Further passes of a careful look, unless the passes so far agree on every text."""
AGREEING = 3
"""Passes with the same texts after which a careful look ends."""


def decode(data: bytes) -> MatLike:
    """Return a compressed image as BGR, uint8.

    Args:
        data: JPEG, PNG or another format that OpenCV decodes.

    Returns:
        Shape (height, width, 3).

    Raises:
        BadImageError: The data is not an image, or the image is too small.
    """
    if not data:
        raise BadImageError('the image is empty')
    try:
        image: MatLike | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise BadImageError(f'the image cannot be decoded: {error.err}') from error
    if image is None:
        raise BadImageError('the image cannot be decoded: it is damaged, or neither JPEG nor PNG')
    if min(image.shape[:2]) < SMALLEST_SIDE:
        raise BadImageError(f'the image has {image.shape[1]}x{image.shape[0]} pixels: too small to hold text')
    return image


def no_deadline() -> bool:
    """Return False: there is time for every pass."""
    return False


def read_frame(
    engine: Engine, data: bytes, options: ReadOptions, deadline_passed: Callable[[], bool] = no_deadline
) -> FrameReading:
    """Decode and read one frame.

    Args:
        engine: Reads images.
        data: JPEG, PNG or another format that OpenCV decodes.
        options: How to read.
        deadline_passed: Called after each pass; when it returns true, no further pass starts.

    Raises:
        BadImageError: The frame cannot be decoded.
    """
    image = decode(data)
    high, wide = image.shape[:2]
    region = options.get('region')
    readings = mark_cut_ends(image, _read_last_region(engine, image, region)) if region else []
    readings = readings or read_image(engine, image, options, deadline_passed)
    reading = FrameReading(tuple(readings), wide, high, 0.0, engine.name)
    return _without_codes(add_barcodes_and_crop(reading, image, options))


def add_barcodes_and_crop(reading: FrameReading, image: MatLike, options: ReadOptions) -> FrameReading:
    """Return a reading with the barcodes of the frame and the crop of what was read, as far as the options ask for them.

    Args:
        reading: Texts of the frame.
        image: The frame, BGR, uint8.
        options: `codes` and `crop_side` are used.
    """
    formats, codes = options.get('codes', ()), reading.codes
    if formats:
        from cell_vision.ocr.barcodes import read_barcodes  # zxing-cpp is only installed where codes are read

        codes = read_barcodes(image, formats, _plate_regions(image))
    return replace(reading, codes=codes, crop=evidence_crop(image, reading.readings, options.get('crop_side', 0), codes))


def _plate_regions(image: MatLike) -> Iterator[tuple[MatLike, MatLike]]:
    for plate in detect_plates(image):
        region = crop_plate(image, plate)
        yield region.image, region.to_frame


def _without_codes(frame: FrameReading) -> FrameReading:
    """Remove unread parts that are in fact barcodes which were read."""
    codes = [center(code.polygon) for code in frame.codes]

    def is_code(reading: Reading) -> bool:
        area = np.array(reading.polygon, np.float32)
        return any(cv2.pointPolygonTest(area, (x, y), measureDist=False) >= 0 for x, y in codes)

    kept = tuple(reading for reading in frame.readings if reading.text != UNREAD or not is_code(reading))
    return replace(frame, readings=kept)


def read_image(
    engine: Engine, image: MatLike, options: ReadOptions, deadline_passed: Callable[[], bool] = no_deadline
) -> list[Reading]:
    """Return the texts of a decoded frame; see `read_frame`.

    Args:
        engine: Reads images.
        image: BGR, uint8, shape (height, width, 3).
        options: How to read; barcodes and crop are not its business.
        deadline_passed: Called after each pass; when it returns true, no further pass starts.

    Returns:
        Readings in pixels of the frame. Without `careful` the first confident pass is the result.
    """
    careful, side = options.get('careful', False), options.get('detector_side', 0)
    if not options.get('fast', True):
        return mark_cut_ends(image, engine.read(image, side))
    plates = detect_plates(image)
    # Decision 0007, draw 14: a second part hardly brighter than the dark ground.
    faint = detect_faint_print(image, plates) if plates else []
    outlines = body_outlines(image)
    passes: list[Sequence[Reading]] = []
    for readings in _passes(engine, image, (plates, faint), careful, side):
        passes.append(readings)
        # With a second part in view the first pass is not enough: the next one may read it.
        if not careful and is_confident(readings) and not unread_parts(image, [*plates, *faint], passes, outlines):
            return mark_cut_ends(image, readings, [other for each in passes for other in each])
        if deadline_passed() or (careful and _agree(passes, plates)):
            break
    every = [reading for readings in passes for reading in readings]
    marked = [mark_cut_ends(image, readings, every) for readings in passes]
    return [*merge_passes(marked, keep_contradictions=careful), *unread_parts(image, [*plates, *faint], passes, outlines)]


def _agree(passes: Sequence[Sequence[Reading]], plates: Sequence[Plate]) -> bool:
    """Return whether the passes over the plates and the whole frame read the same with confidence: further ones add nothing."""
    if not plates or len(passes) <= AGREEING or not all(is_certain(readings) for readings in passes):
        return False
    return len({tuple(sorted(normalize(reading.text) for reading in readings)) for readings in passes}) == 1


def is_confident(readings: Sequence[Reading]) -> bool:
    """Return whether a text that may be a part number was read with confidence.

    Args:
        readings: Of one pass. The limits are those of a usual part number; the matcher decides with
            the catalogue later.
    """
    return any(
        reading.score >= GOOD_SCORE
        and sum(map(str.isalnum, reading.text)) >= GOOD_LENGTH
        and sum(map(str.isdigit, reading.text)) >= GOOD_DIGITS
        for reading in readings
    )


def _passes(
    engine: Engine, image: MatLike, places: tuple[Sequence[Plate], Sequence[Plate]], careful: bool, side: int
) -> Iterator[Sequence[Reading]]:
    """Yield the readings of one pass after another, the quickest first.

    Args:
        engine: Reads images.
        image: The frame.
        places: Plates, and places of faint print.
        careful: Whether all passes are wanted.
        side: Longest side of the whole frame, 0 = as the engine is set up.
    """
    crops, faint = ([crop_plate(image, place) for place in group] for group in places)
    if crops:
        yield [
            reading
            for crop in (*crops, *faint)
            for reading in _to_frame_coordinates(engine.read(stretch_contrast(crop.image), PLATE_SIDE, ENLARGE), crop.to_frame)
        ]
    for variant in SMOOTH_VARIANTS if crops else ():
        yield [reading for crop in crops for reading in _read_variant(engine, crop, variant)]
    # The whole frame at low resolution: it finds print that lies on no plate.
    yield engine.read(image, FRAME_SIDE)
    if not crops:
        yield engine.read(image, side)
    for variant in CAREFUL_VARIANTS if careful else ():
        yield [reading for crop in crops for reading in _read_variant(engine, crop, variant)]


def _read_variant(engine: Engine, crop: PlateCrop, variant: _Variant) -> list[Reading]:
    """Read a plate with its contrast stretched, after it was changed."""
    image = crop.image
    if variant.blur:
        gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (0, 0), variant.blur)
        image = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    image = stretch_contrast(image)
    for _ in range(variant.smoothings):
        image = denoise(image)
    return _to_frame_coordinates(engine.read(image, variant.side, ENLARGE), crop.to_frame)


def _read_last_region(engine: Engine, image: MatLike, region: Sequence[Point]) -> Sequence[Reading]:
    """Read the region of the last part; empty when that is not confident or print may reach beyond the region."""
    level, to_frame = rectify(image, region, REGION_GROWS)
    readings = engine.read(stretch_contrast(level), PLATE_SIDE, ENLARGE)
    high, wide = level.shape[:2]
    # Print at the edge of the region may continue beyond it: then the whole frame is read.
    whole = all(RIM < x < wide - RIM and RIM < y < high - RIM for reading in readings for x, y in reading.polygon)
    return _to_frame_coordinates(readings, to_frame) if whole and is_confident(readings) else ()


def _to_frame_coordinates(readings: Sequence[Reading], matrix: MatLike) -> list[Reading]:
    """Return readings of a crop with polygons in the frame; `matrix` is affine, from the crop to the frame."""
    moved = []
    for reading in readings:
        a, b, c, d = cv2.transform(np.array([reading.polygon], np.float64), matrix)[0].tolist()
        moved.append(replace(reading, polygon=(tuple(a), tuple(b), tuple(c), tuple(d))))
    return moved
