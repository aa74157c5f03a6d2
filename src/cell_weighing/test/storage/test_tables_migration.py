"""A database of the release before the columns of the web application were pounds."""

import pytest
from cell_common.database import migrate, open_database
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.station.store import WeighStore
from sqlalchemy.exc import IntegrityError

JOB = (
    'INSERT INTO prepuff_job (id, prepuff_company_id, target_weight, quantity, bags_completed, station, status, started_at, '
    'target, unit, tolerance, bags_out, bags_numbered, started_by, started_ns) '
    "VALUES (?, 1, '1.10', 9, 1, 'A', 'active', '2023-11-14 22:13:20', '1.10', 'kg', '0.10', 1, 2, 'ann', 5)"
)
BAG = (
    'INSERT INTO filler_bag (id, prepuff_job_id, weight, unit, scale_id, in_tolerance, weighed_at, reading_id, weight_exact, '
    'station, bag_number, outcome, weighed_ns, stability) '
    "VALUES (?, 1, ?, ?, '1', 1, '2023-11-14 22:13:20', ?, ?, 'A', ?, 0, 6, 1)"
)


@pytest.fixture
def older(tmp_path, monkeypatch):
    """An engine with the tables of version 0008, a job and two bags."""
    from alembic import command

    opened = open_database(f'sqlite:///{tmp_path}/old.db')
    upgrade = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, 'upgrade', lambda config, _head: upgrade(config, '0008'))
        migrate(opened, 'cell_weighing')
    with opened.begin() as connection:
        connection.exec_driver_sql("INSERT INTO prepuff_company (id, name) VALUES (1, 'ACME')")
        connection.exec_driver_sql(JOB, (1,))
        connection.exec_driver_sql(BAG, (1, '1.10', 'kg', 'r1', '1.105', 1))
        connection.exec_driver_sql(BAG, (2, '2.40', 'lb', 'r2', '2.4', 2))
        connection.exec_driver_sql("INSERT INTO weigh_void VALUES (2, 7, 'bob', 'torn')")
    yield opened
    opened.dispose()


def test_an_older_database_keeps_its_bags_and_shows_pounds_to_the_web_application(older):
    migrate(older, 'cell_weighing')
    store = WeighStore(older, StationMap({'1': 'A'}), lambda: 9)
    second, first = store.latest_bags()
    assert (first.weight, first.unit, second.weight, second.unit) == ('1.105', 'kg', '2.4', 'lb')
    assert second.voided and first.outcome is ToleranceResult.IN_TOLERANCE
    job = store.jobs()[0]
    assert (str(job.band.target), job.band.unit, job.bags_completed, job.bags_out) == ('1.10', 'kg', 1, 1)
    with older.connect() as connection:
        weights = connection.exec_driver_sql('SELECT * FROM filler_bag ORDER BY id').all()
        own = connection.exec_driver_sql('SELECT id, filler_bag_id, weight_exact, weight_unit FROM weigh_bag ORDER BY id').all()
        target = connection.exec_driver_sql('SELECT * FROM prepuff_job').one()
        broken = connection.exec_driver_sql('PRAGMA foreign_key_check').all()
    at = '2023-11-14 22:13:20'
    assert [tuple(row) for row in weights] == [(1, 1, 2.44, 'lb', 1, 1, at), (2, 1, 2.4, 'lb', 1, 1, at)]
    assert [tuple(row) for row in own] == [(1, 1, '1.105', 'kg'), (2, 2, '2.4', 'lb')]
    assert tuple(target) == (1, 1, 2.43, 9, 2, 'A', 'active', None, at) and not broken
    assert store.companies() == ['ACME'] and job.company == 'ACME'


def test_the_rules_of_the_tables_hold_after_the_migration(older):
    migrate(older, 'cell_weighing')
    copy = 'INSERT INTO weigh_bag (prepuff_job_id, scale_id, reading_id, station, outcome, weighed_ns, stability) VALUES (%s)'
    for statement in (
        'INSERT INTO weigh_job (id, quantity, station, target, unit, tolerance, started_ns) '
        'SELECT 2, quantity, station, target, unit, tolerance, started_ns FROM weigh_job',
        copy % "1, '1', 'r1', 'A', 0, 6, 1",
        copy % "9, '1', 'r3', 'A', 0, 6, 1",
        'DELETE FROM weigh_bag WHERE id = 2',
    ):
        with pytest.raises(IntegrityError), older.begin() as connection:
            connection.exec_driver_sql(statement)
