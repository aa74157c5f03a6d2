"""What a frame's reading carries beside the text: barcodes, and the region that was read. Used in the worker process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cell_vision.ocr.crops import cut
from cell_vision.ocr.plate_detector import crop, plates
from cell_vision.types import FrameReading


def with_extras(reading: FrameReading, image: Any, options: Mapping[str, Any]) -> FrameReading:
    """Return a reading with its codes and its crop.

    Args:
        reading: The text of the frame.
        image: The frame, BGR, uint8.
        options: `codes`: symbologies to read, default none; `crop_side`: longest side of the crop in pixels, default 0 = none.
    """
    formats = options.get('codes', ())
    codes = reading.codes
    if formats:
        from cell_vision.ocr.barcodes import read_codes  # Not every site reads codes.

        codes = read_codes(image, formats, _plates(image))
    return replace(reading, codes=codes, crop=cut(image, reading.readings, int(options.get('crop_side', 0)), codes))


def _plates(image: Any) -> Iterator[tuple[Any, Any]]:
    for plate in plates(image):
        piece = crop(image, plate)
        yield piece.image, piece.back
