"""Weigh jobs and bags, and the rules between them.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from cell_weighing.domain.event_order import ALWAYS_BEFORE, JobBoundary, MonotonicStamp
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode, WeightReading
from cell_weighing.domain.tolerance import (
    ToleranceBand,
    ToleranceResult,
    WeightZone,
    explain,
    plain_decimal,
    subtract_tare,
)
from cell_weighing.domain.units import UNITS, convert


class JobError(ValueError):
    """A field of a job request is not allowed; the text names the field and the allowed values."""


class JobActiveError(ValueError):
    """The station has an active job already."""


@dataclass(frozen=True)
class JobForm:
    """A job request as the operator typed it, not validated.

    Attributes:
        company: Customer.
        station: Name of the station.
        target: Decimal digits in `unit`.
        unit: kg, g, lb, oz or t.
        quantity: Bags in tolerance at which the job is complete.
        tolerance: Decimal digits, share of the target; "" = the default of the site.
        tare: Decimal digits in `unit`: weight of the empty bag; "" = none.
    """

    company: str
    station: str
    target: str
    unit: str
    quantity: int
    tolerance: str = ''
    tare: str = ''


@dataclass(frozen=True)
class JobRequest:
    """A validated request for a weigh job.

    Attributes:
        company: Customer, 1 to 255 characters, without blanks around it.
        station: A station of the site.
        band: Target weight with its tolerance.
        quantity: Bags in tolerance at which the job is complete.
        tare: Weight of the empty bag in the band's unit, subtracted from gross weights.
    """

    company: str
    station: str
    band: ToleranceBand
    quantity: int
    tare: Decimal = Decimal(0)


@dataclass
class WeighingJob:
    """A weigh job and its counts.

    The counts are stored with the job and updated with each bag, so a report needs no recount.
    `bags_completed + bags_out + bags_voided == bags_numbered` always holds.

    Attributes:
        job_id: Number of the job, from 1.
        company: Customer.
        station: Name of the station.
        band: Target weight with its tolerance.
        quantity: Bags in tolerance at which the job is complete.
        started_ns: UTC nanoseconds since 1970.
        started_by: Operator.
        finished_ns: When it was completed or ended; None while it is active.
        bags_completed: Bags in tolerance and not voided.
        bags_out: Bags out of tolerance and not voided.
        bags_numbered: The last bag number assigned; a number is never assigned twice.
        tare: Weight of the empty bag in the band's unit.
        bags_voided: Voided bags; the other counts exclude them.
        started: Start on the monotonic clock; None in rows of older releases.
        finished: End on the monotonic clock; ALWAYS_BEFORE for a job completed by a bag.
        gaps: Each interval from an end until the job was reopened.
    """

    job_id: int
    company: str
    station: str
    band: ToleranceBand
    quantity: int
    started_ns: int
    started_by: str = ''
    finished_ns: int | None = None
    bags_completed: int = 0
    bags_out: int = 0
    bags_numbered: int = 0
    tare: Decimal = Decimal(0)
    bags_voided: int = 0
    started: MonotonicStamp | None = None
    finished: MonotonicStamp | None = None
    gaps: list[tuple[JobBoundary, JobBoundary]] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Whether the job accepts bags."""
        return self.finished_ns is None

    def contains(self, reading: WeightReading) -> bool:
        """Whether the job was active when a reading was taken: from its start, until just before its end, in no gap.

        Args:
            reading: Reading that is processed now; its `gaps` must be loaded for a reopened job.
        """
        if not JobBoundary(self.started_ns, self.started).is_at_or_before(reading):
            return False
        if self.finished_ns is not None and JobBoundary(self.finished_ns, self.finished).is_at_or_before(reading):
            return False
        return not any(
            ended.is_at_or_before(reading) and not reopened.is_at_or_before(reading) for ended, reopened in self.gaps
        )

    def complete(self, reading: WeightReading) -> None:
        """Finish the job with this reading: readings that are processed later are too late.

        Args:
            reading: The last bag. Its own time cannot be the boundary: other scales of the station
                may have readings with an earlier time that are processed after it.
        """
        self.finished_ns = reading.received_ns
        self.finished = ALWAYS_BEFORE if self.started else None

    def was_completed_by(self, bag: Bag) -> bool:
        """Whether this bag completed the job."""
        return self.finished_ns is not None and bag.weighed_ns == self.finished_ns

    def net_weight(self, reading: WeightReading) -> tuple[Decimal, str]:
        """Return the weight without the bag, and its unit; a weight that the indicator marks as net is unchanged.

        Args:
            reading: VALID reading.

        Returns:
            Exact weight in the reading's unit, or in kg if tare and reading have different units.

        Raises:
            ValueError: The reading is not VALID.
        """
        tare = Decimal(0) if reading.mode is WeightMode.NET else self.tare
        return subtract_tare(reading.value, reading.unit, tare, self.band.unit)


