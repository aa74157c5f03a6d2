"""REST contract for recording a bag: form fields, validation and JSON replies.

The form is the one that the old scale server posts (weight, unit, scale, station); JSON with these fields is accepted, too.
`web_gateway` serves it and passes each bag on to the service `weighing/record_bag`, which applies the same validation.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cell_weighing.bridge.codecs.grammar import SCALE_ID, parse_weight
from cell_weighing.domain.jobs import Bag, WeighingJob
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.domain.units import UNITS

__all__ = [
    'FIELDS',
    'KEY_HEADER',
    'UNITS',
    'ApiReply',
    'BadRequestError',
    'PostedBag',
    'RecordedBag',
    'error_body',
    'parse_json',
    'reading_id_for_key',
    'recorded_bag',
    'reply_to',
    'validate_bag',
    'validate_form',
]

FIELDS = ('weight', 'unit', 'scale', 'station')
KEY_HEADER = 'Idempotency-Key'
_SCALE = re.compile(SCALE_ID)
_KEY = re.compile('[!-~]{1,255}')
_NAMESPACE = uuid.UUID('6f1c2d1a-7a0e-5d7e-9a55-8f0f6f3b2f10')


@dataclass(frozen=True)
class ApiReply:
    """HTTP status and JSON object of a response.

    Attributes:
        status: HTTP status.
        body: JSON object, as the OpenAPI document describes it.
    """

    status: int
    body: dict[str, object]


def error_body(message: str, field: str) -> dict[str, object]:
    """Return the JSON object of a reply that nothing was recorded.

    Args:
        message: Text for the operator.
        field: The form field or header that is wrong; "" = none.
    """
    return {'success': False, 'error': message, 'field': field}


class BadRequestError(ValueError):
    """A request that was rejected; nothing was recorded."""

    def __init__(self, status: int, field: str, message: str) -> None:
        """Store the reply.

        Args:
            status: HTTP status.
            field: The form field or header that is wrong; "" = none.
            message: Text for the operator.
        """
        super().__init__(message)
        self.reply = ApiReply(status, error_body(message, field))


@dataclass(frozen=True)
class PostedBag:
    """A validated bag of a request.

    Attributes:
        weight: Decimal digits in `unit`, above 0.
        unit: kg, g, lb, oz or t.
        scale_id: Id of the scale that weighed it, 1 to 32 characters.
        station: Name of the station, 1 to 64 characters; not checked against the site's stations.
    """

    weight: str
    unit: str
    scale_id: str
    station: str

    def to_reading(self, reading_id: str, now_ns: int, monotonic_ns: int) -> WeightReading:
        """Return the bag as a reading that was received now.

        Args:
            reading_id: Idempotency key of the bag.
            now_ns: UTC, nanoseconds since 1970.
            monotonic_ns: The machine's monotonic clock, nanoseconds.
        """
        return WeightReading(
            reading_id, self.scale_id, 0, now_ns, monotonic_ns, b'', ReadingStatus.VALID, self.weight, self.unit
        )


@dataclass(frozen=True)
class RecordedBag:
    """Fields of a stored bag that the reply reports.

    Attributes:
        bag_id: Id of the bag record.
        bag_number: Number within its weigh job, from 1; 0 = it counts for no job.
        station: Station of the bag.
        in_tolerance: Whether it is within the limits, limits included.
        job_complete: This bag completed its weigh job.
        message: Text for the operator.
    """

    bag_id: int
    bag_number: int
    station: str
    in_tolerance: bool
    job_complete: bool
    message: str


def validate_form(form: Mapping[str, Sequence[object]]) -> PostedBag:
    """Validate a posted form.

    Args:
        form: The values of each field.

    Raises:
        BadRequestError: 400 when a field is missing, empty or repeated; 422 when a value is not allowed.
    """
    weight, unit, scale, station = (_single_text(form, name) for name in FIELDS)
    return validate_bag(weight, unit, scale, station)


def parse_json(body: bytes) -> dict[str, list[object]]:
    """Return the values of each field of a JSON object; numbers as they are written, so no digit is lost.

    Args:
        body: UTF-8, with or without a byte order mark.

    Raises:
        BadRequestError: 400, the body is not one JSON object.
    """
    values: dict[str, list[object]] = {}

    def collect(pairs: list[tuple[str, object]]) -> list[tuple[str, object]]:
        return pairs

    try:
        text = body.decode('utf-8-sig')
        pairs = json.loads(text, object_pairs_hook=collect, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(400, '', 'the body is not JSON in UTF-8') from error
    if not text.lstrip().startswith('{'):
        raise BadRequestError(400, '', 'the body must be one JSON object with weight, unit, scale and station')
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def validate_bag(weight: str, unit: str, scale: str, station: str) -> PostedBag:
    """Validate the four values of a bag and normalize weight and unit.

    Args:
        weight: Decimal digits with a point; blanks around them are removed.
        unit: Unit in either case.
        scale: Id of the scale.
        station: Name of the station.

    Raises:
        BadRequestError: 422 when a value is not allowed; its reply names the field.
    """
    if not unit.isascii() or unit.strip().lower() not in UNITS:
        raise BadRequestError(422, 'unit', f'unit must be one of {", ".join(UNITS)}')
    parsed = parse_weight(scale, weight.encode('ascii', 'replace'), unit.encode('ascii'))
    if parsed.status is not ReadingStatus.VALID:
        raise BadRequestError(422, 'weight', f'weight must be a number in plain digits, such as 12.50: {parsed.message}')
    if not parsed.weight.strip('0.'):
        raise BadRequestError(422, 'weight', 'weight must be above 0')
    if not _SCALE.fullmatch(scale.encode('ascii', 'replace')):
        raise BadRequestError(422, 'scale', 'scale must be 1 to 32 letters, digits, dots, dashes or underscores')
    if not 1 <= len(station) <= 64 or not station.isprintable():
        raise BadRequestError(422, 'station', 'station must be 1 to 64 characters')
    return PostedBag(parsed.weight, parsed.unit, scale, station)


def reading_id_for_key(key: str, client: str) -> str:
    """Return the reading id for an idempotency key.

    A UUID is used as it is, so a bag has one id on both sides. Other keys are hashed together with the client's name.

    Args:
        key: Value of the header `Idempotency-Key`.
        client: Name of the API client.

    Raises:
        BadRequestError: 400, the key is not 1 to 255 visible ASCII characters.
    """
    if not _KEY.fullmatch(key):
        raise BadRequestError(400, KEY_HEADER, f'{KEY_HEADER} must be 1 to 255 visible ASCII characters')
    try:
        # uuid.UUID also accepts braces, "urn:uuid:" and 32 digits without dashes; those are hashed
        # like other keys.
        return str(uuid.UUID(key)) if len(key) == 36 else str(uuid.uuid5(_NAMESPACE, f'{client} {key}'))
    except ValueError:
        return str(uuid.uuid5(_NAMESPACE, f'{client} {key}'))


def reply_to(recorded: RecordedBag) -> ApiReply:
    """Return the reply for a recorded bag; a repeated request gets the same reply. Its `success` says that it is recorded.

    Status 409 tells the sender that the bag is stored but counts for no weigh job.
    """
    body: dict[str, object] = {
        'success': True,
        'bag_id': recorded.bag_id,
        'bag_num': recorded.bag_number,
        'in_tolerance': recorded.in_tolerance,
        'job_complete': recorded.job_complete,
    }
    if not recorded.bag_number:
        # 409, not 200: senders of the old contract would otherwise count the bag as done.
        return ApiReply(409, {'error': recorded.message, 'field': 'station', **body})
    return ApiReply(200, body | {'message': recorded.message})


def recorded_bag(bag: Bag, job: WeighingJob | None) -> RecordedBag:
    """Return the fields of a stored bag that a reply reports.

    Args:
        bag: The stored bag.
        job: The weigh job that it counts for; None = none.
    """
    if job is None:
        message = f'recorded, but it counts for no job: station {bag.station} has no active weigh job'
    else:
        # The number counts all bags of the job, its quantity the good ones only.
        message = bag.message or f'bag {bag.number} is in tolerance; {job.quantity} good ones are ordered'
    return RecordedBag(
        bag_id=bag.bag_id,
        bag_number=bag.number,
        station=bag.station,
        in_tolerance=bag.outcome is ToleranceResult.IN_TOLERANCE,
        job_complete=job is not None and job.was_completed_by(bag),
        message=message,
    )


def _single_text(form: Mapping[str, Sequence[object]], name: str) -> str:
    """Return the one value of a form field; a field that is given twice is an error, not a choice.

    Raises:
        BadRequestError: 400: missing, empty or repeated.
    """
    values = form.get(name, ())
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].strip():
        raise BadRequestError(400, name, f'{name} is required' if len(values) < 2 else f'{name} is given more than once')
    return values[0]
