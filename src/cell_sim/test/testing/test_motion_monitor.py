"""Commanded motions are accepted, all others are reported."""

from __future__ import annotations

import numpy as np
import pytest
from cell_sim.testing.motion_monitor import STOPPING_S, CommandInterval, MotionMonitor

CYCLE_S = 0.002
STANDING = (0.0,) * 6


def tool(joints):
    """Forward kinematics of a test arm: joint 0 lifts the tool (1 m per rad), joint 1 moves it aside."""
    pose = np.eye(4)
    pose[:3, 3] = joints[1], 0.0, joints[0]
    return pose


class Arm:
    """Plays motions to a monitor."""

    def __init__(self):
        self.monitor, self.time, self.joints = MotionMonitor(tool), 0.0, STANDING
        self.stand(0.1)

    def stand(self, seconds, **state):
        self.move(seconds, STANDING, **state)

    def move(self, seconds, speeds=(0.1, 0.0, 0.0, 0.0, 0.0, 0.0), free=True, doing=''):
        for _ in range(round(seconds / CYCLE_S)):
            self.time += CYCLE_S
            self.joints = tuple(joint + CYCLE_S * speed for joint, speed in zip(self.joints, speeds, strict=True))
            self.monitor.update(self.time, self.joints, free=free, doing=doing)

    def driven(self, *commands):
        return self.monitor.violations(commands, own_program=False)

    def own_program(self, *commands):
        return self.monitor.violations(commands, own_program=True)


@pytest.fixture
def arm():
    return Arm()


def test_a_commanded_motion_is_accepted(arm):
    arm.move(1.0)
    assert arm.driven(CommandInterval('1', 0.05, arm.time, True)) == []


def test_a_motion_without_any_command_is_reported(arm):
    arm.move(1.0)
    assert 'no command was active' in arm.driven()[0]


def test_a_motion_before_its_command_is_reported(arm):
    arm.move(1.0)
    assert 'no command was active' in arm.driven(CommandInterval('1', 0.5))[0]


def test_an_arm_that_moves_again_after_the_end_of_its_command_is_reported(arm):
    # as a paused program does when the safeguard is reset
    arm.move(0.5)
    ended = arm.time
    arm.stand(1.0, free=False)
    arm.move(0.2)
    (violation,) = arm.driven(CommandInterval('1', 0.05, ended))
    assert 'no command was active' in violation


def test_the_arm_may_stop_for_a_limited_time_after_a_failed_command(arm):
    arm.move(1.0)
    assert arm.driven(CommandInterval('1', 0.05, 0.5)) == []
    arm.move(STOPPING_S)
    assert 'went on after the command had ended' in arm.driven(CommandInterval('1', 0.05, 0.5))[0]


def test_an_arm_that_moves_on_after_a_successful_command_is_reported(arm):
    arm.move(1.0)
    assert 'went on' in arm.driven(CommandInterval('1', 0.05, 0.5, True))[0]


def test_a_motion_while_the_arm_may_not_move_is_reported(arm):
    arm.stand(0.1, free=False)
    arm.move(0.1, free=False)
    assert 'did not allow motion' in arm.driven(CommandInterval('1', 0.05))[0]


def test_a_recovery_may_go_straight_up(arm):
    arm.move(0.5)
    assert arm.driven(CommandInterval('recover', 0.05, arm.time, True)) == []


@pytest.mark.parametrize(('up', 'aside'), [(0.0, 0.1), (-0.1, 0.0), (0.1, 0.1)])
def test_a_recovery_that_does_not_go_straight_up_is_reported(arm, up, aside):
    arm.move(0.5, (up, aside, 0.0, 0.0, 0.0, 0.0))
    assert 'straight up' in arm.driven(CommandInterval('recover', 0.05, arm.time, True))[0]


def test_the_next_command_may_follow_a_recovery_immediately(arm):
    arm.move(0.5)
    recovered = arm.time
    arm.move(0.5, (0.0, 0.1, 0.0, 0.0, 0.0, 0.0))
    recovery = CommandInterval('recover', 0.05, recovered, True)
    assert arm.driven(recovery, CommandInterval('1', recovered)) == []
    assert 'went on' in arm.driven(recovery)[0]


def test_the_robots_own_program_may_finish_a_command_later(arm):
    arm.move(0.2, doing='PLACE 7')
    arm.stand(1.0, free=False, doing='PLACE 7')
    arm.move(0.2, doing='PLACE 7')
    assert arm.own_program(CommandInterval('7', 0.05, 0.2)) == []


def test_a_program_that_moves_without_a_letter_is_reported(arm):
    arm.move(0.2)
    assert 'without a command' in arm.own_program(CommandInterval('7', 0.05))[0]


def test_a_program_that_executes_an_event_without_a_trigger_is_reported(arm):
    arm.move(0.2, doing='PLACE 8')
    assert 'no trigger had commanded' in arm.own_program(CommandInterval('7', 0.05))[0]


def test_a_program_that_executes_a_letter_twice_is_reported(arm):
    for _ in range(2):
        arm.move(0.2, doing='PLACE 7')
        arm.stand(0.1)
    assert arm.own_program(CommandInterval('7', 0.05)) == ['PLACE 7 was executed more than once']


def test_a_recovery_over_letters_may_send_the_arm_home_and_nothing_else(arm):
    arm.move(0.2, doing='HOME 9')
    assert arm.own_program(CommandInterval('recover', 0.05)) == []
    assert 'no trigger' in arm.own_program(CommandInterval('recover', 0.2))[0]
    arm.move(0.2, doing='PLACE 10')
    assert 'no trigger' in arm.own_program(CommandInterval('recover', 0.05))[0]


def test_a_reset_discards_earlier_motions(arm):
    arm.move(0.2)
    arm.monitor.reset()
    arm.stand(0.5)
    assert arm.driven() == []
