import itertools
import threading
from decimal import Decimal

import pytest
from cell_common.ids import new_id
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.domain.jobs import JobActiveError, JobRequest
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightReading
from cell_weighing.domain.station_map import StationMap, parse_aliases
from cell_weighing.domain.tolerance import ToleranceBand, ToleranceResult, WeightZone
from cell_weighing.station.job_store import NoSuchBagError
from cell_weighing.station.store import WeighStore
from cell_weighing.storage.tables import BagRow, DeliveryRow
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

STATIONS = StationMap({'1': 'A', '2': 'B'})


@pytest.fixture
def journal(engine):
    writer = JournalWriter(engine, lambda _: None, lambda _: None)
    yield writer
    writer.close()


@pytest.fixture
def store(engine):
    return WeighStore(engine, STATIONS, lambda: 999)


def reading(at, weight='1.10', scale='1', **changes):
    return WeightReading(
        new_id(), scale, 0, at, at, b'', **({'status': ReadingStatus.VALID, 'weight': weight, 'unit': 'kg'} | changes)
    )


def journalled(journal, *readings):
    """Write readings and return them numbered."""
    journal.append(readings)
    while journal.pending:
        pass
    return list(readings)


def order(station='A', quantity=3):
    return JobRequest('ACME', station, ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10')), quantity)


def test_a_reading_counts_once_however_often_it_comes(store, journal):
    readings = journalled(journal, reading(1), reading(2))
    assert len(store.process_readings(readings)) == 2
    assert store.process_readings(readings) == [] and store.catch_up() == []
    assert len(store.latest_bags()) == 2


def test_a_gap_is_filled_from_the_journal_in_order(store, journal):
    readings = journalled(journal, *(reading(at, f'1.0{at}') for at in range(1, 6)))
    bags = store.process_readings([readings[0], readings[4]])
    assert [bag.weight for bag in bags] == ['1.01', '1.02', '1.03', '1.04', '1.05']


def test_a_reading_that_is_in_no_journal_counts_too_in_a_replay(store):
    alone = reading(1)
    alone.sequence = 57
    assert len(store.process_readings([alone])) == 1


def test_catching_up_takes_many_pages_oldest_first_over_all_scales(engine, journal, monkeypatch):
    monkeypatch.setattr('cell_weighing.station.store.PAGE', 50)
    count = 107
    journalled(journal, *(reading(2 * i + (scale == '2'), scale=scale) for i in range(count) for scale in ('1', '2')))
    bags = WeighStore(engine, STATIONS, lambda: 0).catch_up()
    assert len(bags) == 2 * count
    assert [bag.weighed_ns for bag in bags] == sorted(bag.weighed_ns for bag in bags)


def test_catching_up_is_one_short_transaction_a_page_and_a_restart_goes_on_behind_it(engine, journal, monkeypatch):
    monkeypatch.setattr('cell_weighing.station.store.PAGE', 10)
    journalled(journal, *(reading(at) for at in range(1, 36)))
    first = WeighStore(engine, STATIONS, lambda: 0)
    assert len(first.catch_up_page()) == 10
    with engine.begin() as other:  # the write lock is free between two pages
        other.exec_driver_sql('UPDATE weigh_scale SET armed = armed')
    restarted = WeighStore(engine, STATIONS, lambda: 0)
    assert [len(restarted.catch_up_page()) for _ in range(3)] == [10, 10, 5] and restarted.catch_up_page() is None
    assert len(restarted.latest_bags(100)) == 35


def test_a_page_without_bags_is_a_page(engine, journal):
    journalled(journal, *(reading(at, '0') for at in range(1, 4)))
    store = WeighStore(engine, STATIONS, lambda: 0)
    assert store.catch_up_page() == [] and store.catch_up_page() is None


def test_other_writers_get_the_database_while_a_station_catches_up(engine, journal):
    journalled(journal, *(reading(at) for at in range(1, 3001)))
    store, done = WeighStore(engine, STATIONS, lambda: 0), threading.Event()
    writes = itertools.count()

    def write():
        while not done.is_set():
            with engine.begin() as connection:
                connection.exec_driver_sql('UPDATE weigh_scale SET armed = armed')
            next(writes)

    thread = threading.Thread(target=write)
    thread.start()
    bags, turns = 0, []
    while (page := store.catch_up_page()) is not None:
        bags += len(page)
        turns.append(next(writes))
    done.set()
    thread.join()
    assert bags == 3000 and len(turns) > 2
    assert turns[-1] - turns[0] > len(turns) - 1, 'others wrote between the pages'


def test_a_bag_belongs_to_the_job_that_was_active_when_it_was_weighed(store, journal):
    first = store.start_job(order(), 100, 'ann')
    store.end_job('A', 'break', 200, 'ann')
    second = store.start_job(order(), 300, 'ann')
    bags = store.process_readings(journalled(journal, *(reading(at) for at in (99, 100, 199, 200, 299, 300))))
    assert [bag.job_id for bag in bags] == [0, first.job_id, first.job_id, 0, 0, second.job_id]


def test_a_job_that_was_ended_before_its_last_bags_came_in_completes_with_them(store, journal):
    store.start_job(order(quantity=2), 100, 'ann')
    store.end_job('A', 'break', 500, 'ann')
    bags = store.process_readings(journalled(journal, reading(101), reading(102), reading(103)))
    assert [bag.outcome for bag in bags] == [
        ToleranceResult.IN_TOLERANCE,
        ToleranceResult.IN_TOLERANCE,
        ToleranceResult.NO_ACTIVE_JOB,
    ]
    assert store.jobs()[0].finished_ns == 102


def test_an_older_reading_of_another_scale_finds_the_job_of_its_time(engine, journal):
    store = WeighStore(engine, StationMap({'1': 'A', '2': 'A'}), lambda: 0)
    first = store.start_job(order(), 100, 'ann')
    store.end_job('A', 'break', 200, 'ann')
    second = store.start_job(order(), 300, 'ann')
    new, old, older = journalled(journal, reading(301), reading(150, scale='2'), reading(140))
    bags = store.process_readings([new, old, older])
    assert [bag.job_id for bag in bags] == [second.job_id, first.job_id, first.job_id]
    assert [bag.number for bag in bags] == [1, 1, 2] and store.jobs()[0].bags_completed == 1


def test_two_jobs_at_one_station_are_refused_but_not_at_two(store):
    store.start_job(order(), 1, '')
    with pytest.raises(JobActiveError):
        store.start_job(order(), 2, '')
    store.start_job(order('B'), 2, '')
    assert [job.station for job in store.jobs()] == ['A', 'B']


def test_a_reading_from_the_time_between_end_and_reopening_belongs_to_no_job(store, journal):
    job = store.start_job(order(), 100, 'ann')
    store.end_job('A', 'break', 200, 'ann')
    store.reopen_job(0, 'A', 0, 'too early', 300, 'bob')
    bags = store.process_readings(journalled(journal, *(reading(at) for at in (150, 200, 299, 300))))
    assert [bag.job_id for bag in bags] == [job.job_id, 0, 0, job.job_id]


def test_a_reopened_job_completes_again_and_keeps_every_reopening(engine, store, journal):
    job = store.start_job(order(quantity=1), 100, 'ann')
    store.process_readings(journalled(journal, reading(101)))
    again = store.reopen_job(job.job_id, '', 2, 'customer wants one more', 300, 'bob')
    assert again.active and again.bags_numbered == 1
    (bag,) = store.process_readings(journalled(journal, reading(301)))
    assert bag.number == 2 and store.jobs()[0].finished_ns == 301
    with engine.connect() as connection:
        kept = connection.exec_driver_sql(
            'SELECT ended_ns, reopened_ns, reopened_by, reason, quantity_before, quantity FROM weigh_reopen'
        ).one()
    assert tuple(kept) == (101, 300, 'bob', 'customer wants one more', 1, 2)


def test_the_tables_hold_what_the_web_application_expects(engine, store, journal):
    job = store.start_job(order(), 1_700_000_000 * 10**9, 'ann')
    store.process_readings(journalled(journal, reading(1_700_000_001 * 10**9, '1.105', stability=Stability.STABLE)))
    with engine.connect() as connection:
        bag = connection.exec_driver_sql(
            'SELECT prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at FROM filler_bag'
        ).one()
        row = connection.exec_driver_sql(
            'SELECT prepuff_company_id, target_weight, quantity, bags_completed, station, status, started_by_id, started_at '
            'FROM prepuff_job'
        ).one()
    assert tuple(bag) == (job.job_id, 2.44, 'lb', 1, 1, '2023-11-14 22:13:21')
    assert tuple(row) == (1, 2.43, 3, 1, 'A', 'active', 1, '2023-11-14 22:13:20')
    with Session(engine) as session:
        exact = session.scalars(select(BagRow)).one()
        assert (exact.weight_exact, exact.zone) == ('1.105', WeightZone.GOOD)


def test_a_failed_transaction_counts_nothing_and_the_next_try_counts_all(store, engine, journal):
    readings = journalled(journal, reading(1), reading(2))

    def fail(_connection, _cursor, statement, *_):
        if 'weigh_cursor' in statement:
            raise OperationalError(statement, {}, Exception('disk full'))

    event.listen(engine, 'before_cursor_execute', fail)
    with pytest.raises(OperationalError):
        store.process_readings(readings)
    event.remove(engine, 'before_cursor_execute', fail)
    assert store.latest_bags() == []
    assert len(store.catch_up()) == 2


def test_a_bag_for_the_web_application_is_stored_with_its_ledger_entry(engine, journal):
    store = WeighStore(engine, STATIONS, lambda: 999, deliver=True)
    (bag,) = store.process_readings(journalled(journal, reading(1, '1.105')))
    with Session(engine) as session:
        item = session.scalars(select(DeliveryRow)).one()
        assert (item.reading_id, item.weight, item.received_ns, item.stored_ns) == (bag.reading_id, '1.105', 1, 999)


def test_a_spare_scale_is_recorded_with_the_scale_that_it_replaces_and_posted_as_that_one(engine, journal):
    aliases = parse_aliases(['3=2 1970-01-01T00:00:00Z/1970-01-01T01:00:00Z'])
    store = WeighStore(engine, StationMap({'1': 'A', '2': 'B'}, aliases), lambda: 999, deliver=True)
    hour = 3600 * 10**9
    inside, after = store.process_readings(journalled(journal, reading(5, scale='3'), reading(hour, scale='3')))
    assert (inside.station, inside.scale_id, inside.stands_for) == ('B', '3', '2')
    assert (after.station, after.scale_id, after.stands_for) == ('', '3', '')
    with Session(engine) as session:
        assert [row.scale_id for row in session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))] == ['2', '3']
        assert [(row.scale_id, row.stands_for) for row in session.scalars(select(BagRow))] == [('3', '2'), ('3', '')]
    assert store.latest_bags()[1].stands_for == '2'


