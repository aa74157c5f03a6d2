"""Files that other programs read at any moment: they see the old content or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

__all__ = ['TEMPORARY_SUFFIX', 'replace_file']

TEMPORARY_SUFFIX = '.part'
_NEW_FILE_MODE = 0o644


def replace_file(path: Path, data: bytes) -> None:
    """Write a file under a temporary name in the same folder, then rename it; both survive a power cut.

    A file that exists keeps its permissions. A symbolic link is replaced by the file: resolve it first.

    Raises:
        OSError: The file cannot be written; the old one is untouched.
    """
    descriptor, name = tempfile.mkstemp(prefix=f'.{path.name}.', suffix=TEMPORARY_SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _mode_of(path))
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _mode_of(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return _NEW_FILE_MODE
