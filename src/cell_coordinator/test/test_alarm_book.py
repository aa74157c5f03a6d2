import pytest
from cell_coordinator.alarms.book import LONGEST_SHELVE_NS, AlarmBook, AlarmError, AlarmState, Raised, from_json, to_json

from cell_interfaces.msg import Alarm, ResultCode

LATE = 10**12


def raise_one(book, at=1, key='lost', priority=1, text='robot lost'):
    return book.raise_alarm(Raised('robot', key, priority, text, 'stands', 'look'), f'{key}{at}', at)


def states(book):
    return [record.state for record in book.shown()]


def test_states_are_numbered_as_in_the_message():
    assert all(getattr(Alarm, state.name) == state for state in AlarmState if state is not AlarmState.CLOSED)


def test_acknowledged_then_gone_is_closed():
    book = AlarmBook()
    raise_one(book)
    book.acknowledge('lost1', 'ann', 5)
    assert states(book) == [AlarmState.ACKNOWLEDGED] and book.shown()[0].acknowledged_by == 'ann'
    assert book.clear('robot', 'lost', 6)[0].state is AlarmState.CLOSED
    assert book.shown() == []


def test_gone_but_not_seen_waits_for_somebody():
    book = AlarmBook()
    raise_one(book)
    book.clear('robot', 'lost', 2)
    assert states(book) == [AlarmState.RETURNED]
    assert book.acknowledge('', 'ann', 5)[0].state is AlarmState.CLOSED


def test_raised_again_is_counted_and_wants_to_be_seen_again():
    book = AlarmBook()
    raise_one(book)
    book.acknowledge('', 'ann', 5)
    raise_one(book, at=6, text='robot lost again')
    (record,) = book.shown()
    assert (record.count, record.raised_ns, record.text, record.state) == (2, 1, 'robot lost again', AlarmState.UNACKNOWLEDGED)


def test_events_that_come_again_change_nothing():
    book = AlarmBook()
    raise_one(book)
    book.acknowledge('', 'ann', 5)
    assert raise_one(book) == []
    closed = book.clear('robot', 'lost', 6)
    again = AlarmBook([], {('robot', 'lost'): closed[0].heard_ns})
    assert raise_one(again) == [] and again.clear('robot', 'lost', 6) == [] and again.shown() == []
    assert len(raise_one(again, at=7)) == 1


def test_a_shelved_alarm_comes_back_after_its_time():
    book = AlarmBook()
    raise_one(book)
    book.shelve('lost1', 100, 10)
    assert states(book) == [AlarmState.SHELVED] and book.expire(109) == []
    assert book.acknowledge('', 'ann', 50) == []
    book.expire(110)
    assert states(book) == [AlarmState.UNACKNOWLEDGED]


@pytest.mark.parametrize('duration', [0, -1, LONGEST_SHELVE_NS + 1])
def test_shelving_for_ever_is_refused(duration):
    book = AlarmBook()
    raise_one(book)
    with pytest.raises(AlarmError) as refusal:
        book.shelve('lost1', duration, 10)
    assert refusal.value.code == ResultCode.INVALID_ARGUMENT


def test_an_unknown_alarm_is_refused():
    with pytest.raises(AlarmError) as refusal:
        AlarmBook().acknowledge('nope', 'ann', 1)
    assert refusal.value.code == ResultCode.UNKNOWN_ALARM


def test_the_worst_then_the_newest_comes_first():
    book = AlarmBook()
    raise_one(book, 1, 'a', priority=1)
    raise_one(book, 2, 'b', priority=3)
    raise_one(book, 3, 'c', priority=1)
    assert [record.key for record in book.shown()] == ['b', 'c', 'a']


def test_clearing_what_does_not_stand_changes_nothing():
    book = AlarmBook()
    assert book.clear('robot', 'lost', 1) == []
    raise_one(book, 2)
    book.clear('robot', 'lost', 3)
    assert book.clear('robot', 'lost', 4) == []


def test_a_record_survives_the_database():
    (record,) = raise_one(AlarmBook())
    assert from_json(to_json(record)) == record
    with pytest.raises(ValueError, match='not understood'):
        from_json('{"colour": 1}')
