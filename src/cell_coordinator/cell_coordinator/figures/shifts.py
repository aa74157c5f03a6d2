"""Begin and end of the shifts in local time; on the days of the change to and from daylight saving one is longer or shorter.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from datetime import time as day_time

from cell_common.time import NS_PER_S

from cell_coordinator.figures.rules import Window

MOST_SHIFTS = 1000


class ShiftError(ValueError):
    """The begin of a shift is not a time of day."""


def parse_starts(texts: Sequence[str]) -> list[day_time]:
    """Return the begins of the shifts of a day, the earliest first.

    Args:
        texts: E.g. ["06:00", "14:00", "22:00"]; none = no shifts.

    Raises:
        ShiftError: A text is not HH:MM, or is there twice.
    """
    for text in texts:
        if not re.fullmatch(r'([01][0-9]|2[0-3]):[0-5][0-9]', text):
            raise ShiftError(f'shift "{text}": give the time of its begin as HH:MM')
    starts = sorted({day_time.fromisoformat(text) for text in texts})
    if len(starts) != len(texts):
        raise ShiftError(f'shifts {", ".join(texts)}: each begin once')
    return starts


def shift_windows(window: Window, starts: Sequence[day_time], zone: tzinfo | None = None) -> Iterator[tuple[str, Window]]:
    """Yield the shifts that have a part in a window: name and the part.

    Args:
        window: The time.
        starts: Of `parse_starts`.
        zone: Time zone of the cell; None = that of this computer.
    """
    if not starts:
        return
    day = _local(window.since_ns, zone).date() - timedelta(days=1)
    begins: list[tuple[int, str]] = []
    while len(begins) <= MOST_SHIFTS and (not begins or begins[-1][0] < window.until_ns):
        begins += [_begin(day, start, zone) for start in starts]
        day += timedelta(days=1)
    for (begin, name), (end, _) in itertools.pairwise(begins):
        part = Window(max(begin, window.since_ns), min(end, window.until_ns))
        if part.since_ns < part.until_ns:
            yield name, part


def _begin(day: date, start: day_time, zone: tzinfo | None) -> tuple[int, str]:
    local = datetime.combine(day, start, tzinfo=zone)
    return int(local.timestamp()) * NS_PER_S, local.strftime('%Y-%m-%d %H:%M')


def _local(stamp_ns: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(stamp_ns // NS_PER_S, tz=timezone.utc).astimezone(zone)
