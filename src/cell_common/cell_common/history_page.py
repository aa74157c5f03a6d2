"""Pages of a long table, newest first: filters, cursors, and the query that reads one page.

A cursor names the last row of a page by its key, not by a count. So new rows move nothing, and a page deep in a table of a
million rows costs as much as the first one. A condition without an index is tried on MOST_SCANNED rows a page at most: such a
page may be short, or empty, although more follow. That bounds the time of each page, whatever is searched for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, literal, select, tuple_

__all__ = ['CursorError', 'HistoryFilter', 'Page', 'PageRequest', 'in_time', 'matches_text', 'read_page', 'to_cursor']

MOST_SCANNED = 4000
MOST_ROWS = 500
"""Largest page."""
ItemT_co = TypeVar('ItemT_co', covariant=True)
NewT = TypeVar('NewT')
Conditions = Callable[[FromClause], Sequence[ColumnElement[bool]]]


class CursorError(ValueError):
    """A cursor is none that an earlier page of this list gave."""


@dataclass(frozen=True)
class HistoryFilter:
    """Which rows of the history to read; "", 0 and False = all.

    Attributes:
        since_ns: First moment, UTC nanoseconds.
        until_ns: Moment after the last one.
        part: Part number.
        job: Id of a pick job, or number of a weigh job.
        station: Station of a bag.
        text: Part of any text of the row, in either case.
        faults: Only rejected pieces, bags out of tolerance, alarms that are open, and commands that were refused.
    """

    since_ns: int = 0
    until_ns: int = 0
    part: str = ''
    job: str = ''
    station: str = ''
    text: str = ''
    faults: bool = False


@dataclass(frozen=True)
class PageRequest:
    """Which page to read: rows, 1 to MOST_ROWS; cursor of the page before, "" = the first page."""

    limit: int = 50
    cursor: str = ''


@dataclass(frozen=True)
class Page(Generic[ItemT_co]):
    """A page, newest first.

    Attributes:
        items: The rows.
        next: Cursor of the next page; "" = this is the last one.
    """

    items: tuple[ItemT_co, ...]
    next: str = ''

    def map(self, change: Callable[[ItemT_co], NewT]) -> Page[NewT]:
        """Return the page with each row changed."""
        return Page(tuple(change(item) for item in self.items), self.next)


def in_time(wanted: HistoryFilter, column: ColumnElement[int]) -> list[ColumnElement[bool]]:
    """Return the conditions of the time of a filter."""
    since = [column >= wanted.since_ns] if wanted.since_ns else []
    return [*since, column < wanted.until_ns] if wanted.until_ns else since


def matches_text(text: str, *columns: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a text is part of one of the columns, in either case."""
    found = columns[0].icontains(text, autoescape=True)
    for column in columns[1:]:
        found = found | column.icontains(text, autoescape=True)
    return found


def read_page(
    connection: Connection,
    query: Select[tuple[object, ...]],
    keys: Sequence[str],
    page: PageRequest,
    scanned: Conditions | None = None,
) -> Page[Row[tuple[object, ...]]]:
    """Return one page.

    Args:
        connection: The open database.
        query: All rows, with the conditions that have an index.
        keys: Names of the selected columns that order the rows, the first one a time; together unique, and never NULL.
        page: Which page.
        scanned: Returns the conditions without an index on the selected rows; None = there are none.

    Raises:
        CursorError: The cursor is damaged, or one of another list.
        SQLAlchemyError: The database failed.
    """
    limit = max(1, min(page.limit, MOST_ROWS))
    columns = [query.selected_columns[key] for key in keys]
    if page.cursor:
        query = query.where(tuple_(*columns) < tuple_(*map(literal, _values(page.cursor, len(keys)))))
    query = query.order_by(*(column.desc() for column in columns))
    if scanned is None:
        rows = connection.execute(query.limit(limit + 1)).all()
        return _page_of(rows, limit, keys)
    # Sorted again: the order of a nested query is no promise.
    inner = query.limit(MOST_SCANNED).subquery()
    outer = select(inner).where(*scanned(inner)).order_by(*(inner.c[key].desc() for key in keys)).limit(limit + 1)
    found = _page_of(connection.execute(outer).all(), limit, keys)
    if found.next:
        return found
    last = connection.execute(query.with_only_columns(*columns).offset(MOST_SCANNED - 1).limit(1)).first()
    return Page(found.items, to_cursor(last) if last else '')


def to_cursor(values: Sequence[object]) -> str:
    """Return the cursor of a row with these keys."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip('=')


def _page_of(rows: Sequence[Row[tuple[object, ...]]], limit: int, keys: Sequence[str]) -> Page[Row[tuple[object, ...]]]:
    more = len(rows) > limit
    return Page(tuple(rows[:limit]), to_cursor([getattr(rows[limit - 1], key) for key in keys]) if more else '')


def _values(cursor: str, count: int) -> list[int | str]:
    """Return the keys of a cursor.

    Raises:
        CursorError: It is none.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + '=' * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise CursorError('this cursor is not one of this list: begin without a cursor') from error
    valid = isinstance(values, list) and len(values) == count and all(type(value) in (int, str) for value in values)
    if not valid or not all(type(value) is str or abs(value) < 2**63 for value in values):
        raise CursorError('this cursor is not one of this list: begin without a cursor')
    return list(values)
