"""Rules of delivery: form fields of a bag, meaning of HTTP responses, retry delays.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from cell_common import backoff
from cell_weighing.delivery.answer import BodyVerdict, is_page, names_key, object_of, read_answer, says_no
from cell_weighing.delivery.error_text import error_message_of

FIRST_DELAY_S = 1.0
# A web application that is back should get the waiting bags within a minute.
LONGEST_DELAY_S = 60.0
# A server that asks for days would stop the delivery without an alarm.
LONGEST_RETRY_AFTER_S = 3600.0
JITTER = 0.5
"""Random share of each delay, so that many sites do not retry in step."""
_REMEDY = 'correct the cause in the web application'
# These say that the address is wrong, if they come for every bag; for one bag they are its own fault.
_NOT_FOUND = (404, 405, 410)
# About the connection, the account or the moment, not about the bag: the next bag would be answered with the same.
_NOT_ABOUT_THE_BAG = (402, 407, 408, 419, 421, 423, 425, 426, 429, 431, 440, 451, 499)
_REMEDIES = dict.fromkeys(_NOT_FOUND, 'check site_url, controller and function')
"""Remedy for a rejected bag, by HTTP status."""
_BY_BODY = {
    BodyVerdict.REJECTED: 'says no',
    BodyVerdict.LATER: 'cannot record a bag now',
    BodyVerdict.FOREIGN: 'did not answer as the application: a page, a text, or nothing',
}


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
    NOT_FOUND = 4
    """Nothing is served at this address, or this bag's place is unknown there: the sender decides by its other answers."""


@dataclass(frozen=True)
class DeliveryItem:
    """One bag in the outbox.

    Attributes:
        reading_id: Also the idempotency key: the web application can tell a repetition from a
            second bag.
        station: Station of the bag.
        scale_id: Scale that the application knows: the replaced one if a spare scale weighed the
            bag.
        weight: Decimal digits in `unit`.
        unit: kg, g, lb, oz or t.
        attempts: Posts so far, over all restarts.
        unanswered: The last post had no answer: the application may have recorded the bag.
    """

    reading_id: str
    station: str
    scale_id: str
    weight: str
    unit: str
    attempts: int = 0
    unanswered: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """The form fields of the old scale server."""
        return {'weight': self.weight, 'unit': self.unit, 'scale': self.scale_id, 'station': self.station}


@dataclass(frozen=True)
class HttpResult:
    """Result of an HTTP request.

    Attributes:
        status: HTTP status; 0 = no response.
        body: Decoded body, possibly cut.
        error: Why there was no response.
        retry_after: Value of the header Retry-After.
    """

    status: int
    body: str = ''
    error: str = ''
    retry_after: str = ''


@dataclass(frozen=True)
class DeliveryReceipt:
    """The web application's record of a bag; None = field not given.

    Attributes:
        bag_id: Its id there.
        bag_num: Its number within the job there.
        in_tolerance: Its judgment there.
        job_complete: Whether the bag completed the job there.
    """

    bag_id: int | None = None
    bag_num: int | None = None
    in_tolerance: bool | None = None
    job_complete: bool | None = None


def classify(result: HttpResult) -> DeliveryVerdict:
    """Return the meaning of a response.

    A bag is delivered only when the answer says so, see `read_answer`; the status 2xx alone says
    nothing. 409 = the bag is recorded already, when its body says so. Statuses such as 407, 408 and
    429 say nothing about the bag: it is tried again. A redirect is a wrong address that an operator corrects, so the bag waits.

    Args:
        result: Response, or the lack of one.
    """
    status = result.status
    if 200 <= status < 300 or status == 409:
        return _classify_body(result)
    if status in (401, 403):
        # A firewall's or web server's own page is no word of the application about its key.
        foreign = status == 403 and is_page(result.body) and not names_key(result.body)
        return DeliveryVerdict.RETRY if foreign else DeliveryVerdict.PAUSE
    # A framework's own 404 page says nothing about the bag; `"success": false` comes from the
    # application.
    # "The plain HTTP request was sent to HTTPS port" is a page with a 400, and comes for every bag.
    if (status in _NOT_FOUND and not says_no(result.body)) or (status == 400 and is_page(result.body)):
        return DeliveryVerdict.NOT_FOUND
    if 400 <= status < 500 and status not in _NOT_ABOUT_THE_BAG:
        return DeliveryVerdict.DEAD_LETTER
    return DeliveryVerdict.RETRY


def _classify_body(result: HttpResult) -> DeliveryVerdict:
    """Return the meaning of a 2xx or 409 by its body."""
    said = read_answer(result.body)
    if said is BodyVerdict.RECORDED:
        return DeliveryVerdict.DONE
    if said is BodyVerdict.KEY:
        return DeliveryVerdict.PAUSE
    # A conflict that does not say "recorded" will not go away by repetition.
    if said is BodyVerdict.REJECTED or result.status == 409:
        return DeliveryVerdict.DEAD_LETTER
    return DeliveryVerdict.RETRY


def explain(result: HttpResult, url: str) -> str:
    """Return one sentence for the operator about a failed request; the delivery ledger keeps the full response.

    Args:
        result: Response that is no success.
        url: Address that the bag was posted to.
    """
    if not result.status:
        return f'{url} cannot be reached: {result.error}'
    verdict = classify(result)
    if verdict is DeliveryVerdict.PAUSE:
        return f'{url} does not accept the key (HTTP {result.status})'
    if 300 <= result.status < 400 or result.status == 407:
        return _explain_route(result.status, url)
    code, message = str(result.status), error_message_of(result.body)
    detail = f'HTTP {code}: {message.removeprefix(code).strip()}' if message else f'HTTP {code}'
    if verdict in (DeliveryVerdict.DEAD_LETTER, DeliveryVerdict.NOT_FOUND):
        remedy = _REMEDIES.get(result.status, _REMEDY)
        if not message and 200 <= result.status < 300:
            detail += ': the answer does not say that the bag is recorded'
        return f'The web application rejected this bag ({detail}): {remedy}, then send it again.'
    if 200 <= result.status < 300:
        return f'{url} {_BY_BODY[read_answer(result.body)]} ({detail})'
    return f'{url} failed ({detail})'


def _explain_route(status: int, url: str) -> str:
    """Return one sentence about an answer that comes from the way to the application."""
    if status == 407:
        return f'the proxy to {url} asks for user and password (HTTP 407): put both into the variable CELL_WEIGHING_PROXY'
    return f'{url} redirects to another address (HTTP {status}): correct site_url, controller and function'


def explain_wrong_address(result: HttpResult, url: str) -> str:
    """Return one sentence for the operator about an address that answers 404, 405 or 410 for every bag.

    Args:
        result: Answer of the web application.
        url: Address that was used.
    """
    message = f': {text}' if result.status == 400 and (text := error_message_of(result.body)) else ''
    return f'{url} is a wrong address (HTTP {result.status}{message} for every bag): correct site_url, controller and function'


def parse_receipt(result: HttpResult) -> DeliveryReceipt:
    """Parse the JSON of a response, at the top level or below "data"; unknown forms give an empty receipt.

    Args:
        result: Response that says that the bag is recorded. A field of a wrong type is left out,
            and never a reason to post again.
    """
    body = object_of(result.body)
    if body is None:
        return DeliveryReceipt()
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
    # The length first: Python refuses to convert more than 4300 digits, and the table holds 63 bits.
    if isinstance(value, str) and len(value) <= 19 and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _flag(value: object) -> bool | None:
    if value in (1, '1', 'true', True):
        return True
    return False if value in (0, '0', 'false', False) else None
