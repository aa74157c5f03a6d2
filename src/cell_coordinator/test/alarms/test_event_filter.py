import pytest
from cell_coordinator.alarms.event_filter import EventFilter, EventOrder

HOUR = 3600 * 10**9


def event(sequence=0, stamp=1, session='', key='lost', kind=1):
    return EventOrder('robot', key, session, sequence, stamp, kind)


def test_events_of_a_session_count_once_and_by_their_number():
    chosen = EventFilter()
    assert chosen.accepts(event(1, 5 * HOUR, 'a')) and chosen.accepts(event(2, 1, 'a')), 'the clock was set back'
    assert not chosen.accepts(event(2, 1, 'a')) and not chosen.accepts(event(1, 9 * HOUR, 'a'))
    assert chosen.sessions == {('robot', 'a'): 2}


def test_a_restarted_sender_begins_again():
    chosen = EventFilter({('robot', 'a'): 70})
    assert not chosen.accepts(event(70, session='a')), 'a latched event arrives again'
    assert chosen.accepts(event(71, session='a')) and chosen.accepts(event(1, session='b'))


@pytest.mark.parametrize('jump', [-24 * HOUR, -HOUR, -1, 1, HOUR, 24 * HOUR])
def test_a_sender_without_sessions_counts_whatever_its_clock_says(jump):
    chosen = EventFilter({}, {('robot', 'lost'): 100 * HOUR})
    assert chosen.accepts(event(stamp=100 * HOUR + jump)) and chosen.accepts(event(stamp=100 * HOUR + jump, kind=0))
    assert not chosen.accepts(event(stamp=100 * HOUR + jump, kind=0))


def test_latched_events_of_a_sender_without_sessions_count_once():
    chosen = EventFilter({}, {('robot', 'lost'): 10})
    assert not chosen.accepts(event(stamp=10), replaying=True) and not chosen.accepts(event(stamp=9), replaying=True)
    assert chosen.accepts(event(stamp=11), replaying=True) and chosen.accepts(event(stamp=1, key='new'), replaying=True)
