from datetime import datetime, timedelta, timezone

import pytest
from cell_bringup.moments import MomentError, parse_moment

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 11, 30, 15, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('14:03', '2026-11-30T14:03+02:00'),
        ('16:00', '2026-11-29T16:00+02:00'),
        ('yesterday 14:03', '2026-11-29T14:03+02:00'),
        ('today 16:00:30', '2026-11-30T16:00:30+02:00'),
        ('2026-11-29', '2026-11-29T00:00+02:00'),
        ('2026-11-29 14:03', '2026-11-29T14:03+02:00'),
        ('2026-11-29T14:03Z', '2026-11-29T14:03+00:00'),
        ('8h', '2026-11-30T07:00+02:00'),
    ],
)
def test_moments(text, expected):
    assert parse_moment(text, NOW) == datetime.fromisoformat(expected).timestamp() * 10**9


@pytest.mark.parametrize('text', ['', 'noon', '25:00', '14:61', '8 h', '9999999d', '2026-13-01'])
def test_other_texts_are_refused(text):
    with pytest.raises(MomentError, match='14:03'):
        parse_moment(text, NOW)
