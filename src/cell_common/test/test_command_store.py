from dataclasses import replace

import pytest
from cell_common.command_store import Command, CommandFilter, CommandStore
from cell_common.database import StorageFailedError, open_database
from cell_common.testing import migrated_database

from cell_common import command_store

DAY = 86_400 * 10**9
ENTRY = Command('inventory', 'inventory/undo', 'a', 'ann', 'operator', 'panel', 100, 90, 95, '{}', 'hash')


@pytest.fixture
def store(tmp_path):
    engine = migrated_database(f'sqlite:///{tmp_path}/cell.db', 'cell_common')
    yield CommandStore(engine)
    engine.dispose()


def test_a_command_is_begun_once_and_keeps_its_answer(store):
    assert store.begin(ENTRY) is None
    assert store.begin(ENTRY).code is None
    store.finish(ENTRY, 0, 'done', b'answer')
    again = store.begin(replace(ENTRY, operator_id='bob'))
    assert (again.code, again.message, again.answer, again.entry) == (0, 'done', b'answer', ENTRY)
    assert store.begin(replace(ENTRY, node='alarms')) is None, 'each node has request ids of its own'


def test_an_answer_without_a_begin_is_stored_too(store):
    store.finish(ENTRY, 0, 'done', b'answer')
    assert store.begin(ENTRY).answer == b'answer'


def test_answers_are_forgotten_after_a_day_but_never_the_newest(store, monkeypatch):
    monkeypatch.setattr(command_store, 'KEPT_ANSWERS', 2)
    for number in range(5):
        entry = replace(ENTRY, request_id=str(number), received_ns=number * DAY)
        store.begin(entry)
        store.finish(entry, 0, '', b'answer')
    store.forget_answers(3 * DAY)
    known = [bool(store.begin(replace(ENTRY, request_id=str(number)))) for number in range(5)]
    assert known == [False, False, True, True, True], 'the third is a day old to the nanosecond'
    store.forget_answers(100 * DAY)
    assert len(store.read(CommandFilter())) == 7, 'the audit keeps them'


def test_commands_are_found_by_time_and_text(store):
    store.add(ENTRY, 0, '50% done')
    store.add(replace(ENTRY, received_ns=200, command='set_job'), 2, 'no')
    assert [item.message for item in store.read(CommandFilter())] == ['no', '50% done']
    assert [item.message for item in store.read(CommandFilter(since_ns=150))] == ['no']
    assert [item.message for item in store.read(CommandFilter(until_ns=150))] == ['50% done']
    assert [item.message for item in store.read(CommandFilter(text='0% d'))] == ['50% done']
    assert [item.message for item in store.read(CommandFilter(only_refused=True))] == ['no']
    assert len(store.read(CommandFilter(limit=1))) == 1


def test_a_probe_leaves_no_row_and_fails_with_the_database(store, tmp_path):
    store.probe()
    assert not store.read(CommandFilter())
    engine = open_database(f'sqlite:///{tmp_path}/other.db')
    with pytest.raises(StorageFailedError):
        CommandStore(engine).probe()
    with pytest.raises(StorageFailedError):
        CommandStore(engine).begin(ENTRY)
    engine.dispose()
