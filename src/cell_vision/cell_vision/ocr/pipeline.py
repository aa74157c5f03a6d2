"""From the bytes of a compressed image to what stands in it, by the shortest way that gives a good reading.

First the part is looked for at low resolution and only its plate is read, laid straight and with its contrast stretched; then
the whole frame; then, when asked to be careful, both again at higher resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from cell_vision.ocr.crops import straight
from cell_vision.ocr.engines.base import BadImageError, Engine
from cell_vision.ocr.engines.ppocr_ops import PLATE_SIDE
from cell_vision.ocr.merging import merged
from cell_vision.ocr.plate_detector import Plate, corners, crop, faint_print, plates, smoothed, stretched
from cell_vision.ocr.postprocessing import with_extras
from cell_vision.types import UNREAD, FrameReading, Point, Reading

LONGEST_SIDE = 4096
"""Larger frames are scaled down when decoded."""
SMALLEST_SIDE = 8
FRAME_SIDE = 640
ENLARGE = 2.0
"""A small plate is made at most so many times larger."""
REGION_GROWS = 0.3
"""The region of the last part is looked at with so much more around it: the next may lie a little elsewhere."""
RIM = 2.0
"""Print that comes so near to a region's edge may be cut, pixels."""
FRAME_RIM = 0.01
"""What comes so near to the frame's rim is cut off by it: share of the longer side."""
PRINT_LENGTH = 3
"""Letters and digits of a line that shows that a part's print was read."""
GOOD_SCORE = 0.85
GOOD_LENGTH = 5
GOOD_DIGITS = 2


def decode(data: bytes) -> Any:
    """Return a compressed image as BGR, uint8.

    Raises:
        BadImageError: It is not an image, or holds too few pixels.
    """
    if not data:
        raise BadImageError('the image is empty')
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as problem:
        raise BadImageError(f'the image cannot be decoded: {problem.err}') from problem
    if image is None:
        raise BadImageError('the image cannot be decoded: it is damaged, or neither JPEG nor PNG')
    if min(image.shape[:2]) < SMALLEST_SIDE:
        raise BadImageError(f'the image has {image.shape[1]}x{image.shape[0]} pixels: too small to hold text')
    return image


def never_late() -> bool:
    """Say that there is time for every look."""
    return False


def see(engine: Engine, data: bytes, options: Mapping[str, Any], late: Callable[[], bool] = never_late) -> FrameReading:
    """Decode and read one frame.

    Args:
        engine: Reads pictures.
        data: JPEG, PNG or another format that OpenCV decodes.
        options: `fast` (default true): look for the part first; `careful` (default false): look at it in every way and keep
            what contradicts; `detector_side`: longest side of the whole frame in the detector, pixels;
            `region`: four corners in which the last part was read, looked at before anything else is;
            `codes` and `crop_side`: see `with_extras`.
        late: Asked after each look: whether what was read must do.

    Raises:
        BadImageError: The frame cannot be decoded.
    """
    image = decode(data)
    high, wide = image.shape[:2]
    readings = _where_it_was(engine, image, options['region']) if options.get('region') else ()
    readings = readings or read(
        engine,
        image,
        fast=bool(options.get('fast', True)),
        careful=bool(options.get('careful')),
        side=int(options.get('detector_side', 0)),
        late=late,
    )
    return _without_codes(with_extras(FrameReading(tuple(readings), wide, high, 0.0, engine.name), image, options))


def _without_codes(frame: FrameReading) -> FrameReading:
    """Leave out what stands for an unread part but is a code that was read."""
    middles = [np.mean(code.polygon, axis=0) for code in frame.codes]

    def is_code(reading: Reading) -> bool:
        area = np.array(reading.polygon, np.float32)
        return any(cv2.pointPolygonTest(area, (float(x), float(y)), measureDist=False) >= 0 for x, y in middles)

    kept = tuple(reading for reading in frame.readings if reading.text != UNREAD or not is_code(reading))
    return replace(frame, readings=kept)


