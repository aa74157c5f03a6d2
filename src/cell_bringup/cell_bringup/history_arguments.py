"""Options of `cell history`; apart from its work, so that the command line loads no database."""

from __future__ import annotations

import argparse
from pathlib import Path

from cell_bringup.audit_arguments import add_database_url

__all__ = ['LISTS', 'add_history', 'add_report']

LISTS = {
    'pieces': 'booked pieces of the pick jobs with their verdicts',
    'jobs': 'pick jobs',
    'bags': 'weighed bags',
    'alarms': 'alarms: raised, acknowledged, cleared, by whom',
    'commands': 'commands: who, when, from where, what, result',
    'stock': 'entries of the stock ledger',
}
MOMENT = '14:03, "yesterday 14:03", 2026-11-29, "2026-11-29 14:03", or an age such as 8h or 7d'


def add_history(parser: argparse.ArgumentParser) -> None:
    """Add the questions of `cell history`."""
    what = parser.add_subparsers(dest='what', required=True)
    for name, text in LISTS.items():
        _add_list(what.add_parser(name, help=text, description=f'List {text}, newest first.'))
    why = what.add_parser('why', help='tell why a piece was rejected, with its picture, readings, triggers and clip')
    why.add_argument('--piece', type=int, default=0, help='number of the piece within its job (default: the latest reject)')
    why.add_argument('--job', default='', help='id of the pick job, from "cell history jobs", or "last"')
    why.add_argument('--at', default='', help=f'when, local time: {MOMENT}')
    why.add_argument('--json', action='store_true', help='JSON for machines')
    add_database_url(why)


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cell report`."""
    parser.add_argument('what', help='"shift", "job", or the number of a weigh job')
    parser.add_argument('job_id', nargs='?', default='', help='with job: id of the pick job, or "last"')
    parser.add_argument('--shifts', default='', help='with shift: begins in local time, e.g. 06:00,14:00 (default: the day)')
    parser.add_argument('--since', default='', help=f'with shift: from this moment, local time: {MOMENT}')
    parser.add_argument('--until', default='', help='with shift: before this moment (default: now)')
    parser.add_argument('--folder', type=Path, default=Path(), help='where to write the files (default: here)')
    add_database_url(parser)


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--since', default='', help=f'from this moment, local time: {MOMENT}')
    parser.add_argument('--until', default='', help='before this moment')
    parser.add_argument('--part', default='', help='part number')
    parser.add_argument('--job', default='', help='id of a pick job; bags: number of a weigh job')
    parser.add_argument('--station', default='', help='station of a bag')
    parser.add_argument('--text', default='', help='part of any text of the line')
    parser.add_argument(
        '--faults', action='store_true', help='only rejects, bags out of tolerance, open alarms, refused commands'
    )
    parser.add_argument('--limit', type=int, default=50, help='number of lines, the newest (default: 50)')
    parser.add_argument('--cursor', default='', help='go on after an earlier list: the cursor that it printed')
    form = parser.add_mutually_exclusive_group()
    form.add_argument('--json', action='store_true', help='JSON for machines')
    form.add_argument('--csv', action='store_true', help='CSV')
    add_database_url(parser)