@dataclass
class Bag:
    """A weighed bag.

    Attributes:
        reading_id: UUIDv7 of its reading; the idempotency key of its delivery.
        scale_id: Scale that weighed it.
        station: Station of that scale at that time; "" = none.
        weight: Decimal digits in `unit`, as the indicator sent them.
        unit: kg, g, lb, oz or t.
        weighed_ns: UTC nanoseconds since 1970.
        outcome: In tolerance, under, over, or without a job.
        stability: As the indicator reported it.
        job_id: Job that it counts for; 0 = none.
        number: Number within the job, from 1; 0 = no job.
        target: Target weight of the job, decimal digits in `target_unit`.
        target_unit: Unit of the job.
        message: Text for the operator; "" for a good bag.
        voided: An operator has withdrawn it; it stays on record.
        bag_id: Number of the record; 0 before it is stored.
        zone: Zone within the tolerance.
        net_weight: The weight that was compared with the target, in `unit`; "" when there was no
            job.
        stands_for: The scale that `scale_id`, a spare, replaced when it weighed the bag; "" = none.
    """

    reading_id: str
    scale_id: str
    station: str
    weight: str
    unit: str
    weighed_ns: int
    outcome: ToleranceResult
    stability: Stability = Stability.UNKNOWN
    job_id: int = 0
    number: int = 0
    target: str = ''
    target_unit: str = ''
    message: str = ''
    voided: bool = False
    bag_id: int = 0
    zone: WeightZone = WeightZone.NONE
    net_weight: str = ''
    stands_for: str = ''

    @property
    def posted_scale(self) -> str:
        """The scale that the web application knows: the one that a spare scale replaced, else the scale itself."""
        return self.stands_for or self.scale_id

    @property
    def product(self) -> Decimal:
        """Weight of the content in `unit`: the net weight, or the weight itself when there was no job."""
        return Decimal(self.net_weight or self.weight)


def validate_request(form: JobForm, stations: Iterable[str], default_tolerance: Decimal) -> JobRequest:
    """Validate a job request.

    Args:
        form: The request as typed.
        stations: Names of the stations of the site.
        default_tolerance: Share of the target, used when the form names none.

    Raises:
        JobError: A field is outside its range.
    """
    known = sorted(set(stations))
    if not form.company.strip() or len(form.company) > 255:
        raise JobError('company must be 1 to 255 characters')
    if form.station not in known:
        raise JobError(f'there is no station "{form.station}"; stations are {", ".join(known) or "not configured"}')
    weight = plain_decimal(form.target)
    if weight is None or weight <= 0:
        raise JobError('target_weight must be a number above 0 in plain digits, such as 12.5')
    if form.unit not in UNITS:
        raise JobError(f'unit must be one of {", ".join(UNITS)}')
    if form.quantity < 1:
        raise JobError('quantity must be at least 1')
    share = plain_decimal(form.tolerance) if form.tolerance else default_tolerance
    if share is None or not 0 < share < 1:
        raise JobError('tolerance must be a share of the target between 0 and 1, such as 0.10')
    tare = plain_decimal(form.tare or '0')
    if tare is None:
        raise JobError('tare must be the weight of the empty bag in plain digits, such as 0.05')
    return JobRequest(form.company.strip(), form.station, ToleranceBand(weight, form.unit, share), form.quantity, tare)


def tare_warning(request: JobRequest) -> str:
    """Return a warning for a tare that is above the target, which is probably in another unit; "" = none."""
    if request.tare <= request.band.target:
        return ''
    return f'the tare of {request.tare:f} {request.band.unit} is above the target of {request.band.target} {request.band.unit}'


def is_bag(reading: WeightReading) -> bool:
    """Whether a reading is a bag: a valid weight above zero that the indicator does not mark as in motion."""
    return reading.status is ReadingStatus.VALID and reading.stability is not Stability.IN_MOTION and reading.value > 0


