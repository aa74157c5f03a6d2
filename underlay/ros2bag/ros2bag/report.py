"""The description of a bag that `ros2 bag info` prints."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Reader

LABEL_WIDTH = 19
_SUFFIXES = {'.mcap': 'mcap', '.db3': 'sqlite3'}


def files(path: Path) -> list[Path]:
    """Return the storage files of a bag."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.iterdir() if set(file.suffixes) & set(_SUFFIXES))


def describe(path: Path) -> str:
    """Return a description in the layout of rosbag2.

    Args:
        path: Folder or file of the bag.

    Raises:
        rosbags.rosbag2.ReaderError: It is not a readable bag.
    """
    stored = files(path)
    with Reader(path) as reader:
        empty = reader.message_count == 0
        start_ns, end_ns = (0, 0) if empty else (reader.start_time, reader.end_time - 1)
        topics = [_topic(connection) for connection in sorted(reader.connections, key=lambda entry: entry.topic)]
        rows = [
            ('Files', _column([file.name for file in stored])),
            ('Bag size', _size(sum(file.stat().st_size for file in stored))),
            ('Storage id', next((_SUFFIXES[suffix] for file in stored for suffix in file.suffixes if suffix in _SUFFIXES), '')),
            ('ROS Distro', reader.ros_distro or 'unknown'),
            ('Duration', f'{(end_ns - start_ns) / 1e9:.9f}s'),
            ('Start', _moment(start_ns)),
            ('End', _moment(end_ns)),
            ('Messages', str(reader.message_count)),
            ('Topic information', _column(topics)),
        ]
    return '\n' + ''.join(f'{label + ":":{LABEL_WIDTH}}{text}\n' for label, text in rows)


def topic_names(path: Path) -> list[str]:
    """Return the topics of a bag; raises as `describe`."""
    with Reader(path) as reader:
        return sorted({connection.topic for connection in reader.connections})


def _topic(connection: Any) -> str:
    return (
        f'Topic: {connection.topic} | Type: {connection.msgtype} | Count: {connection.msgcount} '
        f'| Serialization Format: {connection.ext.serialization_format}'
    )


def _column(lines: list[str]) -> str:
    return ('\n' + ' ' * LABEL_WIDTH).join(lines)


def _size(count: int) -> str:
    size = float(count)
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if size < 1024.0 or unit == 'GiB':
            break
        size /= 1024.0
    return f'{size:.0f} {unit}' if unit == 'B' else f'{size:.1f} {unit}'


def _moment(stamp_ns: int) -> str:
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    return f'{datetime.fromtimestamp(seconds):%b %e %Y %H:%M:%S}.{nanoseconds:09} ({seconds}.{nanoseconds:09})'
