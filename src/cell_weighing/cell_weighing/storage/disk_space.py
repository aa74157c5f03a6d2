"""Free space of the disk of a SQLite database, and error messages for a full disk."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from cell_common.diagnostics import Health
from sqlalchemy.engine import make_url

MB = 1_000_000
_FULL = re.compile(
    r'disk is full|No space left|could not extend file|[Qq]uota exceeded'
    r'|^\W*(?:1021|1114)\b|\((?:1021|1114),|[Tt]he table .* is full|Disk full'
)
"""Messages of SQLite, the operating system, PostgreSQL and MariaDB for a full disk. MariaDB's texts depend on its language, so
its error numbers count as well: 1021 (ER_DISK_FULL) and 1114 (ER_RECORD_FILE_FULL)."""


def state_folder(database_url: str, named: str = '') -> Path | None:
    """Return the state folder: the named one, else that of a SQLite database; None for a database in memory or on a server.

    Args:
        database_url: SQLAlchemy URL. Relative paths are relative to the working directory of the
            process.
        named: Parameter state_dir; "" = none.
    """
    if named:
        return Path(named).expanduser().absolute()
    url = make_url(database_url)
    file = url.database if url.get_backend_name() == 'sqlite' else None
    return Path(file).expanduser().absolute().parent if file and file != ':memory:' else None


class DatabaseDisk:
    """The disk of a SQLite database; the free space of a database server is unknown."""

    def __init__(self, database_url: str, wanted_mb: float) -> None:
        """Find the folder of the database.

        Args:
            database_url: SQLAlchemy URL.
            wanted_mb: Free space below which `health` warns, MB.
        """
        self._folder = state_folder(database_url)
        self._wanted_mb = wanted_mb

    def free_mb(self) -> float | None:
        """Return the free space in MB; None = unknown."""
        try:
            return shutil.disk_usage(self._folder).free / MB if self._folder else None
        except OSError:
            return None

    def describe_error(self, message: str) -> str:
        """Return the message of a database error; for a full disk with its free space.

        Args:
            message: Text of SQLite, PostgreSQL, MariaDB or the operating system; "" stays "".
        """
        if not _FULL.search(message):
            return message
        free = self.free_mb()
        where = f'free space {free:.1f} MB in {self._folder}' if free is not None else "on the database's server"
        return f'disk full: {where}'

    def health(self) -> Health | None:
        """Return a warning when there is too little free space, else None."""
        free = self.free_mb()
        if free is None or free >= self._wanted_mb:
            return None
        return Health(
            1,
            f'only {free:.0f} MB are free in {self._folder}: free space, or readings can no longer be stored',
            {'free space': f'{free:.1f} MB'},
        )
