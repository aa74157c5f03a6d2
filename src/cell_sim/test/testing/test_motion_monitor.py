"""Motions that were commanded are let pass, all others are told."""

from __future__ import annotations

import numpy as np
import pytest
from cell_sim.testing.motion_monitor import STOPPING_S, CommandInterval, MotionMonitor

CYCLE_S = 0.002
STANDING = (0.0,) * 6


def tool(joints):
    """A make-believe arm: the first joint lifts the tool (1 m per rad), the second takes it aside."""
    pose = np.eye(4)
    pose[:3, 3] = joints[1], 0.0, joints[0]
    return pose


class Arm:
    """Plays motions to a watch."""

    def __init__(self):
        self.watch, self.time, self.joints = MotionMonitor(tool), 0.0, STANDING
        self.stand(0.1)

    def stand(self, seconds, **seen):
        self.move(seconds, STANDING, **seen)

    def move(self, seconds, speeds=(0.1, 0.0, 0.0, 0.0, 0.0, 0.0), free=True, doing=''):
        for _ in range(round(seconds / CYCLE_S)):
            self.time += CYCLE_S
            self.joints = tuple(joint + CYCLE_S * speed for joint, speed in zip(self.joints, speeds, strict=True))
            self.watch.update(self.time, self.joints, free=free, doing=doing)

    def driven(self, *commands):
        return self.watch.violations(commands, own_program=False)

    def by_itself(self, *commands):
        return self.watch.violations(commands, own_program=True)


@pytest.fixture
def arm():
    return Arm()


def test_a_commanded_motion_is_let_pass(arm):
    arm.move(1.0)
    assert arm.driven(CommandInterval('1', 0.05, arm.time, True)) == []


def test_a_motion_without_any_command_is_told(arm):
    arm.move(1.0)
    assert 'no command was under way' in arm.driven()[0]


def test_a_motion_before_its_command_is_told(arm):
    arm.move(1.0)
    assert 'no command was under way' in arm.driven(CommandInterval('1', 0.5))[0]


def test_an_arm_that_moves_again_after_the_end_of_its_command_is_told(arm):
    """As a paused program does when the safeguard is reset and nobody has stopped it."""
    arm.move(0.5)
    ended = arm.time
    arm.stand(1.0, free=False)
    arm.move(0.2)
    (told,) = arm.driven(CommandInterval('1', 0.05, ended))
    assert 'no command was under way' in told


def test_the_arm_may_be_stopping_after_a_bad_end_but_not_for_long(arm):
    arm.move(1.0)
    assert arm.driven(CommandInterval('1', 0.05, 0.5)) == []
    arm.move(STOPPING_S)
    assert 'went on after the command had ended' in arm.driven(CommandInterval('1', 0.05, 0.5))[0]


def test_an_arm_that_goes_on_after_a_good_end_is_told(arm):
    arm.move(1.0)
    assert 'went on' in arm.driven(CommandInterval('1', 0.05, 0.5, True))[0]


def test_a_motion_while_the_arm_may_not_move_is_told(arm):
    arm.stand(0.1, free=False)
    arm.move(0.1, free=False)
    assert 'did not let the arm move' in arm.driven(CommandInterval('1', 0.05))[0]


def test_a_recovery_may_go_straight_up(arm):
    arm.move(0.5)
    assert arm.driven(CommandInterval('recover', 0.05, arm.time, True)) == []


@pytest.mark.parametrize(('up', 'aside'), [(0.0, 0.1), (-0.1, 0.0), (0.1, 0.1)])
def test_a_recovery_that_goes_elsewhere_is_told(arm, up, aside):
    arm.move(0.5, (up, aside, 0.0, 0.0, 0.0, 0.0))
    assert 'elsewhere' in arm.driven(CommandInterval('recover', 0.05, arm.time, True))[0]


def test_the_next_command_may_follow_a_recovery_at_once(arm):
    arm.move(0.5)
    recovered = arm.time
    arm.move(0.5, (0.0, 0.1, 0.0, 0.0, 0.0, 0.0))
    recovery = CommandInterval('recover', 0.05, recovered, True)
    assert arm.driven(recovery, CommandInterval('1', recovered)) == []
    assert 'went on' in arm.driven(recovery)[0]


def test_a_program_of_its_own_may_end_what_it_was_told_later(arm):
    arm.move(0.2, doing='PLACE 7')
    arm.stand(1.0, free=False, doing='PLACE 7')
    arm.move(0.2, doing='PLACE 7')
    assert arm.by_itself(CommandInterval('7', 0.05, 0.2)) == []


def test_a_program_that_moves_without_a_letter_is_told(arm):
    arm.move(0.2)
    assert 'without having been told' in arm.by_itself(CommandInterval('7', 0.05))[0]


def test_a_program_that_does_what_nobody_triggered_is_told(arm):
    arm.move(0.2, doing='PLACE 8')
    assert 'nobody had triggered it' in arm.by_itself(CommandInterval('7', 0.05))[0]


def test_a_program_that_does_a_letter_twice_is_told(arm):
    for _ in range(2):
        arm.move(0.2, doing='PLACE 7')
        arm.stand(0.1)
    assert arm.by_itself(CommandInterval('7', 0.05)) == ['PLACE 7 was carried out more than once']


def test_a_recovery_over_letters_may_send_the_arm_home_and_nothing_else(arm):
    arm.move(0.2, doing='HOME 9')
    assert arm.by_itself(CommandInterval('recover', 0.05)) == []
    assert 'nobody' in arm.by_itself(CommandInterval('recover', 0.2))[0]
    arm.move(0.2, doing='PLACE 10')
    assert 'nobody' in arm.by_itself(CommandInterval('recover', 0.05))[0]


def test_what_was_before_can_be_forgotten(arm):
    arm.move(0.2)
    arm.watch.forget()
    arm.stand(0.5)
    assert arm.driven() == []
