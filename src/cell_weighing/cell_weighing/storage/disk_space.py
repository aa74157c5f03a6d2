"""The file system that the journal is on: how much is free, and what is said when it is full."""

from __future__ import annotations

import shutil
from pathlib import Path

from cell_common.diagnostics import Health
from sqlalchemy.engine import make_url

MB = 1_000_000
_FULL = ('disk is full', 'No space left', 'could not extend file', 'quota exceeded')
"""How SQLite, the operating system and PostgreSQL say it."""


class DatabaseDisk:
    """Looks at the folder of a SQLite database; of a database server it knows nothing."""

    def __init__(self, database_url: str, wanted_mb: float) -> None:
        """Remember where the database is and how much is to be free."""
        url = make_url(database_url)
        file = url.database if url.get_backend_name() == 'sqlite' else None
        self._folder = Path(file).expanduser().absolute().parent if file and file != ':memory:' else None
        self._wanted_mb = wanted_mb

    def free_mb(self) -> float | None:
        """Return what is free, None when it is not known."""
        try:
            return shutil.disk_usage(self._folder).free / MB if self._folder else None
        except OSError:
            return None

    def describe_error(self, reason: str) -> str:
        """Say why the database refuses: that the disk is full and where, else its own words."""
        if not any(words in reason for words in _FULL):
            return reason
        free = self.free_mb()
        where = f'free space {free:.1f} MB in {self._folder}' if free is not None else "on the database's server"
        return f'disk full: {where}'

    def health(self) -> Health | None:
        """Return a warning when less is free than wanted, else None."""
        free = self.free_mb()
        if free is None or free >= self._wanted_mb:
            return None
        return Health(
            1,
            f'only {free:.0f} MB are free in {self._folder}: make room, or readings cannot be stored any more',
            {'free space': f'{free:.1f} MB'},
        )
