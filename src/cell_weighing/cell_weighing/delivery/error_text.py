"""Error message of an HTTP response body, without markup and control characters.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata

LONGEST = 80
LONGEST_INPUT = 4000
"""Characters that are examined: unclosed markup takes time that grows with the square of its length."""
_FIELDS = ('message', 'error', 'detail', 'title', 'reason', 'description', 'errors', 'data')
"""Fields in which frameworks put their message (Laravel, Django REST, RFC 9457 and home-made ones), the best first."""
_INVISIBLE = re.compile(r'<!--.*?-->|<(script|style)\b.*?(</\1\s*>|\Z)', re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r'<(title|h1)\b[^>]*>(.*?)</\1\s*>', re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r'<[!/?a-zA-Z][^>]*(>|\Z)')


def error_message_of(body: str) -> str:
    """Return the error message of a response body.

    Args:
        body: JSON, HTML or plain text.

    Returns:
        One line of at most `LONGEST` characters; "" when the body has no message.
    """
    try:
        message = _find_message(json.loads(body))
    except (ValueError, RecursionError):
        message = body
    return _shorten(_plain_text(message))


def _find_message(value: object, depth: int = 0) -> str:
    """Return the message in a JSON value: a text, or the best field that contains one."""
    if isinstance(value, str):
        return value
    if depth > 3:
        return ''
    if isinstance(value, list):
        return next((text for item in value[:3] if (text := _find_message(item, depth + 1))), '')
    if not isinstance(value, dict):
        return ''
    named = next((text for name in _FIELDS if (text := _find_message(value.get(name), depth + 1))), '')
    if named or not depth:
        return named
    return next((text for item in value.values() if (text := _find_message(item, depth + 1))), '')


def _plain_text(text: str) -> str:
    text = text[:LONGEST_INPUT]
    if _TAG.search(text):
        text = _INVISIBLE.sub(' ', text)
        title = _TITLE.search(text)
        text = _TAG.sub(' ', title.group(2) if title and _TAG.sub('', title.group(2)).strip() else text)
    # After the tags are gone: an escaped "<" is text, and must not become markup.
    text = html.unescape(text)
    return ' '.join(''.join(' ' if unicodedata.category(c)[0] in 'CZ' else c for c in text).split())


def _shorten(text: str) -> str:
    text = text.rstrip('.!')
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST - 1].rsplit(' ', 1)[0][: LONGEST - 1].rstrip(' .,;:') + '…'
