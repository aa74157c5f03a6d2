"""Backend rtde: moves with rounded corners, and controllers that do not execute them."""

from __future__ import annotations

from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.testing.arm_backends import TriggerPhase
from cell_sim.ur_controller.control_script import ControlScript
from cell_sim.ur_controller.motion import Motion
from cell_sim.ur_controller.program import ProgramError

from cell_interfaces.msg import ResultCode

PART = 'PART_EM1-2U1'
SET_TOOL = 29
"""Command of ur_rtde's control script; it is also its question for a sign of life."""


def steps_of(link: Any) -> str:
    return str(link.backend.state().step_times)


def test_a_piece_is_picked_in_two_moves_and_the_arm_does_not_stop_above_it(rtde: Any) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    places = rtde.sample(rtde.tool, PART, 1)
    assert 'to the approach + going down' in steps_of(rtde) and 'going up + to the camera' in steps_of(rtde)
    slot = rtde.recipe.parts['EM1-2U1'][1].slots[0]
    low, above = (tuple(round(1000 * value) for value in pose[:3, 3]) for pose in (slot.pose, slot.above))
    assert low in places, 'the arm comes down to the slot'
    nearest = min(sum((one - other) ** 2 for one, other in zip(place, above, strict=True)) ** 0.5 for place in places)
    assert 3.0 < nearest < 60.0, 'the corner above the slot is rounded'


def test_a_stop_in_a_path_is_unknown_and_recovered(rtde: Any) -> None:
    future = rtde.moving(PART, 1)
    rtde.inject('stop_program')
    outcome = future.result(30.0)
    assert (outcome.phase, outcome.code) == (TriggerPhase.UNKNOWN, ResultCode.ROBOT_STOPPED), outcome
    rtde.stands()
    assert rtde.recover().code == ResultCode.OK
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE


def test_a_controller_without_paths_stops_at_each_corner_and_works(rtde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_script: ControlScript, _machine: object) -> bool:
        raise ProgramError('command 45 is not known')

    monkeypatch.setattr(ControlScript, '_start_path', unknown)
    rtde.hurry()
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    assert '+' not in steps_of(rtde) and rtde.do('PLACE').phase is TriggerPhase.DONE
    assert rtde.backend.state().message == ''


def test_a_stop_before_the_trial_of_a_path_says_nothing_about_paths(rtde: Any) -> None:
    rtde.hurry()
    asked: list[bool] = [False]

    def stop_at_the_second_question(controller: Any) -> None:
        if (asks := controller.registers.input_ints[0] == SET_TOOL) != asked[-1]:
            asked.append(asks)
            if asked.count(True) == 2 and asks:
                controller.stop_program()

    rtde.server.add_cycle_callback(stop_at_the_second_question)
    outcome = rtde.do(PART, 1)
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED), outcome
    assert rtde.recover().code == ResultCode.OK
    assert rtde.do(PART, 1).phase is TriggerPhase.DONE
    assert 'to the approach + going down' in steps_of(rtde), 'corners are rounded all the same'


def test_a_controller_that_ignores_a_path_stops_at_each_corner_from_then_on(rtde: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rtde.hurry()
    assert rtde.do('HOME').phase is TriggerPhase.DONE
    follow, ignored = Motion.follow_path, []

    def ignore(motion: Motion, parts: Any) -> None:
        if len(parts) > 1 and not ignored:
            ignored.append(True)
            parts = [motion.joint_part(motion.joints, motion.joints, 1.0, 1.0, 0.0)]
        follow(motion, parts)

    monkeypatch.setattr(Motion, 'follow_path', ignore)
    outcome = rtde.do(PART, 1)
    assert outcome.phase in (TriggerPhase.DONE, TriggerPhase.UNKNOWN, TriggerPhase.NOT_SENT), outcome
    assert ignored
    if outcome.phase is TriggerPhase.DONE:
        assert 'going up + ' not in steps_of(rtde), 'the next corner is not rounded any more'
    else:
        wait_until(lambda: rtde.recover().code == ResultCode.OK, 20.0, 'recovered')
        assert rtde.do('HOME').phase is TriggerPhase.DONE
