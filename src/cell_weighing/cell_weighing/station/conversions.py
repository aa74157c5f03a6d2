"""Between our own types and ROS messages."""

from __future__ import annotations

from collections.abc import Iterable

from builtin_interfaces.msg import Time

from cell_interfaces.msg import BagRecord, DeadLetter, DeliveryState, ScaleReading, WeighJob
from cell_weighing.delivery.outbox import OutboxCounts, Refused
from cell_weighing.domain.jobs import Bag, Job
from cell_weighing.domain.reading import Mode, Reading, Stability, Status

SECOND_NS = 1_000_000_000


def stamp(nanoseconds: int) -> Time:
    """Return nanoseconds since 1970 as a Time."""
    return Time(sec=nanoseconds // SECOND_NS, nanosec=nanoseconds % SECOND_NS)


def reading_of(message: ScaleReading) -> Reading:
    """Return the reading that a message carries; what the message does not carry stays empty."""
    received = message.received_at.sec * SECOND_NS + message.received_at.nanosec
    return Reading(
        message.reading_id,
        message.scale_id,
        message.sequence,
        received,
        0,
        b'',
        Status(message.status),
        message.weight,
        message.unit,
        Stability(message.stability),
        Mode(message.mode),
        message.tare,
        message.message,
    )


def job_message(job: Job) -> WeighJob:
    """Return a weigh job as a message."""
    return WeighJob(
        weigh_job_id=job.job_id,
        company=job.company,
        station=job.station,
        target_weight=str(job.band.target),
        unit=job.band.unit,
        tolerance=str(job.band.tolerance),
        tare=f'{job.tare:f}',
        quantity=job.quantity,
        bags_completed=job.bags_completed,
        bags_voided=job.bags_voided,
        bags_out=job.bags_out,
        state=WeighJob.ACTIVE if job.active else WeighJob.COMPLETED,
        started_by=job.started_by,
        started_at=stamp(job.started_ns),
        finished_at=stamp(job.finished_ns or 0),
    )


def bag_message(bag: Bag) -> BagRecord:
    """Return a bag as a message."""
    return BagRecord(
        bag_id=bag.bag_id,
        reading_id=bag.reading_id,
        weigh_job_id=bag.job_id,
        bag_number=bag.number,
        station=bag.station,
        scale_id=bag.scale_id,
        weight=bag.weight,
        unit=bag.unit,
        target_weight=bag.target,
        target_unit=bag.target_unit,
        outcome=int(bag.outcome),
        zone=int(bag.zone),
        net_weight=bag.net_weight,
        weighed_at=stamp(bag.weighed_ns),
        voided=bag.voided,
        message=bag.message,
    )


def delivery_message(state: int, message: str, counts: OutboxCounts, refused: Iterable[Refused]) -> DeliveryState:
    """Return how far the bags have got as a message, without its stamp."""
    return DeliveryState(
        state=state,
        message=message,
        waiting=counts.waiting,
        oldest_waiting_at=stamp(counts.oldest_ns),
        last_delivered_at=stamp(counts.last_ns),
        delivered=counts.delivered,
        dead=counts.dead,
        dead_letters=[_dead_letter(bag) for bag in refused],
    )


def _dead_letter(bag: Refused) -> DeadLetter:
    return DeadLetter(
        bag_id=bag.bag_id,
        station=bag.station,
        weight=bag.weight,
        unit=bag.unit,
        http_status=bag.http_status,
        reason=bag.reason,
        refused_at=stamp(bag.refused_ns),
    )
