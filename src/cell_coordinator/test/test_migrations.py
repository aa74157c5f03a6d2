"""A database of an earlier release keeps its job and its alarms."""

import json
from importlib import resources

import pytest
from alembic import command
from alembic.config import Config
from cell_common.database import migrate, open_database
from cell_coordinator.alarms.book import AlarmRecord
from cell_coordinator.alarms.store import AlarmStore
from cell_coordinator.job.model import JobState, JobStep, MatchVerdict, PickJob, VerdictKind, to_json
from cell_coordinator.job.store import JobStore
from sqlalchemy import text

JOB = {
    'job_id': 'a', 'part_number': 'X1', 'quantity': 3, 'operator_id': 'ann', 'created_ns': 1, 'started_ns': 2,
    'finished_ns': 0, 'changed_ns': 2, 'state': 3, 'step': 4, 'placed': 1, 'rejected': 0, 'rejects_in_row': 0, 'piece': 2,
    'tray': 1, 'attempt': 2, 'ticket': 17, 'trigger': 'PLACE', 'unresolved': True, 'newer_than_ns': 40, 'frame_ns': 50,
    'verdict': {
        'kind': 0, 'expected': 'X1', 'frame_ns': 50, 'recognised': 'X1', 'text': 'X1', 'score': 0.5, 'reason': '',
    },
    'outcome': 0, 'outcome_reason': '', 'pausing': False, 'cancelling': True, 'fault': True, 'reason': 'why',
}  # fmt: skip
ALARM = {
    'alarm_id': 'b', 'source': 'robot', 'key': 'lost', 'priority': 2, 'text': 'lost', 'consequence': 'c', 'action': 'd',
    'raised_ns': 5, 'heard_ns': 6, 'count': 2, 'standing': True, 'acknowledged_by': '', 'acknowledged_ns': 0,
    'shelved_until_ns': 0,
}  # fmt: skip


@pytest.fixture
def database(database_url):
    """A database as the first release left it."""
    engine = open_database(database_url)
    config = Config()
    config.set_main_option('script_location', str(resources.files('cell_coordinator') / 'migrations'))
    config.attributes['version_table'] = 'alembic_cell_coordinator'
    with engine.begin() as connection:
        config.attributes['connection'] = connection
        command.upgrade(config, '0001')
        columns = {name: JOB[name] for name in ('job_id', 'part_number', 'quantity', 'placed', 'rejected', 'operator_id')}
        connection.execute(
            text(
                'INSERT INTO pick_job VALUES (:job_id, :part_number, :quantity, :placed, :rejected, :operator_id, 1, 2, 0, '
                "'PAUSED', 'why', :snapshot)"
            ),
            {**columns, 'snapshot': json.dumps(JOB)},
        )
        connection.execute(
            text("INSERT INTO alarm VALUES ('b', 'robot', 'lost', :open, 5, 6, :snapshot)"),
            {'open': True, 'snapshot': json.dumps(ALARM)},
        )
    yield engine
    engine.dispose()


def test_the_job_of_the_first_release_is_restored(database):
    migrate(database, 'cell_coordinator')
    assert JobStore(database).latest() == PickJob(
        'a', 'X1', 3, 'ann', 1, 2, 0, 2, JobState.PAUSED, JobStep.PLACE, placed=1, piece=2, tray=1, attempt=2, effect_id=17,
        trigger='PLACE', unresolved=True, frame_after_ns=40, frame_ns=50, cancel_requested=True, paused_by_fault=True,
        verdict=MatchVerdict(VerdictKind.MATCH, 'X1', 50, 'X1', 'X1', 0.5), reason='why',
    )  # fmt: skip


def test_the_alarms_of_the_first_release_are_restored(database):
    migrate(database, 'cell_coordinator')
    store = AlarmStore(database)
    assert store.open_alarms() == [
        AlarmRecord('b', 'robot', 'lost', 2, 'lost', 'c', 'd', raised_ns=5, last_event_ns=6, count=2)
    ]
    assert store.last_event_times() == {('robot', 'lost'): 6}


def test_jobs_of_earlier_releases_keep_their_order(database_url):
    engine = open_database(database_url)
    config = Config()
    config.set_main_option('script_location', str(resources.files('cell_coordinator') / 'migrations'))
    config.attributes['version_table'] = 'alembic_cell_coordinator'
    insert = "INSERT INTO pick_job VALUES (:id, 'X1', 1, 0, 0, 'ann', :at, 0, 0, 'READY', '', :snapshot)"
    with engine.begin() as connection:
        config.attributes['connection'] = connection
        command.upgrade(config, '0002')
        for job_id, at in (('b', 50), ('c', 90), ('a', 10)):
            job = PickJob(job_id, 'X1', 1, created_ns=at)
            connection.execute(text(insert), {'id': job_id, 'at': at, 'snapshot': to_json(job)})
    migrate(engine, 'cell_coordinator')
    with engine.connect() as connection:
        assert connection.execute(text('SELECT job_id, sequence FROM pick_job ORDER BY sequence')).all() == [
            ('b', 1), ('c', 2), ('a', 3)
        ]  # fmt: skip
    store = JobStore(engine)
    assert store.latest().job_id == 'a'
    store.save(PickJob('d', 'X1', 1, created_ns=1))
    assert store.latest().job_id == 'd'
    engine.dispose()
