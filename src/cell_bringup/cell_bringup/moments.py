"""Moments as people write them: 14:03, yesterday 14:03, 2026-11-29, 2026-11-29 14:03, 8h."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from cell_common.time import NS_PER_S

__all__ = ['MomentError', 'parse_moment']

_AGE = re.compile(r'(\d{1,6})([mhd])')
_UNITS = {'m': 'minutes', 'h': 'hours', 'd': 'days'}
_DAY_TIME = re.compile(r'(?:(today|yesterday) )?(\d{1,2}):(\d{2})(?::(\d{2}))?')


class MomentError(ValueError):
    """A text is no moment; the error says which forms there are."""


def parse_moment(text: str, now: datetime) -> int:
    """Return a moment in UTC nanoseconds since 1970.

    Args:
        text: The moment; a time of day without a day is the latest one that is over.
        now: The present, with the time zone of the text.

    Raises:
        MomentError: The text is none of the forms.
    """
    text = text.strip()
    try:
        if age := _AGE.fullmatch(text):
            return _ns(now - timedelta(**{_UNITS[age[2]]: int(age[1])}))
        if found := _DAY_TIME.fullmatch(text):
            at = now.replace(hour=int(found[2]), minute=int(found[3]), second=int(found[4] or 0), microsecond=0)
            if found[1] == 'yesterday' or (not found[1] and at > now):
                at -= timedelta(days=1)
            return _ns(at)
        moment = datetime.fromisoformat(text)
        return _ns(moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo))
    except (ValueError, OverflowError) as error:
        raise MomentError(f'"{text}": give a moment such as 14:03, "yesterday 14:03", "2026-11-29 14:03", 8h or 7d') from error


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * (NS_PER_S // 1_000_000)
