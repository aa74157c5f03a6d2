"""The log file that operators know from the old scale server: one a day, `log-YYYY-MM-DD.txt`, old ones removed."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TextIO

_NAME = re.compile(r'log-(\d{4}-\d{2}-\d{2})\.txt')


class DailyLog:
    """Writes lines into the day's file; local time, for it is read by people at the scale."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        """Use a folder, made when it is not there.

        Raises:
            OSError: It cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._keep = timedelta(days=keep_days)
        self._day: date | None = None
        self._file: TextIO | None = None

    def write(self, now: datetime, text: str) -> None:
        """Append a line; `now` is local time.

        Raises:
            OSError: The disk is full, or the folder has gone.
        """
        if now.date() != self._day or self._file is None:
            self._rotate(now.date())
        assert self._file is not None
        self._file.write(f'{now:%Y-%m-%d %H:%M:%S} {" ".join(text.split())}\n')
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotate(self, day: date) -> None:
        self.close()
        self._file = (self._folder / f'log-{day:%Y-%m-%d}.txt').open('a', encoding='utf-8')
        self._day = day
        for path in self._folder.iterdir():
            found = _NAME.fullmatch(path.name)
            if found and day - date.fromisoformat(found[1]) > self._keep:
                path.unlink(missing_ok=True)