def test_without_a_web_application_there_are_no_parcels(engine, store, journal):
    store.process_readings(journalled(journal, reading(1)))
    with Session(engine) as session:
        assert session.scalars(select(DeliveryRow)).all() == []


def test_an_undone_void_counts_again_and_both_records_stay(engine, store, journal):
    store.start_job(order(quantity=2), 100, 'ann')
    bags = store.process_readings(journalled(journal, reading(101), reading(102, '9.0')))
    for bag in bags:
        store.void_bag(bag.bag_id, 'torn', 200, 'bob')
    assert (store.jobs()[0].bags_voided, store.jobs()[0].bags_completed) == (2, 0)
    assert not store.undo_void(bags[0].bag_id, 'the wrong one', 300, 'cid').voided
    job = store.jobs()[0]
    assert (job.bags_voided, job.bags_completed, job.bags_out, job.active) == (1, 1, 0, True)
    with engine.connect() as connection:
        kept = connection.exec_driver_sql(
            'SELECT bag_id, voided_by, void_reason, undone_by, reason FROM weigh_undone_void'
        ).one()
    assert tuple(kept) == (bags[0].bag_id, 'bob', 'torn', 'cid', 'the wrong one')
    for bag_id in (bags[0].bag_id, 99):
        with pytest.raises(NoSuchBagError):
            store.undo_void(bag_id, 'again', 301, 'cid')
    store.void_bag(bags[0].bag_id, 'torn after all', 302, 'bob')


