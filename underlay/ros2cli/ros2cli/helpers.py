"""Argument types and waiting, shared by the verbs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

__all__ = ['unsigned_int', 'wait_for']


def unsigned_int(text: str) -> int:
    """Parse a whole number of zero or more.

    Raises:
        argparse.ArgumentTypeError: The text is no such number.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError('value must be non-negative integer')
    return int(text)


def wait_for(predicate: Callable[[], bool], timeout: float, period: float = 0.1) -> bool:
    """Poll a condition with a timeout in seconds; return the last result."""
    deadline = time.monotonic() + timeout
    while not (result := predicate()) and time.monotonic() < deadline:
        time.sleep(period)
    return result
