"""Reads barcodes in an image with zxing-cpp."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cell_vision.types import Barcode, Point

if TYPE_CHECKING:
    import zxingcpp
    from cv2.typing import MatLike

__all__ = ['CHECKED', 'FORMATS', 'read_barcodes']

FORMATS = (
    'QRCode',
    'MicroQRCode',
    'DataMatrix',
    'Aztec',
    'PDF417',
    'Code128',
    'Code93',
    'Code39',
    'ITF',
    'Codabar',
    'EAN13',
    'EAN8',
    'UPCA',
    'UPCE',
)
"""Supported symbologies, with the names of zxing-cpp."""
CHECKED = frozenset({'QRCode', 'MicroQRCode', 'DataMatrix', 'Aztec', 'PDF417', 'Code128', 'Code93'})
"""Symbologies for any text whose error detection is strong enough for a code to decide alone."""
LONGEST_TEXT = 2000
"""Longer content identifies no part; it is truncated."""


def read_barcodes(image: MatLike, formats: Sequence[str], first: Iterable[tuple[MatLike, MatLike]] = ()) -> tuple[Barcode, ...]:
    """Return the codes in an image that pass their own error detection.

    Args:
        image: BGR, uint8.
        formats: Symbologies to look for, names of FORMATS; empty = none.
        first: Regions to search first, each with the affine matrix from it to the image, shape (2, 3). The whole image, which
            takes longer, is only searched if they hold no code.
    """
    # Checked before the import: sites without barcodes need no zxing-cpp.
    if not formats:
        return ()
    import zxingcpp

    wanted = zxingcpp.BarcodeFormats(tuple(getattr(zxingcpp.BarcodeFormat, name) for name in formats))
    for region, matrix in first:
        if found := _search(region, wanted):
            return tuple(_barcode(code, matrix) for code in found)
    return tuple(_barcode(code, None) for code in _search(image, wanted))


def _search(image: MatLike, wanted: zxingcpp.BarcodeFormats) -> list[zxingcpp.Barcode]:
    import cv2
    import zxingcpp

    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return [code for code in zxingcpp.read_barcodes(gray, formats=wanted) if code.valid and code.text]


def _barcode(code: zxingcpp.Barcode, matrix: MatLike | None) -> Barcode:
    at = code.position
    a, b, c, d = (_to_frame(corner, matrix) for corner in (at.top_left, at.top_right, at.bottom_right, at.bottom_left))
    return Barcode(str(code.format.name), code.text[:LONGEST_TEXT], (a, b, c, d))


def _to_frame(corner: zxingcpp.Point, matrix: MatLike | None) -> Point:
    x, y = float(corner.x), float(corner.y)
    if matrix is None:
        return x, y
    return (
        float(matrix[0][0] * x + matrix[0][1] * y + matrix[0][2]),
        float(matrix[1][0] * x + matrix[1][1] * y + matrix[1][2]),
    )