def test_an_undone_void_that_completes_its_job_ends_it(store, journal):
    store.start_job(order(quantity=2), 100, 'ann')
    (first,) = store.process_readings(journalled(journal, reading(101)))
    store.void_bag(first.bag_id, 'torn', 200, 'bob')
    store.process_readings(journalled(journal, reading(201)))
    store.undo_void(first.bag_id, 'it was fine', 300, 'bob')
    assert store.jobs()[0].finished_ns == 300


def test_the_delivery_of_a_bag_is_found_by_its_number(engine, journal):
    store = WeighStore(engine, STATIONS, lambda: 999, deliver=True)
    (bag,) = store.process_readings(journalled(journal, reading(1)))
    assert store.bag_delivery(bag.bag_id)[1].attempts == 0
    posted = reading(2)
    store.start_job(order(), 1, 'ann')
    external, _, _ = store.record_external(posted, 'A')
    assert store.bag_delivery(external.bag_id) == (store.latest_bags()[0], None)
    with pytest.raises(NoSuchBagError):
        store.bag_delivery(77)


def test_companies_of_earlier_jobs_are_listed_the_latest_first(store):
    for company in ('ACME', 'Bolt & Co', 'ACME'):
        store.start_job(JobRequest(company, 'A', ToleranceBand(Decimal(1), 'kg', Decimal('0.1')), 1), 1, '4711')
        store.end_job('A', 'done', 2, 'ann')
    assert store.companies() == ['ACME', 'Bolt & Co']


def test_who_started_a_job_has_a_number(engine, store):
    for operator in ('ann', 'bob', 'ann', '4711', ''):
        store.start_job(order(), 1, operator)
        store.end_job('A', 'done', 2, operator)
    with engine.connect() as connection:
        ids = connection.exec_driver_sql('SELECT started_by_id FROM prepuff_job ORDER BY id').scalars().all()
    assert ids == [1, 2, 1, 4711, None]
