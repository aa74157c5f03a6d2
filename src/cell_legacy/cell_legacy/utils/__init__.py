"""Drawing helpers of the replaced OCR backend."""

import pkgutil

__all__ = ['draw']

# A site's own package `utils` beside the old script stays importable when this one is found first.
__path__ = pkgutil.extend_path(__path__, __name__)
