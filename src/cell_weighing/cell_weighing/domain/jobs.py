"""Weigh jobs and bags, and the rules between them. No ROS, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from cell_weighing.domain.event_order import PASSED, Edge, Moment
from cell_weighing.domain.reading import Mode, Reading, Stability, Status
from cell_weighing.domain.tolerance import Band, Outcome, Zone, explain, net_of, plain_decimal
from cell_weighing.domain.units import UNITS, convert


class JobError(ValueError):
    """A job that cannot be; the text names the field and what is allowed."""


class JobActiveError(ValueError):
    """The station has an active job already."""


@dataclass(frozen=True)
class JobOrder:
    """What somebody wants weighed."""

    company: str
    station: str
    band: Band
    quantity: int
    """Bags in tolerance at which the job is complete."""
    tare: Decimal = Decimal(0)
    """Weight of the empty bag in the band's unit, taken off what is not net already."""


@dataclass
class Job:
    """A weigh job."""

    job_id: int
    company: str
    station: str
    band: Band
    quantity: int
    started_ns: int
    started_by: str = ''
    finished_ns: int | None = None
    """When it was completed or ended; None while it is active."""
    bags_completed: int = 0
    """Bags in tolerance and not voided."""
    bags_out: int = 0
    """Bags out of tolerance and not voided."""
    bags_numbered: int = 0
    """The last bag number given; numbers are never given twice."""
    tare: Decimal = Decimal(0)
    """Weight of the empty bag in the band's unit."""
    bags_voided: int = 0
    """Bags taken back; in none of the other counts."""
    started: Moment | None = None
    finished: Moment | None = None
    gaps: list[tuple[Edge, Edge]] = field(default_factory=list)
    """From when until just before when it was ended, before it was made active again."""

    @property
    def active(self) -> bool:
        """Whether bags are still wanted."""
        return self.finished_ns is None

    def covers(self, reading: Reading) -> bool:
        """Whether the job was active when a reading was taken: from its start on, until just before its end, but in no gap."""
        if not Edge(self.started_ns, self.started).passed(reading):
            return False
        if self.finished_ns is not None and Edge(self.finished_ns, self.finished).passed(reading):
            return False
        return not any(ended.passed(reading) and not reopened.passed(reading) for ended, reopened in self.gaps)

    def complete(self, reading: Reading) -> None:
        """Finish with this reading: what is worked through after it comes too late."""
        self.finished_ns = reading.received_ns
        self.finished = PASSED if self.started else None

    def net(self, reading: Reading) -> tuple[Decimal, str]:
        """Return what a reading of a bag weighs without the bag, and its unit; what the indicator calls net stays as it is."""
        tare = Decimal(0) if reading.mode is Mode.NET else self.tare
        return net_of(reading.value, reading.unit, tare, self.band.unit)


@dataclass
class Bag:
    """A weighed bag."""

    reading_id: str
    scale_id: str
    station: str
    weight: str
    unit: str
    weighed_ns: int
    outcome: Outcome
    stability: Stability = Stability.UNKNOWN
    job_id: int = 0
    number: int = 0
    target: str = ''
    target_unit: str = ''
    message: str = ''
    voided: bool = False
    bag_id: int = 0
    zone: Zone = Zone.NONE
    net_weight: str = ''
    """What was compared with the target, in `unit`; "" when there was no job."""

    @property
    def product(self) -> Decimal:
        """What the bag holds, in `unit`: its net weight, the weight itself when there was no job."""
        return Decimal(self.net_weight or self.weight)


def order(
    *,
    company: str,
    station: str,
    target: str,
    unit: str,
    quantity: int,
    tolerance: str,
    stations: Iterable[str],
    default_tolerance: Decimal,
    tare: str = '',
) -> JobOrder:
    """Check what was asked for.

    Raises:
        JobError: A field is outside its range.
    """
    known = sorted(set(stations))
    if not company.strip() or len(company) > 255:
        raise JobError('company must be 1 to 255 characters')
    if station not in known:
        raise JobError(f'there is no station "{station}"; stations are {", ".join(known) or "not configured"}')
    weight = plain_decimal(target)
    if weight is None or weight <= 0:
        raise JobError('target_weight must be a number above 0 in plain digits, such as 12.5')
    if unit not in UNITS:
        raise JobError(f'unit must be one of {", ".join(UNITS)}')
    if quantity < 1:
        raise JobError('quantity must be at least 1')
    share = plain_decimal(tolerance) if tolerance else default_tolerance
    if share is None or not 0 < share < 1:
        raise JobError('tolerance must be a share of the target between 0 and 1, such as 0.10')
    empty = plain_decimal(tare or '0')
    if empty is None:
        raise JobError('tare must be the weight of the empty bag in plain digits, such as 0.05')
    return JobOrder(company.strip(), station, Band(weight, unit, share), quantity, empty)


