"""The web application's own INSERTs and UPDATEs in the shared tables."""

from decimal import Decimal

import pytest
from cell_common.ids import new_id
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.station.store import WeighStore
from sqlalchemy import text

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
JOB = (
    'INSERT INTO prepuff_job (prepuff_company_id, target_weight, quantity, bags_completed, station, status, started_by_id, '
    "started_at) VALUES (1, 27.50, 2, 0, 'A', 'active', 7, :started_at)"
)
BAG = (
    'INSERT INTO filler_bag (prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at) '
    "VALUES (1, :weight, 'lb', 1, :good, '2026-09-21 14:13:30')"
)


@pytest.fixture
def store(engine):
    return WeighStore(engine, StationMap({'1': 'A'}), lambda: START)


def execute(engine, *statements):
    with engine.begin() as connection:
        for statement, values in statements:
            connection.execute(text(statement), values)


def start(engine, started_at='2026-09-21 14:13:20'):
    execute(engine, ("INSERT INTO prepuff_company (name) VALUES ('ACME')", {}), (JOB, {'started_at': started_at}))


def weigh(store, number, at, weight='27.5', unit='lb'):
    return store.process_readings([WeightReading(new_id(), '1', number, at, 0, b'', ReadingStatus.VALID, weight, unit)])[0]


def test_a_job_that_the_web_application_started_gets_the_bags(engine, store):
    start(engine)
    assert store.adopt_jobs(START + 5 * SECOND) == 1 and store.adopt_jobs(START + 6 * SECOND) == 0
    job = store.jobs()[0]
    assert (job.company, job.band.target, job.band.unit, job.quantity, job.active) == ('ACME', Decimal('27.50'), 'lb', 2, True)
    bag = weigh(store, 1, START + 7 * SECOND, '12.474', 'kg')
    assert (bag.job_id, bag.number, bag.outcome) == (job.job_id, 1, ToleranceResult.IN_TOLERANCE)


def test_a_start_in_local_time_does_not_lie_in_the_future(engine, store):
    start(engine, '2026-09-21 23:13:20')
    store.adopt_jobs(START)
    assert weigh(store, 1, START + SECOND).number == 1


def test_a_job_that_the_web_application_ended_gets_no_more_bags(engine, store):
    start(engine)
    store.adopt_jobs(START)
    execute(engine, ("UPDATE prepuff_job SET status = 'completed'", {}))
    assert store.adopt_jobs(START + 3 * SECOND) == 1
    assert weigh(store, 1, START + 4 * SECOND).outcome is ToleranceResult.NO_ACTIVE_JOB


def test_bags_of_the_web_application_are_shown_with_what_they_have(engine, store):
    start(engine)
    execute(engine, (BAG, {'weight': 27.4, 'good': True}), (BAG, {'weight': 20, 'good': False}))
    assert store.adopt_jobs(START) == 3
    under, good = store.latest_bags()
    assert (good.weight, good.unit, good.outcome) == ('27.40', 'lb', ToleranceResult.IN_TOLERANCE)
    assert under.outcome is ToleranceResult.UNDER and good.weighed_ns == START + 10 * SECOND


def test_the_columns_of_the_web_application_are_pounds_and_count_all_bags(engine, store):
    start(engine)
    store.adopt_jobs(START)
    for number, weight in enumerate(('12474', '9000'), 1):
        weigh(store, number, START + number * SECOND, weight, 'g')
    with engine.connect() as connection:
        bags = connection.exec_driver_sql('SELECT weight, unit FROM filler_bag').all()
        exact = connection.exec_driver_sql('SELECT weight_exact, weight_unit FROM weigh_bag').all()
        counts = connection.exec_driver_sql('SELECT bags_completed FROM prepuff_job').one()
        own = connection.exec_driver_sql('SELECT bags_good, bags_out FROM weigh_job').one()
    assert [tuple(bag) for bag in bags] == [(27.5, 'lb'), (19.84, 'lb')]
    assert [tuple(bag) for bag in exact] == [('12474', 'g'), ('9000', 'g')]
    assert tuple(counts) == (2,) and tuple(own) == (1, 1)
