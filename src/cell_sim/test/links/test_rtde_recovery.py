"""Stops, faults and recoveries of backend rtde, with the real ur_rtde, against the simulated controller."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.robot_modes import RobotMode, SafetyMode
from cell_robot.testing.arm_backends import TriggerPhase, recovery
from cell_sim.testing.waiting import assert_holds

from cell_interfaces.msg import ResultCode, RobotState

PART = 'PART_EM1-2U1'
SOON_S, STAYS_S = 20.0, 60.0
"""Upper limit for the report of a stop, and a duration that outlasts the test."""


def test_a_control_process_killed_in_mid_move_leaves_a_cell_that_recovers_soon(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    killed = time.monotonic()
    os.kill(rtde.backend.control_pid, signal.SIGKILL)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'control process ended' in outcome.message
    rtde.stands()
    joints = rtde.robot.motion.joints
    refused = rtde.do('HOME')
    assert (refused.phase, refused.code) == (
        TriggerPhase.NOT_SENT,
        ResultCode.ROBOT_STOPPED,
    ) and 'Recover the robot' in refused.message
    answer = rtde.recover()
    assert answer.code == ResultCode.OK, answer
    took = time.monotonic() - killed
    assert took < SOON_S
    assert rtde.robot.motion.joints == pytest.approx(joints, abs=1e-3), 'nothing moved before a fresh command'
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_a_protective_stop_ends_the_event_and_is_recovered_step_by_step(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    stopped = time.monotonic()
    rtde.inject('protective_stop')
    outcome = future.result(SOON_S)
    assert (outcome.phase, outcome.code) == (
        TriggerPhase.UNKNOWN,
        ResultCode.ROBOT_STOPPED,
    ) and 'protective stop' in outcome.message
    rtde.stands()
    assert 'Protective stop' in rtde.backend.state().message
    answer = rtde.recover()
    assert answer.code == ResultCode.OK, answer
    assert time.monotonic() - stopped >= 5.0, 'not unlocked before it was 5 s old'
    count = len(rtde.steps)
    assert [step[1:] for step in rtde.steps] == [(number, count) for number in range(1, count + 1)]
    assert 'protective stop' in rtde.steps[0][0] and 'Unlocking' in ' '.join(text for text, _, _ in rtde.steps)
    assert rtde.robot.safety is SafetyMode.NORMAL and rtde.backend.state().message == ''


def test_a_tool_stopped_in_a_tray_is_retracted_straight_up(rtde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, 'UNLOCK_AFTER_S', 0.5)
    rtde.robot.timings = replace(rtde.robot.timings, unlock=0.5)
    rtde.do('HOME')
    future = rtde.begin(PART, 1)
    wait_until(lambda: rtde.tool()[2] < 60 and rtde.tool()[1] < -400, what='in the tray')
    rtde.inject('protective_stop')
    future.result(SOON_S)
    x, y, low = rtde.tool()
    assert rtde.recover().code == ResultCode.OK
    assert rtde.tool() == pytest.approx((x, y, 120), abs=3) and low < 70


def test_a_pressed_emergency_stop_refuses_recovery_until_it_is_released(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject('emergency_stop', STAYS_S)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'emergency stop' in outcome.message
    answer = rtde.recover()
    assert answer.code == ResultCode.ROBOT_STOPPED and 'Release the emergency stop' in answer.message
    rtde.in_world(rtde.robot.release_emergency_stop)
    wait_until(lambda: rtde.backend.state().safety_mode == RobotState.SAFETY_NORMAL)
    answer = rtde.recover()
    assert answer.code == ResultCode.OK, answer
    assert rtde.robot.mode is RobotMode.RUNNING
    assert 'Switching the arm on' in ' '.join(text for text, _, _ in rtde.steps)


def test_after_a_safeguard_stop_the_arm_waits_for_a_recovery(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject('safeguard_stop', STAYS_S)
    assert 'safeguard' in future.result(SOON_S).message
    rtde.stands()
    joints = rtde.robot.motion.joints
    assert 'safeguard' in rtde.recover().message
    rtde.in_world(rtde.robot.reset_safeguard)
    wait_until(lambda: rtde.robot.safety is SafetyMode.NORMAL)
    assert_holds(lambda: rtde.robot.motion.joints == joints, 0.3)
    assert rtde.recover().code == ResultCode.OK


@pytest.mark.parametrize(('fault', 'amount', 'word'), [('stall', 2.5, 'no data for'), ('disconnect', 1.0, 'lost')])
def test_missing_data_ends_the_event_and_stops_the_arm(rtde: Any, fault: str, amount: float, word: str) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject(fault, amount)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and word in outcome.message
    rtde.stands()
    joints = rtde.robot.motion.joints
    wait_until(lambda: rtde.backend.state().connected, what='connected again')
    assert rtde.do('HOME').phase is TriggerPhase.NOT_SENT
    assert rtde.robot.motion.joints == joints
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_too_many_protective_stops_need_the_operator_at_the_pendant(rtde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, 'UNLOCK_AFTER_S', 0.5)
    rtde.robot.timings = replace(rtde.robot.timings, unlock=0.5)
    for _ in range(2):
        rtde.inject('protective_stop')
        wait_until(lambda: rtde.backend.state().safety_mode == RobotState.SAFETY_PROTECTIVE_STOP)
        answer = rtde.recover()
        assert answer.code == ResultCode.OK, answer
    rtde.inject('protective_stop')
    wait_until(lambda: rtde.backend.state().safety_mode == RobotState.SAFETY_PROTECTIVE_STOP)
    answer = rtde.recover()
    assert answer.code == ResultCode.ROBOT_STOPPED and 'one protective stop too many' in answer.message


def test_a_control_process_that_hangs_in_mid_move_is_killed_and_the_arm_stands(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    pid = rtde.backend.control_pid
    os.kill(pid, signal.SIGSTOP)
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN, outcome
    rtde.stands()
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), what='the process is gone')
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do('HOME').phase is TriggerPhase.DONE
