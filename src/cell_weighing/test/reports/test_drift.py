from statistics import median

import numpy as np
import pytest
from cell_weighing.reports.drift import DriftDetector, drifts

RNG_SEED = 11


def wobble(count, center):
    """Values that alternate by 0.02 about a center."""
    return [center + (0.01 if index % 2 else -0.01) for index in range(count)]


def test_a_shift_of_a_scale_is_found_with_its_start_and_size():
    found = drifts(wobble(35, 1.10) + wobble(20, 1.13))[0]
    assert 33 <= found.since <= 35 <= found.index < 47
    assert found.shift == pytest.approx(0.03, abs=0.011)
    assert drifts(wobble(25, 1.10) + wobble(20, 1.06))[0].shift < 0


def test_a_steady_scale_does_not_drift():
    assert drifts(wobble(200, 1.10)) == []


@pytest.mark.parametrize('values', [[], [1.0], [1.0, 2.0], wobble(25, 1.1), [1.1] * 100])
def test_too_few_or_equal_values_are_no_drift(values):
    assert drifts(values) == []


@pytest.mark.parametrize('division', [0.0, 1.0, 2.5])
def test_steady_jobs_raise_at_most_one_false_alarm_in_twenty(division):
    rng, alarms, jobs = np.random.default_rng(RNG_SEED), 0, 40
    for _ in range(jobs):
        values = rng.normal(rng.uniform(0, max(division, 1.0)), 1.0, 2000)
        alarms += bool(drifts((np.round(values / division) * division if division else values).tolist()))
    assert alarms <= jobs / 20


def test_single_bags_far_off_are_no_drift_and_hide_none():
    rng = np.random.default_rng(RNG_SEED)
    steady = [rng.normal(0.0, 1.0, 1000) for _ in range(20)]
    for values in steady:
        values[20::100] -= 12.0
    assert sum(bool(drifts(values.tolist())) for values in steady) <= 1
    steady[0][500:] += 1.5
    assert any(found.index - 500 < 40 and found.shift > 0 for found in drifts(steady[0].tolist()))


def test_a_large_shift_is_found_within_a_few_bags_with_its_size():
    found = drifts(wobble(60, 1.10) + wobble(6, 1.60))[0]
    assert found.since in (59, 60) and found.index == 63 and 0.35 < found.shift < 0.55


def test_a_shift_by_one_spread_is_found_soon_also_after_an_earlier_alarm():
    rng, delays = np.random.default_rng(RNG_SEED), ([], [])
    for _ in range(60):
        watch = DriftDetector()
        for value in rng.normal(0.0, 1.0, 200):
            watch.add(value)
        for center, delay in zip((1.0, 2.0), delays, strict=True):
            bags, found = 0, None
            while found is None:
                bags, found = bags + 1, watch.add(rng.normal(center, 1.0))
            delay.append(bags)
            for value in rng.normal(center, 1.0, 150):
                watch.add(value)
    assert median(delays[0]) <= 20 and median(delays[1]) <= 22
