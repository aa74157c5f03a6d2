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
    """Replace a file's content in one step that survives a power cut.

    The data is written under a temporary name in the same folder, synced, and renamed over the file. Readers see the old
    content or the new one. A file that exists keeps its permissions. A symbolic link is replaced by the file: resolve it
    first.

    Args:
        path: File to replace or create; its folder must exist and be writable.
        data: The whole new content.

    Raises:
        OSError: The file cannot be written; the old one is untouched and the temporary file is removed.
    """
    # In the same folder, because rename(2) is atomic within one file system only.
    descriptor, name = tempfile.mkstemp(prefix=f'.{path.name}.', suffix=TEMPORARY_SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _mode_of(path))
            # Data first: after a power cut some file systems keep a rename but lose the data that it points to.
            os.fsync(file.fileno())
        temporary.replace(path)
    # Also for an interrupt: the folder is watched by other programs, which must not find half a file.
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    # The rename itself is durable once the folder is synced.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _mode_of(path: Path) -> int:
    """Return the permission bits of a file; mkstemp creates 0600, which other programs could not read."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return _NEW_FILE_MODE
