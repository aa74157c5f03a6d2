"""Backend rtde when a safeguard is opened in mid-step: the arm goes on after Continue if there is no doubt."""

from __future__ import annotations

import time
from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.testing.arm_backends import TriggerCommand, TriggerPhase
from cell_sim.testing.waiting import assert_holds
from cell_sim.ur_controller.states import SafetyMode

from cell_interfaces.msg import ResultCode

PART = 'PART_EM1-2U1'
SOON_S = 4.0
LONG_S = 60.0


def open_safeguard(link: Any, future: Any) -> Any:
    """Open the safeguard; return the outcome of the running event."""
    link.inject('safeguard_stop', LONG_S)
    outcome = future.result(SOON_S)
    link.stands()
    return outcome


def close_safeguard(link: Any) -> None:
    link.in_world(link.robot.reset_safeguard)
    wait_until(lambda: link.backend.state().safety_mode == SafetyMode.NORMAL, what='safety is NORMAL')


def proceed(link: Any, event: str, tray: int = 0) -> Any:
    """Press Continue."""
    command = TriggerCommand(f'c{time.monotonic_ns()}', event, tray, continues=link.last_id)
    link.last_id = command.trigger_id
    link.phases.clear()
    return link.backend.trigger(command, link.phases.append).result(30.0)


def when(link: Any, condition: Any, event: str, tray: int = 0) -> Any:
    """Begin an event and wait for a moment of it."""
    future = link.begin(event, tray)
    wait_until(lambda: condition() or future.done(), 10.0, 'the moment')
    assert not future.done(), future.result()
    return future


def test_a_pick_goes_on_after_the_safeguard_is_closed_and_not_before(rtde: Any) -> None:
    outcome = open_safeguard(rtde, rtde.moving(PART, 1))
    assert (outcome.phase, outcome.code) == (TriggerPhase.INTERRUPTED, ResultCode.ROBOT_STOPPED), outcome
    assert 'Continue' in outcome.message and 'Continue' in rtde.backend.state().message
    still_open = proceed(rtde, PART, 1)
    assert still_open.phase is TriggerPhase.INTERRUPTED and 'open' in still_open.message
    joints = rtde.robot.motion.joints
    close_safeguard(rtde)
    assert_holds(lambda: rtde.robot.motion.joints == joints, 0.3)
    kept = rtde.last_id
    assert rtde.do(PART, 1).phase is TriggerPhase.NOT_SENT, 'only Continue goes on'
    rtde.last_id = kept
    assert proceed(rtde, PART, 1).phase is TriggerPhase.DONE
    assert rtde.robot.registers.digital_outputs & 1 and rtde.do('PLACE').phase is TriggerPhase.DONE


def test_a_place_goes_on_after_the_gripper_has_opened_and_opens_once(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    rtde.hurry(1.0)
    outcome = open_safeguard(rtde, when(rtde, lambda: not rtde.robot.registers.digital_outputs & 1, 'PLACE'))
    assert outcome.phase is TriggerPhase.INTERRUPTED, outcome
    close_safeguard(rtde)
    assert proceed(rtde, 'PLACE').phase is TriggerPhase.DONE
    assert not rtde.robot.registers.digital_outputs & 1
    assert 'holds nothing' in rtde.do('PLACE').message


def test_a_safeguard_that_is_opened_again_interrupts_again(rtde: Any) -> None:
    open_safeguard(rtde, rtde.moving(PART, 1))
    close_safeguard(rtde)
    command = TriggerCommand('again', PART, 1, continues=rtde.last_id)
    rtde.last_id, start = 'again', rtde.robot.motion.joints
    future = rtde.backend.trigger(command, rtde.phases.append)
    wait_until(lambda: rtde.robot.motion.joints != start, 10.0, 'moving again')
    assert open_safeguard(rtde, future).phase is TriggerPhase.INTERRUPTED
    close_safeguard(rtde)
    assert proceed(rtde, PART, 1).phase is TriggerPhase.DONE


def push(link: Any) -> None:
    joints = link.robot.motion.joints
    link.robot.motion.place([joints[0] + 0.05, *joints[1:]], 1.0)


@pytest.mark.parametrize('fault', ['push', 'piece', 'disconnect'])
def test_what_changes_while_the_safeguard_is_open_leaves_the_step_in_doubt(rtde: Any, fault: str) -> None:
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    rtde.hurry(1.0)
    assert open_safeguard(rtde, rtde.moving('PLACE')).phase is TriggerPhase.INTERRUPTED
    if fault == 'push':
        rtde.in_world(lambda: push(rtde))
    elif fault == 'piece':
        rtde.robot.piece = False
    else:
        rtde.inject('disconnect', 0.3)
    wait_until(lambda: 'Continue' not in rtde.backend.state().message, SOON_S, 'doubt')
    wait_until(lambda: rtde.backend.state().connected, what='connected')
    close_safeguard(rtde)
    joints = rtde.robot.motion.joints
    outcome = proceed(rtde, 'PLACE')
    assert (outcome.phase, outcome.code) == (TriggerPhase.UNKNOWN, ResultCode.ROBOT_OUTCOME_UNKNOWN), outcome
    assert rtde.robot.motion.joints == joints and rtde.robot.program is None
    assert rtde.recover().code == ResultCode.OK


def test_a_gripper_that_closed_without_a_piece_is_in_doubt(rtde: Any) -> None:
    rtde.robot.part_sensor = False
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    rtde.hurry(1.0)
    outcome = open_safeguard(rtde, when(rtde, lambda: rtde.robot.registers.digital_outputs & 1, PART, 1))
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome


def test_another_event_and_a_recovered_robot_do_not_continue(rtde: Any) -> None:
    open_safeguard(rtde, rtde.moving(PART, 1))
    close_safeguard(rtde)
    kept = rtde.last_id
    assert proceed(rtde, 'HOME').phase is TriggerPhase.UNKNOWN
    rtde.last_id = kept
    assert rtde.recover().code == ResultCode.OK
    joints = rtde.robot.motion.joints
    assert proceed(rtde, PART, 1).phase is TriggerPhase.UNKNOWN
    assert rtde.robot.motion.joints == joints


def test_the_driver_goes_on_after_the_safeguard_too(driver: Any) -> None:
    outcome = open_safeguard(driver, driver.moving(PART, 1))
    assert outcome.phase is TriggerPhase.INTERRUPTED, outcome
    close_safeguard(driver)
    assert proceed(driver, PART, 1).phase is TriggerPhase.DONE
