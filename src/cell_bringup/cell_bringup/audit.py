"""`cell audit`: who commanded what, when, from where, and with which answer; as a table or as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cell_common.command_store import CommandFilter, CommandStore, StoredCommand
from cell_common.database import DatabaseError, StorageFailedError, open_database
from cell_common.time import NS_PER_S
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.engine import make_url

from cell_bringup.state_folder import find_state

__all__ = ['show_audit']

COLUMNS = (
    'sequence', 'received', 'node', 'command', 'operator_id', 'role', 'origin', 'issued', 'expires', 'request_id', 'code',
    'message', 'arguments',
)  # fmt: skip
SHOWN = ('received', 'operator_id', 'role', 'command', 'arguments', 'code', 'message')


def show_audit(options: argparse.Namespace, console: Console) -> int:
    """Print or write the commands that match.

    Args:
        options: Of `cell_bringup.audit_arguments`.
        console: Output.

    Returns:
        Exit code: 1 when the database or the file cannot be used.
    """
    wanted = CommandFilter(
        operator_id=options.operator,
        command=options.name,
        text=options.text,
        since_ns=time.time_ns() - options.since * NS_PER_S if options.since else 0,
        only_refused=options.refused,
        limit=options.limit,
    )
    try:
        url = options.database_url or find_state(options.namespace).database_url
        rows = [_row(item) for item in _read(url, wanted)]
        if options.csv is not None:
            _write_csv(rows, options.csv)
    except (DatabaseError, StorageFailedError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 1
    if options.csv is None:
        table = Table(*(name.replace('_', ' ') for name in SHOWN))
        for row in rows:
            table.add_row(*(escape(str(row[name])) for name in SHOWN))
        console.print(table)
    elif str(options.csv) != '-':
        console.print(f'{len(rows)} commands written to {escape(str(options.csv))}')
    return 0


def _read(url: str, wanted: CommandFilter) -> Sequence[StoredCommand]:
    """Read the commands that match from a database that exists.

    Raises:
        DatabaseError: There is no such database. SQLite would make an empty one.
        StorageFailedError: It cannot be read.
    """
    parsed = make_url(url)
    file = parsed.database or ''
    if parsed.get_backend_name() == 'sqlite' and not Path(file).expanduser().is_file():
        raise DatabaseError(f'there is no database {file}: name the one of the cell with --database-url')
    engine = open_database(url)
    try:
        return CommandStore(engine).read(wanted)
    finally:
        engine.dispose()


def _row(item: StoredCommand) -> dict[str, object]:
    entry = item.entry
    return {
        **vars(entry),
        'sequence': item.sequence,
        'received': _time(entry.received_ns),
        'issued': _time(entry.issued_ns),
        'expires': _time(entry.expires_ns),
        'code': 'not answered' if item.code is None else item.code,
        'message': item.message,
    }


def _write_csv(rows: Sequence[dict[str, object]], path: Path) -> None:
    file = sys.stdout if str(path) == '-' else path.open('w', encoding='utf-8', newline='')
    try:
        writer = csv.DictWriter(file, COLUMNS, extrasaction='ignore')
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    finally:
        if file is not sys.stdout:
            file.close()


def _harmless(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {'=', '+', '-', '@', '\t', '\r'} else value


def _time(nanoseconds: int) -> str:
    if not nanoseconds:
        return ''
    try:
        return datetime.fromtimestamp(nanoseconds / NS_PER_S).astimezone().isoformat(timespec='milliseconds')
    except (OverflowError, ValueError, OSError):  # of a client with a wrong clock
        return str(nanoseconds)
