"""Options of `cell audit` and `cell figures`; apart from their work, so that the command line loads no database."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

__all__ = ['add_audit', 'add_database_url', 'add_figures']

UNITS_S = {'m': 60, 'h': 3600, 'd': 86_400}


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cell audit`."""
    parser.add_argument('--operator', default='', help='commands of this operator')
    parser.add_argument('--command', dest='name', default='', help='names that begin so, e.g. inventory/')
    parser.add_argument('--text', default='', help='part of the arguments or of the answer, e.g. a part number')
    parser.add_argument('--since', type=_age_s, default=0, help='newer than e.g. 30m, 24h or 7d')
    parser.add_argument('--refused', action='store_true', help='only commands that were refused')
    parser.add_argument('--limit', type=int, default=100, help='number of commands, the newest (default: 100)')
    _add_output(parser)


def add_figures(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cell figures`."""
    parser.add_argument('--since', type=_age_s, default=24 * 3600, help='the last e.g. 8h or 7d (default: 24h)')
    parser.add_argument('--part', default='', help='only jobs of this part number')
    parser.add_argument('--shifts', default='', help='begins of the shifts in local time, e.g. 06:00,14:00,22:00')
    parser.add_argument(
        '--ideal-cycle',
        type=float,
        default=0.0,
        help='seconds that a piece takes at best (default: the fastest tenth of the measured ones, for each part)',
    )
    parser.add_argument('--json', action='store_true', help='JSON for machines')
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--csv', type=Path, help='write a CSV file instead of a table; - = standard output')
    add_database_url(parser)


def add_database_url(parser: argparse.ArgumentParser) -> None:
    """Add the option of the database."""
    parser.add_argument(
        '--database-url',
        default='',
        help='default: that of the running cell, else ./state/cell.db, else ~/.local/state/cell/cell.db',
    )


def _age_s(text: str) -> int:
    """Return an age such as 24h in seconds.

    Raises:
        ArgumentTypeError: It is no whole number with m, h or d.
    """
    match = re.fullmatch(r'(\d{1,6})([mhd])', text)
    if match is None:
        raise argparse.ArgumentTypeError(f'"{text}": give a number with m, h or d, e.g. 24h')
    return int(match[1]) * UNITS_S[match[2]]
