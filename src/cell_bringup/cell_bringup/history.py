"""`cell history`: lists of pieces, jobs, bags, alarms, commands and stock entries, and why a piece was rejected."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cell_common.database import DatabaseError, StorageFailedError
from cell_common.history_page import CursorError, HistoryFilter, PageRequest
from cell_common.time import NS_PER_S
from cell_history.queries.explanation import explain
from cell_history.queries.service import History, HistoryFolders, PieceHistory, UnknownPieceError, piece_json
from cell_history.queries.tables import page_csv, page_json, rows_of
from cell_weighing.reader import open_reader
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.engine import make_url

from cell_bringup.moments import MomentError, parse_moment
from cell_bringup.state_folder import find_state

__all__ = ['History', 'OpenHistory', 'ask_history', 'open_history']

SHOWN = {
    'pieces': ('booked', 'job_id', 'piece', 'part_number', 'tray', 'outcome', 'verdict', 'recognized', 'reason', 'clip'),
    'jobs': (
        'created',
        'job_id',
        'part_number',
        'quantity',
        'placed',
        'rejected',
        'operator_id',
        'state',
        'finished',
        'reason',
    ),
    'bags': ('weighed', 'bag_id', 'weigh_job_id', 'bag_number', 'station', 'scale_id', 'weight', 'unit', 'outcome', 'zone'),
    'alarms': ('raised', 'source', 'text', 'count', 'state', 'acknowledged', 'acknowledged_by', 'cleared', 'clip'),
    'commands': ('received', 'operator_id', 'role', 'origin', 'command', 'arguments', 'code', 'message'),
    'stock': (
        'stamp',
        'sequence',
        'kind',
        'part_number',
        'tray',
        'delta',
        'count_after',
        'job_id',
        'piece',
        'operator_id',
        'reason',
    ),
}
TIMES = ('booked', 'created', 'finished', 'weighed', 'raised', 'acknowledged', 'cleared', 'received', 'stamp')
LARGEST_PAGE = 500
MINUTE_NS = 60 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True)
class OpenHistory:
    """The history, where it was found, and the folder of the clips."""

    history: History
    source: str
    clips: Path | None


def open_history(namespace: str, database_url: str) -> OpenHistory:
    """Open the history of a cell for reading.

    Args:
        namespace: Of the running cell.
        database_url: "" = the database in the state folder of the running cell, or in the usual one.

    Raises:
        DatabaseError: The URL is none, or there is no such database.
    """
    state = find_state(namespace)
    url = database_url or state.database_url
    parsed = make_url(url) if '://' in url or url.startswith('sqlite') else None
    if parsed is None:
        raise DatabaseError(f'"{url}" is not a database URL; example: sqlite:////var/lib/cell/cell.db')
    local, folder, reason = parsed.get_backend_name() == 'sqlite', state.folder, state.reason
    if local and database_url:
        folder, reason = Path(parsed.database or '').expanduser().parent, 'named by --database-url'
    if local and not Path(parsed.database or '').expanduser().is_file():
        raise DatabaseError(f'there is no database {parsed.database} ({reason}): name the one of the cell with --database-url')
    clips = folder / 'recordings' / 'clips'
    history = History(open_reader(url), HistoryFolders(folder / 'kept_frames', clips))
    return OpenHistory(history, f'{parsed.render_as_string(hide_password=True)} ({reason})', clips)


def ask_history(options: argparse.Namespace, console: Console) -> int:
    """Answer a question about the history.

    Args:
        options: Of `cell_bringup.history_arguments`.
        console: Output.

    Returns:
        Exit code: 1 when the database cannot be used or nothing was found, 2 for a wrong option.
    """
    try:
        opened = open_history(options.namespace, options.database_url)
        try:
            # On the error output: JSON and CSV go into a program.
            Console(stderr=True).print(f'state: {escape(opened.source)}', soft_wrap=True, highlight=False)
            return _why(opened, options, console) if options.what == 'why' else _list(opened.history, options, console)
        finally:
            opened.history.engine.dispose()
    except (MomentError, CursorError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 2
    except (DatabaseError, StorageFailedError, UnknownPieceError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 1


def _list(history: History, options: argparse.Namespace, console: Console) -> int:
    wanted = HistoryFilter(
        since_ns=_moment(options.since),
        until_ns=_moment(options.until),
        part=options.part,
        job=options.job,
        station=options.station,
        text=options.text,
        faults=options.faults,
    )
    rows, following = _collect(history, options, wanted)
    if options.json:
        _print_json(page_json(rows, following))
    elif options.csv:
        sys.stdout.write(page_csv(rows))
    else:
        console.print(_table(options.what, rows))
        if following:
            console.print(f'There are more: --cursor {following}', soft_wrap=True, highlight=False)
        elif not rows:
            console.print('Nothing found.')
    return 0


def _collect(history: History, options: argparse.Namespace, wanted: HistoryFilter) -> tuple[list[dict[str, object]], str]:
    """Return rows of as many pages as the limit needs, and the cursor of the next one."""
    items: list[object] = []
    cursor, left = options.cursor, max(1, options.limit)
    while left > 0:
        page = history.page(options.what, wanted, PageRequest(min(left, LARGEST_PAGE), cursor))
        items += page.items
        left, cursor = left - len(page.items), page.next
        if not cursor:
            break
    clips = [history.clip_of(item) for item in items] if options.what in ('pieces', 'alarms') else ()
    return rows_of(items, clips), cursor


def _print_json(value: object) -> None:
    # Not by the console, which breaks long lines.
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False) + '\n')


def _table(kind: str, rows: Sequence[Mapping[str, object]]) -> Table:
    table = Table(*(name.replace('_', ' ') for name in SHOWN[kind]))
    for row in rows:
        table.add_row(*(escape(_shown(name, row[name])) for name in SHOWN[kind]))
    return table


def _shown(name: str, value: object) -> str:
    if name in TIMES and value:
        return f'{datetime.fromisoformat(str(value)).astimezone():%Y-%m-%d %H:%M:%S}'
    return '' if value is None else str(value)


def _why(opened: OpenHistory, options: argparse.Namespace, console: Console) -> int:
    found = _find_piece(opened.history, options)
    pictures = [str(path) for frame in found.pictures if (path := opened.history.picture(frame.file))]
    clip = str(opened.clips / found.clip) if found.clip and opened.clips else ''
    if options.json:
        answer = {**piece_json(found), 'why': explain(found.piece, len(found.readings), _clock)}
        _print_json({**answer, 'picture_files': pictures, 'clip_folder': clip})
        return 0
    for sentence in explain(found.piece, len(found.readings), _clock):
        console.print(escape(sentence), soft_wrap=True, highlight=False)
    for frame in found.pictures:
        if frame.corrected_to is not None:
            console.print(escape(f'{frame.corrected_by} corrected it: {frame.corrected_to or "no readable number"}.'))
    for label, value in (('picture', ', '.join(pictures) or 'not kept'), ('clip', clip or 'none')):
        console.print(f'{label}: {escape(value)}', soft_wrap=True, highlight=False)
    console.print(_steps(found))
    return 0


def _steps(found: PieceHistory) -> Table:
    """Return what happened to the piece, in the order of time."""
    steps = []
    for reading in found.readings:
        said = f'{reading.verdict} {reading.recognized}'.strip()
        steps.append((reading.matched_ns, 'reading', f'{said}: "{reading.text}" {reading.reason}'))
    for trigger in found.triggers:
        outcome = f'{trigger.outcome or "no outcome"} {trigger.message}'.strip()
        if trigger.finished_ns:
            outcome += f' after {(trigger.finished_ns - trigger.sent_ns) / NS_PER_S:.1f} s'
        steps.append((trigger.sent_ns, 'trigger', f'{trigger.event} {trigger.trigger_id}: {outcome}'))
    for entry in found.bookings:
        text = f'entry {entry.sequence}: {entry.kind} {entry.part_number}, tray {entry.tray}'
        steps.append((entry.stamp_ns, 'booking', text))
    table = Table('time', 'step', 'what')
    for at_ns, step, text in sorted(steps):
        table.add_row(_clock(at_ns), step, escape(text))
    return table


def _find_piece(history: History, options: argparse.Namespace) -> PieceHistory:
    """Return the piece that the options name.

    Raises:
        UnknownPieceError: There is none.
    """
    job_id = options.job
    if job_id == 'last':
        jobs = history.page('jobs', HistoryFilter(), PageRequest(1)).items
        job_id = str(vars(jobs[0])['job_id']) if jobs else ''
    if job_id and options.piece:
        return history.piece(job_id, options.piece)
    since_ns = _moment(options.at)
    if job_id:
        wanted = HistoryFilter(job=job_id, faults=True, since_ns=since_ns)
        rejects = history.page('pieces', wanted, PageRequest(1)).items
        if not rejects:
            raise UnknownPieceError(f'job "{job_id}" has no rejected piece')
        return history.piece(job_id, int(vars(rejects[0])['piece']))
    if not since_ns:
        return history.piece_at(options.piece, 1, 2**63 - 1)
    return history.piece_at(options.piece, since_ns, since_ns + (MINUTE_NS if ':' in options.at else DAY_NS))


def _moment(text: str) -> int:
    """Return a moment of the options; 0 for none."""
    return parse_moment(text, datetime.now().astimezone()) if text else 0


def _clock(nanoseconds: int) -> str:
    return f'{datetime.fromtimestamp(nanoseconds / NS_PER_S).astimezone():%Y-%m-%d %H:%M:%S}'
