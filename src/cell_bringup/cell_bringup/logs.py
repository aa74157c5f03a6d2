"""`cell logs`: the lines of all nodes in the order of their time, from the files that ROS writes."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cell_bringup.state_folder import find_state

__all__ = ['LogLine', 'parse_lines', 'parse_since', 'show_logs']

LINE = re.compile(r'^\[(?P<level>[A-Z]+)\] \[(?P<seconds>\d+)\.(?P<fraction>\d+)\] \[(?P<logger>[^\]]*)\]: (?P<text>.*)$')
STYLES = {'WARN': 'yellow', 'ERROR': 'red', 'FATAL': 'bold red', 'DEBUG': 'dim'}
SINCE = re.compile(r'^(\d+(?:\.\d+)?)\s*(s|min|m|h|d)$')
UNITS = {'s': 1.0, 'm': 60.0, 'min': 60.0, 'h': 3600.0, 'd': 86400.0}
DAY_S = 86400.0
POLL_S = 0.3


@dataclass(frozen=True)
class LogLine:
    """One entry of a node's log; `text` may have several lines, `time_s` is UTC in seconds since 1970."""

    time_s: float
    level: str
    logger: str
    text: str


def parse_lines(text: str) -> list[LogLine]:
    """Return the entries of a log file; lines without a head, as of a traceback, belong to the entry before.

    Args:
        text: Content of the file.
    """
    found: list[LogLine] = []
    for line in text.splitlines():
        if match := LINE.match(line):
            time_s = float(f'{match["seconds"]}.{match["fraction"]}')
            found.append(LogLine(time_s, match['level'], match['logger'], match['text']))
        elif found:
            last = found.pop()
            found.append(LogLine(last.time_s, last.level, last.logger, f'{last.text}\n{line}'))
    return found


def parse_since(text: str, now_s: float) -> float:
    """Return a moment in seconds since 1970.

    Args:
        text: Age like "10min", "2h" or "1d", or a local time like "2026-11-30 14:03".
        now_s: Now.

    Raises:
        ValueError: The text is neither.
    """
    if match := SINCE.match(text.strip()):
        return now_s - float(match[1]) * UNITS[match[2]]
    for form in ('%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%Y-%m-%d'):
        try:
            return time.mktime(time.strptime(text.strip().replace('T', ' '), form))
        except ValueError:
            continue
    raise ValueError(f'"{text}" is no time: use an age (10min, 2h, 1d) or a local time (2026-11-30 14:03)')


def show_logs(options: argparse.Namespace, console: Console) -> int:
    """Run `cell logs`; return the exit code.

    Args:
        options: `namespace`, `node`, `since`, `lines` and `follow`.
        console: Output.
    """
    now_s = time.time()
    try:
        since_s = parse_since(options.since, now_s) if options.since else now_s - DAY_S
    except ValueError as error:
        console.print(str(error), style='red', soft_wrap=True, markup=False)
        return 2
    folder = log_folder(options.namespace)
    files = _files(folder, since_s)
    lines = sorted((line for path in files for line in parse_lines(_read(path))), key=lambda line: line.time_s)
    wanted = [line for line in lines if line.time_s >= since_s and _is_of(line, options.namespace, options.node)]
    for line in wanted if options.since else wanted[-options.lines :]:
        _print(line, console)
    if not wanted and not options.follow:
        console.print(f'no lines of {options.node or "the cell"} since then in {folder}', soft_wrap=True, markup=False)
    if options.follow:
        for line in _followed(folder, {path: path.stat().st_size for path in files}):
            if _is_of(line, options.namespace, options.node):
                _print(line, console)
    return 0


def log_folder(namespace: str) -> Path:
    """Return the folder of the node's log files: ROS_LOG_DIR of the running cell, else of this shell, else ~/.ros/log.

    Args:
        namespace: Namespace of the cell.
    """
    named = find_state(namespace).environment.get('ROS_LOG_DIR') or os.environ.get('ROS_LOG_DIR')
    home = os.environ.get('ROS_HOME')
    return Path(named).expanduser() if named else (Path(home) if home else Path.home() / '.ros') / 'log'


def _files(folder: Path, since_s: float) -> list[Path]:
    return [path for path in folder.glob('*.log') if path.is_file() and path.stat().st_mtime >= since_s]


def _read(path: Path, offset: int = 0) -> str:
    try:
        with path.open('rb') as file:
            file.seek(offset)
            return file.read().decode(errors='replace')
    except OSError:
        return ''


def _is_of(line: LogLine, namespace: str, node: str) -> bool:
    """Return whether a line is of the cell, and of the node if one is named; loggers are "<namespace>.<node>"."""
    prefix = namespace.strip('/').replace('/', '.')
    names = line.logger.removeprefix(f'{prefix}.') if prefix else line.logger
    inside = not prefix or line.logger.startswith(f'{prefix}.')
    return inside and (not node or names == node or names.startswith(f'{node}.'))


def _print(line: LogLine, console: Console) -> None:
    stamp = time.strftime('%m-%d %H:%M:%S', time.localtime(line.time_s)) + f'.{int(line.time_s % 1 * 1000):03d}'
    name = line.logger.rpartition('.')[2]
    console.print(Text(f'{stamp} {line.level:5} {name}: {line.text}', style=STYLES.get(line.level, '')), soft_wrap=True)


def _followed(folder: Path, sizes: dict[Path, int]) -> Iterator[LogLine]:
    """Yield new lines of all files, those of new files too, until interrupted."""
    try:
        while True:
            fresh: list[LogLine] = []
            for path in folder.glob('*.log'):
                text = _read(path, sizes.get(path, 0))
                whole = text[: text.rfind('\n') + 1]  # the rest is being written
                sizes[path] = sizes.get(path, 0) + len(whole.encode())
                fresh += parse_lines(whole)
            yield from sorted(fresh, key=lambda line: line.time_s)
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        return
