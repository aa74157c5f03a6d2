"""Conversion between table rows and the domain's weigh jobs, bags and boundaries."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from cell_weighing.domain.event_order import JobBoundary, MonotonicStamp
from cell_weighing.domain.jobs import Bag, WeighingJob
from cell_weighing.domain.reading import Stability
from cell_weighing.domain.tolerance import ToleranceBand, ToleranceResult, WeightZone
from cell_weighing.domain.units import convert
from cell_weighing.storage.tables import BagRow, CompanyRow, ReopenRow, WeighJobRow

POUND = 'lb'
WEB_APP_TOLERANCE = '0.10'
"""Share of the target within which the web application calls a bag in tolerance."""


def job_of(session: Session, row: WeighJobRow) -> WeighingJob:
    """Return the weigh job of a row; its `gaps` stay empty, see `load_gaps`.

    Args:
        session: Session of the row, for the name of the company.
        row: Stored job.
    """
    company = session.get(CompanyRow, row.prepuff_company_id)
    return WeighingJob(
        job_id=row.id,
        company=company.name if company else '',
        station=row.station,
        band=_band(row),
        quantity=row.quantity,
        started_ns=row.started_ns or utc_ns(row.started_at),
        started_by=row.started_by,
        finished_ns=row.finished_ns,
        bags_completed=row.bags_good,
        bags_out=row.bags_out,
        bags_numbered=row.bags_numbered,
        tare=Decimal(row.tare),
        bags_voided=row.bags_voided,
        started=_stamp(row.started_boot, row.started_monotonic),
        finished=_stamp(row.finished_boot, row.finished_monotonic),
    )


def load_gaps(session: Session, job: WeighingJob) -> WeighingJob:
    """Load the intervals in which a reopened job was closed, and return the job.

    Only needed to decide whether a job contains a reading; display and reports do without.

    Args:
        session: Open session.
        job: Changed in place.
    """
    rows = session.scalars(select(ReopenRow).where(ReopenRow.prepuff_job_id == job.job_id))
    job.gaps = [
        (
            JobBoundary(row.ended_ns, _stamp(row.ended_boot, row.ended_monotonic)),
            JobBoundary(row.reopened_ns, _stamp(row.reopened_boot, row.reopened_monotonic)),
        )
        for row in rows
    ]
    return job


def write_counts(row: WeighJobRow, job: WeighingJob) -> None:
    """Copy the counts and the end of a job into its row.

    Args:
        row: Row of the job; the caller's session stores it.
        job: Job whose counts have changed.
    """
    row.bags_good, row.bags_out, row.bags_numbered = job.bags_completed, job.bags_out, job.bags_numbered
    row.bags_completed = job.bags_completed + job.bags_out  # what the web application means by it
    row.finished_ns, row.bags_voided = job.finished_ns, job.bags_voided
    row.finished_boot, row.finished_monotonic = job.finished or (None, None)
    if not job.active:
        row.status = 'completed'


def bag_values(bag: Bag) -> dict[str, object]:
    """Return the columns of a new bag."""
    return {
        'prepuff_job_id': bag.job_id or None,
        'weight': pounds(Decimal(bag.weight), bag.unit),
        'unit': POUND,
        'scale_id': bag.scale_id,
        'in_tolerance': bag.outcome is ToleranceResult.IN_TOLERANCE,
        'weighed_at': utc_datetime(bag.weighed_ns),
        'reading_id': bag.reading_id,
        'weight_exact': bag.weight,
        'weight_unit': bag.unit,
        'station': bag.station,
        'bag_number': bag.number,
        'outcome': int(bag.outcome),
        'weighed_ns': bag.weighed_ns,
        'stability': int(bag.stability),
        # The column has 200 characters; SQLite would accept more, a database server would refuse
        # the row.
        'message': bag.message[:200],
        'zone': int(bag.zone),
        'net_weight': bag.net_weight,
        'stands_for': bag.stands_for,
    }


def bag_of(row: BagRow, job: WeighingJob | None, *, voided: bool) -> Bag:
    """Return the bag of a row.

    The outcome is the stored one: a later change of the tolerance does not judge old bags again.

    Args:
        row: Stored bag.
        job: Its job, for the target; None = it counts for none.
        voided: Whether it has a row in `weigh_void`.
    """
    return Bag(
        reading_id=row.reading_id or '',
        scale_id=row.scale_id,
        station=row.station,
        weight=row.weight_exact or str(row.weight),
        unit=row.weight_unit or POUND,
        weighed_ns=row.weighed_ns or utc_ns(row.weighed_at),
        outcome=_outcome(row, job),
        stability=Stability(row.stability),
        job_id=row.prepuff_job_id or 0,
        number=row.bag_number,
        target=str(job.band.target) if job else '',
        target_unit=job.band.unit if job else '',
        message=row.message,
        voided=voided,
        bag_id=row.id,
        zone=WeightZone(row.zone),
        net_weight=row.net_weight,
        stands_for=row.stands_for,
    )


def pounds(weight: Decimal, unit: str) -> Decimal:
    """Return a weight in the unit of the web application's columns, with their two places.

    Args:
        weight: Number as the indicator sent it.
        unit: Its unit, e.g. "kg".
    """
    return convert(weight, unit, POUND, places=2)


def _band(row: WeighJobRow) -> ToleranceBand:
    """Return the tolerance of a job; the web application's own jobs have only a target in pounds."""
    tolerance = Decimal(row.tolerance or WEB_APP_TOLERANCE)
    return (
        ToleranceBand(Decimal(row.target), row.unit, tolerance)
        if row.target
        else ToleranceBand(row.target_weight, POUND, tolerance)
    )


def _outcome(row: BagRow, job: WeighingJob | None) -> ToleranceResult:
    """Return the result of a bag; the web application's own bags have only whether they are in tolerance."""
    if row.outcome >= 0:
        return ToleranceResult(row.outcome)
    if row.in_tolerance:
        return ToleranceResult.IN_TOLERANCE
    return ToleranceResult.NO_ACTIVE_JOB if job is None else job.band.judge(row.weight, POUND)


def utc_ns(moment: datetime) -> int:
    """Return the nanoseconds since 1970 of a DATETIME column."""
    return int(moment.replace(tzinfo=timezone.utc).timestamp() * 1_000_000) * 1000


def utc_datetime(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as UTC without a time zone, the form of a DATETIME column."""
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc).replace(tzinfo=None)


def _stamp(boot_id: str | None, monotonic_ns: int | None) -> MonotonicStamp | None:
    return None if boot_id is None or monotonic_ns is None else MonotonicStamp(boot_id, monotonic_ns)
