"""What a request of the history asks for.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

__all__ = ['FILTERS', 'QueryError', 'filter_values', 'page_values']

FILTERS = ('part', 'job', 'station', 'text')
LONGEST = 100
"""Of a text of the query, characters."""
MOST_ROWS = 500
NS_PER_US = 1000


class QueryError(ValueError):
    """A value of the query is wrong; the text says which, and what is right."""


def filter_values(query: Mapping[str, str]) -> dict[str, str | int | bool]:
    """Return the fields of a HistoryFilter.

    Raises:
        QueryError: A value is wrong.
    """
    values: dict[str, str | int | bool] = {name: _text(query, name) for name in FILTERS}
    values['since_ns'], values['until_ns'] = _moment(query, 'since'), _moment(query, 'until')
    faults = query.get('faults', '') or '0'
    if faults not in ('0', '1'):
        raise QueryError('faults must be 0 or 1')
    return {**values, 'faults': faults == '1'}


def page_values(query: Mapping[str, str]) -> tuple[int, str]:
    """Return limit and cursor of a page.

    Raises:
        QueryError: A value is wrong.
    """
    text = query.get('limit', '') or '50'
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST_ROWS):
        raise QueryError(f'limit must be a whole number of 1 to {MOST_ROWS}')
    cursor = query.get('cursor', '')
    if len(cursor) > 500:
        raise QueryError('this cursor is not one of this list: begin without a cursor')
    return int(text), cursor


def _text(query: Mapping[str, str], name: str) -> str:
    text = query.get(name, '')
    if len(text) > LONGEST or '\0' in text:
        raise QueryError(f'{name} must be a text of at most {LONGEST} characters')
    return text


def _moment(query: Mapping[str, str], name: str) -> int:
    """Return a time of ISO 8601 in UTC nanoseconds, 0 for none; without a zone it is UTC.

    Raises:
        QueryError: It is none.
    """
    text = query.get(name, '')
    if not text:
        return 0
    try:
        # "+" of a zone is a space in a query that was not escaped.
        moment = datetime.fromisoformat(text.strip().replace(' ', '+') if text.count(' ') == 1 and 'T' in text else text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return int(moment.timestamp() * 1_000_000) * NS_PER_US
    except (ValueError, OverflowError) as error:
        raise QueryError(f'{name} must be a time such as 2026-11-29T14:03:00Z') from error
