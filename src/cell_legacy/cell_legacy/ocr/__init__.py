"""OCR and text comparison of the replaced OCR backend."""

import pkgutil

__all__ = ['compare', 'engine']

# A site's own package `ocr` beside the old script stays importable when this one is found first.
__path__ = pkgutil.extend_path(__path__, __name__)
