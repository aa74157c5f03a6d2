"""Backend rtde when people and other clients interfere: stops, local mode, foreign programs, owned registers, wrong models."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.motion import ARMS
from cell_robot.robot_modes import RuntimeState
from cell_robot.testing.arm_backends import TriggerPhase
from cell_sim.testing.waiting import assert_holds
from cell_sim.ur_controller.control_script import READY, STOP_SCRIPT
from cell_sim.ur_controller.program import WaitingProgram
from cell_sim.ur_controller.registers import Registers
from cell_sim.ur_controller.variables import OUTPUTS

from cell_interfaces.msg import ResultCode, RobotState

PART = 'PART_EM1-2U1'
SOON_S = 4.0
LATE_S = 0.3
SET_TOOL, SET_PAYLOAD = 29, 17
"""Commands of ur_rtde's control script."""
HELD = (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED)


def shows(rtde: Any, word: str) -> None:
    wait_until(lambda: word in rtde.backend.state().message.lower(), SOON_S, f'{word!r} in the state')


def nothing_moves(rtde: Any, event: str = 'HOME') -> Any:
    joints = rtde.robot.motion.joints
    outcome = rtde.do(event)
    assert rtde.robot.motion.joints == pytest.approx(joints, abs=1e-9)
    return outcome


