"""A JSON file that only its owner may read: hashes of tokens and passwords."""

from __future__ import annotations

import json
import os
from pathlib import Path

__all__ = ['SecretFile']


class SecretFile:
    """A JSON document in a file; changes by other processes are seen at the next read.

    It is replaced in one step, so a reader never sees half of it. Two writers at the same time may lose one change; these
    files are changed by hand.
    """

    def __init__(self, path: Path) -> None:
        """Remember the path; the file may not exist yet."""
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._document: object = None

    def read(self) -> object:
        """Return the document; None when there is no file.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not JSON.
        """
        try:
            status = self.path.stat()
            # The inode too: a replacement within the clock's resolution may have the same time and size.
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._document = json.loads(self.path.read_text(encoding='utf-8'))
                self._stamp = stamp
        except FileNotFoundError:
            self._stamp, self._document = None, None
        return self._document

    def write(self, document: object) -> None:
        """Replace the file, readable by its owner only; its folder is made.

        Raises:
            OSError: The file cannot be written; the old one stays.
        """
        new = self.path.with_name(f'{self.path.name}.{os.getpid()}')
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:  # the service user, who owns the folder, must be able to read the file
            folder = self.path.parent.stat()
            os.chown(new, folder.st_uid, folder.st_gid)
        new.replace(self.path)
