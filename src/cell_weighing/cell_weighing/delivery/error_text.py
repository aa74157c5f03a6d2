"""What a web server says, as words for people: its own message without markup, control characters and length."""

from __future__ import annotations

import html
import json
import re
import unicodedata

LONGEST = 80
LOOKED_AT = 4000
"""Characters: markup that never ends takes time that grows with the square of its length."""
_NAMES = ('message', 'error', 'detail', 'title', 'reason', 'description', 'errors', 'data')
"""Fields in which frameworks put their message (Laravel, Django REST, RFC 9457 and home-made ones), the best first."""
_UNSEEN = re.compile(r'<!--.*?-->|<(script|style)\b.*?(</\1\s*>|\Z)', re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r'<(title|h1)\b[^>]*>(.*?)</\1\s*>', re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r'<[!/?a-zA-Z][^>]*(>|\Z)')


def error_message_of(body: str) -> str:
    """Return a server's message in at most `LONGEST` characters, on one line; "" when it says nothing."""
    try:
        told = _message(json.loads(body))
    except (ValueError, RecursionError):
        told = body
    return _shortened(_plain(told))


def _message(told: object, depth: int = 0) -> str:
    """Find the message in JSON: a text, or the best field that leads to one."""
    if isinstance(told, str):
        return told
    if depth > 3:
        return ''
    if isinstance(told, list):
        return next((text for item in told[:3] if (text := _message(item, depth + 1))), '')
    if not isinstance(told, dict):
        return ''
    named = next((text for name in _NAMES if (text := _message(told.get(name), depth + 1))), '')
    return named or (next((text for item in told.values() if (text := _message(item, depth + 1))), '') if depth else '')


def _plain(text: str) -> str:
    text = text[:LOOKED_AT]
    if _TAG.search(text):
        text = _UNSEEN.sub(' ', text)
        titled = _TITLE.search(text)
        text = _TAG.sub(' ', titled.group(2) if titled and _TAG.sub('', titled.group(2)).strip() else text)
    text = html.unescape(text)
    return ' '.join(''.join(' ' if unicodedata.category(c)[0] in 'CZ' else c for c in text).split())


def _shortened(text: str) -> str:
    text = text.rstrip('.!')
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST - 1].rsplit(' ', 1)[0][: LONGEST - 1].rstrip(' .,;:') + '…'
