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
from cell_weighing.storage.tables import BagRow, ReopenRow, WeighJobRow

WEB_APP_TOLERANCE = '0.10'
"""Share of the target within which the web application calls a bag in tolerance."""


def job_of(row: WeighJobRow) -> WeighingJob:
    """Return the weigh job of a row; its `gaps` stay empty, see `load_gaps`."""
    return WeighingJob(
        job_id=row.id,
        company=row.company,
        station=row.station,
        band=ToleranceBand(Decimal(row.target), row.unit, Decimal(row.tolerance)),
        quantity=row.quantity,
        started_ns=row.started_ns,
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
    row.finished_ns, row.bags_voided = job.finished_ns, job.bags_voided
    row.finished_boot, row.finished_monotonic = job.finished or (None, None)


def added_bags(row: WeighJobRow, job: WeighingJob) -> int:
    """Return how many bags count for a job in addition to those of its row, which is not updated yet."""
    return job.bags_completed + job.bags_out - row.bags_good - row.bags_out


def bag_values(bag: Bag, filler_bag_id: int | None) -> dict[str, object]:
    """Return the columns of a new bag.

    Args:
        bag: New bag.
        filler_bag_id: Number of its counterpart in the web application's table; None = it has none.
    """
    return {
        'prepuff_job_id': bag.job_id or None,
        'filler_bag_id': filler_bag_id,
        'scale_id': bag.scale_id,
        'reading_id': bag.reading_id or None,
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
        weight=row.weight_exact,
        unit=row.weight_unit,
        weighed_ns=row.weighed_ns,
        outcome=ToleranceResult(row.outcome),
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


def utc_ns(moment: datetime) -> int:
    """Return the nanoseconds since 1970 of a DATETIME column."""
    return int(moment.replace(tzinfo=timezone.utc).timestamp() * 1_000_000) * 1000


def utc_datetime(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as UTC without a time zone, the form of a DATETIME column."""
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc).replace(tzinfo=None)


def _stamp(boot_id: str | None, monotonic_ns: int | None) -> MonotonicStamp | None:
    return None if boot_id is None or monotonic_ns is None else MonotonicStamp(boot_id, monotonic_ns)
