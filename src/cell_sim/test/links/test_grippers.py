"""Backend rtde with every kind of gripper: the same wires, the same reactions."""

from __future__ import annotations

from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.testing.arm_backends import TriggerPhase

from cell_interfaces.msg import ResultCode

PART = 'PART_EM1-2U1'
SOON_S = 6.0
KINDS = {
    'digital': {'close_output': 0, 'part_input': 0, 'close_time': 0.3, 'open_time': 0.3},
    'analog vacuum': {
        'kind': 'vacuum',
        'vacuum_output': 0,
        'blow_output': 1,
        'blow_time': 0.1,
        'vacuum_analog': 0,
        'threshold': 6.0,
        'close_time': 0.6,
        'open_time': 0.2,
    },
    'vacuum switch': {'kind': 'vacuum', 'vacuum_output': 2, 'vacuum_input': 5, 'close_time': 0.6, 'open_time': 0.2},
    'robotiq': {'kind': 'robotiq', 'close_time': 1.5, 'open_time': 1.5},
}


@pytest.mark.parametrize('kind', ['analog vacuum', 'robotiq'])
def test_a_piece_is_picked_and_placed(gripper_link: Any, kind: str) -> None:
    link = gripper_link(KINDS[kind])
    link.hurry()
    assert link.checks()['gripper empty'].ok
    assert link.do(PART, 1).phase is TriggerPhase.DONE and link.world.held is not None
    assert link.checks()['gripper sensor'].message == 'holds a piece'
    assert link.do('PLACE').phase is TriggerPhase.DONE and link.world.held is None
    assert [event for event in link.events if event in ('picked', 'placed', 'dropped')] == ['picked', 'placed']


@pytest.mark.parametrize('kind', ['vacuum switch'])
def test_a_gripper_that_takes_nothing_is_refused_and_opened_again(gripper_link: Any, kind: str) -> None:
    link = gripper_link(KINDS[kind])
    link.hurry()
    link.gripper.faults.inject('no_grip', 2.0)
    outcome = link.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.REFUSED, ResultCode.ROBOT_REFUSED), outcome
    assert not link.gripper.closed and 'No piece in slots 1 and 2' in outcome.message
    assert link.world.count('EM1-2U1', 1) == 24


def test_the_slot_after_an_empty_one_is_tried_once_and_recorded(gripper_link: Any) -> None:
    link = gripper_link(KINDS['digital'])
    link.hurry()
    link.gripper.faults.inject('no_grip')
    outcome = link.do(PART, 1)
    assert outcome.phase is TriggerPhase.DONE and 'slot 1 of tray 1' in outcome.note, outcome
    assert link.phases == [TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED] and link.world.held is not None
    assert link.do('PLACE').note == '' and 'opening' in link.backend.state().step_times


@pytest.mark.parametrize('kind', ['analog vacuum', 'robotiq'])
def test_a_piece_that_slips_on_the_way_stops_the_arm_and_holds(gripper_link: Any, kind: str) -> None:
    link = gripper_link(KINDS[kind])
    link.gripper.faults.inject('slip', 0.6)
    outcome = link.do(PART, 1)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'lost' in outcome.message, outcome
    link.stands()
    assert link.do('HOME').code == ResultCode.ROBOT_STOPPED


@pytest.mark.parametrize('kind', ['robotiq'])
def test_a_piece_that_sticks_is_reported(gripper_link: Any, kind: str) -> None:
    link = gripper_link(KINDS[kind])
    link.hurry()
    assert link.do(PART, 1).phase is TriggerPhase.DONE
    link.gripper.faults.inject('stay_closed')
    outcome = link.do('PLACE')
    assert outcome.phase is TriggerPhase.UNKNOWN and 'still in the gripper' in outcome.message, outcome


def test_a_robotiq_gripper_without_its_urcap_fails_the_preflight(gripper_link: Any) -> None:
    link = gripper_link(KINDS['digital'], recipe_gripper=KINDS['robotiq'])
    wait_until(lambda: 'not connected' in link.checks()['gripper empty'].message, SOON_S, 'no gripper')
    outcome = link.do(PART, 1)
    assert outcome.phase is not TriggerPhase.DONE and 'picked' not in link.events
