"""This boot of this machine, and its monotonic clock."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from cell_weighing.domain.event_order import MonotonicStamp


@cache
def boot_id() -> str:
    """Return what names this boot of this machine; "" where the system does not tell."""
    try:
        return Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()
    except OSError:
        return ''


def monotonic_now() -> MonotonicStamp:
    """Return this moment."""
    return MonotonicStamp(boot_id(), time.monotonic_ns())
