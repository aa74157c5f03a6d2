"""Bags of a time by weigh job, with what was given away.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.domain.units import convert, kilograms
from cell_weighing.reports.report import JobReport
from cell_weighing.reports.spc import giveaway

__all__ = ['BagTotals', 'bag_totals']


@dataclass(frozen=True)
class BagTotals:
    """Bags of one weigh job within a time; voided bags are left out."""

    job_id: int
    station: str
    target: str
    unit: str
    good: int
    under: int
    over: int
    given_away: float
    """What the accepted bags hold above the target less what they lack, in `unit`."""


def bag_totals(report: JobReport, since_ns: int, until_ns: int) -> BagTotals:
    """Return the totals of a job's bags within a time, UTC nanoseconds; the end is not in it."""
    job, unit = report.job, report.job.band.unit
    bags = [bag for bag in report.counted if since_ns <= bag.weighed_ns < until_ns]
    accepted = [kilograms(bag.product, bag.unit) for bag in bags if bag.outcome is ToleranceResult.IN_TOLERANCE]
    sums = giveaway(accepted, kilograms(job.band.target, unit)) if accepted else None
    number = {outcome: sum(bag.outcome is outcome for bag in bags) for outcome in ToleranceResult}
    return BagTotals(
        job.job_id,
        job.station,
        str(job.band.target),
        unit,
        number[ToleranceResult.IN_TOLERANCE],
        number[ToleranceResult.UNDER],
        number[ToleranceResult.OVER],
        float(convert(sums.net if sums else Decimal(0), 'kg', unit)),
    )
