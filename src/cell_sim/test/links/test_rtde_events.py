"""Events of backend rtde, with the real ur_rtde, against the simulated controller over its real ports."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.testing.arm_backends import TriggerPhase

from cell_interfaces.msg import ResultCode, RobotState

PART = 'PART_EM1-2U1'
SOON_S, STAYS_S = 4.0, 60.0
"""Upper limit for the report of a stop, and a duration that outlasts the test."""


def test_a_piece_is_picked_from_its_slot_shown_and_placed(rtde: Any) -> None:
    rtde.hurry()
    rtde.do('HOME')
    lowest = min(rtde.sample(rtde.tool, PART, 1), key=lambda place: place[2])
    assert lowest == pytest.approx((-480, -420, 40), abs=3), 'the first slot of tray 1'
    assert rtde.phases == [TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED]
    assert rtde.robot.registers.digital_outputs == 1 and rtde.robot.payload[0] == 1.2
    state = rtde.backend.state()
    assert state.joints.positions == pytest.approx(rtde.recipe.waypoints['camera'], abs=1e-3)
    assert (state.safety_mode, state.robot_mode, state.program_state) == (1, 7, RobotState.PROGRAM_PLAYING)
    assert state.data_age < 0.5 and state.message == ''
    lowest = min(rtde.sample(rtde.tool, 'PLACE'), key=lambda place: place[2])
    assert lowest == pytest.approx((100, 400, 100), abs=3)
    assert rtde.robot.registers.digital_outputs == 0


def test_the_slot_follows_from_the_ledger(rtde: Any) -> None:
    rtde.hurry()
    rtde.stock.counts[('EM1-2U1', 1)] = 23
    lowest = min(rtde.sample(rtde.tool, PART, 1), key=lambda place: place[2])
    assert lowest[0] == pytest.approx(-455, abs=3), 'the second slot'


def test_a_closed_gripper_without_its_piece_opens_before_the_next_pick(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    rtde.robot.piece = False
    wait_until(lambda: rtde.checks()['gripper empty'].ok, what='the piece is gone')

    def closed() -> bool:
        output = bool(rtde.robot.registers.digital_outputs & 1)
        rtde.robot.piece = rtde.robot.piece or not output
        return output

    assert rtde.sample(closed, PART, 1) == [True, False]
    assert closed()


def test_an_empty_slot_is_refused_and_the_arm_returns(rtde: Any) -> None:
    rtde.hurry()
    rtde.robot.piece = False
    outcome = rtde.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.REFUSED, ResultCode.ROBOT_REFUSED)
    assert 'slots 1 and 2 of tray 1' in outcome.message
    assert rtde.robot.registers.digital_outputs == 0
    assert rtde.backend.state().joints.positions == pytest.approx(rtde.recipe.waypoints['camera'], abs=1e-3)
    assert rtde.do('HOME').phase is TriggerPhase.DONE, 'the gripper is empty'


@pytest.mark.parametrize(
    ('event', 'tray', 'code'),
    [
        ('PART_NONE', 1, ResultCode.UNKNOWN_EVENT),
        (PART, 2, ResultCode.ROBOT_REFUSED),
        ('DANCE', 0, ResultCode.UNKNOWN_EVENT),
        ('MOVE_home', 0, ResultCode.NOT_SUPPORTED),
        ('PLACE', 0, ResultCode.ROBOT_REFUSED),
    ],
)
def test_an_impossible_event_is_not_started(rtde: Any, event: str, tray: int, code: int) -> None:
    before = rtde.robot.motion.joints
    outcome = rtde.do(event, tray)
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, code), outcome
    assert rtde.phases == [] and rtde.robot.motion.joints == before


def test_an_arm_out_of_bounds_is_refused_before_a_move(rtde: Any) -> None:
    rtde.robot.motion.joints = (0.0, 0.5, 0.5, 0.0, 0.0, 0.0)
    wait_until(lambda: rtde.backend.state().joints.positions[1] == 0.5)
    outcome = rtde.do('HOME')
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.OUT_OF_REACH)
    assert 'by hand' in outcome.message and rtde.robot.motion.joints[1] == 0.5


def test_a_control_process_killed_at_rest_holds_the_arm_until_a_recovery(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    os.kill(rtde.backend.control_pid, signal.SIGKILL)
    wait_until(lambda: rtde.backend.control_pid == 0)
    outcome = rtde.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED), outcome
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE


def test_a_controller_that_rebooted_at_rest_is_used_after_a_recovery(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    pid = rtde.backend.control_pid
    rtde.inject('reboot', 0.2)
    wait_until(lambda: rtde.backend.state().robot_mode == RobotState.MODE_POWER_OFF, what='the controller has booted')
    rtde.inject('attend')
    wait_until(lambda: rtde.backend.state().robot_mode == RobotState.MODE_RUNNING, what='the arm is on')
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), what='the end of the control process without a script')
    assert rtde.do(PART, 1).code == ResultCode.ROBOT_STOPPED
    assert rtde.recover().code == ResultCode.OK
    assert all(check.ok for check in rtde.checks().values()), rtde.checks()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE


def test_the_operator_stops_the_arm(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    assert rtde.backend.stop().result(SOON_S).code == ResultCode.OK
    assert 'the operator stopped the robot' in future.result(SOON_S).message
    rtde.stands()
    assert rtde.do('HOME').code == ResultCode.ROBOT_STOPPED


def test_a_piece_lost_during_a_move_stops_the_arm(rtde: Any) -> None:
    rtde.hurry()
    rtde.do(PART, 1)
    rtde.hurry(1.0)
    future = rtde.moving('PLACE')
    rtde.robot.piece = False
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'lost from the gripper' in outcome.message
    rtde.stands()


def test_local_mode_is_reported_by_the_preflight_and_refuses_motion(rtde: Any) -> None:
    assert all(check.ok for check in rtde.checks().values())
    rtde.inject('local_mode', 30.0)
    check = rtde.checks()['remote control']
    assert not check.ok and 'remote control on the pendant' in check.message
    outcome = rtde.do('HOME')
    assert outcome.phase is TriggerPhase.NOT_SENT and 'local mode' in outcome.message
    assert 'local mode' in rtde.recover().message


def test_a_piece_in_the_gripper_and_a_stop_are_reported_by_the_preflight(rtde: Any) -> None:
    rtde.hurry()
    rtde.do(PART, 1)
    checks = rtde.checks()
    assert not checks['gripper empty'].ok and 'by hand' in checks['gripper empty'].message and checks['program'].ok
    rtde.inject('safeguard_stop', STAYS_S)
    wait_until(lambda: rtde.backend.state().safety_mode == RobotState.SAFETY_SAFEGUARD_STOP)
    assert 'safeguard' in rtde.checks()['safety'].message


def test_a_benchmark_part_is_shown_and_returned(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('BENCHMARK').phase is TriggerPhase.DONE
    lowest = min(rtde.sample(rtde.tool, 'HOME'), key=lambda place: place[2])
    assert lowest == pytest.approx((250, 350, 60), abs=3)
    assert rtde.robot.registers.digital_outputs == 0
    assert rtde.robot.motion.joints == pytest.approx(rtde.recipe.waypoints['home'], abs=1e-3)


def test_no_control_process_outlives_the_backend(rtde: Any) -> None:
    rtde.hurry()
    rtde.do('HOME')
    pid = rtde.backend.control_pid
    assert pid
    rtde.backend.close()
    wait_until(lambda: not Path(f'/proc/{pid}').exists(), what='the process is gone')
    rtde.stands()
