"""Options of `cell bag`; apart from its work, so that the command line loads no library of bags."""

from __future__ import annotations

import argparse
from pathlib import Path

from cell_history.recorder.selection import CHOICES
from cell_vision.ocr.engines.base import ENGINES

__all__ = ['add_bag']


def add_bag(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `cell bag`."""
    actions = parser.add_subparsers(dest='action', required=True)
    record = actions.add_parser('record', help='record the running cell until Ctrl-C, in bags that can be replayed')
    record.add_argument('what', nargs='?', choices=CHOICES, default='decisions', help='default: decisions')
    record.add_argument('--folder', type=Path, default=Path('recordings'), help='where to (default: ./recordings)')
    record.add_argument('--catalogue', type=Path, default=Path('config/parts.yaml'), help='default: config/parts.yaml')
    info = actions.add_parser('info', help='show what a bag holds, and what of it is damaged')
    info.add_argument('bag', type=Path)
    replay = actions.add_parser(
        'replay',
        help='decide again what was decided, as fast as possible, and write the decisions',
        description='Nothing of the live cell is read or written.',
        epilog='To see a bag on the page: ros2 launch cell_bringup replay.launch.py bag:=FOLDER',
    )
    replay.add_argument('bag', type=Path)
    replay.add_argument('--output', type=Path, default=Path('-'), help='file for JSON lines (default: - = terminal)')
    _add_changes(replay)
    diff = actions.add_parser(
        'diff',
        help='compare recorded decisions with those of today, or two replays; exit code 1 when they differ',
    )
    diff.add_argument('first', type=Path, help='a bag, or decisions that `cell bag replay` wrote')
    diff.add_argument('second', type=Path, nargs='?', help='the same; without it: the first, recorded and now')
    diff.add_argument('--json', action='store_true', help='JSON for machines')
    _add_changes(diff)


def _add_changes(parser: argparse.ArgumentParser) -> None:
    """Add what may differ from the recorded cell."""
    parser.add_argument('--catalogue', type=Path, help='decide with this catalogue file (default: the recorded one)')
    parser.add_argument(
        '--keep-readings', action='store_true', help='read no picture again: match the recorded readings, which is faster'
    )
    parser.add_argument('--engine', choices=ENGINES, default='', help='read with this OCR engine (default: the recorded one)')
