from datetime import datetime, timedelta, timezone

import pytest
from cell_weighing.station.daily_log import DailyLog


def test_each_day_has_a_file_and_old_ones_go(tmp_path):
    log = DailyLog(tmp_path / 'logs', keep_days=2)
    (tmp_path / 'logs' / 'notes.txt').write_text('mine')
    first = datetime(2026, 3, 1, 23, 59, 58)
    log.write(first, 'bag one')
    log.write(first + timedelta(seconds=1), 'bag\ntwo')
    for days in (1, 2, 3):
        log.write(first + timedelta(days=days), f'day {days}')
    log.close()
    names = sorted(path.name for path in (tmp_path / 'logs').iterdir())
    assert names == ['log-2026-03-02.txt', 'log-2026-03-03.txt', 'log-2026-03-04.txt', 'notes.txt']


def test_a_line_has_the_time_and_is_one_line(tmp_path):
    log = DailyLog(tmp_path, keep_days=1)
    log.write(datetime(2026, 3, 1, 8, 5, tzinfo=timezone(timedelta(hours=1))), 'bag\none')
    log.close()
    assert (tmp_path / 'log-2026-03-01.txt').read_text() == '2026-03-01 08:05:00 +0100 bag one\n'


def test_the_file_is_continued_after_a_restart(tmp_path):
    for text in ('one', 'two'):
        log = DailyLog(tmp_path, keep_days=1)
        log.write(datetime(2026, 3, 1), text)
        log.close()
    assert len((tmp_path / 'log-2026-03-01.txt').read_text().splitlines()) == 2


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match=r'exists|directory'):
        DailyLog(tmp_path / 'file', keep_days=1)


def test_a_file_whose_name_is_no_day_stops_nothing(tmp_path):
    (tmp_path / 'log-2026-13-45.txt').write_text('kept')
    log = DailyLog(tmp_path, 1)
    log.write(datetime(2026, 11, 30, 6, 0), 'a line')
    log.close()
    assert (tmp_path / 'log-2026-11-30.txt').is_file() and (tmp_path / 'log-2026-13-45.txt').read_text() == 'kept'


def test_the_latest_mark_is_that_of_the_last_whole_line(tmp_path):
    log, day = DailyLog(tmp_path, 30), datetime(2026, 3, 2, tzinfo=timezone.utc)
    assert log.latest_mark() is None
    log.write(day, 'a bag (id 7)')
    log.write(day - timedelta(days=1), 'a late bag (id 8)')
    log.write(day, 'a remark (id nine)')
    log.close()
    assert log.latest_mark() == 8
    with (tmp_path / 'log-2026-03-02.txt').open('a') as file:
        file.write('half a line (id 12)')
    assert log.latest_mark() == 8
    log.write(day, 'a bag (id 9)')
    log.close()
    assert (tmp_path / 'log-2026-03-02.txt').read_text().splitlines()[-2:] == [
        'half a line (id 12)',
        '2026-03-02 00:00:00 +0000 a bag (id 9)',
    ]
