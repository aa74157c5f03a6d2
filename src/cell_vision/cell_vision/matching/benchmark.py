"""A benchmark: the reading of a known-good part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Benchmark:
    """What a known-good part reads like."""

    part_number: str
    version: int
    """Counts the benchmarks of the part, from 1."""
    texts: tuple[str, ...]
    """All lines read, in reading order."""
    identifying: tuple[str, ...]
    """Those that hold the part's number, at least one. The others (maker, lot, date) stand on other parts too."""
    frames: int = 1
    """Frames that it was read from."""
    operator_id: str = ''
    """Who set it."""
    created_at: datetime | None = None
    """When, UTC; None when it is not stored."""
