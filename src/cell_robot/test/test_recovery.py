"""When a robot may be recovered, by which parts, and how often."""

from __future__ import annotations

import pytest
from cell_robot.recovery import (
    ProtectiveStopCounter,
    RecoveryFacts,
    RecoveryStep,
    not_movable_reason,
    recovery_steps,
    refusal_reason,
)

from cell_interfaces.msg import RobotState as R


def facts(**changes):
    values = {'fresh': True, 'safety': R.SAFETY_PROTECTIVE_STOP, 'mode': R.MODE_RUNNING, 'remote': True, 'unlocks_left': 1}
    return RecoveryFacts(**{**values, **changes})


def test_a_protective_stop_is_walked_back_in_the_documented_order():
    assert refusal_reason(facts()) == ''
    assert recovery_steps(facts()) == [
        RecoveryStep.CAUSE,
        RecoveryStep.WAIT,
        RecoveryStep.POPUPS,
        RecoveryStep.UNLOCK,
        RecoveryStep.READY,
        RecoveryStep.STOP,
        RecoveryStep.UPLOAD,
        RecoveryStep.RETRACT,
    ]


def test_after_an_emergency_stop_was_turned_back_power_and_brakes_come_first():
    after = facts(safety=R.SAFETY_NORMAL, mode=R.MODE_POWER_OFF)
    assert refusal_reason(after) == ''
    assert recovery_steps(after) == [
        RecoveryStep.CAUSE,
        RecoveryStep.POPUPS,
        RecoveryStep.POWER,
        RecoveryStep.BRAKES,
        RecoveryStep.READY,
        RecoveryStep.STOP,
        RecoveryStep.UPLOAD,
        RecoveryStep.RETRACT,
    ]
    assert RecoveryStep.POWER not in recovery_steps(facts(safety=R.SAFETY_NORMAL, mode=R.MODE_IDLE))


def test_a_running_robot_only_gets_its_program_restarted():
    assert recovery_steps(facts(safety=R.SAFETY_NORMAL)) == [
        RecoveryStep.CAUSE,
        RecoveryStep.POPUPS,
        RecoveryStep.READY,
        RecoveryStep.STOP,
        RecoveryStep.UPLOAD,
        RecoveryStep.RETRACT,
    ]


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'safety': R.SAFETY_ROBOT_EMERGENCY_STOP}, 'Release the emergency stop'),
        ({'safety': R.SAFETY_SYSTEM_EMERGENCY_STOP}, 'Release the emergency stop'),
        ({'safety': R.SAFETY_SAFEGUARD_STOP}, 'Close and reset the safeguard'),
        ({'safety': R.SAFETY_VIOLATION}, 'Call maintenance'),
        ({'safety': R.SAFETY_FAULT}, 'Call maintenance'),
        ({'safety': R.SAFETY_RECOVERY}, 'Move the joints back'),
        ({'remote': False}, 'local mode'),
        ({'fresh': False}, 'No data'),
        ({'unlocks_left': 0}, 'Call maintenance'),
        ({'safety': R.SAFETY_NORMAL, 'mode': R.MODE_BOOTING}, 'booting'),
    ],
)
def test_a_state_that_only_an_operator_can_end_is_refused_with_the_remedy(changes, said):
    assert said in refusal_reason(facts(**changes))


def test_without_a_protective_stop_no_unlock_is_needed():
    assert refusal_reason(facts(safety=R.SAFETY_NORMAL, unlocks_left=0)) == ''


def test_the_reason_why_the_arm_cannot_move_is_reported():
    assert not_movable_reason(R.SAFETY_NORMAL, R.MODE_RUNNING) == '' == not_movable_reason(R.SAFETY_REDUCED, R.MODE_RUNNING)
    assert not_movable_reason(R.SAFETY_PROTECTIVE_STOP, R.MODE_RUNNING).startswith('Protective stop.')
    assert 'brakes on' in not_movable_reason(R.SAFETY_NORMAL, R.MODE_IDLE)
    for mode in range(R.MODE_NO_CONTROLLER, R.MODE_UPDATING_FIRMWARE + 1):
        offered = 'Recover the robot' in not_movable_reason(R.SAFETY_NORMAL, mode)
        helps = mode != R.MODE_RUNNING and refusal_reason(facts(safety=R.SAFETY_NORMAL, mode=mode)) == ''
        assert offered == helps, f'robot mode {mode}'
    assert 'Safeguard' in not_movable_reason(22, R.MODE_RUNNING), 'the safeguard of the safety API'
    assert 'safety system' in not_movable_reason(23, R.MODE_RUNNING), 'a mode that is not in the message'


def test_repeats_are_forgotten_after_their_time():
    repeats = ProtectiveStopCounter(3, 600.0)
    for at in (0.0, 100.0, 200.0):
        assert repeats.left(at) > 0
        repeats.add(at)
    assert repeats.left(599.0) == 0
    assert repeats.left(601.0) == 1
