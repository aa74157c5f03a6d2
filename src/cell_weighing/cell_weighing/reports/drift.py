"""Detects shifts of the bag weights of one scale, while it learns the center and the spread.

Self-starting CUSUM: each value is compared with the mean and the spread of all values before it. Student's t of that comparison
is turned into a standard normal deviate, so the limit holds from the first values on (D. M. Hawkins, Self-starting CUSUM charts
for location and scale, The Statistician 36, 1987). The turn from t to a normal deviate is that of D. L. Wallace, Bounds on
normal approximations to Student's and the chi-square distributions, Annals of Mathematical Statistics 30, 1959.

A single bag far off, half filled or torn, is no drift: a value counts for at most `FARTHEST` standard deviations, in the sums
and in what is learned. Otherwise one such bag in a hundred would raise the alarm in 16 of 20 jobs of 2,000 bags.

With `DECISION` a steady scale signals about once in 50,000 bags (average run length); bench/weighing.py measures it. A shift by
one spread is found after 19 bags at the median. Decision 0020 shows why no limit finds it within 15 with so few false alarms.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from cell_weighing.reports.spc import Cusum

DECISION = 9.5
"""CUSUM decision interval in standard deviations: a false alarm in about 1 of 25 jobs of 2,000 bags."""
FARTHEST = 3.0
"""Largest deviation for which one value counts, in standard deviations."""
LEAST_CERTAIN = 10
"""Degrees of freedom from which a value far off can be distinguished from a spread that is not known yet."""
MIN_FREEDOM = 2
"""Degrees of freedom of the spread before values are compared."""
DIVISIONS = 1000
"""Distinct values that are examined for the scale division."""


@dataclass(frozen=True)
class Drift:
    """A shift of a scale or of its filler.

    Attributes:
        index: The value, counted from 0, at which it became certain.
        since: The value at which it probably began.
        shift: Mean of the values from `since` to `index` less the old center, in the unit of the
            values.
    """

    index: int
    since: int
    shift: float


class DriftDetector:
    """Detects every shift of the values of one scale.

    After a shift the center is learned again, and the spread is kept, so the scale stays watched.
    Only a test weight can tell a drift of the scale from a drift of the filler.

    Attributes:
        found: The latest drift, None before the first.
    """

    def __init__(self) -> None:
        """Start without values."""
        self._index = -1
        self._count, self._mean, self._squares = 0, 0.0, 0.0
        self._older_squares, self._older_freedom = 0.0, 0
        self._values: list[float] = []
        self._division = 0.0
        self._restart_sums()
        self.found: Drift | None = None

    def add(self, value: float) -> Drift | None:
        """Add the next value; return the drift that it makes certain, None = none.

        Args:
            value: Net weight, always in the same unit.
        """
        self._index += 1
        self._learn_division(value)
        deviate, counted = self._deviate(value)
        drift = self._check(value, deviate)
        if drift:
            self.found = drift
            self._older_squares += self._squares
            self._older_freedom += self._count - 1
            self._count, self._mean, self._squares = 0, 0.0, 0.0
            self._restart_sums()
        else:
            self._count += 1
            before = counted - self._mean
            # Welford's update: sums of squares of nearly equal weights would lose their digits.
            self._mean += before / self._count
            self._squares += before * (counted - self._mean)
        return drift

    def _restart_sums(self) -> None:
        self._sums = Cusum(0.0, 1.0)
        self._runs = {True: (0, 0.0, 0.0), False: (0, 0.0, 0.0)}
        """Above, below: index of the value since which that sum has not been 0, the center then, sum of the values."""

    def _learn_division(self, value: float) -> None:
        """Keep the smallest difference of two values: the division of the scale, which counts as spread."""
        place = bisect_left(self._values, value)
        neighbors = self._values[max(0, place - 1) : place + 1]
        gaps = [gap for other in neighbors if (gap := abs(other - value)) > 1e-9 * max(1.0, abs(value))]
        if len(gaps) == len(neighbors) and len(self._values) < DIVISIONS:
            self._values.insert(place, value)
            if gaps:
                self._division = min(gaps) if not self._division else min(self._division, *gaps)

    def _deviate(self, value: float) -> tuple[float, float]:
        """Return the normal deviate of a value, at most `FARTHEST`, and the value that has it; 0 while nothing is known."""
        freedom = self._older_freedom + self._count - 1
        if self._count < 1 or freedom < MIN_FREEDOM:
            return 0.0, value
        # A display with a division of d rounds; equal readings would have no spread at all, and the
        # first other one would be a shift. Rounding adds the variance d^2/12 of a uniform
        # distribution.
        variance = (self._older_squares + self._squares) / freedom + self._division**2 / 12
        if not variance:
            return 0.0, value
        # The variance of the new value and of the mean that it is compared with, hence 1 + 1/n.
        deviate = _normal_deviate((value - self._mean) / math.sqrt(variance * (1 + 1 / self._count)), freedom)
        if abs(deviate) <= FARTHEST or freedom < LEAST_CERTAIN:
            return deviate, value
        share = FARTHEST / abs(deviate)
        return deviate * share, self._mean + (value - self._mean) * share

    def _check(self, value: float, deviate: float) -> Drift | None:
        """Add a deviate to the sums, and return the drift if one of them passes the limit."""
        before = {True: self._sums.high, False: self._sums.low}
        self._sums.add(deviate)
        for above, after in ((True, self._sums.high), (False, self._sums.low)):
            since, center, total = self._runs[above] if before[above] > 0 else (self._index, self._mean, 0.0)
            self._runs[above] = since, center, total + value
            if after > DECISION:
                return Drift(self._index, since, (total + value) / (self._index - since + 1) - center)
        return None


def drifts(values: Sequence[float]) -> list[Drift]:
    """Return every drift in the values of one scale and one job, in order of time."""
    detector = DriftDetector()
    return [found for value in values if (found := detector.add(value))]


def _normal_deviate(t: float, freedom: int) -> float:
    """Return the normal deviate that is exceeded as rarely as Student's t of these degrees of freedom (Wallace, 1959)."""
    size = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t * t / freedom))
    return math.copysign(size, t)
