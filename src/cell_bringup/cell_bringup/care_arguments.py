"""Command lines of `cell doctor`, `backup`, `restore`, `version` and `logs`, without the code of their commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

__all__ = ['add_care']


def add_care(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands.

    Args:
        add: Adds a command by its name.
    """
    doctor = add('doctor', help='check the whole cell and print remedies; exit code 1 when a check fails')
    doctor.add_argument('what', nargs='?', choices=['cell', 'weighing'], default='cell', help='cell (default) or weighing only')
    doctor.add_argument('--json', action='store_true', help='JSON for machines')
    backup = add('backup', help='write the data of the cell to one file, also while it runs')
    backup.add_argument('--to', type=Path, help='the file (default: backups/cell-<time>.tar.gz in the state folder)')
    backup.add_argument('--pictures', action='store_true', help='also kept pictures, which may be large')
    restore = add('restore', help='replace the data of a stopped cell by a backup, after all checks')
    restore.add_argument('file', type=Path, help='of "cell backup"')
    restore.add_argument('--check', action='store_true', help='only check the file')
    for command in (backup, restore):
        command.add_argument('--state-dir', type=Path, help='default: that of the running cell, else ./state or the usual one')
    versions = add('version', help='show the versions of the software and its libraries')
    versions.add_argument('--json', action='store_true', help='JSON for machines')
    logs = add('logs', help='show the log lines of the nodes in the order of their time')
    logs.add_argument('node', nargs='?', default='', help='only of this node')
    logs.add_argument('--since', default='', help='age (10min, 2h, 1d) or local time (2026-11-30 14:03)')
    logs.add_argument('-n', '--lines', type=int, default=200, help='number of lines without --since (default: 200)')
    logs.add_argument('-f', '--follow', action='store_true', help='go on with new lines')
