"""Conversion between the domain's types and ROS messages.

Weights stay text in both directions: a float in a message would lose digits that the indicator
sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from cell_common.ros_time import to_msg
from cell_common.time import to_ns

from cell_interfaces import msg, srv
from cell_weighing.delivery.outbox import BagDelivery, DeadLetter, OutboxCounts
from cell_weighing.delivery.policy import DeliveryItemState
from cell_weighing.domain.jobs import Bag, WeighingJob
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode, WeightReading


def reading_of(message: msg.ScaleReading) -> WeightReading:
    """Return the reading of a message; raw bytes, peer and monotonic clock are only in the journal and stay empty."""
    return WeightReading(
        reading_id=message.reading_id,
        scale_id=message.scale_id,
        sequence=message.sequence,
        received_ns=to_ns(message.received_at),
        monotonic_ns=0,
        raw=b'',
        status=ReadingStatus(message.status),
        weight=message.weight,
        unit=message.unit,
        stability=Stability(message.stability),
        mode=WeightMode(message.mode),
        tare=message.tare,
        message=message.message,
    )


def job_message(job: WeighingJob) -> msg.WeighJob:
    """Return a weigh job as a message."""
    return msg.WeighJob(
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
        state=msg.WeighJob.ACTIVE if job.active else msg.WeighJob.COMPLETED,
        started_by=job.started_by,
        started_at=to_msg(job.started_ns),
        finished_at=to_msg(job.finished_ns or 0),
    )


def bag_message(bag: Bag) -> msg.BagRecord:
    """Return a bag as a message."""
    return msg.BagRecord(
        bag_id=bag.bag_id,
        reading_id=bag.reading_id,
        weigh_job_id=bag.job_id,
        bag_number=bag.number,
        station=bag.station,
        scale_id=bag.scale_id,
        stands_for=bag.stands_for,
        weight=bag.weight,
        unit=bag.unit,
        target_weight=bag.target,
        target_unit=bag.target_unit,
        outcome=int(bag.outcome),
        zone=int(bag.zone),
        net_weight=bag.net_weight,
        weighed_at=to_msg(bag.weighed_ns),
        voided=bag.voided,
        message=bag.message,
    )


def fill_bag_delivery(response: srv.GetBag.Response, bag: Bag, delivery: BagDelivery | None) -> None:
    """Fill the response of `weighing/get_bag`.

    Args:
        response: Changed in place.
        bag: The bag.
        delivery: Progress of its delivery; None = it is not for the web application.
    """
    response.bag = bag_message(bag)
    if delivery is None:
        response.delivery = response.NOT_DELIVERED
        response.message = f'bag {bag.bag_id} is not for the web application'
        return
    response.delivery = 1 + int(delivery.state)
    response.attempts, response.http_status = delivery.attempts, delivery.http_status
    response.error, response.response = delivery.error, delivery.response
    response.posted_at, response.acknowledged_at = to_msg(delivery.posted_ns), to_msg(delivery.acknowledged_ns)
    progress = {
        DeliveryItemState.WAITING: 'waits for the web application',
        DeliveryItemState.DELIVERED: 'is delivered',
        DeliveryItemState.DEAD_LETTER: 'was rejected by the web application',
    }[delivery.state]
    detail = f': {delivery.error}' if delivery.error and delivery.state is not DeliveryItemState.DELIVERED else ''
    response.message = f'bag {bag.bag_id} {progress} (attempts: {delivery.attempts}){detail}'


def delivery_message(state: int, message: str, counts: OutboxCounts, dead_letters: Iterable[DeadLetter]) -> msg.DeliveryState:
    """Return the state of the delivery as a message, without its stamp.

    Args:
        state: Number of a `DeliveryRoute`.
        message: Text for the operator; "" while everything works.
        counts: Bags by state.
        dead_letters: Rejected bags, newest first.
    """
    return msg.DeliveryState(
        state=state,
        message=message,
        waiting=counts.waiting,
        oldest_waiting_at=to_msg(counts.oldest_ns),
        last_delivered_at=to_msg(counts.last_ns),
        delivered=counts.delivered,
        dead=counts.dead,
        dead_letters=[_dead_letter_message(letter) for letter in dead_letters],
    )


def _dead_letter_message(letter: DeadLetter) -> msg.DeadLetter:
    return msg.DeadLetter(
        bag_id=letter.bag_id,
        station=letter.station,
        weight=letter.weight,
        unit=letter.unit,
        http_status=letter.http_status,
        reason=letter.reason,
        refused_at=to_msg(letter.rejected_ns),
    )
