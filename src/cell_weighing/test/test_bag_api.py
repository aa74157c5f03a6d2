import itertools
import uuid
from decimal import Decimal

import pytest
from cell_weighing.bag_api import (
    BadRequestError,
    PostedBag,
    parse_json,
    reading_id_for_key,
    recorded_bag,
    reply_to,
    validate_form,
)
from cell_weighing.delivery.outbox import Outbox
from cell_weighing.domain.jobs import JobRequest
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand, ToleranceResult
from cell_weighing.station.job_store import NoSuchJobError
from cell_weighing.station.store import KeyReusedError, WeighStore

GOOD = {'weight': ['1.10'], 'unit': ['kg'], 'scale': ['3'], 'station': ['A']}


def refusal(**changes):
    with pytest.raises(BadRequestError) as caught:
        validate_form(GOOD | changes)
    return caught.value.reply.status, caught.value.reply.body['field']


def test_a_good_form_is_taken():
    assert validate_form(GOOD) == PostedBag('1.10', 'kg', '3', 'A')
    assert validate_form(GOOD | {'unit': ['LB'], 'weight': [' 2']}) == PostedBag('2', 'lb', '3', 'A')


@pytest.mark.parametrize('field', ['weight', 'unit', 'scale', 'station'])
@pytest.mark.parametrize('values', [[], [''], ['  '], ['1', '1'], [b'1']])
def test_each_field_is_required_once_and_as_text(field, values):
    assert refusal(**{field: values}) == (400, field)


@pytest.mark.parametrize('weight', ['nan', 'inf', '1_000', '٣.٥', '1e3', '-0.00', '-1', '---', '0', '0.000', '1,5', '1' * 10])
def test_what_is_no_weight_is_refused(weight):
    assert refusal(weight=[weight]) == (422, 'weight')


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('unit', 'stone'),
        ('unit', 'ſ'),
        ('scale', 'a b'),
        ('scale', 'ö'),
        ('scale', 'x' * 33),
        ('station', 'x' * 65),
        ('station', 'a\nb'),
    ],
)
def test_values_that_cannot_be_are_refused(field, value):
    assert refusal(**{field: [value]}) == (422, field)


def test_json_keeps_the_digits_of_numbers():
    values = parse_json('\ufeff{"weight": 1.10, "unit": "kg", "scale": 3, "station": "A"}'.encode())
    assert validate_form(values) == PostedBag('1.10', 'kg', '3', 'A')


@pytest.mark.parametrize('body', [b'', b'[]', b'1', b'null', b'{"a": 1', b'\xff', b'[["weight", 1]]', b'[' * 5000])
def test_a_body_that_is_no_json_object_is_refused(body):
    with pytest.raises(BadRequestError) as caught:
        parse_json(body)
    assert caught.value.reply.status == 400 and caught.value.reply.body['success'] is False


@pytest.mark.parametrize('value', ['1e3', 'NaN', 'true', 'null', '[1]', '{}', '1, "weight": 2'])
def test_json_values_that_are_no_weight_are_refused(value):
    with pytest.raises(BadRequestError):
        validate_form(parse_json(f'{{"weight": {value}, "unit": "kg", "scale": 3, "station": "A"}}'.encode()))


def test_a_key_names_a_bag():
    own = '0192d3c4-0000-7000-8000-000000000001'
    assert reading_id_for_key(own, 'x') == reading_id_for_key(own.upper(), 'y') == own
    assert (
        reading_id_for_key('bag 7'.replace(' ', ''), 'x') == reading_id_for_key('bag7', 'x') != reading_id_for_key('bag7', 'y')
    )
    assert uuid.UUID(reading_id_for_key('z' * 36, 'x'))


@pytest.mark.parametrize('key', ['', 'a b', 'ö', 'x' * 256])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(BadRequestError):
        reading_id_for_key(key, 'x')


@pytest.fixture
def clock():
    return itertools.count(100)


@pytest.fixture
def store(engine):
    return WeighStore(engine, StationMap({'1': 'A'}), lambda: 1)


def start(store, quantity=2, at=50):
    return store.start_job(JobRequest('ACME', 'A', ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10')), quantity), at, 'ann')


def record(store, key, at, weight='1.10', station='A'):
    posted = PostedBag(weight, 'kg', '3', station)
    bag, job, _ = store.record_external(posted.to_reading(key, at, 0), station)
    return reply_to(recorded_bag(bag, job))


def test_a_bag_is_judged_and_numbered_and_completes_its_job(store):
    start(store)
    first, second = record(store, 'a', 100, '9'), record(store, 'b', 101)
    assert (first.status, first.body['in_tolerance'], first.body['bag_num']) == (200, False, 1)
    assert 'over' in first.body['message']
    assert second.body | {'bag_id': 0} == {
        'success': True,
        'bag_id': 0,
        'bag_num': 2,
        'in_tolerance': True,
        'job_complete': False,
        'message': 'bag 2 is in tolerance; 2 good ones are ordered',
    }
    assert record(store, 'c', 102).body['job_complete']


def test_a_repetition_gets_the_same_answer_even_after_the_job_has_gone_on(store):
    start(store)
    first = record(store, 'a', 100)
    last = record(store, 'b', 101)
    assert last.body['job_complete'] and not first.body['job_complete']
    assert (record(store, 'a', 200), record(store, 'b', 201)) == (first, last)
    assert len(store.latest_bags()) == 2 and store.catch_up() == []


def test_a_key_used_for_another_bag_is_refused_and_nothing_is_recorded(store):
    start(store)
    record(store, 'a', 100)
    with pytest.raises(KeyReusedError):
        record(store, 'a', 101, '1.11')
    assert len(store.latest_bags()) == 1


def test_a_bag_without_a_job_is_kept_but_never_good(store):
    start(store, quantity=1)
    record(store, 'a', 100)
    answer = record(store, 'b', 101)
    assert (answer.status, answer.body['bag_num'], answer.body['in_tolerance']) == (409, 0, False)
    assert store.latest_bags()[0].outcome is ToleranceResult.NO_ACTIVE_JOB
    start(store, at=150)
    assert record(store, 'b', 200) == answer


def test_a_station_that_never_had_a_job_is_not_known(store):
    with pytest.raises(NoSuchJobError, match='"B"'):
        record(store, 'a', 100, station='B')
    assert store.latest_bags() == []


def test_a_posted_bag_is_not_passed_on_to_the_web_application(engine):
    store = WeighStore(engine, StationMap({'1': 'A'}), lambda: 1, deliver=True)
    start(store)
    record(store, 'a', 100)
    assert Outbox(engine).counts().waiting == 0


def test_a_posted_bag_is_new_once_and_shares_the_numbers_of_the_job(store):
    start(store, quantity=9)
    reading = PostedBag('1.10', 'kg', '3', 'A').to_reading('a', 100, 0)
    assert [store.record_external(reading, 'A')[2] for _ in range(2)] == [True, False]
    store.process_readings([WeightReading('own', '1', 1, 101, 0, b'', ReadingStatus.VALID, '1.10', 'kg')])
    record(store, 'b', 102)
    assert [(bag.reading_id, bag.number) for bag in reversed(store.latest_bags())] == [('a', 1), ('own', 2), ('b', 3)]
    assert store.catch_up() == []
