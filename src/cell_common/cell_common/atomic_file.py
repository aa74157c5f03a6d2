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


def replace_file(path: Path, data: bytes, new_mode: int = _NEW_FILE_MODE) -> None:
    """Replace a file's content in one step that survives a power cut.

    The data is written under a temporary name in the same folder, synced, and renamed over the file. Readers see the old
    content or the new one. A file that exists keeps its permissions, and its owner and group where this process may give
    them. A symbolic link is replaced by the file: resolve it first.

    Args:
        path: File to replace or create; its folder must exist and be writable.
        data: The whole new content.
        new_mode: Permissions of a file that does not exist yet.

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
            _copy_access(path, file.fileno(), new_mode)
            # Data first: after a power cut some file systems keep a rename but lose the data that it points to.
            os.fsync(file.fileno())
        temporary.replace(path)
    # Also for an interrupt: the folder is watched by other programs, which must not find half a file.
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    # The rename itself is durable once the folder is synced. Some network drives refuse that, but the file is replaced by now.
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _copy_access(path: Path, descriptor: int, new_mode: int) -> None:
    """Give a temporary file the owner, group and permissions of the file that it replaces, where the system allows it.

    mkstemp creates 0600 with this process's user, so that the other programs of the file could no longer read or write it.
    Only root may give a file away, and drives without permissions (CIFS, FAT) refuse every change.
    """
    try:
        old = path.stat()
    except FileNotFoundError:
        mode = new_mode
    else:
        mode = stat.S_IMODE(old.st_mode)
        for owner in (old.st_uid, -1):
            try:
                os.fchown(descriptor, owner, old.st_gid)
                break
            except OSError:
                continue
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)
