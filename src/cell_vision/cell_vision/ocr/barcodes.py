"""Reads barcodes in a picture with zxing-cpp; used in the worker process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import zxingcpp

from cell_vision.types import Code, Point

LONGEST_TEXT = 2000
"""A code with more content than this identifies no part; it is cut."""


def read_codes(image: Any, formats: Sequence[str], first: Iterable[tuple[Any, Any]] = ()) -> tuple[Code, ...]:
    """Return the codes of a picture, those whose own error detection is content.

    Args:
        image: BGR, uint8.
        formats: Symbologies to look for, names of `cell_vision.ocr.barcode_formats.FORMATS`; empty = none.
        first: Parts of the picture to look at first, each with the affine matrix from it to the picture, shape (2, 3): the
            whole picture, which costs more, is only looked at when they hold no code.
    """
    if not formats:
        return ()
    wanted = zxingcpp.BarcodeFormats(tuple(getattr(zxingcpp.BarcodeFormat, name) for name in formats))
    for piece, back in first:
        if found := _found(piece, wanted):
            return tuple(_code(barcode, back) for barcode in found)
    return tuple(_code(barcode, None) for barcode in _found(image, wanted))


def _found(image: Any, wanted: zxingcpp.BarcodeFormats) -> list[Any]:
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return [barcode for barcode in zxingcpp.read_barcodes(gray, formats=wanted) if barcode.valid and barcode.text]


def _code(barcode: Any, back: Any) -> Code:
    at = barcode.position
    a, b, c, d = (_there(corner, back) for corner in (at.top_left, at.top_right, at.bottom_right, at.bottom_left))
    return Code(str(barcode.format.name), barcode.text[:LONGEST_TEXT], (a, b, c, d))


def _there(corner: Any, back: Any) -> Point:
    x, y = float(corner.x), float(corner.y)
    if back is None:
        return x, y
    return float(back[0][0] * x + back[0][1] * y + back[0][2]), float(back[1][0] * x + back[1][1] * y + back[1][2])
