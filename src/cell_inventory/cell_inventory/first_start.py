"""Tells a first start from a database that was in use and is empty now.

A copy of `cell.db` without its `-wal` file, or a disk that was replaced, looks like a new database. First stock loaded into it
without a word would replace the true counts, so that is a question for an operator.
"""

from __future__ import annotations

import time
from pathlib import Path

from cell_common.database import read_only
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

__all__ = ['DatabaseUse']

NEW_FILE_S = 60.0
"""Nodes that start together make the database together; an older file without tables was in use."""
SMALLEST_DATABASE = 100
"""Bytes of SQLite's header."""


class DatabaseUse:
    """What is known about a database before this start; make it before the database is opened."""

    def __init__(self, url: str) -> None:
        """Look at the database file and at the mark that an earlier start left beside it.

        Args:
            url: SQLAlchemy URL.
        """
        try:
            parsed = make_url(url)
            name = (parsed.database or '') if parsed.get_backend_name() == 'sqlite' else ''
        except ArgumentError:  # `open_database` says so
            name = ''
        is_file = name not in ('', ':memory:')
        self._file = Path(name).expanduser() if is_file else None
        self._mark = self._file.with_name(self._file.name + '.in-use') if self._file else None
        self._old_file = self._file is not None and _is_old(self._file)

    def question(self, engine: Engine) -> str:
        """Return what an operator has to decide before first stock is loaded into an empty ledger; "" if nothing.

        Args:
            engine: The database, opened and not yet migrated.
        """
        try:
            tables = set(inspect(engine).get_table_names())
            used = (self._mark is not None and self._mark.exists()) or (self._old_file and not tables)
            if not used and 'pick_job' in tables:
                with read_only(engine).connect() as connection:
                    used = connection.execute(text('SELECT 1 FROM pick_job LIMIT 1')).first() is not None
        except SQLAlchemyError:
            return ''  # the caller meets the same error
        if not used:
            return ''
        if self._file is None:
            return 'the database was in use, and its stock ledger is empty now: restore it from a backup'
        files = f'{self._file}, {self._file}-wal and {self._mark}'
        return (
            f'the database {self._file} was in use, and its stock ledger is empty now. Restore it from a copy together with '
            f'its -wal file. To begin with the first stock, remove {files}.'
        )

    def mark(self) -> None:
        """Leave the mark that the database is in use."""
        if self._mark is not None and not self._mark.exists():
            self._mark.write_text('The database beside this file holds the stock. See "Databases" in docs/integrate.md.\n')


def _is_old(file: Path) -> bool:
    try:
        status = file.stat()
    except OSError:
        return False
    return status.st_size >= SMALLEST_DATABASE and time.time() - status.st_mtime > NEW_FILE_S
