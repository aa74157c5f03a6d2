"""The monotonic clock of this machine, and the id of its boot."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from cell_weighing.domain.event_order import MonotonicStamp


@cache
def boot_id() -> str:
    """Return the id of this boot (Linux: random/boot_id); "" where the system has none."""
    try:
        return Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()
    except OSError:
        return ''


def monotonic_now() -> MonotonicStamp:
    """Return the current moment.

    `time.monotonic_ns` does not advance while a Linux machine is suspended; a cell's computer is
    not suspended.
    """
    return MonotonicStamp(boot_id(), time.monotonic_ns())