def is_bag(reading: Reading) -> bool:
    """Whether a reading is of a bag: it has a weight, the scale was not empty, and not known to be in motion."""
    return reading.status is Status.VALID and reading.stability is not Stability.IN_MOTION and reading.value > 0


def weigh(reading: Reading, station: str, job: Job | None, warn_share: Decimal = Decimal(1)) -> Bag:
    """Make the bag of a reading and count it in its job.

    Args:
        reading: A reading for which `is_bag` holds.
        station: The station that its scale weighed for; "" = none.
        job: The job that was active at the station when the reading was taken, if any. Its counts are brought up to date,
            and it is finished when its quantity is reached.
        warn_share: Share of the tolerance beyond which a bag in tolerance is in a warning zone.
    """
    bag = Bag(
        reading.reading_id,
        reading.scale_id,
        station,
        reading.weight,
        reading.unit,
        reading.received_ns,
        Outcome.NO_ACTIVE_JOB,
        reading.stability,
    )
    if not station:
        bag.message = f'scale {reading.scale_id} belongs to no station: name it in parameters scale_ids and stations'
    elif job is None:
        bag.message = f'station {station} had no weigh job when this was weighed: start one and weigh the bag again'
    else:
        _judge(bag, job, reading, warn_share)
        _count(bag, job, reading)
    return bag


def _judge(bag: Bag, job: Job, reading: Reading, warn_share: Decimal) -> None:
    net, unit = job.net(reading)
    bag.zone, bag.outcome = job.band.zone(net, unit, warn_share), job.band.judge(net, unit)
    bag.net_weight = reading.weight if net == reading.value and unit == reading.unit else _shown(net, unit, reading.unit)
    words = bag.net_weight if bag.net_weight == reading.weight else f'net {bag.net_weight}'
    bag.message = explain(bag.zone, words, reading.unit, job.band)


def _shown(weight: Decimal, unit: str, to: str) -> str:
    return f'{weight if unit == to else convert(weight, unit, to).normalize():f}'


def _count(bag: Bag, job: Job, reading: Reading) -> None:
    job.bags_numbered += 1
    bag.job_id, bag.number = job.job_id, job.bags_numbered
    bag.target, bag.target_unit = str(job.band.target), job.band.unit
    if bag.outcome is not Outcome.IN_TOLERANCE:
        job.bags_out += 1
        return
    job.bags_completed += 1
    if job.bags_completed >= job.quantity:
        job.complete(reading)


def take_back(bag: Bag, job: Job | None) -> None:
    """Mark a bag as voided and no longer count it; a completed job stays completed."""
    bag.voided = True
    if job is None:
        return
    job.bags_voided += 1
    if bag.outcome is Outcome.IN_TOLERANCE:
        job.bags_completed -= 1
    else:
        job.bags_out -= 1


def check_reopening(job: Job, quantity: int, other: Job | None) -> int:
    """Return the number of bags that a job is to have when it is made active again.

    Args:
        job: The job.
        quantity: The new number; 0 = as it was.
        other: The station's active job, if any.

    Raises:
        JobActiveError: It is active, or its station has another one.
        JobError: It has as many bags already.
    """
    if job.active:
        raise JobActiveError(f'weigh job {job.job_id} is active: there is nothing to reopen')
    if other is not None:
        raise JobActiveError(f'station {job.station} has an active weigh job: end it first')
    wanted = quantity or job.quantity
    if wanted <= job.bags_completed:
        raise JobError(f'quantity must be more than the {job.bags_completed} bags that weigh job {job.job_id} has')
    return wanted
