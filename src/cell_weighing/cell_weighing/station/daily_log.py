"""Log file per day, `log-YYYY-MM-DD.txt` as the old scale server wrote it; old files are deleted."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

_NAME = re.compile(r'log-(\d{4}-\d{2}-\d{2})\.txt')
_MARK = re.compile(rb'\(id (\d{1,18})\)$')
TAIL_BYTES = 65_536
"""Bytes at the end of a file in which the latest mark is looked for."""


class DailyLog:
    """Appends lines to the file of the day of their time, in local time with its UTC offset."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        """Create the folder if it is missing.

        Args:
            folder: Folder of the log files.
            keep_days: Age at which a file is deleted, days.

        Raises:
            OSError: The folder cannot be created.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._keep = timedelta(days=keep_days)
        self._day: date | None = None
        self._file: BinaryIO | None = None

    def write(self, when: datetime, text: str) -> None:
        """Append a line.

        Args:
            when: Local time with its zone.
            text: The line; line breaks become spaces.

        Raises:
            OSError: The disk is full, or the folder was removed.
        """
        if when.date() != self._day or self._file is None:
            self._file = self._rotate(when.date())
        line = f'{when:%Y-%m-%d %H:%M:%S %z} {" ".join(text.split())}\n'.encode()
        if self._file.write(line) != len(line):
            raise OSError(28, 'the line was written in part')

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def latest_mark(self) -> int | None:
        """Return the largest number N of the lines that end with "(id N)"; None = no such line.

        Raises:
            OSError: A file cannot be read.
        """
        # All files: the line of a late bag belongs to the file of an older day.
        files = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
        return max((mark for path in files for mark in _marks(path)), default=None)

    def _rotate(self, day: date) -> BinaryIO:
        """Open the file of a day, and delete old files."""
        self.close()
        path = self._folder / f'log-{day:%Y-%m-%d}.txt'
        # Unbuffered: a line that could not be written is not written later in part. Without fsync, which is slow, it survives
        # a crash of the process, not a power cut; the start then reads the missing bags from the database.
        file = path.open('ab', buffering=0)
        self._day = day
        if _ends_within_a_line(path):  # the power failed while it was written
            file.write(b'\n')
        for other in self._folder.iterdir():
            found = _NAME.fullmatch(other.name)
            with contextlib.suppress(ValueError):  # a name that looks like a day and is none
                if found and day - date.fromisoformat(found[1]) > self._keep:
                    other.unlink(missing_ok=True)
        return file


def _tail(path: Path, size: int) -> bytes:
    with path.open('rb') as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read(size)


def _ends_within_a_line(path: Path) -> bool:
    return _tail(path, 1) not in (b'', b'\n')


def _marks(path: Path) -> list[int]:
    whole = _tail(path, TAIL_BYTES).split(b'\n')[:-1]
    return [int(found[1]) for line in whole if (found := _MARK.search(line))]
