import pytest
from cell_web.piece_counter import PieceCounter


def buckets(counter):
    return {sample.labels['le']: sample.value for sample in counter.histogram('c').samples if sample.name.endswith('_bucket')}


def test_the_first_state_is_not_counted():
    counter = PieceCounter()
    counter.update('1', 9, 9, (1, 0), 0.4)
    assert (counter.placed, counter.rejected) == (0, 0) and buckets(counter)['+Inf'] == 0


def test_counts_that_go_back_are_not_subtracted():
    counter = PieceCounter()
    for placed in (3, 4, 2, 3):
        counter.update('1', placed, 0, None, 0.0)
    assert counter.placed == 2


def test_each_verdict_is_one_reading_time():
    counter = PieceCounter()
    counter.update('', 0, 0, None, 0.0)
    for match, seconds in (((1, 0), 0.4), ((1, 0), 0.4), ((2, 0), 20.0), (None, 3.0)):
        counter.update('1', 0, 0, match, seconds)
    found = buckets(counter)
    assert (found['0.25'], found['0.5'], found['10.0'], found['+Inf']) == (0, 1, 1, 2)
    assert next(s.value for s in counter.histogram('c').samples if s.name.endswith('_sum')) == pytest.approx(20.4)
