import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from cell_coordinator.figures.rules import Window
from cell_coordinator.figures.shifts import ShiftError, parse_starts, shift_windows

BERLIN = ZoneInfo('Europe/Berlin')
STARTS = parse_starts(['22:00', '06:00', '14:00'])
HOUR = 3600 * 10**9


def local(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * 10**9


def shifts(begin, end):
    return [
        (name, (part.until_ns - part.since_ns) / HOUR)
        for name, part in shift_windows(Window(local(begin), local(end)), STARTS, BERLIN)
    ]


def test_a_window_is_cut_at_the_begins_of_the_shifts():
    assert shifts('2026-03-10 05:00', '2026-03-10 15:00') == [
        ('2026-03-09 22:00', 1),
        ('2026-03-10 06:00', 8),
        ('2026-03-10 14:00', 1),
    ]


def test_the_night_of_the_change_to_and_from_daylight_saving_has_seven_and_nine_hours():
    assert ('2026-03-28 22:00', 7) in shifts('2026-03-28 14:00', '2026-03-29 14:00')
    assert ('2026-10-24 22:00', 9) in shifts('2026-10-24 14:00', '2026-10-25 14:00')


def test_shifts_leave_no_gap():
    parts = [part for _, part in shift_windows(Window(local('2026-03-20 01:00'), local('2026-04-02 03:30')), STARTS, BERLIN)]
    assert all(one.until_ns == other.since_ns for one, other in itertools.pairwise(parts))
    assert (parts[0].since_ns, parts[-1].until_ns) == (local('2026-03-20 01:00'), local('2026-04-02 03:30'))


@pytest.mark.parametrize('texts', [['6:00'], ['24:00'], ['06:00', '06:00'], ['noon'], ['06:60'], ['']])
def test_a_wrong_begin_is_refused(texts):
    with pytest.raises(ShiftError):
        parse_starts(texts)


def test_no_begins_give_no_shifts_and_one_the_whole_day():
    window = Window(local('2026-03-10 05:00'), local('2026-03-11 05:00'))
    assert not list(shift_windows(window, [], BERLIN))
    assert len(list(shift_windows(window, parse_starts(['06:00']), BERLIN))) == 2
