"""Against numbers of the textbooks, and against the definitions themselves where a book gives none."""

import math
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest
from cell_weighing.reports.spc import (
    FACTORS,
    TEXTBOOK,
    Cusum,
    Rule,
    chart,
    chart_limits,
    giveaway,
    histogram,
    rules_for,
    run_rules,
    sample_std,
    smallest_difference,
    subgroups,
)

# Montgomery, Introduction to Statistical Quality Control, table 9.1: target 10, standard deviation 1, shifted to 11 from the
# 21st observation on.
CUSUM_EXAMPLE = [
    9.45,
    7.99,
    9.29,
    11.66,
    12.16,
    10.18,
    8.04,
    11.46,
    9.20,
    10.34,
    9.03,
    11.47,
    10.51,
    9.40,
    10.08,
    9.37,
    10.62,
    10.31,
    8.52,
    10.84,
    10.90,
    9.33,
    12.29,
    11.50,
    10.60,
    11.08,
    10.38,
    11.62,
    11.31,
    10.52,
]


def range_moments(size):
    """Mean and standard deviation of the range of `size` standard normal values, by numerical integration."""
    x, w = np.linspace(-8, 8, 1601), np.linspace(0, 12, 1201)
    phi = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    cdf = np.array([NormalDist().cdf(v) for v in np.linspace(-8, 20, 2801)])
    at = np.rint((x + 8) / 0.01).astype(int)
    inside = cdf[at[None, :] + np.rint(w / 0.01).astype(int)[:, None]] - cdf[at][None, :]
    tail = 1 - size * (phi * inside ** (size - 1)).sum(axis=1) * 0.01
    mean, square = (tail.sum() - tail[0] / 2) * 0.01, (2 * w * tail).sum() * 0.01
    return mean, math.sqrt(square - mean**2)


@pytest.mark.parametrize('size', FACTORS)
def test_the_factors_are_what_their_definition_gives(size):
    d2, d3 = range_moments(size)
    factors = FACTORS[size]
    assert factors.a2 == pytest.approx(3 / (d2 * math.sqrt(size)), abs=0.0011)
    assert factors.d3 == pytest.approx(max(0.0, 1 - 3 * d3 / d2), abs=0.0011)
    assert factors.d4 == pytest.approx(1 + 3 * d3 / d2, abs=0.0011)


def test_limits_of_the_textbooks_wafers():
    # Montgomery, example 6.1: 25 samples of 5, grand mean 1.5056, mean range 0.32521.
    means, ranges = chart_limits(1.5056, 0.32521, 5)
    assert (means.low, means.high) == pytest.approx((1.31795, 1.69325), abs=1e-4)
    assert (ranges.low, ranges.high) == pytest.approx((0.0, 0.6875), abs=1e-3)


@pytest.mark.parametrize('size', [0, 1, 11])
def test_no_limits_for_subgroups_without_factors(size):
    with pytest.raises(ValueError, match='2 to 10'):
        chart_limits(1.0, 0.1, size)


def test_a_chart_worked_by_hand():
    made = chart([10, 12, 11, 13, 9, 10], 2)
    assert made.means == [11, 12, 9.5] and made.ranges == [2, 2, 1]
    assert made.mean_limits.center == pytest.approx(32.5 / 3)
    # Limits of three groups: half of the risk of 0.0025 / 3 on each side is 3.34 sigma; the division of 1 adds to sigma.
    sigma = math.hypot(1.880 * 5 / 9, 1 / math.sqrt(12 * 2))
    assert made.mean_limits.high == pytest.approx(32.5 / 3 + 3.3412 * sigma, abs=1e-3)
    assert made.range_limits.high > 3.267 * 5 / 3
    assert made.signals == [] and made.wide == []


def steady(rng, count, division):
    values = rng.normal(rng.uniform(0, max(division, 1.0)), 1.0, count)
    return (np.round(values / division) * division if division else values).tolist()


@pytest.mark.parametrize(('count', 'division'), [(100, 0.0), (2000, 0.0), (2000, 1.0), (2000, 2.5)])
def test_a_steady_job_is_called_steady_in_nineteen_of_twenty_reports(count, division):
    rng = np.random.default_rng(5)
    charts = [chart(steady(rng, count, division)) for _ in range(40)]
    assert sum(bool(made.signals or made.wide) for made in charts) <= 2


def test_a_job_that_is_not_steady_has_signals():
    rng = np.random.default_rng(6)
    made = chart([*rng.normal(0.0, 1.0, 400), *rng.normal(1.0, 1.0, 400)])
    assert {signal.rule for signal in made.signals} >= {Rule.EIGHT_IN_A_ROW}
    scattered = chart([*rng.normal(0.0, 1.0, 400), 9.0, *rng.normal(0.0, 1.0, 400)])
    assert scattered.wide == [80]


def test_rules_of_few_points_are_no_looser_than_the_published_ones():
    for points in (0, 1, 20, 400):
        rules = rules_for(points)
        assert all(rules[rule].distance >= run.distance and rules[rule].wanted >= run.wanted for rule, run in TEXTBOOK.items())
    assert rules_for(400)[Rule.EIGHT_IN_A_ROW].wanted == 18


