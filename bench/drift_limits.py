"""How soon a shift by one spread can be found, when 1 steady job of 2,000 bags in 20 may raise a false alarm.

  python bench/drift_limits.py

Mean and spread are known here, so every method that must learn them is slower. For each method the limit is set on steady jobs,
then bags are counted until it finds the shift. See docs/decisions/0020-drift-alarm.md.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
BAGS = 2000
BEFORE = 60
"""Steady bags before the shift."""
LONGEST = 30
"""Longest run of bags that a method looks at."""


def statistics(values: Values) -> dict[str, Values]:
    """Return the statistic of each method after each bag; one row a job, values in spreads from the mean."""
    jobs, bags = values.shape
    sums = np.concatenate([np.zeros((jobs, 1)), np.cumsum(values, 1)], 1)
    likelihood, late = np.zeros((jobs, bags)), np.zeros((jobs, bags))
    cusum = np.full((jobs, bags), -np.inf)
    found: dict[str, Values] = {}
    for run in range(1, LONGEST + 1):
        deviation = np.abs(sums[:, run:] - sums[:, :-run])
        if run <= 15:
            likelihood[:, run - 1 :] += np.exp(deviation - run / 2)
            late[:, run - 1 :] += 2.0**run * np.exp(deviation - run / 2)
        cusum[:, run - 1 :] = np.maximum(cusum[:, run - 1 :], deviation - run / 2)
        if run in (8, 12, 15):
            mean = np.zeros((jobs, bags))
            mean[:, run - 1 :] = deviation / np.sqrt(run)
            found[f'mean of {run} bags'] = mean
    return {
        'likelihood ratio of the last 15 bags (Shiryaev-Roberts)': np.log(likelihood),
        'the same, longer windows counting more': np.log(late),
        'CUSUM, k = 0.5': cusum,
        **found,
    }


def main() -> None:
    """Print limit, share found within 15 bags, and median delay of each method for three rates of false alarms."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--jobs', type=int, default=3000)
    jobs = arguments.parse_args().jobs
    rng = np.random.default_rng(4)
    highest: dict[str, list[Values]] = {}
    for start in range(0, jobs, 1000):
        for name, values in statistics(rng.standard_normal((min(1000, jobs - start), BAGS))).items():
            highest.setdefault(name, []).append(values.max(axis=1))
    shifted = rng.standard_normal((10_000, BEFORE + 40))
    shifted[:, BEFORE:] += 1.0
    after = {name: values[:, BEFORE:] for name, values in statistics(shifted).items()}
    for name, parts in highest.items():
        for share in (0.05, 0.035, 0.02):
            limit = float(np.quantile(np.concatenate(parts), 1 - share))
            hits = after[name] > limit
            delay = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 99)
            print(
                f'{name}: false alarm in {share:.1%} of steady jobs at limit {limit:.2f}; a shift by one spread is found '
                f'within 15 bags in {np.mean(delay <= 15):.0%}, after {np.median(delay):.0f} bags at the median'
            )


if __name__ == '__main__':
    main()
