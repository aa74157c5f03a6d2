"""The clock of a replay follows the rate, and waits for decisions."""

from __future__ import annotations

import pytest
from cell_common.time import NS_PER_S
from cell_history.replay.pace import Pace


@pytest.mark.parametrize('rate', [0.5, 1.0, 10.0])
def test_a_moment_comes_at_the_rate(rate: float):
    pace = Pace(100 * NS_PER_S, 7.0, rate)
    assert pace.due_s(110 * NS_PER_S) == pytest.approx(7.0 + 10 / rate)
    assert pace.moment_ns(pace.due_s(110 * NS_PER_S)) == pytest.approx(110 * NS_PER_S, abs=1000)


def test_the_recording_waits_for_a_decision_that_takes_longer_than_it_has_time_for():
    pace = Pace(0, 0.0, 10.0)
    pace.hold(NS_PER_S, 5.0)
    assert pace.moment_ns(5.0) == NS_PER_S and pace.due_s(2 * NS_PER_S) == pytest.approx(5.1)


def test_a_decision_in_time_moves_nothing():
    pace = Pace(0, 0.0, 1.0)
    pace.hold(NS_PER_S, 0.5)
    assert pace.due_s(2 * NS_PER_S) == 2.0