def test_the_division_is_the_smallest_difference():
    assert smallest_difference([1.10, 1.30, 1.12, 1.10]) == pytest.approx(0.02)
    assert smallest_difference([1.1, 1.1]) == smallest_difference([]) == 0.0


def test_a_subgroup_with_a_wide_range_is_marked():
    made = chart([10, 10.1] * 10 + [9, 11])
    assert made.wide == []  # an incomplete last subgroup is left out
    made = chart([10, 10.1] * 10 + [9, 11, 9, 11, 10])
    assert made.wide == [4]


def test_an_incomplete_subgroup_is_left_out_and_one_makes_no_chart():
    assert subgroups([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4]]
    assert chart([1, 2, 3], 2) is None and chart([]) is None
    with pytest.raises(ValueError, match='subgroups'):
        chart([1.0] * 30, 11)


def test_bags_that_are_all_alike_make_a_chart_without_signals():
    made = chart([1.1] * 20)
    assert made.mean_limits.low == pytest.approx(made.mean_limits.high)
    assert made.wide == []


def signals(points):
    return [(s.rule, s.index, s.above) for s in run_rules(points, 0.0, 1.0)]


def test_rule_1_one_point_beyond_three_sigma():
    assert signals([0, 3.01]) == [(Rule.BEYOND_3_SIGMA, 1, True)]
    assert signals([0, -3.01]) == [(Rule.BEYOND_3_SIGMA, 1, False)]
    assert signals([0, 3.0, 0]) == []


def test_rule_2_two_of_three_beyond_two_sigma_on_one_side():
    assert signals([2.1, 0, 2.1]) == [(Rule.TWO_OF_THREE, 2, True)]
    assert signals([-2.1, -2.1]) == [(Rule.TWO_OF_THREE, 1, False)]
    assert signals([2.1, 0, 0, 2.1]) == [] and signals([2.1, 0, -2.1]) == []
    assert signals([2.1, 2.0, 0]) == []


def test_rule_3_four_of_five_beyond_one_sigma_on_one_side():
    assert signals([1.1, 1.1, -0.5, 1.1, 1.1]) == [(Rule.FOUR_OF_FIVE, 4, True)]
    assert signals([1.1, 1.1, -0.5, -0.5, 1.1, 1.1]) == []
    assert signals([-1.1] * 4) == [(Rule.FOUR_OF_FIVE, 3, False)]
    assert signals([1.1, 1.1, 1.1, -1.1, 0]) == []


def test_rule_4_eight_in_a_row_on_one_side():
    assert signals([0.1] * 8) == [(Rule.EIGHT_IN_A_ROW, 7, True)]
    assert signals([0.1] * 7) == [] and signals([0.1] * 7 + [0.0] + [0.1]) == []
    assert signals([-0.1] * 9) == [(Rule.EIGHT_IN_A_ROW, 7, False), (Rule.EIGHT_IN_A_ROW, 8, False)]


def test_a_rule_signals_a_run_only_until_it_ends():
    assert signals([2.1, 2.1, 0.0, -0.1]) == [(Rule.TWO_OF_THREE, 1, True)]


def test_false_signals_are_as_rare_as_the_rules_state():
    # Champ and Woodall (1987): with all four rules a process in control signals once in 91.75 points on average.
    points = np.random.default_rng(7).normal(size=40_000).tolist()
    runs, start = [], 0
    received = sorted({s.index for s in run_rules(points, 0.0, 1.0)})
    for at in received:
        if at >= start + 20:  # a new run, after the window of the longest rule
            runs.append(at - start)
            start = at + 8
    assert 75 < np.mean(runs) < 125


def test_the_textbooks_cusum():
    cusum, sums = Cusum(10, 1), []
    for value in CUSUM_EXAMPLE:
        cusum.add(value)
        sums.append((cusum.high, cusum.low))
    assert [round(high, 2) for high, _ in sums[-9:]] == [0.0, 1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30]
    assert max(low for _, low in sums) < 5


def test_bars_hold_every_bag_once():
    values = np.random.default_rng(3).normal(1.1, 0.03, 400).tolist()
    bars = histogram(values)
    assert len(bars) == 20 and sum(bar.count for bar in bars) == 400
    assert bars[0].low == min(values) and bars[-1].high == max(values)
    assert all(bar.count == sum(bar.low <= v < bar.high for v in values) for bar in bars[1:-1])


def test_histograms_of_few_or_equal_bags():
    assert histogram([]) == []
    assert [(bar.low, bar.high, bar.count) for bar in histogram([1.1, 1.1])] == [(1.1, 1.1, 2)]
    assert [bar.count for bar in histogram([0, 1, 2, 3, 4], 2)] == [2, 3]


def test_spread_is_that_of_a_sample():
    assert sample_std([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(math.sqrt(32 / 7))
    assert sample_std([1.0]) == sample_std([]) == 0.0


def test_giveaway_is_exact():
    sums = giveaway([Decimal('1.13'), Decimal('1.08'), Decimal('1.10'), *[Decimal('1.1000001')] * 10], Decimal('1.10'))
    assert (sums.over, sums.short, sums.net) == (Decimal('0.030001'), Decimal('0.02'), Decimal('0.010001'))
    assert giveaway([], Decimal(1)).net == 0
