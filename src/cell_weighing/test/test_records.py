from decimal import Decimal

import pytest
from cell_weighing.domain.jobs import Bag, Job, JobError, is_bag, order, take_back, weigh
from cell_weighing.domain.reading import Reading, Stability, Status, shown
from cell_weighing.domain.tolerance import Band, Outcome


def reading(weight='1.10', *, scale='1', at=100, **changes):
    values = {'status': Status.VALID, 'weight': weight, 'unit': 'kg'} | changes
    return Reading(f'r{at}', scale, 1, at, at, b'', **values)


def job(**changes):
    values = {
        'job_id': 7,
        'company': 'ACME',
        'station': 'A',
        'quantity': 2,
        'started_ns': 50,
        'band': Band(Decimal('1.10'), 'kg', Decimal('0.10')),
    }
    return Job(**(values | changes))


def test_only_a_weight_above_zero_that_is_not_in_motion_is_a_bag():
    assert is_bag(reading())
    assert is_bag(reading(stability=Stability.STABLE))
    assert not is_bag(reading('0.000'))
    assert not is_bag(reading(stability=Stability.IN_MOTION))
    assert not is_bag(reading('', status=Status.MALFORMED))
    assert not is_bag(reading('', status=Status.OUT_OF_RANGE))


def test_a_reading_without_a_weight_has_no_value():
    with pytest.raises(ValueError, match='no weight'):
        _ = reading('', status=Status.MALFORMED, message='nonsense').value


def test_bags_are_numbered_and_good_ones_complete_the_job():
    running = job()
    bags = [weigh(reading(weight, at=at), 'A', running) for weight, at in (('1.10', 100), ('2.0', 101), ('1.2', 102))]
    assert [(b.number, b.outcome) for b in bags] == [(1, Outcome.IN_TOLERANCE), (2, Outcome.OVER), (3, Outcome.IN_TOLERANCE)]
    assert (running.bags_completed, running.bags_out, running.finished_ns, running.active) == (2, 1, 102, False)


def test_no_job_is_an_outcome_of_its_own():
    bag = weigh(reading(), 'A', None)
    assert (bag.outcome, bag.number, bag.job_id, bag.target) == (Outcome.NO_ACTIVE_JOB, 0, 0, '')
    assert 'no weigh job' in bag.message


def test_a_scale_without_a_station_belongs_to_no_job_and_the_way_out_is_said():
    bag = weigh(reading(scale='9'), '', None)
    assert bag.outcome is Outcome.NO_ACTIVE_JOB and 'scale_ids' in bag.message


def test_a_job_covers_its_start_but_not_its_end():
    done = job(started_ns=50, finished_ns=100)
    assert [done.covers(reading(at=at)) for at in (49, 50, 99, 100)] == [False, True, True, False]
    assert job().covers(reading(at=10**18))


def test_a_voided_bag_no_longer_counts_and_its_number_is_not_given_again():
    running = job()
    bag = weigh(reading(), 'A', running)
    take_back(bag, running)
    assert bag.voided and running.bags_completed == 0
    assert weigh(reading(at=101), 'A', running).number == 2


def test_a_voided_bag_out_of_tolerance_or_without_a_job_is_marked_too():
    running = job()
    take_back(weigh(reading('9'), 'A', running), running)
    assert running.bags_out == 0
    lone = weigh(reading(), 'A', None)
    take_back(lone, None)
    assert isinstance(lone, Bag) and lone.voided


def test_an_order_is_checked_and_takes_the_default_tolerance():
    asked = {'company': ' ACME ', 'station': 'A', 'target': '1.10', 'unit': 'kg', 'quantity': 3, 'tolerance': ''}
    rules = {'stations': ['A', 'B', 'A'], 'default_tolerance': Decimal('0.05')}
    made = order(**asked, **rules)
    assert (made.company, made.band.tolerance, made.band.low) == ('ACME', Decimal('0.05'), Decimal('1.045'))
    with pytest.raises(JobError, match='stations are A, B'):
        order(**(asked | {'station': 'C'}), **rules)


def test_raw_bytes_are_shown_so_that_nothing_hides():
    assert shown(b'3,12.5 kg') == '3,12.5 kg'
    assert shown(b'a\\b\x00\xff\t') == 'a\\\\b\\x00\\xff\\x09'
