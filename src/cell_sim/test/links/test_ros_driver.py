"""Backend ros_driver against the simulated driver, on top of the ports of the simulated controller."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cell_common.testing import wait_until
from cell_robot.motion import ARMS
from cell_robot.testing.arm_backends import TriggerPhase, recovery

from cell_interfaces.msg import ResultCode, RobotState

PART = 'PART_EM1-2U1'


def test_a_piece_is_picked_from_its_slot_shown_and_placed(driver: Any) -> None:
    driver.hurry()
    assert driver.do('HOME').phase is TriggerPhase.DONE
    lowest = min(driver.sample(lambda: driver.robot.motion.tcp_pose[:3], PART, 1), key=lambda place: place[2])
    flange = driver.recipe.parts['EM1-2U1'][1].slots[0].pose @ np.linalg.inv(driver.recipe.cell.tool)
    assert lowest == pytest.approx(tuple(flange[:3, 3]), abs=0.001), 'the first slot of tray 1, straight down'
    assert driver.phases == [TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED]
    assert driver.robot.registers.digital_outputs == 1
    state = driver.backend.state()
    assert state.joints.positions == pytest.approx(driver.recipe.waypoints['camera'], abs=1e-3)
    assert (state.safety_mode, state.robot_mode, state.program_state) == (1, 7, RobotState.PROGRAM_PLAYING)
    assert state.speed_scaling == 1.0 and state.message == ''
    assert driver.do('PLACE').phase is TriggerPhase.DONE
    assert driver.robot.registers.digital_outputs == 0


def test_an_empty_slot_is_refused_and_the_arm_returns(driver: Any) -> None:
    driver.hurry()
    driver.robot.piece = False
    outcome = driver.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.REFUSED, ResultCode.ROBOT_REFUSED), outcome
    assert driver.robot.registers.digital_outputs == 0


def test_a_protective_stop_during_a_move_is_unknown_until_a_recovery(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, 'UNLOCK_AFTER_S', 0.5)
    driver.robot.timings = replace(driver.robot.timings, unlock=0.5)
    future = driver.moving(PART, 1)
    driver.inject('protective_stop')
    outcome = future.result(30.0)
    assert (outcome.phase, outcome.code) == (
        TriggerPhase.UNKNOWN,
        ResultCode.ROBOT_STOPPED,
    ) and 'protective stop' in outcome.message
    driver.stands()
    joints = driver.robot.motion.joints
    refused = driver.do('HOME')
    assert (refused.phase, refused.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED)
    assert not driver.checks()['safety'].ok
    answer = driver.recover()
    assert answer.code == ResultCode.OK, answer
    assert [number for _, number, _ in driver.steps] == list(range(1, 9)) and {count for *_, count in driver.steps} == {8}
    assert driver.robot.motion.joints == pytest.approx(joints, abs=1e-3), 'nothing moved before a fresh command'
    assert driver.do('HOME').phase is TriggerPhase.DONE


def test_a_stop_of_the_operator_ends_the_goal(driver: Any) -> None:
    future = driver.moving(PART, 1)
    assert driver.backend.stop().result(30.0).code == ResultCode.OK
    assert future.result(30.0).phase is TriggerPhase.UNKNOWN
    driver.stands()
    assert driver.recover().code == ResultCode.OK
    assert driver.do('HOME').phase is TriggerPhase.DONE


def test_a_robot_off_the_network_is_reported_and_reconnects(driver: Any) -> None:
    future = driver.moving(PART, 1)
    driver.inject('disconnect', 4.0)
    outcome = future.result(30.0)
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome
    wait_until(lambda: not driver.backend.state().connected, 5.0, 'lost')
    assert not driver.checks()['data fresh'].ok
    driver.stands()
    wait_until(lambda: driver.backend.state().connected, 10.0, 'back')
    refused = driver.do('HOME')
    assert (refused.phase, refused.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED)
    assert driver.recover().code == ResultCode.OK
    assert driver.do('HOME').phase is TriggerPhase.DONE


def test_a_driver_that_dies_during_a_move_leaves_a_standing_arm_and_a_true_reason(driver: Any) -> None:
    future = driver.moving(PART, 1)
    driver.graph.remove(driver.driver)
    outcome = future.result(30.0)
    # step and client detect missing data at the same age, so either may report it first
    assert outcome.phase is TriggerPhase.UNKNOWN and re.search('no data for|no joint states', outcome.message), outcome
    driver.stands()
    wait_until(lambda: 'ur_robot_driver' in driver.backend.state().message, 5.0, 'the loss with its reason')
    assert not driver.backend.state().connected
    assert driver.do('HOME').code == ResultCode.ROBOT_NOT_CONNECTED


def test_a_program_stopped_at_the_pendant_restarts_only_by_a_recovery(driver: Any) -> None:
    future = driver.moving(PART, 1)
    driver.in_world(driver.robot.stop_program)
    outcome = future.result(30.0)
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome
    assert driver.do('HOME').phase is TriggerPhase.NOT_SENT
    assert driver.robot.program is None
    assert driver.recover().code == ResultCode.OK


def test_local_mode_is_reported_before_a_job_and_nothing_is_sent(driver: Any) -> None:
    driver.robot.remote = False
    # On a busy machine the data may be too old at times; the pre-flight then has no other lines.
    wait_until(lambda: 'remote control' in (checks := driver.checks()) and not checks['remote control'].ok)
    driver.in_world(driver.robot.stop_program)
    wait_until(lambda: driver.backend.state().program_state == RobotState.PROGRAM_STOPPED and driver.backend.state().connected)
    outcome = driver.do('HOME')
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.NOT_READY) and 'local mode' in outcome.message


def test_a_driver_without_a_dashboard_moves_the_arm_and_is_recovered_at_the_pendant(bare_driver: Any) -> None:
    link = bare_driver
    link.hurry()
    assert link.checks()['remote control'].ok and link.do(PART, 1).phase is TriggerPhase.DONE
    link.hurry(1.0)
    future = link.moving('PLACE')
    link.inject('protective_stop')
    assert future.result(30.0).phase is TriggerPhase.UNKNOWN
    refused = link.recover()
    assert refused.code == ResultCode.ROBOT_STOPPED and 'no dashboard' in refused.message
    link.inject('attend')
    wait_until(lambda: link.backend.state().safety_mode == RobotState.SAFETY_NORMAL, what='cleared at the pendant')
    wait_until(lambda: link.recover().code == ResultCode.OK, 10.0, 'recovered')
    assert link.do('HOME').phase is TriggerPhase.DONE


def test_another_arm_than_in_the_recipe_is_noticed_through_the_driver(driver: Any) -> None:
    driver.in_world(lambda: setattr(driver.robot.motion, 'arm', ARMS['ur10e']))
    wait_until(lambda: 'ur10' in driver.backend.state().message, 5.0, 'the other arm is named')
    outcome = driver.do(PART, 1)
    assert outcome.phase is TriggerPhase.NOT_SENT and 'ur5e' in outcome.message
    assert not driver.checks()['mode'].ok


def test_a_program_stopped_just_before_a_trigger_is_not_started_again(driver: Any) -> None:
    driver.hurry()
    assert driver.do(PART, 1).phase is TriggerPhase.DONE
    joints = driver.robot.motion.joints
    driver.inject('stop_program')
    outcome = driver.do('PLACE')
    assert outcome.phase is TriggerPhase.NOT_SENT, outcome
    assert driver.robot.program is None and driver.robot.motion.joints == pytest.approx(joints, abs=1e-9)
    assert driver.do('PLACE').code == ResultCode.ROBOT_STOPPED
