"""Camera access and image preparation of the replaced OCR backend."""

import pkgutil

__all__ = ['capture', 'preprocess']

# A site's own package `camera` beside the old script stays importable when this one is found first.
__path__ = pkgutil.extend_path(__path__, __name__)
