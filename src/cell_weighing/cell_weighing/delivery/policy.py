"""Rules of delivery: form fields of a bag, meaning of HTTP responses, retry delays.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from cell_common import backoff
from cell_weighing.delivery.error_text import error_message_of

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
LONGEST_RETRY_AFTER_S = 3600.0
JITTER = 0.5
"""Random share of each delay, so that many sites do not retry in step."""
_REMEDY = 'correct the cause in the web application'
_REMEDIES = dict.fromkeys((404, 405, 410), 'check site_url, controller and function')
"""Remedy for a rejected bag, by HTTP status."""


class DeliveryItemState(IntEnum):
    """State of a bag in the outbox. Numbers as in the table `weigh_delivery`."""

    WAITING = 0
    DELIVERED = 1
    DEAD_LETTER = 2
    """Rejected for good; an operator may send it again."""


class DeliveryVerdict(IntEnum):
    """Meaning of an HTTP response for the bag."""

    DONE = 0
    RETRY = 1
    """Web application or network failed: try again without limit, before any later bag of the station."""
    DEAD_LETTER = 2
    """The web application will never accept this bag."""
    PAUSE = 3
    """The API key was rejected: send nothing until the key changes or an operator retries."""


@dataclass(frozen=True)
class DeliveryItem:
    """One bag in the outbox."""

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
    """Result of an HTTP request."""

    status: int
    """HTTP status; 0 = no response."""
    body: str = ''
    error: str = ''
    """Why there was no response."""
    retry_after: str = ''
    """Value of the header Retry-After."""


@dataclass(frozen=True)
class DeliveryReceipt:
    """The web application's record of a bag; None = field not given."""

    bag_id: int | None = None
    bag_num: int | None = None
    in_tolerance: bool | None = None
    job_complete: bool | None = None


def classify(result: HttpResult) -> DeliveryVerdict:
    """Return the meaning of a response.

    409 = the bag is recorded already. 408, 425 and 429 ask for a later retry. A redirect is a wrong address that an operator
    corrects, so the bag waits.
    """
    status = result.status
    if 200 <= status < 300 or status == 409:
        return DeliveryVerdict.DONE
    if status in (401, 403):
        return DeliveryVerdict.PAUSE
    if 400 <= status < 500 and status not in (408, 425, 429):
        return DeliveryVerdict.DEAD_LETTER
    return DeliveryVerdict.RETRY


def explain(result: HttpResult, url: str) -> str:
    """Return one sentence for the operator about a failed request; the delivery ledger keeps the full response."""
    if not result.status:
        return f'{url} cannot be reached: {result.error}'
    if result.status in (401, 403):
        return f'{url} does not accept the key (HTTP {result.status})'
    if 300 <= result.status < 400:
        return f'{url} redirects to another address (HTTP {result.status}): correct site_url, controller and function'
    code, message = str(result.status), error_message_of(result.body)
    detail = f'HTTP {code}: {message.removeprefix(code).strip()}' if message else f'HTTP {code}'
    if classify(result) is DeliveryVerdict.DEAD_LETTER:
        return f'The web application rejected this bag ({detail}): {_REMEDIES.get(result.status, _REMEDY)}, then send it again.'
    return f'{url} failed ({detail})'


def parse_receipt(result: HttpResult) -> DeliveryReceipt:
    """Parse the JSON of a response, at the top level or below "data"; unknown forms give an empty receipt."""
    try:
        body = json.loads(result.body)
    except ValueError:
        return DeliveryReceipt()
    if not isinstance(body, dict):
        return DeliveryReceipt()
    inner = body.get('data')
    body = {**inner, **body} if isinstance(inner, dict) else body
    return DeliveryReceipt(
        _whole(body.get('bag_id')),
        _whole(body.get('bag_num')),
        _flag(body.get('in_tolerance')),
        _flag(body.get('job_complete')),
    )


def retry_delay(attempts: int, result: HttpResult, random_fn: Callable[[], float]) -> float:
    """Return the delay before the next attempt in seconds: exponential backoff with jitter.

    Args:
        attempts: Number of failed attempts, at least 1.
        result: The last response; its Retry-After is respected up to `LONGEST_RETRY_AFTER_S`.
        random_fn: Returns a random number from 0 to 1.
    """
    delay = backoff.retry_delay(attempts, FIRST_DELAY_S, LONGEST_DELAY_S, jitter=JITTER, uniform=random_fn)
    if result.retry_after.isascii() and result.retry_after.isdigit():
        delay = max(delay, min(float(result.retry_after), LONGEST_RETRY_AFTER_S))
    return delay


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _flag(value: object) -> bool | None:
    if value in (1, '1', 'true', True):
        return True
    return False if value in (0, '0', 'false', False) else None
