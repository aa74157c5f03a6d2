"""The API of the web application, served by the cell itself: what a posted bag must look like and what is answered.

The parameters are those that the old scale server posts (form fields weight, unit, scale, station). No network, no clock.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cell_weighing.bridge.codecs.grammar import SCALE_ID, weighed
from cell_weighing.domain.jobs import Bag, Job
from cell_weighing.domain.reading import Reading, Status
from cell_weighing.domain.tolerance import Outcome
from cell_weighing.domain.units import UNITS

FIELDS = ('weight', 'unit', 'scale', 'station')
KEY_HEADER = 'Idempotency-Key'
_SCALE = re.compile(SCALE_ID)
_KEY = re.compile('[!-~]{1,255}')
_NAMESPACE = uuid.UUID('6f1c2d1a-7a0e-5d7e-9a55-8f0f6f3b2f10')


@dataclass(frozen=True)
class Reply:
    """What is answered: HTTP status and JSON object."""

    status: int
    body: dict[str, Any]


class RefusedError(ValueError):
    """A request that cannot be taken; nothing was recorded."""

    def __init__(self, status: int, field: str, message: str) -> None:
        """Take the HTTP status, the field that is wrong and what is wrong with it."""
        super().__init__(message)
        self.reply = Reply(status, {'error': message, 'field': field})


@dataclass(frozen=True)
class Scan:
    """A bag as posted, checked."""

    weight: str
    unit: str
    scale_id: str
    station: str

    def reading(self, reading_id: str, now_ns: int, monotonic_ns: int) -> Reading:
        """Return it as a reading taken now."""
        return Reading(reading_id, self.scale_id, 0, now_ns, monotonic_ns, b'', Status.VALID, self.weight, self.unit)


def check(form: Mapping[str, Sequence[object]]) -> Scan:
    """Check the form.

    Args:
        form: The values of each field.

    Raises:
        RefusedError: 400 when a field is missing, empty or given twice; 422 when its value cannot be.
    """
    weight, unit, scale, station = (_text(form, name) for name in FIELDS)
    if not unit.isascii() or unit.strip().lower() not in UNITS:
        raise RefusedError(422, 'unit', f'unit must be one of {", ".join(UNITS)}')
    read = weighed(scale, weight.encode('ascii', 'replace'), unit.encode('ascii'))
    if read.status is not Status.VALID:
        raise RefusedError(422, 'weight', f'weight must be a number in plain digits, such as 12.50: {read.message}')
    if not read.weight.strip('0.'):
        raise RefusedError(422, 'weight', 'weight must be above 0')
    if not _SCALE.fullmatch(scale.encode('ascii', 'replace')):
        raise RefusedError(422, 'scale', 'scale must be 1 to 32 letters, digits, dots, dashes or underscores')
    if len(station) > 64 or not station.isprintable():
        raise RefusedError(422, 'station', 'station must be 1 to 64 characters')
    return Scan(read.weight, read.unit, scale, station)


def reading_id_of(key: str, client: str) -> str:
    """Return the reading id that stands for an idempotency key.

    A UUID stays itself: then a bag has one id on both sides. Other keys count for one client only.

    Raises:
        RefusedError: 400, it is not 1 to 255 visible ASCII characters.
    """
    if not _KEY.fullmatch(key):
        raise RefusedError(400, KEY_HEADER, f'{KEY_HEADER} must be 1 to 255 visible ASCII characters')
    try:
        return str(uuid.UUID(key)) if len(key) == 36 else str(uuid.uuid5(_NAMESPACE, f'{client} {key}'))
    except ValueError:
        return str(uuid.uuid5(_NAMESPACE, f'{client} {key}'))


def reply(scan: Scan, bag: Bag, job: Job | None) -> Reply:
    """Return the answer for a recorded bag: for a repetition the same as the first time.

    Raises:
        RefusedError: 422, the bag that stands under this key is another one.
    """
    if (bag.weight, bag.unit, bag.scale_id, bag.station) != (scan.weight, scan.unit, scan.scale_id, scan.station):
        raise RefusedError(422, KEY_HEADER, f'this {KEY_HEADER} was used for another bag: make a new one for each bag')
    body: dict[str, Any] = {
        'bag_id': bag.bag_id,
        'bag_num': bag.number,
        'in_tolerance': bag.outcome is Outcome.IN_TOLERANCE,
        'job_complete': bool(job and job.finished_ns is not None and bag.weighed_ns == job.finished_ns),
    }
    if job is None:
        return Reply(
            409,
            {
                'error': f'recorded, but it counts for no job: station {bag.station} has no active weigh job',
                'field': 'station',
                **body,
            },
        )
    return Reply(200, body | {'message': bag.message or f'bag {bag.number} of {job.quantity} is in tolerance'})


def _text(form: Mapping[str, Sequence[object]], name: str) -> str:
    values = form.get(name, ())
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].strip():
        raise RefusedError(400, name, f'{name} is required' if len(values) < 2 else f'{name} is given more than once')
    return values[0]
