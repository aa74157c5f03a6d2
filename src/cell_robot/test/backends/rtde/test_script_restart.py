"""When a stopped program is part of a restart that the cell has asked for."""

from __future__ import annotations

from cell_robot.backends.rtde.script_restart import ScriptRestart


def test_a_stop_is_expected_from_the_request_until_the_program_plays_again() -> None:
    restart = ScriptRestart()
    assert not restart.expected(0.0)
    restart.begin(10.0)
    assert restart.expected(10.1)
    restart.playing()
    assert restart.expected(10.2), 'the data may be older than the restart'
    restart.move_started(10.3)
    assert restart.expected(10.4)
    restart.playing()
    assert not restart.expected(10.5), 'from now on a stop is a surprise'


def test_a_restart_that_never_shows_ends_by_its_deadlines() -> None:
    restart = ScriptRestart()
    restart.begin(0.0)
    assert restart.expected(7.9) and not restart.expected(8.1)
    restart.begin(20.0)
    restart.move_started(20.1)
    assert restart.expected(21.0) and not restart.expected(21.2)
    restart.begin(30.0)
    restart.end()
    assert not restart.expected(30.0)
    restart.move_started(31.0)
    assert not restart.expected(31.1), 'a start without a request expects nothing'
