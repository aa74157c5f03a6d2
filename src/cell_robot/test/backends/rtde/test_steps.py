"""When a move has ended."""

from dataclasses import replace

import pytest
from cell_robot.backends.rtde.steps import has_arrived
from cell_robot.motion.plan import MoveStep
from cell_robot.protocols.rtde.snapshot import RobotSnapshot

GOAL = (0.0, -1.5, -1.5, -1.5, 1.5, 0.0)
TOOL = (0.3, -0.4, 0.1, 0.0, 3.14, 0.0)
THERE = RobotSnapshot(1.0, GOAL, (0.0,) * 6, TOOL, 7, 1, 2, 1.0, 0, 0)
JOINT_MOVE = MoveStep('there', GOAL, None, 1.0, 1.0, 5.0)
STRAIGHT_MOVE = replace(JOINT_MOVE, pose=TOOL)


def turned(radians):
    return replace(THERE, joints=(*GOAL[:5], radians))


@pytest.mark.parametrize('move', [JOINT_MOVE, STRAIGHT_MOVE])
def test_an_arm_that_stands_at_the_end_has_arrived(move):
    assert has_arrived(move, THERE, THERE)
    assert has_arrived(move, turned(0.0001), THERE)


@pytest.mark.parametrize('move', [JOINT_MOVE, STRAIGHT_MOVE])
def test_an_arm_that_still_moves_its_last_millimeter_has_not_arrived(move):
    assert not has_arrived(move, turned(0.002), turned(0.001))
    assert not has_arrived(move, None, THERE)


def test_an_arm_that_stands_elsewhere_has_not_arrived():
    assert not has_arrived(JOINT_MOVE, turned(0.011), turned(0.011))
    beside = replace(THERE, tool=(0.303, *TOOL[1:]))
    assert not has_arrived(STRAIGHT_MOVE, beside, beside)
