"""Weigh jobs and bags, and the rules between them. No ROS, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cell_weighing.reading import Reading, Stability, Status
from cell_weighing.units import UNITS
from cell_weighing.validation import Band, Outcome, Zone, explain, plain_decimal


class JobError(ValueError):
    """A job that cannot be; the text names the field and what is allowed."""


@dataclass(frozen=True)
class JobOrder:
    """What somebody wants weighed."""

    company: str
    station: str
    band: Band
    quantity: int
    """Bags in tolerance at which the job is complete."""


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

    @property
    def active(self) -> bool:
        """Whether bags are still wanted."""
        return self.finished_ns is None

    def covers(self, moment_ns: int) -> bool:
        """Whether the job was active at this moment: from its start on, until just before its end."""
        return self.started_ns <= moment_ns and (self.finished_ns is None or moment_ns < self.finished_ns)


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


def order(*, company: str, station: str, target: str, unit: str, quantity: int, tolerance: str, stations: Iterable[str],
          default_tolerance: Decimal) -> JobOrder:
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
    return JobOrder(company.strip(), station, Band(weight, unit, share), quantity)


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
    bag = Bag(reading.reading_id, reading.scale_id, station, reading.weight, reading.unit, reading.received_ns,
              Outcome.NO_ACTIVE_JOB, reading.stability)
    if not station:
        bag.message = f'scale {reading.scale_id} belongs to no station: name it in parameters scale_ids and stations'
    elif job is None:
        bag.message = f'station {station} had no weigh job when this was weighed: start one and weigh the bag again'
    else:
        bag.zone = job.band.zone(reading.value, reading.unit, warn_share)
        _count(bag, job, reading)
    return bag


def _count(bag: Bag, job: Job, reading: Reading) -> None:
    bag.outcome = job.band.judge(reading.value, reading.unit)
    bag.message = explain(bag.zone, reading.weight, reading.unit, job.band)
    job.bags_numbered += 1
    bag.job_id, bag.number = job.job_id, job.bags_numbered
    bag.target, bag.target_unit = str(job.band.target), job.band.unit
    if bag.outcome is not Outcome.IN_TOLERANCE:
        job.bags_out += 1
        return
    job.bags_completed += 1
    if job.bags_completed >= job.quantity:
        job.finished_ns = reading.received_ns


def take_back(bag: Bag, job: Job | None) -> None:
    """Mark a bag as voided and no longer count it; a completed job stays completed."""
    bag.voided = True
    if job is None:
        return
    if bag.outcome is Outcome.IN_TOLERANCE:
        job.bags_completed -= 1
    else:
        job.bags_out -= 1