def make_bag(reading: WeightReading, station: str, job: WeighingJob | None, warn_share: Decimal = Decimal(1)) -> Bag:
    """Make the bag of a reading and count it in its job.

    Args:
        reading: A reading for which `is_bag` holds.
        station: The station of its scale; "" = none.
        job: The job that was active at the station when the reading was taken. Its counts are
            updated, and it is finished when its quantity is reached.
        warn_share: Share of the tolerance beyond which a bag in tolerance is in a warning zone.

    Returns:
        The bag, without its id: the store assigns that. A bag without a job is a bag as well; its
        message says what to do.
    """
    bag = Bag(
        reading_id=reading.reading_id,
        scale_id=reading.scale_id,
        station=station,
        weight=reading.weight,
        unit=reading.unit,
        weighed_ns=reading.received_ns,
        outcome=ToleranceResult.NO_ACTIVE_JOB,
        stability=reading.stability,
    )
    if not station:
        bag.message = f'scale {reading.scale_id} belongs to no station: name it in parameters scale_ids and stations'
    elif job is None:
        bag.message = f'station {station} had no weigh job when this was weighed: start one and weigh the bag again'
    else:
        _judge(bag, job, reading, warn_share)
        _count(bag, job, reading)
    return bag


def _judge(bag: Bag, job: WeighingJob, reading: WeightReading, warn_share: Decimal) -> None:
    """Compare a bag with the limits of its job, and explain the result."""
    net, unit = job.net_weight(reading)
    bag.zone, bag.outcome = job.band.zone(net, unit, warn_share), job.band.judge(net, unit)
    # The digits as sent, including trailing zeros: they tell the resolution of the scale.
    unchanged = net == reading.value and unit == reading.unit
    bag.net_weight = reading.weight if unchanged else _digits(net, unit, reading.unit)
    text = bag.net_weight if bag.net_weight == reading.weight else f'net {bag.net_weight}'
    bag.message = explain(bag.zone, text, reading.unit, job.band)


def _digits(weight: Decimal, unit: str, to: str) -> str:
    return f'{weight if unit == to else convert(weight, unit, to).normalize():f}'


def _count(bag: Bag, job: WeighingJob, reading: WeightReading) -> None:
    """Number a bag and count it in its job; the last one in tolerance finishes the job."""
    job.bags_numbered += 1
    bag.job_id, bag.number = job.job_id, job.bags_numbered
    bag.target, bag.target_unit = str(job.band.target), job.band.unit
    if bag.outcome is not ToleranceResult.IN_TOLERANCE:
        job.bags_out += 1
        return
    job.bags_completed += 1
    if job.bags_completed >= job.quantity:
        job.complete(reading)


def void_bag(bag: Bag, job: WeighingJob | None) -> None:
    """Mark a bag as voided and remove it from the counts; a completed job stays completed.

    Args:
        bag: Bag that is not voided yet; changed in place.
        job: Its job, changed in place; None = it counted for none.
    """
    bag.voided = True
    if job is None:
        return
    job.bags_voided += 1
    if bag.outcome is ToleranceResult.IN_TOLERANCE:
        job.bags_completed -= 1
    else:
        job.bags_out -= 1


def restore_bag(bag: Bag, job: WeighingJob | None, now_ns: int) -> None:
    """Mark a voided bag as valid again and add it to the counts; an active job that it completes ends.

    Args:
        bag: Changed in place.
        job: Its job; counts are changed in place. None = it counts for no job.
        now_ns: UTC, nanoseconds since 1970.
    """
    bag.voided = False
    if job is None:
        return
    job.bags_voided -= 1
    if bag.outcome is ToleranceResult.IN_TOLERANCE:
        job.bags_completed += 1
    else:
        job.bags_out += 1
    if job.active and job.bags_completed >= job.quantity:
        job.finished_ns, job.finished = now_ns, ALWAYS_BEFORE if job.started else None


def validate_reopen(job: WeighingJob, quantity: int, other: WeighingJob | None) -> int:
    """Return the number of bags of a job that is to be reopened.

    Args:
        job: The job.
        quantity: The new number of bags; 0 = unchanged.
        other: The active job of the station, if any.

    Raises:
        JobActiveError: The job is active, or its station has another active job.
        JobError: The job has as many bags already.
    """
    if job.active:
        raise JobActiveError(f'weigh job {job.job_id} is active: there is nothing to reopen')
    if other is not None:
        raise JobActiveError(f'station {job.station} has an active weigh job: end it first')
    new_quantity = quantity or job.quantity
    # It would be complete at once, and no further bag would count.
    if new_quantity <= job.bags_completed:
        raise JobError(f'quantity must be more than the {job.bags_completed} bags that weigh job {job.job_id} has')
    return new_quantity
