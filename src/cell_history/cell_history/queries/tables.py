"""Rows, JSON and CSV of the answers.

Times are texts of ISO 8601 in UTC, `booked_ns` becomes `booked`: a browser cannot hold a number of nanoseconds.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timezone

from cell_common.time import NS_PER_S

__all__ = ['iso', 'page_csv', 'page_json', 'row_of', 'rows_of']

FORMULA = ('=', '+', '-', '@', '\t', '\r')


def iso(nanoseconds: int) -> str:
    """Return a time as ISO 8601 in UTC with microseconds; "" for 0, and the number where no calendar has it."""
    if not nanoseconds:
        return ''
    seconds, rest = divmod(nanoseconds, NS_PER_S)
    try:
        return f'{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z'
    except (OverflowError, ValueError, OSError):
        return str(nanoseconds)


def row_of(item: object) -> dict[str, object]:
    """Return an item as plain values by name."""
    values = asdict(item) if is_dataclass(item) and not isinstance(item, type) else dict(vars(item))
    return {name.removesuffix('_ns'): iso(value) if name.endswith('_ns') else value for name, value in values.items()}


def rows_of(items: Sequence[object], clips: Sequence[str] = ()) -> list[dict[str, object]]:
    """Return items as rows; with clips, each row names its own, "" = none."""
    rows = [row_of(item) for item in items]
    for row, clip in zip(rows, clips, strict=False):
        row['clip'] = clip
    return rows


def page_json(rows: Sequence[Mapping[str, object]], following: str) -> dict[str, object]:
    """Return a page for JSON.

    Args:
        rows: Of `rows_of`.
        following: Cursor of the next page, "" = this is the last one.
    """
    return {'items': list(rows), 'next': following}


def page_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows as CSV (RFC 4180); no value is taken for a formula by a spreadsheet. "" without rows."""
    if not rows:
        return ''
    out = io.StringIO()
    table = csv.DictWriter(out, list(rows[0]), lineterminator='\r\n')
    table.writeheader()
    table.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _plain(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value
