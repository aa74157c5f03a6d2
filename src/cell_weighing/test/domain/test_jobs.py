from dataclasses import replace
from decimal import Decimal

import pytest
from cell_weighing.domain.jobs import Bag, JobError, JobForm, WeighingJob, is_bag, make_bag, validate_request, void_bag
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightReading, printable
from cell_weighing.domain.tolerance import ToleranceBand, ToleranceResult


def reading(weight='1.10', *, scale='1', at=100, **changes):
    values = {'status': ReadingStatus.VALID, 'weight': weight, 'unit': 'kg'} | changes
    return WeightReading(f'r{at}', scale, 1, at, at, b'', **values)


def job(**changes):
    values = {
        'job_id': 7,
        'company': 'ACME',
        'station': 'A',
        'quantity': 2,
        'started_ns': 50,
        'band': ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10')),
    }
    return WeighingJob(**(values | changes))


def test_only_a_weight_above_zero_that_is_not_in_motion_is_a_bag():
    assert is_bag(reading())
    assert is_bag(reading(stability=Stability.STABLE))
    assert not is_bag(reading('0.000'))
    assert not is_bag(reading(stability=Stability.IN_MOTION))
    assert not is_bag(reading('', status=ReadingStatus.MALFORMED))
    assert not is_bag(reading('', status=ReadingStatus.OUT_OF_RANGE))


def test_a_reading_without_a_weight_has_no_value():
    with pytest.raises(ValueError, match='no weight'):
        _ = reading('', status=ReadingStatus.MALFORMED, message='nonsense').value


def test_bags_are_numbered_and_good_ones_complete_the_job():
    running = job()
    bags = [make_bag(reading(weight, at=at), 'A', running) for weight, at in (('1.10', 100), ('2.0', 101), ('1.2', 102))]
    assert [(b.number, b.outcome) for b in bags] == [
        (1, ToleranceResult.IN_TOLERANCE),
        (2, ToleranceResult.OVER),
        (3, ToleranceResult.IN_TOLERANCE),
    ]
    assert (running.bags_completed, running.bags_out, running.finished_ns, running.active) == (2, 1, 102, False)


def test_no_job_is_an_outcome_of_its_own():
    bag = make_bag(reading(), 'A', None)
    assert (bag.outcome, bag.number, bag.job_id, bag.target) == (ToleranceResult.NO_ACTIVE_JOB, 0, 0, '')
    assert 'no weigh job' in bag.message


def test_a_scale_without_a_station_belongs_to_no_job_and_the_remedy_is_named():
    bag = make_bag(reading(scale='9'), '', None)
    assert bag.outcome is ToleranceResult.NO_ACTIVE_JOB and 'scale_ids' in bag.message


def test_a_job_covers_its_start_but_not_its_end():
    done = job(started_ns=50, finished_ns=100)
    assert [done.contains(reading(at=at)) for at in (49, 50, 99, 100)] == [False, True, True, False]
    assert job().contains(reading(at=10**18))


def test_a_voided_bag_no_longer_counts_and_its_number_is_not_given_again():
    running = job()
    bag = make_bag(reading(), 'A', running)
    void_bag(bag, running)
    assert bag.voided and running.bags_completed == 0
    assert make_bag(reading(at=101), 'A', running).number == 2


def test_a_voided_bag_out_of_tolerance_or_without_a_job_is_marked_too():
    running = job()
    void_bag(make_bag(reading('9'), 'A', running), running)
    assert running.bags_out == 0
    lone = make_bag(reading(), 'A', None)
    void_bag(lone, None)
    assert isinstance(lone, Bag) and lone.voided


def test_a_request_is_validated_and_gets_the_default_tolerance():
    form = JobForm(' ACME ', 'A', '1.10', 'kg', 3)
    request = validate_request(form, ['A', 'B', 'A'], Decimal('0.05'))
    assert (request.company, request.band.tolerance, request.band.low) == ('ACME', Decimal('0.05'), Decimal('1.045'))
    with pytest.raises(JobError, match='stations are A, B'):
        validate_request(replace(form, station='C'), ['A', 'B', 'A'], Decimal('0.05'))


def test_raw_bytes_are_shown_so_that_nothing_hides():
    assert printable(b'3,12.5 kg') == '3,12.5 kg'
    assert printable(b'a\\b\x00\xff\t') == 'a\\\\b\\x00\\xff\\x09'
