"""Log file per day, `log-YYYY-MM-DD.txt` as the old scale server wrote it; old files are deleted."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TextIO

_NAME = re.compile(r'log-(\d{4}-\d{2}-\d{2})\.txt')


class DailyLog:
    """Appends lines to the file of the day, in local time."""

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
        self._file: TextIO | None = None

    def write(self, now: datetime, text: str) -> None:
        """Append a line.

        Args:
            now: Local time.
            text: The line; line breaks become spaces.

        Raises:
            OSError: The disk is full, or the folder was removed.
        """
        if now.date() != self._day or self._file is None:
            self._file = self._rotate(now.date())
        self._file.write(f'{now:%Y-%m-%d %H:%M:%S} {" ".join(text.split())}\n')
        # A line survives a crash of the process; one that survives a power cut would need a slow
        # fsync.
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotate(self, day: date) -> TextIO:
        """Open the file of a day, and delete old files."""
        self.close()
        file = (self._folder / f'log-{day:%Y-%m-%d}.txt').open('a', encoding='utf-8')
        self._day = day
        for path in self._folder.iterdir():
            found = _NAME.fullmatch(path.name)
            with contextlib.suppress(ValueError):  # a name that looks like a day and is none
                if found and day - date.fromisoformat(found[1]) > self._keep:
                    path.unlink(missing_ok=True)
        return file
