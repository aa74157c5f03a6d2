"""Statistical process control of bag weights: charts, run rules, giveaway. Module `drift` detects shifts.

Weights are numbers in one unit. Statistics are `float`: an estimate from a few dozen bags is uncertain in its second digit, so
binary rounding in the sixteenth does not matter. Sums of masses (giveaway) are `Decimal` and exact.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from itertools import pairwise
from statistics import NormalDist, fmean, stdev

from cell_weighing.domain.units import EXACT

# Groups of five are usual on control charts: large enough to show a shift, small enough to be of one setting.
SUBGROUP = 5
RULE_RISK = 0.0025
"""Chance that one rule, or the limit of the ranges, signals in the whole chart of a steady process."""
ALLOWANCE = 0.5
"""CUSUM reference value k in standard deviations: tuned to shifts of one standard deviation."""


@dataclass(frozen=True)
class Factors:
    """Control chart factors of one subgroup size, in the usual notation.

    Attributes:
        a2: Limits of the means, from the mean range.
        d3: Lower limit of the ranges, from the mean range.
        d4: Upper limit of the ranges, from the mean range.
    """

    a2: float
    d3: float
    d4: float


FACTORS = {
    2: Factors(1.880, 0.0, 3.267),
    3: Factors(1.023, 0.0, 2.574),
    4: Factors(0.729, 0.0, 2.282),
    5: Factors(0.577, 0.0, 2.114),
    6: Factors(0.483, 0.0, 2.004),
    7: Factors(0.419, 0.076, 1.924),
    8: Factors(0.373, 0.136, 1.864),
    9: Factors(0.337, 0.184, 1.816),
    10: Factors(0.308, 0.223, 1.777),
}
"""Control chart factors by subgroup size.

