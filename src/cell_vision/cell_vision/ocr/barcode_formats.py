"""Symbologies of barcodes."""

from __future__ import annotations

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
"""Symbologies that can be read, named as zxing-cpp names them."""
CHECKED = frozenset({'QRCode', 'MicroQRCode', 'DataMatrix', 'Aztec', 'PDF417', 'Code128', 'Code93'})
"""Those whose error detection is strong enough for a code to decide alone, and that hold any text."""
