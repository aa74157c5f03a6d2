import re
from datetime import datetime
from types import SimpleNamespace

import pytest
from cell_common.runner import StartError
from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.station.bag_log import BagLog
from cell_weighing.station.daily_log import DailyLog

SECOND = 1_000_000_000
PRINTED = 1_790_000_000


@pytest.fixture
def open_log(tmp_path):
    warnings, opened = [], []
    logger = SimpleNamespace(warning=lambda text, **_: warnings.append(text))

    def make(folder=tmp_path / 'logs'):
        log = BagLog(SimpleNamespace(get_logger=lambda: logger), str(folder), 3650)
        log.warnings = warnings
        opened.append(log)
        return log

    yield make
    for log in opened:
        log.close()


def bag(bag_id):
    weighed = (PRINTED + bag_id) * SECOND
    return Bag('r', '1', 'A', '1.1', 'kg', weighed, ToleranceResult.IN_TOLERANCE, bag_id=bag_id, job_id=4, number=bag_id)


def table(bags):
    return lambda after, limit: [one for one in bags if one.bag_id > after][:limit]


def lines(tmp_path):
    return [line for path in sorted((tmp_path / 'logs').iterdir()) for line in path.read_text().splitlines()]


def test_a_line_has_the_time_of_the_print_with_its_utc_offset(open_log, tmp_path):
    log = open_log()
    log.bag(bag(7))
    stamp = re.match(r'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}) station A scale 1: 1.1 kg, .*\(id 7\)$', lines(tmp_path)[0])
    assert datetime.strptime(stamp[1], '%Y-%m-%d %H:%M:%S %z').timestamp() == PRINTED + 7


def test_after_a_kill_the_missing_bags_are_written_and_none_twice(open_log, tmp_path):
    bags = [bag(number) for number in range(1, 1200)]
    log = open_log()
    log.start(0, table(bags[:0]))
    for one in bags[:3]:
        log.bag(one)
    with next((tmp_path / 'logs').iterdir()).open('a') as file:
        file.write('2026-09-21 station A sc')  # killed while it wrote
    open_log().start(1199, table(bags))
    open_log().start(1199, table(bags))
    ids = [int(found[1]) for line in lines(tmp_path) if (found := re.search(r'of job 4.*\(id (\d+)\)$', line))]
    assert ids == list(range(1, 1200))


def test_killed_before_the_first_bag_was_written(open_log, tmp_path):
    open_log().start(41, table([]))
    open_log().start(42, table([bag(42)]))
    assert 'bag 42 of job 4' in ' '.join(lines(tmp_path))


def test_a_new_log_does_not_begin_with_the_bags_of_years(open_log, tmp_path):
    open_log().start(5000, table([bag(number) for number in range(1, 5001)]))
    assert len(lines(tmp_path)) == 1


def no_space(*_):
    raise OSError(28, 'No space left on device')


def test_lines_wait_while_the_disk_is_full(open_log, tmp_path, monkeypatch):
    log = open_log()
    log.bag(bag(1))
    with monkeypatch.context() as full:
        full.setattr(DailyLog, 'write', no_space)
        log.bag(bag(2))
    assert 'No space left' in log.warnings[0] and len(lines(tmp_path)) == 1
    log.bag(bag(3))
    assert [line[-6:] for line in lines(tmp_path)] == ['(id 1)', '(id 2)', '(id 3)']


def test_no_folder_no_log_and_a_folder_that_cannot_be_made_stops_the_start(open_log, tmp_path):
    log = open_log('')
    log.start(1, table([bag(1)]))
    log.bag(bag(1))
    (tmp_path / 'file').write_text('')
    with pytest.raises(StartError, match='log_folder'):
        open_log(tmp_path / 'file')
