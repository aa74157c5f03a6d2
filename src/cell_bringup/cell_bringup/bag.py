"""`cell bag info`, `cell bag replay` and `cell bag diff`: look into recordings without a running cell."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cell_common.time import NS_PER_S
from cell_history.bags.reader import BagError, BagReader
from cell_history.replay.decide_again import ReplaySession, SessionOptions
from cell_history.replay.decisions import DecisionRecord, DecisionsError, parse_lines, to_lines
from cell_history.replay.differences import Difference, compare
from cell_history.replay.recording import Recording, RecordingError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ['work_with_bag']

DECISIONS = '.jsonl'
SHORT_ID = 6
"""Last characters of an id that tell it from others, for people."""


def work_with_bag(options: argparse.Namespace, console: Console) -> int:
    """Run `cell bag`; return 0, 1 when decisions differ, 2 when a bag cannot be used."""
    try:
        if options.action == 'record':
            return _record(options)
        if options.action == 'info':
            return _show(options.bag, console)
        if options.action == 'replay':
            return _replay(options, console)
        return _compare(options, console)
    except (BagError, RecordingError, DecisionsError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 2


def _record(options: argparse.Namespace) -> int:
    """Run node recorder in this process, beside the one that records for the cell, if there is one."""
    from cell_common.runner import run_node
    from cell_history.recorder.node import RecorderNode
    from rclpy.parameter import Parameter

    settings = {
        'folder': str(options.folder.resolve()),
        'what': options.what,
        'catalogue_file': str(options.catalogue.resolve()) if options.catalogue.is_file() else '',
    }
    overrides = [Parameter(name, value=value) for name, value in settings.items()]
    name = ['--ros-args', '-r', f'__node:=recorder_{os.getpid()}']
    return run_node(lambda: RecorderNode(namespace=options.namespace, parameter_overrides=overrides, cli_args=name))


def _show(path: Path, console: Console) -> int:
    """Print time, topics and messages of a bag, and whether its decisions can be made again."""
    with BagReader(path) as bag:
        counts: dict[str, int] = {}
        for message in bag.messages():
            counts[message.topic] = counts.get(message.topic, 0) + 1
        seconds = (bag.end_ns - bag.start_ns) / NS_PER_S
        console.print(f'{_time(bag.start_ns)}, {seconds:.1f} s, {sum(counts.values())} messages', highlight=False)
        table = Table('topic', 'type', 'messages', box=None)
        for topic, kind in sorted(bag.topics.items()):
            table.add_row(topic, escape(kind), str(counts.get(topic, 0)))
        console.print(table)
        try:
            recording = Recording.read(bag)
        except RecordingError as error:
            bag.problems.append(f'no replay: {error}')
        else:
            versions = ', '.join(f'{name} {version}' for name, version in sorted(recording.snapshot.versions.items()))
            console.print(
                f'{len(recording.asked)} requests can be decided again; recorded by {escape(versions)}', highlight=False
            )
        _warn(bag.problems, console)
    return 0


def _replay(options: argparse.Namespace, console: Console) -> int:
    """Decide again, and write the decisions to a file or to standard output, one JSON object a line."""
    decisions = _decided_now(options.bag, _session_options(options), Console(stderr=True))
    if str(options.output) == '-':
        sys.stdout.write(to_lines(decisions))
    else:
        options.output.write_text(to_lines(decisions), encoding='utf-8')
        console.print(f'{len(decisions)} decisions written to {escape(str(options.output))}')
    return 0


def _compare(options: argparse.Namespace, console: Console) -> int:
    """Print where two lists of decisions differ: recorded and new ones of a bag, or those of two files; return 1 if they do."""
    changes, errors = _session_options(options), Console(stderr=True)
    if options.second is None:
        if options.first.suffix == DECISIONS:
            raise DecisionsError(f'{options.first} holds one list of decisions: name a second one, or a bag')
        before, after = _both(options.first, changes, errors)
    else:
        before = _decisions_of(options.first, SessionOptions(), errors)
        after = _decisions_of(options.second, changes, errors)
    found = compare(before, after)
    if options.json:
        sys.stdout.write(json.dumps([_values(item) for item in found], indent=1, ensure_ascii=False) + '\n')
    else:
        _print(found, len(after), console)
    return 1 if found else 0


def _decisions_of(path: Path, options: SessionOptions, errors: Console) -> list[DecisionRecord]:
    """Return the decisions of a file, or those of a new replay of a bag."""
    if path.suffix == DECISIONS:
        return parse_lines(path.read_text(encoding='utf-8'))
    return _decided_now(path, options, errors)


def _decided_now(path: Path, options: SessionOptions, errors: Console) -> list[DecisionRecord]:
    return _both(path, options, errors)[1]


def _both(path: Path, options: SessionOptions, errors: Console) -> tuple[list[DecisionRecord], list[DecisionRecord]]:
    """Return the recorded decisions of a bag, and those of now."""
    with BagReader(path) as bag:
        recording = Recording.read(bag)
        with ReplaySession(recording, options) as session:
            decided = list(session.run())
            _warn([*recording.problems, *session.problems], errors)
        return recording.decided, decided


def _session_options(options: argparse.Namespace) -> SessionOptions:
    text = options.catalogue.read_text(encoding='utf-8') if options.catalogue else ''
    return SessionOptions(catalogue=text, engine=options.engine, read_again=not options.keep_readings)


def _print(found: Sequence[Difference], compared: int, console: Console) -> None:
    """Print the differences as a table, and their number."""
    if found:
        table = Table('time', 'decision', 'about', 'value', 'before', 'after')
        for item in found:
            moment = _time(item.at_ns).split(' ')[1].split('+')[0]
            cells = (item.kind.value, _about(item), item.name, str(item.before), str(item.after))
            table.add_row(moment, *map(escape, cells))
        console.print(f'recorded on {_time(found[0].at_ns).split(" ")[0]}')
        console.print(table)
    about = {(item.kind, item.key) for item in found}
    console.print(f'{len(about)} of {compared} decisions differ' if found else f'all {compared} decisions are the same')


def _about(item: Difference) -> str:
    """Return what a decision belongs to, short enough for a table."""
    about = item.about
    if about.get('piece'):
        return f'piece {about["piece"]} of job …{str(about["job_id"])[-SHORT_ID:]}'
    if about.get('scale_id'):
        return f'scale {about["scale_id"]}, {about["weight"]}'
    return str(about.get('command') or about.get('part_number') or item.key[-SHORT_ID:])


def _values(item: Difference) -> dict[str, object]:
    return {**vars(item), 'kind': item.kind.value}


def _warn(problems: Sequence[str], console: Console) -> None:
    for problem in problems:
        console.print(f'[yellow]{escape(problem)}[/]', soft_wrap=True)


def _time(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / NS_PER_S).astimezone().isoformat(sep=' ', timespec='milliseconds')