def read(
    engine: Engine,
    image: Any,
    *,
    fast: bool = True,
    careful: bool = False,
    side: int = 0,
    late: Callable[[], bool] = never_late,
) -> Sequence[Reading]:
    """Read a picture; see `see`."""
    if not fast:
        return engine.read(image, side)
    parts = plates(image)
    looks: list[Sequence[Reading]] = []
    for look in _looks(engine, image, parts, careful, side):
        looks.append(look)
        if not careful and is_good(look) and not _unread(image, parts, looks):
            return look
        if late():
            break
    return [*merged(looks, keep_contradictions=careful), *_unread(image, parts, looks)]


def _unread(image: Any, parts: Sequence[Plate], looks: Sequence[Sequence[Reading]]) -> list[Reading]:
    """Return a reading UNREAD for each plate without print that stands apart from all that have some: two parts are in view.

    Close to a part its edges, shadow or a reflection pass for plates, at the frame's rim a dark corner or a neighbour cut off.
    """
    high, wide = image.shape[:2]
    rim = FRAME_RIM * max(high, wide)
    middles = [
        np.mean(reading.polygon, axis=0)
        for look in looks
        for reading in look
        if sum(map(str.isalnum, reading.text)) >= PRINT_LENGTH
    ]
    printed = [part for part in parts if any(part.holds(*middle) for middle in middles)]
    bare = [
        part
        for part in parts
        if part not in printed
        and all(part.apart_from(other) for other in printed)
        and all(rim < x < wide - rim and rim < y < high - rim for x, y in corners(part))
    ]
    return [Reading(UNREAD, 1.0, corners(part)) for part in bare] if printed else []


def is_good(readings: Sequence[Reading]) -> bool:
    """Say whether something that may be a part number was read with confidence."""
    return any(
        reading.score >= GOOD_SCORE
        and sum(map(str.isalnum, reading.text)) >= GOOD_LENGTH
        and sum(map(str.isdigit, reading.text)) >= GOOD_DIGITS
        for reading in readings
    )


def _looks(engine: Engine, image: Any, parts: Sequence[Plate], careful: bool, side: int) -> Iterator[Sequence[Reading]]:
    """Give one reading after another, the quickest first."""
    crops = [crop(image, part) for part in parts]
    faint = [crop(image, place) for place in faint_print(image, parts)] if crops else []
    if crops:
        yield [
            reading
            for piece in (*crops, *faint)
            for reading in _back(engine.read(stretched(piece.image), PLATE_SIDE, ENLARGE), piece.back)
        ]
    yield engine.read(image, FRAME_SIDE)
    if careful or not crops:
        yield engine.read(image, side)
    for piece in crops if careful else ():
        clear = stretched(piece.image)
        smooth = smoothed(clear)
        smoother = smoothed(smooth)
        for picture, plate_side in (
            (clear, 736),
            (smooth, 608),
            (smoother, 544),
            (smoother, 960),
            (piece.image, 736),
            (smooth, 736),
            (smoother, 736),
        ):
            yield _back(engine.read(picture, plate_side, ENLARGE), piece.back)


def _where_it_was(engine: Engine, image: Any, region: Sequence[Point]) -> Sequence[Reading]:
    """Read where the last part was read; nothing when that is not good, or when print may reach out of there."""
    piece, back = straight(image, region, REGION_GROWS)
    readings = engine.read(stretched(piece), PLATE_SIDE, ENLARGE)
    high, wide = piece.shape[:2]
    whole = all(RIM < x < wide - RIM and RIM < y < high - RIM for reading in readings for x, y in reading.polygon)
    return _back(readings, back) if whole and is_good(readings) else ()


def _back(readings: Sequence[Reading], matrix: Any) -> list[Reading]:
    """Return readings of a crop with their places in the frame."""
    moved = []
    for reading in readings:
        a, b, c, d = cv2.transform(np.array([reading.polygon], np.float64), matrix)[0].tolist()
        moved.append(replace(reading, polygon=(tuple(a), tuple(b), tuple(c), tuple(d))))
    return moved
