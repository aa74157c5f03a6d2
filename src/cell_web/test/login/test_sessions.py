"""Sessions of people who have logged in."""

from dataclasses import replace

import pytest
from cell_web.login.sessions import MOST_SESSIONS, LoginSessions, SessionLimits
from cell_web.user import User

ANN = User('Ann', 'operator', 'hash', '2026-01-01')


@pytest.fixture
def sessions():
    return LoginSessions(SessionLimits(idle_s=100.0, total_s=1000.0))


def test_a_session_is_found_by_its_id_only(sessions):
    identifier = sessions.open(ANN, '10.0.0.5', 0.0)
    assert len(identifier) == 43 and sessions.find(identifier, 1.0).user == ANN
    assert (
        sessions.find('', 1.0) is None and sessions.find(identifier[:-1], 1.0) is None and sessions.find('\ud800', 1.0) is None
    )


def test_a_session_ends_when_nobody_uses_it(sessions):
    identifier = sessions.open(ANN, '', 0.0)
    sessions.find(identifier, 99.0).used_s = 99.0
    assert sessions.find(identifier, 198.0) and not sessions.find(identifier, 199.0)


def test_a_session_ends_after_its_whole_time_however_much_it_is_used(sessions):
    identifier = sessions.open(ANN, '', 0.0)
    for now in range(0, 1000, 50):
        sessions.find(identifier, now).used_s = now
    assert not sessions.find(identifier, 1000.0)


def test_without_an_idle_limit_only_the_whole_time_counts():
    sessions = LoginSessions(replace(SessionLimits(), idle_s=0.0, total_s=1000.0))
    identifier = sessions.open(ANN, '', 0.0)
    assert sessions.find(identifier, 999.0) and not sessions.find(identifier, 1000.0)


def test_a_session_that_was_closed_is_over_for_all_who_hold_it(sessions):
    identifier = sessions.open(ANN, '', 0.0)
    held = sessions.find(identifier, 1.0)
    assert sessions.close(identifier) is held and not sessions.is_open(held, 1.0)
    assert sessions.find(identifier, 1.0) is None and sessions.close(identifier) is None


def test_beyond_the_limit_the_oldest_session_ends(sessions):
    first = sessions.open(ANN, '', 0.0)
    held = sessions.find(first, 0.0)
    for _ in range(MOST_SESSIONS):
        last = sessions.open(ANN, '', 0.0)
    assert not sessions.is_open(held, 0.0) and sessions.find(first, 0.0) is None and sessions.find(last, 0.0)
