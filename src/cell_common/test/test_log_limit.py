import logging

import pytest
from cell_common.log_limit import RepeatLimit


@pytest.fixture
def lines():
    return []


@pytest.fixture
def time_s():
    return [0.0]


@pytest.fixture
def log(lines, time_s):
    class Collected(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    logger = logging.Logger('test')
    logger.addFilter(RepeatLimit(lines=2, period_s=60.0, clock=lambda: time_s[0]))
    logger.addHandler(Collected())
    return logger


def test_the_first_lines_of_a_kind_pass(log, lines):
    for number in range(5):
        log.warning('client %d refused', number)
    assert lines == ['client 0 refused', 'client 1 refused']


def test_other_kinds_and_levels_are_counted_for_themselves(log, lines):
    for _ in range(3):
        log.warning('one')
        log.error('one')
        log.warning('two')
    assert sorted(lines) == ['one', 'one', 'one', 'one', 'two', 'two']


def test_the_next_period_says_how_many_were_left_out(log, lines, time_s):
    for number in range(5):
        log.warning('client %d refused', number)
    time_s[0] = 60.0
    log.warning('client %d refused', 5)
    assert lines[2:] == ['client 5 refused (and 3 more like it)']


def test_nothing_is_added_when_nothing_was_left_out(log, lines, time_s):
    log.warning('100 %')
    time_s[0] = 60.0
    log.warning('100 %')
    assert lines == ['100 %', '100 %']