Source: ASTM Manual 7 (Presentation of Data and Control Chart Analysis), table of factors for control limits; the same in ISO
7870-2 and in the NIST/SEMATECH e-Handbook of Statistical Methods, section 6.3.2.1.
"""


@dataclass(frozen=True)
class ControlLimits:
    """Center line and control limits of one chart, in the unit of the weights.

    Attributes:
        low: Lower limit, center - 3 sigma.
        center: Mean of the plotted points.
        high: Upper limit, center + 3 sigma.
    """

    low: float
    center: float
    high: float

    def outside(self, value: float) -> bool:
        """Whether a point lies beyond a limit; one on it does not."""
        return not self.low <= value <= self.high


@dataclass(frozen=True)
class ControlChart:
    """An X-bar/R chart.

    Attributes:
        size: Bags in a subgroup.
        means: Mean of each subgroup, in order of time.
        ranges: Largest minus smallest weight of each subgroup.
        mean_limits: Limits of `means`.
        range_limits: Limits of `ranges`.
        signals: Run rules that the means break.
    """

    size: int
    means: list[float]
    ranges: list[float]
    mean_limits: ControlLimits
    """Those of `BEYOND_3_SIGMA`, widened by the number of groups."""
    range_limits: ControlLimits
    rules: Mapping[Rule, Run]
    """The run rules of this number of groups."""
    signals: list[RunRuleSignal]

    @property
    def wide(self) -> list[int]:
        """Subgroups, counted from 0, whose range is beyond its limits."""
        return [index for index, value in enumerate(self.ranges) if self.range_limits.outside(value)]


class Rule(IntEnum):
    """The run rules by their number in the Western Electric Statistical Quality Control Handbook (1956)."""

    BEYOND_3_SIGMA = 1
    """One point beyond three standard deviations."""
    TWO_OF_THREE = 2
    """Two of three successive points beyond two standard deviations, on one side."""
    FOUR_OF_FIVE = 3
    """Four of five successive points beyond one standard deviation, on one side."""
    EIGHT_IN_A_ROW = 4
    """Eight successive points on one side of the center; more in a long chart."""


@dataclass(frozen=True)
class Run:
    """A run rule: number of points, out of a number of successive points, beyond a number of standard deviations."""

    wanted: int
    window: int
    distance: float


TEXTBOOK: Mapping[Rule, Run] = {
    Rule.BEYOND_3_SIGMA: Run(1, 1, 3.0),
    Rule.TWO_OF_THREE: Run(2, 3, 2.0),
    Rule.FOUR_OF_FIVE: Run(4, 5, 1.0),
    Rule.EIGHT_IN_A_ROW: Run(8, 8, 0.0),
}
"""The rules as published: together they signal once in 92 points of a steady process (Champ and Woodall, 1987)."""


def rules_for(points: int) -> Mapping[Rule, Run]:
    """Return the run rules widened so that each signals with a chance of `RULE_RISK` in so many steady points.

    The published rules signal somewhere in almost every long job: 8 times in 2,000 steady bags. The chance of a run is bounded
    by the number of places where it may end times its probability there, on both sides.

    Args:
        points: Number of points of the chart.
    """
    risk = RULE_RISK / max(1, points)
    tails = {
        Rule.BEYOND_3_SIGMA: risk / 2,
        Rule.TWO_OF_THREE: math.sqrt(risk / 4),
        Rule.FOUR_OF_FIVE: (risk / 8) ** 0.25,
    }
    rules = {
        rule: Run(TEXTBOOK[rule].wanted, TEXTBOOK[rule].window, max(TEXTBOOK[rule].distance, -NormalDist().inv_cdf(tail)))
        for rule, tail in tails.items()
    }
    length = max(8, math.ceil(-math.log2(risk)))
    return {**rules, Rule.EIGHT_IN_A_ROW: Run(length, length, 0.0)}


@dataclass(frozen=True)
class RunRuleSignal:
    """A run rule that is broken.

    Attributes:
        rule: The rule.
        index: The point, counted from 0, at which it is broken.
        above: Above the center, or below.
    """

    rule: Rule
    index: int
    above: bool


@dataclass(frozen=True)
class HistogramBin:
    """One bar of a histogram: low <= weight < high, the last one with its upper edge.

    Attributes:
        low: Lower edge.
        high: Upper edge.
        count: Number of weights.
    """

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Giveaway:
    """Product filled above and below the target, exactly.

    Attributes:
        over: Sum of the excess of bags above the target.
        short: Sum of the shortfall of bags below the target, as a positive number.
    """

    over: Decimal
    short: Decimal

    @property
    def net(self) -> Decimal:
        """Weight of all bags minus their targets."""
        return EXACT.subtract(self.over, self.short)


def subgroups(values: Sequence[float], size: int = SUBGROUP) -> list[Sequence[float]]:
    """Split successive values into subgroups; an incomplete last one is left out."""
    return [values[start : start + size] for start in range(0, len(values) - size + 1, size)]


def chart_limits(grand_mean: float, mean_range: float, size: int) -> tuple[ControlLimits, ControlLimits]:
    """Return the limits of the X-bar and of the R chart.

    Args:
        grand_mean: Mean of the subgroups' means.
        mean_range: Mean of the subgroups' ranges.
        size: Values in a subgroup.

    Raises:
        ValueError: There are no factors for this size.
    """
    if size not in FACTORS:
        raise ValueError(f'subgroups must have {min(FACTORS)} to {max(FACTORS)} values')
    factors = FACTORS[size]
    reach = factors.a2 * mean_range
    return (
        ControlLimits(grand_mean - reach, grand_mean, grand_mean + reach),
        ControlLimits(factors.d3 * mean_range, mean_range, factors.d4 * mean_range),
    )


def chart(values: Sequence[float], size: int = SUBGROUP) -> ControlChart | None:
    """Make the X-bar/R chart of successive weights; None when there are fewer than two subgroups.

    The limits are estimated from the charted bags themselves, so a chart of few subgroups is a
    rough one.

    Args:
        values: In order of weighing, in one unit.
        size: Bags in a subgroup, 2 to 10.

    Raises:
        ValueError: There are no factors for this size of subgroup.
    """
    groups = subgroups(values, size)
    if size in FACTORS and len(groups) < 2:
        return None
    means = [fmean(group) for group in groups]
    ranges = [max(group) - min(group) for group in groups]
    center, mean_range = fmean(means), fmean(ranges)
    of_means, of_ranges = chart_limits(center, mean_range, size)
    rules, division = rules_for(len(groups)), smallest_difference(values)
    # Weights are whole divisions: their rounding adds to the spread of the means, and up to a division to a range.
    sigma = math.hypot((of_means.high - center) / 3, division / math.sqrt(12 * size))
    reach = rules[Rule.BEYOND_3_SIGMA].distance * sigma
    highest = max(of_ranges.high, _highest_range(mean_range, size, len(groups)) + division) if mean_range else 0.0
    return ControlChart(
        size,
        means,
        ranges,
        ControlLimits(center - reach, center, center + reach),
        ControlLimits(0.0, mean_range, highest),
        rules,
        run_rules(means, center, sigma, rules),
    )


def _highest_range(mean_range: float, size: int, groups: int) -> float:
    """Return the range that a steady process exceeds in one of `groups` groups with a chance of `RULE_RISK`.

    A range above w needs a pair of values that differ by more than w; there are size (size - 1) / 2 pairs.
    """
    sigma = mean_range * FACTORS[size].a2 * math.sqrt(size) / 3
    tail = RULE_RISK / groups / (size * (size - 1))
    return -NormalDist().inv_cdf(tail) * math.sqrt(2) * sigma


def smallest_difference(values: Sequence[float]) -> float:
    """Return the smallest difference of two values, the division of a scale; 0 when all are alike."""
    ordered = sorted(values)
    gaps = (after - before for before, after in pairwise(ordered))
    return min((gap for gap in gaps if gap > 1e-9 * max(1.0, abs(ordered[-1]))), default=0.0)


def run_rules(
    points: Sequence[float], center: float, sigma: float, rules: Mapping[Rule, Run] = TEXTBOOK
) -> list[RunRuleSignal]:
    """Apply the four Western Electric rules.

    A rule is broken at each point that is itself beyond the line and completes the run; a point exactly on a line is not beyond
    it.

    Args:
        points: In order of time.
        center: The center line.
        sigma: Standard deviation of the points; with 0 every point off the center is beyond a line.
        rules: The rules, see `rules_for`.
    """
    signals = []
    for index in range(len(points)):
        for rule, run in rules.items():
            recent = points[max(0, index - run.window + 1) : index + 1]
            for above in (True, False):
                beyond = [(point - center if above else center - point) > run.distance * sigma for point in recent]
                # Only at a point that is itself beyond: the rule would otherwise be reported at the
                # points after it, too.
                if beyond[-1] and sum(beyond) >= run.wanted:
                    signals.append(RunRuleSignal(rule, index, above))
    return signals


def histogram(values: Sequence[float], bins: int = 0) -> list[HistogramBin]:
    """Count weights in bins of equal width from the lightest to the heaviest.

    Args:
        values: Finite.
        bins: Number of bins; 0 = the square root of the number of values, 5 to 20.
    """
    if not values:
        return []
    low, high = min(values), max(values)
    if low == high:
        return [HistogramBin(low, high, len(values))]
    bins = bins or min(20, max(5, math.isqrt(len(values))))
    width = (high - low) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    return [
        HistogramBin(low + index * width, high if index == bins - 1 else low + (index + 1) * width, count)
        for index, count in enumerate(counts)
    ]


def sample_std(values: Sequence[float]) -> float:
    """Return the standard deviation of a sample; 0 for fewer than two values."""
    return stdev(values) if len(values) > 1 else 0.0


class Cusum:
    """Tabular CUSUM of a sequence of values.

    Source: Montgomery, Introduction to Statistical Quality Control, section 9.1.

    Attributes:
        high: Upper sum, in standard deviations.
        low: Lower sum, positive, in standard deviations.
    """

    def __init__(self, center: float, sigma: float) -> None:
        """Start with both sums 0.

        Args:
            center: Mean of the process.
            sigma: Standard deviation of the process, above 0.
        """
        self._center = center
        self._sigma = sigma
        self.high = 0.0
        self.low = 0.0

    def add(self, value: float) -> None:
        """Add the next value."""
        deviation = (value - self._center) / self._sigma
        self.high = max(0.0, self.high + deviation - ALLOWANCE)
        self.low = max(0.0, self.low - deviation - ALLOWANCE)


def giveaway(weights: Sequence[Decimal], target: Decimal) -> Giveaway:
    """Sum the excess and the shortfall of bags against the target, exactly, in the unit of both.

    Args:
        weights: Net weights in one unit.
        target: Target weight in the same unit.
    """
    over = short = Decimal(0)
    for weight in weights:
        difference = EXACT.subtract(weight, target)
        if difference > 0:
            over = EXACT.add(over, difference)
        else:
            short = EXACT.subtract(short, difference)
    return Giveaway(over, short)
