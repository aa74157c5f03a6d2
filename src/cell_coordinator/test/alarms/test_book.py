import pytest
from cell_common.error_code import ErrorCode
from cell_coordinator.alarms.book import MAX_SHELVE_NS, AlarmBook, AlarmError, AlarmRaise, AlarmState, from_json, to_json

from cell_interfaces.msg import Alarm


def raise_one(book, at=1, key='lost', priority=1, text='robot lost'):
    return book.raise_alarm(AlarmRaise('robot', key, priority, text, 'stands', 'look'), f'{key}{at}', at)


def states(book):
    return [record.state for record in book.active()]


def test_states_are_numbered_as_in_the_message():
    assert all(getattr(Alarm, state.name) == state for state in AlarmState if state is not AlarmState.CLOSED)


def test_an_acknowledged_alarm_is_closed_when_cleared():
    book = AlarmBook()
    raise_one(book)
    book.acknowledge('lost1', 'ann', 5)
    assert states(book) == [AlarmState.ACKNOWLEDGED] and book.active()[0].acknowledged_by == 'ann'
    assert book.clear('robot', 'lost', 6)[0].state is AlarmState.CLOSED
    assert book.active() == []


def test_a_cleared_alarm_waits_for_its_acknowledgement():
    book = AlarmBook()
    raise_one(book)
    book.clear('robot', 'lost', 2)
    assert states(book) == [AlarmState.RETURNED]
    assert book.acknowledge('', 'ann', 5)[0].state is AlarmState.CLOSED


def test_the_start_of_a_node_clears_what_its_earlier_process_raised_and_nothing_else():
    book = AlarmBook()
    raise_one(book, key='lost')
    raise_one(book, key='unknown')
    book.raise_alarm(AlarmRaise('camera', 'lost', 1, 'camera lost', 'waits', 'look'), 'camera1', 1)
    book.acknowledge('unknown1', 'ann', 5)
    assert {record.key for record in book.clear_source('robot', 6)} == {'lost', 'unknown'}
    assert {(record.source, record.state) for record in book.active()} == {
        ('robot', AlarmState.RETURNED),
        ('camera', AlarmState.UNACKNOWLEDGED),
    }
    assert book.clear_source('robot', 7) == []


def test_a_repeated_raise_is_counted_and_needs_a_new_acknowledgement():
    book = AlarmBook()
    raise_one(book)
    book.acknowledge('', 'ann', 5)
    raise_one(book, at=6, text='robot lost again')
    (record,) = book.active()
    assert (record.count, record.raised_ns, record.text, record.state) == (2, 1, 'robot lost again', AlarmState.UNACKNOWLEDGED)


def test_the_alarms_of_the_database_are_restored_in_their_order():
    book = AlarmBook()
    raise_one(book, at=9, key='first')
    raise_one(book, at=2, key='second')
    restored = AlarmBook([from_json(to_json(record)) for record in reversed(book.active())])
    raise_one(restored, at=1, key='third')
    assert [record.key for record in restored.active()] == ['third', 'second', 'first'], 'newest first, whatever the clock said'


def test_shelving_ends_when_it_was_said_after_the_clock_was_set():
    book = AlarmBook()
    raise_one(book)
    book.shelve('lost1', 100, 1000)
    assert book.shift_shelving(0, 1000) == []
    (moved,) = book.shift_shelving(-900, 110)
    assert moved.shelved_until_ns == 200 and book.expire(199) == [] and len(book.expire(200)) == 1
    book.shelve('lost1', MAX_SHELVE_NS, 10**18)
    assert book.shift_shelving(0, 50)[0].shelved_until_ns == 50 + MAX_SHELVE_NS, 'set back before the start of the node'


def test_a_shelved_alarm_returns_after_its_time():
    book = AlarmBook()
    raise_one(book)
    book.shelve('lost1', 100, 10)
    assert states(book) == [AlarmState.SHELVED] and book.expire(109) == []
    assert book.acknowledge('', 'ann', 50) == []
    book.expire(110)
    assert states(book) == [AlarmState.UNACKNOWLEDGED]


def test_an_alarm_that_was_shelved_by_mistake_is_shown_again():
    book = AlarmBook()
    raise_one(book)
    book.shelve('lost1', MAX_SHELVE_NS, 10)
    (shown,) = book.shelve('lost1', 0, 20)
    assert shown.shelved_until_ns == 0 and states(book) == [AlarmState.UNACKNOWLEDGED]


@pytest.mark.parametrize('duration', [-1, MAX_SHELVE_NS + 1])
def test_a_shelving_time_out_of_range_is_rejected(duration):
    book = AlarmBook()
    raise_one(book)
    with pytest.raises(AlarmError) as error:
        book.shelve('lost1', duration, 10)
    assert error.value.code == ErrorCode.INVALID_ARGUMENT


def test_an_unknown_alarm_is_rejected():
    with pytest.raises(AlarmError) as error:
        AlarmBook().acknowledge('nope', 'ann', 1)
    assert error.value.code == ErrorCode.UNKNOWN_ALARM


def test_alarms_are_sorted_by_priority_then_newest_first():
    book = AlarmBook()
    raise_one(book, 1, 'a', priority=1)
    raise_one(book, 2, 'b', priority=3)
    raise_one(book, 3, 'c', priority=1)
    assert [record.key for record in book.active()] == ['b', 'c', 'a']


def test_clearing_an_inactive_alarm_changes_nothing():
    book = AlarmBook()
    assert book.clear('robot', 'lost', 1) == []
    raise_one(book, 2)
    book.clear('robot', 'lost', 3)
    assert book.clear('robot', 'lost', 4) == []


def test_a_record_survives_the_database():
    (record,) = raise_one(AlarmBook())
    assert from_json(to_json(record)) == record
    with pytest.raises(ValueError, match='not understood'):
        from_json('{"color": 1}')