@pytest.mark.parametrize('fault', ['stop_program', 'reboot'])
def test_a_program_ended_between_two_steps_stays_ended_until_a_recovery(rtde: Any, fault: str) -> None:
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    rtde.inject(fault, 0.2)
    shows(rtde, 'without a command')
    if fault == 'reboot':
        wait_until(lambda: rtde.backend.state().robot_mode == RobotState.MODE_POWER_OFF, what='booted')
        rtde.inject('attend')
        wait_until(lambda: rtde.backend.state().robot_mode == RobotState.MODE_RUNNING, what='the arm is on')
    outcome = nothing_moves(rtde, 'PLACE')
    assert (outcome.phase, outcome.code) == HELD, outcome
    assert rtde.robot.program is None
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_a_program_stopped_just_before_a_trigger_is_not_started_again(rtde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger comes before any package that shows the stop."""
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    kind, runtime = OUTPUTS['runtime_state']
    shown_at = time.monotonic() + LATE_S

    def late(controller: Any) -> Any:
        return runtime(controller) if time.monotonic() > shown_at else RuntimeState.PLAYING

    monkeypatch.setitem(OUTPUTS, 'runtime_state', (kind, late))
    rtde.inject('stop_program')
    outcome = nothing_moves(rtde, 'PLACE')
    assert outcome.phase is TriggerPhase.NOT_SENT, outcome
    assert rtde.robot.program is None and nothing_moves(rtde, 'PLACE').code == ResultCode.ROBOT_STOPPED
    assert rtde.recover().code == ResultCode.OK


def test_a_program_stopped_as_its_script_is_sent_again_is_not_started_again(rtde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script has given its sign of life, and ends before the cell's own command reaches it."""
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    asked: list[bool] = []
    later: list[Any] = []
    write, cycles = Registers.write, [0]

    def write_for_two_cycles(registers: Registers, values: Any) -> None:
        """Keep the command in its register for two cycles: on a busy machine a package could otherwise miss it."""
        if cycles[0]:
            later.append(values)
            return
        write(registers, values)
        cycles[0] = 2 * (values.get('input_int_register_0') == STOP_SCRIPT)

    def stop_after_answer(controller: Any) -> None:
        cycles[0] = max(0, cycles[0] - 1)
        while later and not cycles[0]:
            write(controller.registers, later.pop(0))
        if controller.registers.input_ints[0] == SET_TOOL:
            asked.append(True)
        elif asked and controller.registers.output_ints[0] == READY and controller.program is not None:
            asked.clear()
            controller.stop_program()

    monkeypatch.setattr(Registers, 'write', write_for_two_cycles)
    rtde.server.add_cycle_callback(stop_after_answer)
    outcome = nothing_moves(rtde, 'PLACE')
    assert (outcome.phase, outcome.code) == HELD, outcome
    rtde.stands()
    assert nothing_moves(rtde, 'PLACE').code == ResultCode.ROBOT_STOPPED


def test_a_program_stopped_while_it_is_set_up_holds(rtde: Any) -> None:
    """An operator stops the control program between its start and the first move."""
    stops: list[bool] = []

    def stop(controller: Any) -> None:
        if controller.registers.input_ints[0] == SET_TOOL and controller.program is not None and not stops:
            stops.append(controller.stop_program())

    rtde.server.add_cycle_callback(stop)
    outcome = nothing_moves(rtde, PART)
    assert stops and (outcome.phase, outcome.code) == HELD, outcome
    assert nothing_moves(rtde, PART).code == ResultCode.ROBOT_STOPPED
    rtde.hurry()
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE


def test_a_program_stopped_during_a_recovery_is_not_started_by_the_next_trigger(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    rtde.inject('stop_program')
    shows(rtde, 'without a command')
    stops: list[bool] = []

    def stop(controller: Any) -> None:
        if controller.registers.input_ints[0] == SET_PAYLOAD and controller.program is not None and not stops:
            stops.append(controller.stop_program())

    rtde.server.add_cycle_callback(stop)
    assert rtde.recover().code == ResultCode.ROBOT_REFUSED and stops
    assert nothing_moves(rtde, PART).code == ResultCode.ROBOT_STOPPED
    assert rtde.recover().code == ResultCode.OK


def test_a_program_paused_at_the_pendant_is_not_sent_anything(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    rtde.inject('pause_program')
    wait_until(lambda: rtde.backend.state().program_state == RobotState.PROGRAM_PAUSED)
    assert nothing_moves(rtde, PART).phase is TriggerPhase.NOT_SENT


def test_local_mode_between_two_steps_is_a_hold(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    rtde.inject('local_mode', 60.0)
    outcome = nothing_moves(rtde, 'PLACE')
    assert outcome.phase is TriggerPhase.NOT_SENT and 'local mode' in outcome.message
    rtde.stands()
    rtde.in_world(lambda: rtde.robot.set_remote(True))
    assert (outcome := nothing_moves(rtde, 'PLACE')).code == ResultCode.ROBOT_STOPPED, outcome
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do('PLACE').phase is TriggerPhase.DONE


def test_local_mode_during_a_move_stops_the_arm(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject('local_mode', 60.0)
    outcome = future.result(SOON_S)
    assert (outcome.phase, outcome.code) == (TriggerPhase.UNKNOWN, ResultCode.ROBOT_STOPPED), outcome
    assert 'local mode' in outcome.message
    rtde.stands()


def test_another_arm_than_in_the_recipe_does_not_move(rtde: Any) -> None:
    rtde.robot.arm = rtde.robot.motion.arm = ARMS['ur10e']
    check = rtde.checks()['arm model']
    assert 'ur10' in check.message.lower() and not check.ok
    outcome = nothing_moves(rtde)
    assert outcome.phase is TriggerPhase.NOT_SENT and 'ur10' in outcome.message.lower() and 'ur5e' in outcome.message
    assert rtde.robot.program is None, 'no control script is left'


def test_an_arm_that_differs_from_its_model_by_some_millimeters_moves(rtde: Any) -> None:
    rtde.hurry()
    rtde.robot.arm = rtde.robot.motion.arm = replace(ARMS['ur5e'], a2=ARMS['ur5e'].a2 - 0.004)
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_kinematics_that_change_while_the_cell_works_stop_the_next_trigger(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    rtde.inject('other_model', 0.05)
    shows(rtde, 'mm')
    assert nothing_moves(rtde, PART).phase is TriggerPhase.NOT_SENT


def test_a_foreign_program_in_the_place_of_the_control_program_is_noticed(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    rtde.inject('foreign_program')
    shows(rtde, 'another program has taken the place')
    assert isinstance(rtde.robot.program, WaitingProgram), 'it is left alone'
    outcome = nothing_moves(rtde, PART)
    assert (outcome.phase, outcome.code) == HELD
    answer = rtde.recover()
    assert answer.code == ResultCode.OK and "not the cell's" in answer.message
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_a_trigger_that_a_foreign_program_does_not_take_leaves_nothing_unknown(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    rtde.inject('foreign_program')
    outcome = nothing_moves(rtde, PART)
    assert outcome.phase is TriggerPhase.NOT_SENT, outcome
    assert 'another program' in outcome.message


def test_a_foreign_program_during_a_move_is_noticed_before_the_move_is_overdue(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject('foreign_program')
    outcome = future.result(SOON_S)
    assert outcome.phase is TriggerPhase.UNKNOWN and 'another program' in outcome.message


def test_taken_registers_are_named_leave_no_program_and_heal(rtde: Any) -> None:
    rtde.hurry()
    rtde.inject('registers_taken', 3.0)
    check = rtde.checks()['registers']
    assert not check.ok and 'input_int_register_0' in check.message and 'PROFINET' in check.message
    outcome = nothing_moves(rtde)
    assert outcome.phase is TriggerPhase.NOT_SENT and 'EtherNet/IP' in outcome.message
    assert rtde.robot.program is None
    wait_until(lambda: rtde.checks()['registers'].ok, what='the registers are free')
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_inputs_that_become_free_a_moment_later_are_waited_for(rtde: Any) -> None:
    rtde.hurry()
    rtde.inject('registers_taken', 0.6)
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_tool_outputs_of_another_owner_do_not_matter_to_a_gripper_without_them(rtde: Any) -> None:
    rtde.hurry()
    rtde.inject('tool_outputs_taken', 60.0)
    assert rtde.checks()['registers'].ok
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    assert rtde.robot.registers.digital_outputs == 1


def test_a_speed_slider_at_zero_is_reported_and_the_move_continues_afterwards(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject('slider', 3.5)
    shows(rtde, 'speed slider')
    assert_holds(lambda: not future.done(), 2.5)
    assert future.result(20.0).phase is TriggerPhase.DONE


def test_nothing_is_sent_while_the_speed_slider_is_at_zero(rtde: Any) -> None:
    rtde.inject('slider', 60.0)
    wait_until(lambda: not rtde.checks()['speed slider'].ok)
    outcome = nothing_moves(rtde)
    assert outcome.phase is TriggerPhase.NOT_SENT and 'speed slider' in outcome.message


@pytest.mark.parametrize(('fault', 'amount'), [('slow_dashboard', 1.5), ('chatty_dashboard', 100.0)])
def test_a_dashboard_that_is_slow_or_adds_blanks_and_lines_is_understood(rtde: Any, fault: str, amount: float) -> None:
    rtde.hurry()
    rtde.inject(fault, amount)
    began = time.monotonic()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    assert time.monotonic() - began < 25.0
    rtde.inject('stop_program')
    shows(rtde, 'without a command')
    assert rtde.recover().code == ResultCode.OK
