"""Reference reading of a known-good part.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Benchmark:
    """Texts of a known-good part, as they are read."""

    part_number: str
    version: int
    """Counts the benchmarks of the part, from 1."""
    texts: tuple[str, ...]
    """All lines read, in reading order."""
    identifying: tuple[str, ...]
    """Texts that contain the number of the part, at least one. Others (maker, lot, date) are also on other parts."""
    frames: int = 1
    """Number of frames from which it was read."""
    operator_id: str = ''
    """The operator who set it."""
    created_at: datetime | None = None
    """UTC; None when it is not stored."""
