"""Approaches along the tool's axis, straight retreats, and rounded corners."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cell_robot.motion.approach import Retraction, solve_target
from cell_robot.motion.path_check import ArmCell, MoveError
from cell_robot.motion.plan import ArmPosition, GripperContent, MoveStep, Planner
from cell_robot.motion.plan_steps import moves_together
from cell_robot.motion.poses import rotation_matrix
from cell_robot.motion.recipe import ApproachTarget
from cell_robot.recipe_file import load_recipe

RECIPE = load_recipe(Path(__file__).parents[4] / 'config' / 'recipe.yaml')
CAMERA = RECIPE.waypoints['camera']
PLACE = RECIPE.targets['place']


def leaning(degrees: float) -> ApproachTarget:
    pose = PLACE.pose.copy()
    pose[:3, :3] = rotation_matrix([np.radians(degrees), 0.0, 0.0]) @ pose[:3, :3]
    return replace(PLACE, pose=pose, along_tool=True)


def test_a_leaning_target_is_approached_along_the_tool() -> None:
    target = leaning(25.0)
    line = target.pose[:3, 3] - target.above[:3, 3]
    assert np.allclose(line / np.linalg.norm(line), target.pose[:3, 2]), 'the tool points the way it moves'
    assert np.linalg.norm(line) == pytest.approx(target.approach)
    assert np.allclose(replace(target, along_tool=False).above[:2, 3], target.pose[:2, 3])


def test_the_plan_of_a_leaning_target_goes_in_and_out_along_the_tool() -> None:
    planner = Planner(replace(RECIPE, targets={**RECIPE.targets, 'place': leaning(25.0)}))
    steps = planner.plan('PLACE', 0, ArmPosition(CAMERA), GripperContent.HELD, {})
    lines = [step for step in steps if isinstance(step, MoveStep) and step.pose is not None]
    down, up = (np.array(step.pose[:3]) for step in lines if step.pose is not None)
    assert np.allclose((up - down) / np.linalg.norm(up - down), -leaning(25.0).pose[:3, 2])


def test_an_arm_inside_a_leaning_target_leaves_along_the_tool() -> None:
    target = leaning(30.0)
    retraction = Retraction([target])
    inside = target.pose.copy()
    inside[:3, 3] += 0.03 * target.axis
    end = retraction.end(inside)
    assert end is not None and np.allclose(end[:3, 3], target.above[:3, 3], atol=1e-9)
    beside = inside.copy()
    beside[0, 3] += 0.2
    assert retraction.end(beside) is None and retraction.end(target.above) is None
    assert Retraction([]).end(inside) is None


def test_a_corner_is_rounded_as_far_as_the_approach_allows() -> None:
    assert solve_target(RECIPE.cell, CAMERA, PLACE, 0.03).blend == 0.03
    assert solve_target(RECIPE.cell, CAMERA, PLACE, 0.5).blend == pytest.approx(0.7 * PLACE.approach)
    assert solve_target(RECIPE.cell, CAMERA, PLACE, 0.0).blend == 0.0


def test_a_corner_whose_shortcut_hits_something_is_not_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_cell: ArmCell, _path: object) -> None:
        raise MoveError('a pin is in the way')

    monkeypatch.setattr(ArmCell, 'check_path', refuse)
    solved = solve_target(RECIPE.cell, CAMERA, PLACE, 0.07)
    assert solved.blend == 0.0 and len(solved.above) == 6


def test_only_moves_with_a_rounded_corner_between_them_are_executed_together() -> None:
    steps = Planner(RECIPE).plan('PLACE', 0, ArmPosition(CAMERA), GripperContent.HELD, {})
    assert [len(moves_together(steps, index)) for index in range(len(steps))] == [2, 1, 1, 2, 1]
    assert len(moves_together(Planner(RECIPE).plan('HOME', 0, ArmPosition(CAMERA), GripperContent.NONE, {}), 0)) == 1
    plain = replace(RECIPE, speeds=replace(RECIPE.speeds, blend=0.0))
    stops = Planner(plain).plan('PLACE', 0, ArmPosition(CAMERA), GripperContent.HELD, {})
    assert [len(moves_together(stops, index)) for index in range(len(stops))] == [1, 1, 1, 1, 1]
