import itertools
import uuid
from decimal import Decimal

import pytest
from cell_weighing.delivery.bag_api import RefusedError, Scan, check, reading_id_of, reply
from cell_weighing.domain.jobs import JobOrder
from cell_weighing.domain.reading import Reading, Status
from cell_weighing.domain.station_map import Stations
from cell_weighing.domain.tolerance import Band, Outcome, Zone
from cell_weighing.station.store import NoSuchJobError, WeighStore

GOOD = {'weight': ['1.10'], 'unit': ['kg'], 'scale': ['3'], 'station': ['A']}


def refusal(**changes):
    with pytest.raises(RefusedError) as caught:
        check(GOOD | changes)
    return caught.value.reply.status, caught.value.reply.body['field']


def test_a_good_form_is_taken():
    assert check(GOOD) == Scan('1.10', 'kg', '3', 'A')
    assert check(GOOD | {'unit': ['LB'], 'weight': [' 2']}) == Scan('2', 'lb', '3', 'A')


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


def test_a_key_names_a_bag():
    own = '0192d3c4-0000-7000-8000-000000000001'
    assert reading_id_of(own, 'x') == reading_id_of(own.upper(), 'y') == own
    assert reading_id_of('bag 7'.replace(' ', ''), 'x') == reading_id_of('bag7', 'x') != reading_id_of('bag7', 'y')
    assert uuid.UUID(reading_id_of('z' * 36, 'x'))


@pytest.mark.parametrize('key', ['', 'a b', 'ö', 'x' * 256])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(RefusedError):
        reading_id_of(key, 'x')


@pytest.fixture
def clock():
    return itertools.count(100)


@pytest.fixture
def store(engine):
    return WeighStore(engine, Stations({}), lambda: 1)


def start(store, quantity=2, at=50):
    return store.start_job(JobOrder('ACME', 'A', Band(Decimal('1.10'), 'kg', Decimal('0.10')), quantity), at, 'ann')


def record(store, key, at, weight='1.10', station='A'):
    scan = Scan(weight, 'kg', '3', station)
    return reply(scan, *store.record(scan.reading(key, at, 0), station))


def test_a_bag_is_judged_and_numbered_and_completes_its_job(store):
    start(store)
    first, second = record(store, 'a', 100, '9'), record(store, 'b', 101)
    assert (first.status, first.body['in_tolerance'], first.body['bag_num']) == (200, False, 1)
    assert 'over' in first.body['message']
    assert second.body | {'bag_id': 0} == {
        'bag_id': 0,
        'bag_num': 2,
        'in_tolerance': True,
        'job_complete': False,
        'message': 'bag 2 of 2 is in tolerance',
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
    with pytest.raises(RefusedError) as caught:
        record(store, 'a', 101, '1.11')
    assert caught.value.reply.status == 422 and len(store.latest_bags()) == 1


def test_a_bag_without_a_job_is_kept_but_never_good(store):
    start(store, quantity=1)
    record(store, 'a', 100)
    answer = record(store, 'b', 101)
    assert (answer.status, answer.body['bag_num'], answer.body['in_tolerance']) == (409, 0, False)
    assert store.latest_bags()[0].outcome is Outcome.NO_ACTIVE_JOB
    start(store, at=150)
    assert record(store, 'b', 200) == answer


def test_a_station_that_never_had_a_job_is_not_known(store):
    with pytest.raises(NoSuchJobError, match='"B"'):
        record(store, 'a', 100, station='B')
    assert store.latest_bags() == []


def test_another_process_sees_the_bags_that_were_posted_once(store, engine):
    weigh_station = WeighStore(engine, Stations({'1': 'A'}), lambda: 1)
    start(weigh_station, quantity=9)
    posted = record(store, 'a', 100)
    weigh_station.process([Reading('own', '1', 1, 101, 0, b'', Status.VALID, '1.10', 'kg')])
    record(store, 'b', 102)
    seen = weigh_station.catch_up()
    assert [(bag.reading_id, bag.number, bag.zone) for bag in seen] == [('a', 1, Zone.GOOD), ('b', 3, Zone.GOOD)]
    assert seen[0].bag_id == posted.body['bag_id']
    assert weigh_station.catch_up() == []
    assert [bag.reading_id for bag in store.process([])] == []
