"""Counts pieces and reading times over jobs, for /metrics.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily

__all__ = ['BOUNDS_S', 'PieceCounter']

BOUNDS_S = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Upper bounds of the buckets of reading times, seconds."""


class PieceCounter:
    """Counters that only grow, made of the counts of one job after another.

    Attributes:
        placed: Pieces placed since the first update.
        rejected: Pieces rejected since the first update.
    """

    def __init__(self) -> None:
        self.placed = 0
        self.rejected = 0
        self._last: tuple[str, int, int] | None = None
        self._last_match: tuple[int, int] | None = None
        self._buckets = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def update(self, job_id: str, placed: int, rejected: int, match: tuple[int, int] | None, read_time_s: float) -> None:
        """Add what has happened since the last update; the first one is a state that was there before.

        Args:
            job_id: Id of the job.
            placed: Pieces of this job that were placed.
            rejected: Pieces of this job that were rejected.
            match: Stamp of its latest verdict; None = none yet.
            read_time_s: Seconds that the reading before it took; 0 = none.
        """
        is_first = self._last is None
        known = self._last if self._last is not None and self._last[0] == job_id else (job_id, 0, 0)
        if not is_first:
            self.placed += max(0, placed - known[1])
            self.rejected += max(0, rejected - known[2])
            if match is not None and match != self._last_match and read_time_s > 0.0:
                self._observe(read_time_s)
        self._last, self._last_match = (job_id, placed, rejected), match

    def histogram(self, cell: str) -> HistogramMetricFamily:
        """Return the reading times.

        Args:
            cell: Value of label `cell`.
        """
        family = HistogramMetricFamily('cell_reading_seconds', 'Time of a reading of a piece.', labels=('cell',))
        bounds = [*map(str, BOUNDS_S), '+Inf']
        family.add_metric((cell,), list(zip(bounds, map(float, accumulate(self._buckets)), strict=True)), self._sum_s)
        return family

    def _observe(self, seconds: float) -> None:
        number = next((index for index, bound in enumerate(BOUNDS_S) if seconds <= bound), len(BOUNDS_S))
        self._buckets[number] += 1
        self._sum_s += seconds
