"""Backend rtde at the rates that controllers send: 125 packages a second, and 500 on the e-Series."""

from __future__ import annotations

from typing import Any

from cell_robot.testing.arm_backends import TriggerPhase

PART = 'PART_EM1-2U1'


def test_a_piece_is_picked_at_this_rate_and_a_stop_is_noticed(timed: Any) -> None:
    timed.hurry()
    assert timed.do(PART, 1).phase is TriggerPhase.DONE
    assert timed.backend.state().message == ''
    timed.hurry(1.0)
    future = timed.moving('PLACE')
    timed.inject('protective_stop')
    outcome = future.result(30.0)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'protective stop' in outcome.message
    timed.stands()
