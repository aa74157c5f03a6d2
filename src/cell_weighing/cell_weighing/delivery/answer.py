"""Verdict on the body of an HTTP response to a posted bag: recorded, rejected, or no answer of the application.

An HTTP status alone proves nothing: applications answer 200 with an error, and login pages, proxies
and captive portals answer 200 with a page. The old contract says yes with `"success": true` or a
`bag_id`.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import IntEnum

from cell_weighing.delivery.error_text import error_message_of

_STATUS_FIELDS = ('status', 'code', 'status_code', 'statusCode', 'http_status', 'httpStatus')
_BAG_ID = re.compile(r'(?=[^0]*[1-9A-Za-z])(?=.*[0-9])[A-Za-z0-9_-]{1,64}', re.ASCII)
_NEVER = ('error', 'fail', 'failed', 'failure', 'ko')
_KEY_WORDS = re.compile(
    r'unauthori[sz]ed|unauthenticated|not (authori[sz]ed|authenticated|logged in)|log ?in required|please log ?in'
    r'|forbidden|access denied'
    r'|(token|api.?key|key|session|credentials?) (is |has |was )?(invalid|expired|missing|revoked|unknown)'
    r'|(invalid|expired|missing|revoked|unknown|bad|wrong) (bearer |access |api )*(token|key|credentials?|session)\b',
    re.IGNORECASE,
)
_LATER_WORDS = re.compile(
    r'try (it )?(again|later)|retry|temporar|unavailable|maintenance|timed? ?out|too many|rate limit|throttl|overload'
    r'|\bbusy\b|deadlock|lock wait|\blocked\b|connection|internal (server )?error|server error|out of memory|disk (is )?full'
    r'|SQLSTATE|gone away|could not connect|starting up',
    re.IGNORECASE,
)


_PHP_NOTICE = re.compile(r'(?:<br ?/?>\s*)?(?:<b>)?(?:Warning|Notice|Deprecated|Strict Standards)(?:</b>)?:', re.IGNORECASE)
"""A note of PHP that stands before or behind the answer when its setting display_errors is on."""
_PAGE = re.compile(r'\s*<(?:!doctype|html|head|title|body|h1|center)\b', re.IGNORECASE)


class BodyVerdict(IntEnum):
    """Meaning of a response body."""

    RECORDED = 0
    """It says that the bag is recorded."""
    REJECTED = 1
    """It says that the bag is not recorded and why, or it does not say that the bag is recorded."""
    LATER = 2
    """It says that the application cannot record a bag now."""
    KEY = 3
    """It says that the key is not accepted."""
    FOREIGN = 4
    """It is no answer of the application: a page, a text, nothing, or a part of an answer."""


def object_of(body: str) -> dict[str, object] | None:
    """Return the JSON object of a body with the fields below "data" at the top level; None = the body is none.

    Args:
        body: Decoded body, possibly with a byte order mark. Of a field in both places the outer one
            counts.
    """
    text = body.lstrip('\ufeff')
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = _beside_notices(text.strip())
    if not isinstance(value, dict):
        return None
    inner = value.get('data')
    return {**inner, **value} if isinstance(inner, dict) else value


def _beside_notices(text: str) -> dict[str, object] | None:
    """Return the JSON object of an answer with notes of PHP before or behind it; None = it is none.

    Otherwise every bag would be posted for ever, because every answer has the note.
    """
    start = text.find('{')
    if start < 0 or (start and not _PHP_NOTICE.match(text)):
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    rest = text[end:].strip()
    if not isinstance(value, dict) or (rest and not _PHP_NOTICE.match(rest)) or 'fatal error' in rest.lower():
        return None
    # A warning about the database and a mere "success" may go together: a yes must name its bag.
    inner = value.get('data')
    bag = value.get('bag_id', inner.get('bag_id') if isinstance(inner, dict) else None)
    return value if _is_bag_id(bag) or _denies(value) else None


def is_page(body: str) -> bool:
    """Whether a body is a page for people: of a web server, a firewall or a framework, not an answer of the application."""
    return _PAGE.match(body.lstrip('\ufeff')) is not None


def names_key(body: str) -> bool:
    """Whether the message of a body is about the key."""
    return _KEY_WORDS.search(error_message_of(body)) is not None


def says_no(body: str) -> bool:
    """Whether the application itself says that the bag is not recorded: `"success": false`.

    Args:
        body: Decoded body of a 404, 405 or 410, which may also come from a proxy that has no such
            address.
    """
    fields = object_of(body)
    return fields is not None and _denies(fields)


def read_answer(body: str) -> BodyVerdict:
    """Return the verdict on a response body.

    An explicit no outweighs a yes. A no is judged by a status number in the body first, then by its
    text: key, later, or rejected.

    Args:
        body: Decoded body of a response with status 2xx or 409.
    """
    fields = object_of(body)
    if fields is None:
        return BodyVerdict.FOREIGN
    # Frameworks wrap errors into a 200 and put the real status into the body.
    status = _embedded_status(fields)
    recorded = _flag(fields.get('success')) or _is_bag_id(fields.get('bag_id'))
    if recorded and status < 400 and not _denies(fields):
        return BodyVerdict.RECORDED
    if status in (401, 403):
        return BodyVerdict.KEY
    if status in (408, 425, 429) or status >= 500:
        return BodyVerdict.LATER
    text = error_message_of(body)
    if _KEY_WORDS.search(text):
        return BodyVerdict.KEY
    return BodyVerdict.LATER if _LATER_WORDS.search(text) else BodyVerdict.REJECTED


def _denies(fields: dict[str, object]) -> bool:
    """Return whether a field says no: `success` that is not true, or a `status` that names a failure."""
    inner = fields.get('data')
    places = [fields, inner] if isinstance(inner, dict) else [fields]
    for place in places:
        if 'success' in place and not _flag(place['success']):
            return True
        status = place.get('status')
        if isinstance(status, str) and status.strip().lower() in _NEVER:
            return True
    return False


def _embedded_status(fields: dict[str, object]) -> int:
    """Return the HTTP status that the body names, the gravest; 0 = none."""
    return max(_numbers(fields), default=0)


def _numbers(fields: dict[str, object]) -> Iterator[int]:
    error = fields.get('error')
    for place in (fields, error) if isinstance(error, dict) else (fields,):
        for name in _STATUS_FIELDS:
            value = place.get(name)
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600:
                yield value


def _is_bag_id(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value > 0
    return isinstance(value, str) and _BAG_ID.fullmatch(value) is not None


def _flag(value: object) -> bool:
    return value is True or (isinstance(value, int) and value == 1) or (isinstance(value, str) and value in ('1', 'true'))
