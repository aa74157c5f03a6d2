"""How far an interrupted step got, and what is left of the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cell_robot.motion.continuation import (
    ArmEvidence,
    DoubtError,
    PlanProgress,
    change_text,
    continue_plan,
    first_remaining,
)
from cell_robot.motion.path_check import WorkspaceLimits
from cell_robot.motion.plan import ArmPosition, GripperContent, GripStep, MoveStep, Planner, ReachError
from cell_robot.recipe_file import load_recipe

RECIPE = load_recipe(Path(__file__).parents[4] / 'config' / 'recipe.yaml')
CELL, HOME, CAMERA = RECIPE.cell, RECIPE.waypoints['home'], RECIPE.waypoints['camera']
PLANNER = Planner(RECIPE)
PICK = tuple(PLANNER.plan('PART_EM1-2U1', 1, ArmPosition(HOME), GripperContent.NONE, {('EM1-2U1', 1): 24}))
APPROACH, DOWN, CLOSE, UP = 1, 2, 3, 4
"""Indexes of the steps of PICK."""


def between(start, end, share):
    return tuple((1 - share) * one + share * other for one, other in zip(start, end, strict=True))


def at(joints, closed=False, holds=False):
    return ArmEvidence(joints, closed, holds)


def interrupted(index, start, **before):
    return PlanProgress(PICK, index, at(start, **before))


def joints_of(index):
    step = PICK[index]
    assert isinstance(step, MoveStep)
    return step.joints


def labels(steps):
    return [step.label if isinstance(step, MoveStep) else ('close' if step.closed else 'open') for step in steps]


def test_a_joint_move_goes_on_from_where_the_arm_stands():
    now = at(between(CAMERA, joints_of(APPROACH), 0.4))
    rest = continue_plan(PLANNER, CELL, interrupted(APPROACH, CAMERA), now)
    assert labels(rest) == ['to the approach', 'going down', 'close', 'going up', 'to the camera']
    assert rest[0].joints == joints_of(APPROACH) and rest[0].seconds < PICK[APPROACH].seconds
    assert rest[1].pose == PICK[DOWN].pose and rest[2] == PICK[CLOSE]


def test_a_straight_move_goes_on_to_the_same_pose():
    above = joints_of(APPROACH)
    now = at(CELL.linear_move(above, CELL.tcp(joints_of(DOWN)))[4])
    rest = continue_plan(PLANNER, CELL, interrupted(DOWN, above), now)
    assert labels(rest) == ['going down', 'close', 'going up', 'to the camera'] and rest[0].pose == PICK[DOWN].pose


def test_a_move_that_has_just_ended_is_left_out():
    rest = continue_plan(PLANNER, CELL, interrupted(APPROACH, CAMERA), at(joints_of(APPROACH)))
    assert labels(rest) == ['going down', 'close', 'going up', 'to the camera']


@pytest.mark.parametrize('index', [APPROACH, DOWN])
def test_an_arm_beside_its_way_leaves_the_step_in_doubt(index):
    start = CAMERA if index == APPROACH else joints_of(APPROACH)
    pushed = list(between(start, joints_of(index), 0.5))
    pushed[3] += 0.1
    with pytest.raises(DoubtError, match='not on its path'):
        first_remaining(CELL, interrupted(index, start), at(tuple(pushed)))


@pytest.mark.parametrize(('closed', 'holds', 'rest'), [(True, True, UP), (False, False, CLOSE)])
def test_a_gripper_that_has_closed_or_not_begun_leaves_no_doubt(closed, holds, rest):
    here = joints_of(DOWN)
    assert first_remaining(CELL, interrupted(CLOSE, here), at(here, closed, holds)) == rest


@pytest.mark.parametrize(('closed', 'holds'), [(True, False), (False, True), (None, True), (True, None)])
def test_a_gripper_in_between_or_without_a_sensor_leaves_the_step_in_doubt(closed, holds):
    here = joints_of(DOWN)
    with pytest.raises(DoubtError, match='gripper'):
        first_remaining(CELL, interrupted(CLOSE, here), at(here, closed, holds))


def test_a_piece_that_is_gone_during_a_move_leaves_the_step_in_doubt():
    progress = interrupted(UP, joints_of(DOWN), closed=True, holds=True)
    with pytest.raises(DoubtError, match='has changed'):
        first_remaining(CELL, progress, at(joints_of(DOWN), closed=True, holds=False))


def test_an_arm_that_moved_while_the_gripper_worked_leaves_the_step_in_doubt():
    with pytest.raises(DoubtError, match='has moved'):
        first_remaining(CELL, interrupted(CLOSE, joints_of(DOWN)), at(joints_of(APPROACH), True, True))


def test_a_way_that_has_become_impossible_is_refused():
    small = replace(CELL, limits=WorkspaceLimits((-0.1, -0.1, 0.0), (0.9, 0.9, 0.9), CELL.limits.joints))
    with pytest.raises(ReachError, match='not possible'):
        continue_plan(PLANNER, small, interrupted(DOWN, joints_of(APPROACH)), at(joints_of(APPROACH)))


@pytest.mark.parametrize(
    ('now', 'text'),
    [
        (at(HOME, True, True), ''),
        (at(CAMERA, True, True), 'moved'),
        (at(HOME, False, True), 'switched'),
        (at(HOME, True, False), 'sensor'),
    ],
)
def test_changes_of_a_standing_arm_are_named(now, text):
    found = change_text(at(HOME, True, True), now)
    assert (text in found) and bool(found) == bool(text)


def test_the_steps_of_the_pick_are_those_that_the_tests_name():
    assert isinstance(PICK[CLOSE], GripStep) and labels(PICK)[APPROACH : UP + 1] == [
        'to the approach',
        'going down',
        'close',
        'going up',
    ]


def together(start):
    """Approach and descent, executed as one with a rounded corner."""
    return PlanProgress(PICK, APPROACH, at(start), 2)


def test_of_moves_that_are_executed_as_one_the_reached_one_goes_on():
    on_the_way = at(between(CAMERA, joints_of(APPROACH), 0.3))
    assert first_remaining(CELL, together(CAMERA), on_the_way) == APPROACH
    deep = at(between(joints_of(APPROACH), joints_of(DOWN), 0.9))
    assert first_remaining(CELL, together(CAMERA), deep) == DOWN
    assert labels(continue_plan(PLANNER, CELL, together(CAMERA), deep))[:2] == ['going down', 'close']


def test_an_arm_stopped_in_a_rounded_corner_first_goes_to_the_corner():
    low = between(joints_of(APPROACH), joints_of(DOWN), 0.25)
    beside = tuple(angle + 0.02 for angle in low[:1]) + low[1:]
    assert first_remaining(CELL, together(CAMERA), at(beside)) == APPROACH
    rest = continue_plan(PLANNER, CELL, together(CAMERA), at(beside))
    assert labels(rest)[:2] == ['to the approach', 'going down'] and rest[0].blend == 0.0


def test_an_arm_beside_all_of_the_moves_is_in_doubt():
    pushed = tuple(angle + 0.3 for angle in between(CAMERA, joints_of(APPROACH), 0.3))
    with pytest.raises(DoubtError, match='not on its path'):
        first_remaining(CELL, together(CAMERA), at(pushed))
