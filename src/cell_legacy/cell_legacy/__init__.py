"""The modules that scripts of the replaced OCR backend import, under their old names.

One line makes the old imports work in a script. ROS is not needed:

    import sys, cell_legacy; sys.path.insert(0, cell_legacy.PATH)

After it, `robohub_client`, `camera.capture`, `camera.preprocess`, `ocr.engine`, `ocr.compare` and `utils.draw` can be imported.
A site's own modules in packages `camera`, `ocr` and `utils` stay importable beside them. Where the site has a file `camera.py`,
`ocr.py` or `utils.py`, leave the line out: the same modules are importable as `cell_legacy.robohub_client` and so on.
docs/migrate.md names a better way beside each.
"""

from pathlib import Path

__all__ = ['PATH', 'camera', 'ocr', 'robohub_client', 'utils']

PATH = str(Path(__file__).resolve().parent)
"""Folder to put on `sys.path` or `PYTHONPATH`, so that the old module names are found."""
