"""The weigh side on a real PostgreSQL and a real MariaDB."""

import subprocess
import sys
from decimal import Decimal

import pytest
from cell_common.database import migrate, open_database
from cell_common.ids import new_id
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.delivery.outbox import Outbox
from cell_weighing.delivery.policy import HttpResult
from cell_weighing.domain.jobs import JobRequest
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand, WeightZone
from cell_weighing.reader import open_reader, read_backlog, read_job_report
from cell_weighing.station.retention import JournalPruner
from cell_weighing.station.store import WeighStore
from sqlalchemy.exc import DBAPIError

SECOND = 1_000_000_000
NOW = 1_790_000_000 * SECOND


MIGRATE = (
    "import sys; from cell_common.database import migrate, open_database; migrate(open_database(sys.argv[1]), 'cell_weighing')"
)


@pytest.mark.slow
def test_nodes_that_start_together_wait_for_each_others_migrations(server_url):
    nodes = [subprocess.Popen([sys.executable, '-c', MIGRATE, server_url], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(node.communicate(timeout=120)[1], node.returncode) for node in nodes] == [('', 0)] * 3


@pytest.mark.slow
def test_weighing_works_on_a_database_server_from_the_journal_to_the_report(server_url):
    engine = open_database(server_url)
    for _ in range(2):
        migrate(engine, 'cell_weighing')
    store = WeighStore(engine, StationMap({'1': 'A'}), lambda: NOW, warn_share=Decimal('0.8'), deliver=True)
    order = JobRequest('ACME', 'A', ToleranceBand(Decimal('1.10'), 'kg', Decimal('0.10')), 2, Decimal('0.05'))
    job = store.start_job(order, NOW, 'ann')
    received = []
    writer = JournalWriter(engine, received.extend, received.append)
    writer.append(
        [
            WeightReading(new_id(), '1', 0, NOW + n, n, b'\x00\xff', ReadingStatus.VALID, weight, 'kg')
            for n, weight in enumerate(('1.04', '0.0', '1.15', '9.9', '0.0'))
        ]
    )
    assert writer.close() == 0 and [reading.sequence for reading in received] == [1, 2, 3, 4, 5]
    bags = store.catch_up()
    assert [(bag.zone, bag.net_weight, bag.number) for bag in bags] == [
        (WeightZone.WARN_UNDER, '0.99', 1),
        (WeightZone.GOOD, '1.10', 2),
        (WeightZone.NONE, '', 0),
    ]
    assert store.process_readings(received) == [] and not store.jobs()[0].active
    store.void_bag(bags[0].bag_id, 'burst', NOW, 'bob')
    assert not store.undo_void(bags[0].bag_id, 'the wrong one', NOW, 'bob').voided
    store.void_bag(bags[0].bag_id, 'burst', NOW, 'bob')
    assert store.reopen_job(0, 'A', 0, 'one is missing', NOW + 9, 'bob').active
    box = Outbox(engine)
    box.mark_delivered(box.next('A'), HttpResult(200, '{"bag_num": 1}'), NOW, NOW)
    box.mark_failed(box.next('A'), HttpResult(422, 'no'), NOW, 'no', dead=True)
    counts = box.counts()
    assert (counts.waiting, counts.delivered, counts.dead) == (1, 1, 1) and box.dead_letters()[0].bag_id == bags[1].bag_id
    box.requeue_bag(bags[1].bag_id)
    assert JournalPruner(engine, 1).prune(NOW + 10 * 86_400 * SECOND) == 1
    reader = open_reader(server_url)
    assert read_backlog(reader).lines == 0
    batch = read_job_report(reader, job.job_id)
    assert (batch.job.bags_voided, len(batch.counted), batch.bags[0].weight) == (1, 1, '1.04')
    if 'postgresql' in server_url:
        with pytest.raises(DBAPIError, match='read-only'), reader.begin() as connection:
            connection.exec_driver_sql('DELETE FROM weigh_void')
    reader.dispose()
    engine.dispose()


@pytest.mark.slow
def test_the_web_application_may_start_and_end_a_job_in_the_shared_tables(server_url):
    engine = open_database(server_url)
    migrate(engine, 'cell_weighing')
    store = WeighStore(engine, StationMap({'3': 'C'}), lambda: NOW)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO prepuff_company (name) VALUES ('Bolt')")
        connection.exec_driver_sql(
            'INSERT INTO prepuff_job (prepuff_company_id, target_weight, quantity, station, status, started_by_id, started_at) '
            "SELECT id, 27.5, 2, 'C', 'active', 7, '2026-09-21 14:13:20' FROM prepuff_company WHERE name = 'Bolt'"
        )
    assert store.adopt_jobs(NOW) == 1
    (bag,) = store.process_readings([WeightReading(new_id(), '3', 1, NOW + 1, 0, b'', ReadingStatus.VALID, '12.474', 'kg')])
    with engine.begin() as connection:
        seen = connection.exec_driver_sql('SELECT weight, unit FROM filler_bag ORDER BY id DESC').first()
        connection.exec_driver_sql("UPDATE prepuff_job SET status = 'completed' WHERE station = 'C'")
    assert tuple(seen) == (Decimal('27.50'), 'lb') and (bag.number, bag.zone) == (1, WeightZone.GOOD)
    assert store.adopt_jobs(NOW + 2) == 1 and not store.jobs()[0].active
    engine.dispose()


@pytest.mark.slow
def test_two_active_jobs_at_a_station_are_impossible_on_a_database_server(server_url):
    engine = open_database(server_url)
    migrate(engine, 'cell_weighing')
    store = WeighStore(engine, StationMap({'2': 'B'}), lambda: NOW)
    order = JobRequest('ACME', 'B', ToleranceBand(Decimal(1), 'kg', Decimal('0.1')), 1)
    store.start_job(order, NOW, 'ann')
    store.end_job('B', 'one after the other is possible', NOW + 1, 'ann')
    store.start_job(order, NOW + 2, 'ann')
    with pytest.raises(DBAPIError, match='one_active_job'), engine.begin() as connection:
        connection.exec_driver_sql(
            'INSERT INTO weigh_job (id, company, quantity, station, target, unit, tolerance, started_ns) '
            "VALUES (77, 'ACME', 1, 'B', '1', 'kg', '0.1', 1)"
        )
    engine.dispose()
