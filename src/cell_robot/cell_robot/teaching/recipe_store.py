"""Recipe file: written as a whole or not at all, with its former versions kept beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

KEPT = 100
"""Newest former versions that are kept."""


class StoreError(Exception):
    """The recipe cannot be read or written; the text gives the reason and the remedy."""


class RecipeStore:
    """One recipe file. Not for several processes that write at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str:
        """Return the text.

        Raises:
            StoreError: The file cannot be read.
        """
        try:
            return self.path.read_text(encoding='utf-8')
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f'The recipe {self.path} cannot be read: {error}.') from error

    def write(self, text: str, former: str) -> Path:
        """Replace the text and return the path of the former version.

        A reader sees the former text or the new one, also after a power cut in between.

        Args:
            text: New text.
            former: Text that the new one was made from; another one in the file means that was edited it.

        Raises:
            StoreError: The file has changed meanwhile, or cannot be written; it is as before.
        """
        if self.read() != former:
            raise StoreError(f'The recipe {self.path} was changed in the meantime. Take the place again.')
        try:
            kept = self._keep()
            self._replace(text)
            self._prune()
        except OSError as error:
            raise StoreError(
                f'The recipe {self.path} cannot be written: {error.strerror}. Is its folder writable for the robot node?'
            ) from error
        return kept

    def versions(self) -> list[Path]:
        """Return the former versions, oldest first."""
        return sorted(self.path.parent.glob(f'{self.path.name}.20*'))

    def _keep(self) -> Path:
        """Copy the file under the time of now, and return the copy's path."""
        seconds, rest = divmod(time.time_ns(), 10**9)
        stamp = time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime(seconds))
        kept = self.path.with_name(f'{self.path.name}.{stamp}.{rest:09d}Z')
        shutil.copy2(self.path, kept)
        return kept

    def _replace(self, text: str) -> None:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f'.{self.path.name}.')
        try:
            with os.fdopen(handle, 'w', encoding='utf-8') as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(self.path, name)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, must survive a power cut
        finally:
            os.close(folder)

    def _prune(self) -> None:
        for old in self.versions()[:-KEPT]:
            old.unlink(missing_ok=True)
