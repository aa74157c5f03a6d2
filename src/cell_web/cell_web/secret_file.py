"""A JSON file that only its owner may read: hashes of tokens and passwords."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cell_common.atomic_file import replace_file

__all__ = ['SecretFile']

OWNER_ONLY = 0o600


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
            ValueError: It is not JSON, or null.
        """
        try:
            status = self.path.stat()
            # The inode too: a replacement within the clock's resolution may have the same time and size.
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                document = json.loads(self.path.read_text(encoding='utf-8'))
                if document is None:  # would read as if there were no file
                    raise ValueError('empty document')
                self._document, self._stamp = document, stamp
        except FileNotFoundError:
            self._stamp, self._document = None, None
        return self._document

    def entries(self, name: str) -> list[dict[str, object]]:
        """Return the objects in member `name` of the document; none when there is no file.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not such a document.
        """
        document = self.read()
        listed = [] if document is None else document.get(name) if isinstance(document, dict) else None
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise ValueError(f'no list {name}')
        return listed

    def write(self, document: object) -> None:
        """Replace the file, readable by its owner only; its folder is made.

        Raises:
            OSError: The file cannot be written; the old one stays.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self.path, json.dumps(document, indent=1, ensure_ascii=False).encode(), OWNER_ONLY)
        self.path.chmod(OWNER_ONLY)
        if os.geteuid() == 0:  # the service user, who owns the folder, must be able to read the file
            folder = self.path.parent.stat()
            os.chown(self.path, folder.st_uid, folder.st_gid)
