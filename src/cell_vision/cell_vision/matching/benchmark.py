"""Reference reading of a known-good part.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Benchmark:
    """Texts of a known-good part, as they are read.

    Attributes:
        part_number: Part of the catalogue.
        version: Counts the benchmarks of the part, from 1.
        texts: All lines read, in reading order.
        identifying: Texts that contain the number of the part, at least one. Others (maker, lot,
            date) are also on other parts.
        frames: Number of frames from which it was read.
        operator_id: The operator who set it.
        created_at: UTC; None when it is not stored.
    """

    part_number: str
    version: int
    texts: tuple[str, ...]
    identifying: tuple[str, ...]
    frames: int = 1
    operator_id: str = ''
    created_at: datetime | None = None
