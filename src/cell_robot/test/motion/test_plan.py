"""Plans of events: which slot, which way, and what is refused before anything moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cell_robot.motion.plan import (
    ArmPosition,
    GripperContent,
    GripStep,
    MoveStep,
    PlanError,
    Planner,
    ReachError,
    UnknownEventError,
)
from cell_robot.motion.poses import matrix_to_pose
from cell_robot.recipe_file import load_recipe

RECIPE = load_recipe(Path(__file__).parents[4] / 'config' / 'recipe.yaml')
HOME, CAMERA = RECIPE.waypoints['home'], RECIPE.waypoints['camera']
PART = 'PART_EM1-2U1'
FULL = {('EM1-2U1', 1): 24}


@pytest.fixture(scope='module')
def planner():
    return Planner(RECIPE)


def plan(planner, event, *, tray=0, stand=HOME, piece=GripperContent.NONE, stock=FULL):
    return planner.plan(event, tray, ArmPosition(stand), piece, stock)


def labels(steps):
    return [step.label if isinstance(step, MoveStep) else ('close' if step.closed else 'open') for step in steps]


def lowest(steps):
    return next(step.pose[:3] for step in steps if isinstance(step, MoveStep) and step.label == 'going down')


def test_a_pick_goes_by_the_camera_down_and_back_to_the_camera(planner):
    steps = plan(planner, PART, tray=1)
    assert labels(steps) == ['to the camera', 'to the approach', 'going down', 'close', 'going up', 'to the camera']
    assert lowest(steps) == pytest.approx((-0.48, -0.42, 0.04))
    assert steps[-1].joints == CAMERA
    slow = [step for step in steps if isinstance(step, MoveStep) and step.pose is not None]
    assert all(step.speed == RECIPE.speeds.approach for step in slow)


def test_the_slot_after_an_empty_one_is_planned_as_long_as_there_is_one(planner):
    (first,) = [lowest(plan(planner, PART, tray=1))]
    steps = planner.plan_next_slot(PART, 1, ArmPosition(CAMERA), FULL)
    assert lowest(steps) == pytest.approx((first[0] + 0.025, first[1], first[2]))
    assert planner.plan_next_slot(PART, 1, ArmPosition(CAMERA), {('EM1-2U1', 1): 1}) is None
    assert planner.plan_next_slot(PART, 1, ArmPosition(CAMERA), {}) is None


def test_a_gripper_left_closed_is_opened_before_it_goes_down_to_a_piece(planner):
    steps = planner.plan(PART, 1, ArmPosition(HOME), GripperContent.NONE, FULL, closed=True)
    assert labels(steps) == ['to the camera', 'to the approach', 'open', 'going down', 'close', 'going up', 'to the camera']


@pytest.mark.parametrize('event', ['PLACE', 'REJECT', 'HOME'])
def test_a_closed_gripper_is_not_opened_on_the_way_to_anything_else(planner, event):
    piece = GripperContent.NONE if event == 'HOME' else GripperContent.HELD
    assert planner.plan(event, 0, ArmPosition(CAMERA), piece, FULL, closed=True) == plan(
        planner, event, stand=CAMERA, piece=piece
    )


def test_from_the_camera_there_is_no_way_to_the_camera(planner):
    assert labels(plan(planner, PART, tray=1, stand=CAMERA))[0] == 'to the approach'


@pytest.mark.parametrize(('left', 'slot'), [(24, 0), (23, 1), (19, 5), (18, 6), (1, 23)])
def test_the_slot_follows_from_what_the_ledger_says_is_left(planner, left, slot):
    steps = plan(planner, PART, tray=1, stock={('EM1-2U1', 1): left})
    row, column = divmod(slot, 6)
    assert lowest(steps) == pytest.approx((-0.48 + 0.025 * column, -0.42 + 0.035 * row, 0.04))


def test_without_a_tray_the_first_one_with_pieces_is_taken(planner):
    steps = plan(planner, PART, stock={('EM1-2U1', 1): 0, ('EM1-2U1', 2): 3, ('EM1-2U1', 3): 9})
    assert lowest(steps) == pytest.approx((-0.31 + 0.025 * 3, -0.42 + 0.035 * 3, 0.04))


@pytest.mark.parametrize(
    ('stock', 'tray', 'said'),
    [
        ({('EM1-2U1', 1): 0}, 1, 'empty by the ledger'),
        ({}, 1, 'not known yet'),
        ({('EM1-2U1', 1): 25}, 1, 'has 24 slots'),
        ({('EM1-2U1', 1): 0}, 0, 'No tray holds'),
    ],
)
def test_a_tray_that_cannot_serve_is_refused(planner, stock, tray, said):
    with pytest.raises(PlanError, match=said):
        plan(planner, PART, tray=tray, stock=stock)


@pytest.mark.parametrize('event', ['PART_NONE', 'DANCE', 'MOVE_moon'])
def test_what_the_recipe_does_not_know_is_an_unknown_event(planner, event):
    with pytest.raises(UnknownEventError):
        plan(planner, event, tray=1)


@pytest.mark.parametrize(
    ('event', 'piece', 'said'),
    [
        (PART, GripperContent.HELD, 'The gripper holds a piece'),
        ('BENCHMARK', GripperContent.BENCHMARK, 'the benchmark part'),
        ('PLACE', GripperContent.NONE, 'holds nothing'),
        ('REJECT', GripperContent.NONE, 'holds nothing'),
    ],
)
def test_a_gripper_in_the_wrong_state_is_refused(planner, event, piece, said):
    with pytest.raises(PlanError, match=said):
        plan(planner, event, tray=1, piece=piece)


@pytest.mark.parametrize(('event', 'place'), [('PLACE', (0.1, 0.4, 0.1)), ('REJECT', (-0.15, 0.4, 0.1))])
def test_a_piece_is_put_down_and_the_arm_comes_back(planner, event, place):
    steps = plan(planner, event, stand=CAMERA, piece=GripperContent.HELD)
    assert labels(steps) == ['to the approach', 'going down', 'open', 'going up', 'to the camera']
    assert lowest(steps) == pytest.approx(place)


def test_home_lays_the_benchmark_part_back_first(planner):
    steps = plan(planner, 'HOME', stand=CAMERA, piece=GripperContent.BENCHMARK)
    assert lowest(steps) == pytest.approx((0.25, 0.35, 0.06))
    assert steps[-1].joints == HOME and GripStep(False, 0.3, False, steps[2].missing) in steps
    assert labels(plan(planner, 'HOME', stand=CAMERA)) == ['to home']
    assert plan(planner, 'HOME') == [] and plan(planner, 'START_PROGRAM') == []


def test_a_tool_inside_a_tray_goes_straight_up_first(planner):
    steps = plan(planner, PART, tray=1)
    inside = next(step.joints for step in steps if isinstance(step, MoveStep) and step.label == 'going down')
    first = plan(planner, 'HOME', stand=inside)[0]
    assert first.label == 'retracting'
    assert first.pose[:3] == pytest.approx((-0.48, -0.42, 0.12))
    assert planner.retract(ArmPosition(HOME)) == [] and planner.retract(ArmPosition(first.joints)) == []


def test_a_stand_outside_the_bounds_is_out_of_reach(planner):
    with pytest.raises(ReachError, match='by hand'):
        plan(planner, 'HOME', stand=(3.6, *CAMERA[1:]))


@pytest.mark.parametrize('name', ['home', 'camera', 'above_place', 'above_reject', 'above_benchmark'])
def test_named_poses_are_reached_by_the_camera(planner, name):
    assert name in planner.named_poses
    steps = plan(planner, f'MOVE_{name}', stand=HOME)
    assert all(isinstance(step, MoveStep) and step.pose is None for step in steps)
    if name.startswith('above_'):
        target = RECIPE.targets[name.removeprefix('above_')]
        assert np.allclose(RECIPE.cell.tcp(steps[-1].joints), target.above, atol=1e-6)


def test_every_move_has_a_deadline_longer_than_it_takes(planner):
    for step in plan(planner, PART, tray=1):
        assert isinstance(step, GripStep) or step.seconds > 2.0


def test_a_calibrated_arm_retracts_straight_from_the_pose_that_its_controller_reports(planner):
    down = next(step for step in plan(planner, PART, tray=1) if isinstance(step, MoveStep) and step.label == 'going down')
    reported = RECIPE.cell.tcp(down.joints)
    reported[:3, 3] += (0.003, -0.002, 0.001)
    up = planner.retract(ArmPosition(down.joints, reported))[0]
    assert up.pose[:2] == pytest.approx(reported[:2, 3], abs=1e-9) and up.pose[3:] == pytest.approx(
        matrix_to_pose(reported)[3:]
    )
    assert planner.retract(ArmPosition(down.joints))[0].pose[:2] == pytest.approx((-0.48, -0.42))


def test_the_tool_is_not_faster_on_a_joint_move_than_the_recipe_allows():
    slow = replace(RECIPE, speeds=replace(RECIPE.speeds, linear=0.1))
    steps = [step for step in plan(Planner(slow), PART, tray=1) if isinstance(step, MoveStep) and step.pose is None]
    start = HOME
    for step in steps:
        if step.label == 'to the approach':
            start = CAMERA
        travel = RECIPE.cell.tool_travel(start, step.joints)
        assert step.speed <= 0.1 / travel + 1e-9
        start = step.joints
    assert all(step.speed < RECIPE.speeds.joint for step in steps)
    assert RECIPE.cell.tool_travel(HOME, HOME) == 0.0
