import threading

import pytest
from cell_common.ids import new_id
from cell_common.testing import wait_until
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.bridge.stream_capture import StreamCaptureState
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode, WeightReading
from cell_weighing.storage.journal_reader import last_sequences, read_journal
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError


def reading(scale='1', weight='1.10', **changes):
    return WeightReading(new_id(), scale, 0, 100, 200, b'raw\x00', ReadingStatus.VALID, weight, 'kg', **changes)


@pytest.fixture
def journal(engine):
    delivered, complaints = [], []
    writer = JournalWriter(engine, delivered.append, complaints.append)
    writer.delivered, writer.complaints = delivered, complaints
    yield writer
    writer.close()


def test_a_reading_is_durable_before_it_is_handed_on(engine):
    seen = []

    def deliver(batch):
        with engine.connect() as connection:
            seen.append(len(read_journal(connection, '1', 0)))

    writer = JournalWriter(engine, deliver, lambda _: None)
    writer.append([reading(), reading()])
    wait_until(lambda: seen)
    assert seen == [2]
    assert writer.close() == 0


def test_what_is_written_is_what_is_read(engine, journal):
    written = reading(stability=Stability.STABLE, mode=WeightMode.NET, tare='0.100', message='m', peer='10.0.0.1:5')
    journal.append([written])
    wait_until(lambda: journal.delivered)
    with engine.connect() as connection:
        assert read_journal(connection, '1', 0) == [written]
    assert written.sequence == 1


def test_each_scale_has_consecutive_numbers_of_its_own(engine, journal):
    journal.append([reading('1'), reading('2'), reading('1'), reading('')])
    journal.append([reading('1')])
    wait_until(lambda: journal.pending == 0)
    with engine.connect() as connection:
        assert last_sequences(connection) == {'1': 3, '2': 1, '': 1}
        assert [r.sequence for r in read_journal(connection, '1', 1)] == [2, 3]
        assert [r.sequence for r in read_journal(connection, '1', 0, 2)] == [1, 2]


def test_what_waits_while_a_commit_runs_goes_into_the_next(engine):
    gate, batches = threading.Event(), []

    def deliver(batch):
        batches.append(len(batch))
        gate.wait(5)

    writer = JournalWriter(engine, deliver, lambda _: None)
    writer.append([reading()])
    wait_until(lambda: batches)
    for _ in range(50):
        writer.append([reading()])
    gate.set()
    writer.close()
    assert batches == [1, 50]


def test_close_writes_what_waits(engine):
    writer = JournalWriter(engine, lambda _: None, lambda _: None)
    writer.append([reading() for _ in range(1000)])
    assert writer.close() == 0
    with engine.connect() as connection:
        assert last_sequences(connection) == {'1': 1000}


def test_a_failed_commit_is_reported_and_retried_and_nothing_is_lost(engine, journal):
    refuse = threading.Event()
    refuse.set()

    @event.listens_for(engine, 'before_cursor_execute')
    def fail(_connection, _cursor, statement, *_):
        if refuse.is_set() and statement.startswith('INSERT INTO weigh_reading'):
            raise OperationalError(statement, {}, Exception('database or disk is full'))

    journal.append([reading()])
    wait_until(lambda: journal.complaints)
    assert 'disk is full' in journal.complaints[0] and not journal.delivered and journal.pending == 1
    refuse.clear()
    wait_until(lambda: journal.delivered)
    assert journal.complaints[-1] == ''
    with engine.connect() as connection:
        assert connection.execute(text('SELECT COUNT(*) FROM weigh_reading')).scalar() == 1


def test_a_commit_whose_answer_was_lost_is_not_written_twice(engine, journal):
    lost = threading.Event()

    @event.listens_for(engine, 'commit')
    def answer_lost(connection):
        if not lost.is_set():
            connection.connection.driver_connection.execute('COMMIT')
            connection.connection.driver_connection.execute('BEGIN')
            lost.set()
            raise OperationalError('COMMIT', {}, Exception('server closed the connection'))

    journal.append([reading(), reading()])
    wait_until(lambda: journal.complaints)
    journal.append([reading()])
    wait_until(lambda: journal.pending == 0)
    with engine.connect() as connection:
        assert [r.sequence for r in read_journal(connection, '1', 0)] == [1, 2, 3]


def test_where_a_streaming_scale_stands_is_kept(engine):
    writer = JournalWriter(engine, lambda _: None, lambda _: None)
    writer.append([reading('7')], {'7': StreamCaptureState(False, '1.10')})
    writer.close()
    again = JournalWriter(engine, lambda _: None, lambda _: None)
    again.append([], {'7': StreamCaptureState(True, '1.10'), '8': StreamCaptureState(False, '2')})
    assert again.initial_state['7'].capture == StreamCaptureState(False, '1.10')
    again.close()
    last = JournalWriter(engine, lambda _: None, lambda _: None)
    last.close()
    assert {scale: (r.sequence, r.valid, r.capture) for scale, r in last.initial_state.items()} == {
        '7': (1, 1, StreamCaptureState(True, '1.10')),
        '8': (0, 0, StreamCaptureState(False, '2')),
    }
