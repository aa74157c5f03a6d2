"""The camera pictures of a clip, in the order of their time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cell_history.bags.reader import BagReader

__all__ = ['clip_pictures']

TOPIC_END = '/camera/image_raw/compressed'


def clip_pictures(folder: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the time of each picture, ROS time in nanoseconds, and the picture as JPEG.

    Args:
        folder: Of the clip.

    Raises:
        BagError: It cannot be read.
    """
    with BagReader(folder) as bag:
        for message in bag.messages([topic for topic in bag.topics if topic.endswith(TOPIC_END)]):
            content = bag.decode_or_report(message)
            if content is not None:
                yield message.time_ns, bytes(content.data)
