"""Delivery to the web application: what is posted, what its answers mean, when to try again. No network, no clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from cell_weighing.delivery.error_text import error_message_of

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
LONGEST_RETRY_AFTER_S = 3600.0


_REMEDY = 'put right there what it names'
_REMEDIES = dict.fromkeys((404, 405, 410), 'check site_url, controller and function')
"""What people can do about a refusal, by HTTP status."""


class DeliveryItemState(IntEnum):
    """Where a parcel stands."""

    WAITING = 0
    DELIVERED = 1
    DEAD_LETTER = 2
    """Refused for good; a person may send it again."""


class DeliveryVerdict(IntEnum):
    """What an answer means for the parcel."""

    DONE = 0
    RETRY = 1
    """The web application or the way to it has a problem: again, for ever, before any later parcel of the station."""
    DEAD_LETTER = 2
    """The web application will never take this parcel."""
    PAUSE = 3
    """It does not accept our key: nothing more is sent until the key changes or a person says so."""


@dataclass(frozen=True)
class DeliveryItem:
    """One bag on its way."""

    reading_id: str
    """Also the idempotency key: the web application can tell a repetition from a second bag."""
    station: str
    scale_id: str
    weight: str
    unit: str
    attempts: int = 0

    @property
    def fields(self) -> dict[str, str]:
        """The form fields of the old scale server."""
        return {'weight': self.weight, 'unit': self.unit, 'scale': self.scale_id, 'station': self.station}


@dataclass(frozen=True)
class HttpResult:
    """What came back."""

    status: int
    """HTTP status; 0 when there was no answer."""
    body: str = ''
    error: str = ''
    """Why there was no answer."""
    retry_after: str = ''
    """The header of this name."""


@dataclass(frozen=True)
class DeliveryReceipt:
    """What the web application says of the bag; None where it says nothing."""

    bag_id: int | None = None
    bag_num: int | None = None
    in_tolerance: bool | None = None
    job_complete: bool | None = None


def classify(answer: HttpResult) -> DeliveryVerdict:
    """Say what an answer means.

    409 says that the bag is there already. 408, 425 and 429 ask to come back later. A redirect is a wrong address, which a
    person corrects: until then nothing is given up.
    """
    status = answer.status
    if 200 <= status < 300 or status == 409:
        return DeliveryVerdict.DONE
    if status in (401, 403):
        return DeliveryVerdict.PAUSE
    if 400 <= status < 500 and status not in (408, 425, 429):
        return DeliveryVerdict.DEAD_LETTER
    return DeliveryVerdict.RETRY


def explain(answer: HttpResult, url: str) -> str:
    """Say for people in one sentence what is wrong; the answer itself is kept in the delivery ledger."""
    if not answer.status:
        return f'{url} cannot be reached: {answer.error}'
    if answer.status in (401, 403):
        return f'{url} does not accept the key (HTTP {answer.status})'
    if 300 <= answer.status < 400:
        return f'{url} sends us elsewhere (HTTP {answer.status}): correct site_url, controller and function'
    code, words = str(answer.status), error_message_of(answer.body)
    said = f'HTTP {code}: {words.removeprefix(code).strip()}' if words else f'HTTP {code}'
    if classify(answer) is DeliveryVerdict.DEAD_LETTER:
        return f'The web application refused this bag ({said}): {_REMEDIES.get(answer.status, _REMEDY)}, then send it again.'
    return f'{url} has a problem ({said})'


def parse_receipt(answer: HttpResult) -> DeliveryReceipt:
    """Read what the web application says of the bag; text that is not JSON, or has other fields, says nothing."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        return DeliveryReceipt()
    if not isinstance(told, dict):
        return DeliveryReceipt()
    inner = told.get('data')
    told = {**inner, **told} if isinstance(inner, dict) else told
    return DeliveryReceipt(
        _whole(told.get('bag_id')),
        _whole(told.get('bag_num')),
        _flag(told.get('in_tolerance')),
        _flag(told.get('job_complete')),
    )


def retry_delay(attempts: int, answer: HttpResult, random_fn: Callable[[], float]) -> float:
    """Return how long to wait before the next attempt, seconds: doubling, with jitter so that sites do not come all at once.

    Args:
        attempts: How often it has been tried, at least 1.
        answer: The last answer; its Retry-After is respected.
        chance: Returns a random number from 0 to 1.
    """
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(attempts - 1, 30))
    wait = longest * (0.5 + 0.5 * random_fn())
    if answer.retry_after.isascii() and answer.retry_after.isdigit():
        wait = max(wait, min(float(answer.retry_after), LONGEST_RETRY_AFTER_S))
    return wait


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _flag(value: object) -> bool | None:
    if value in (1, '1', 'true', True):
        return True
    return False if value in (0, '0', 'false', False) else None
