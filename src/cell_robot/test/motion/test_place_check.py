"""Checks of a place when it is taught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cell_robot.motion.link_limits import Box
from cell_robot.motion.place_check import PlaceFinding, check_place
from cell_robot.motion.places import place_joints
from cell_robot.motion.recipe import CellRecipe
from cell_robot.recipe_file import load_recipe

FULL = load_recipe(Path(__file__).parents[4] / 'config' / 'recipe.yaml')
RECIPE = replace(FULL, parts={'EM1-2U1': FULL.parts['EM1-2U1']})


def findings(name: str, recipe: CellRecipe = RECIPE) -> dict[str, PlaceFinding]:
    joints = place_joints(RECIPE, name)
    assert joints is not None
    return {finding.name: finding for finding in check_place(recipe, name, joints)}


@pytest.mark.parametrize('name', ['waypoints.home', 'targets.place', 'parts.EM1-2U1.1', 'parts.EM1-2U1.1.rows'])
def test_a_good_place_has_only_good_findings(name: str) -> None:
    assert all(finding.ok for finding in findings(name).values())


def test_the_camera_is_checked_with_the_way_to_every_target() -> None:
    found = findings('waypoints.camera')
    assert {'limits', 'move between home and camera', 'move to targets.place', 'move to parts.EM1-2U1.4.rows'} <= set(found)


def test_a_target_before_the_camera_is_refused() -> None:
    without = replace(RECIPE, waypoints={'home': RECIPE.waypoints['home']})
    assert not findings('targets.place', without)['moves'].ok
    assert findings('waypoints.home', without)['moves'].ok


def test_a_place_in_an_obstacle_names_it() -> None:
    assert RECIPE.cell.link_limits is not None
    box = Box((0.05, 0.35, 0.0), (0.15, 0.45, 0.3))
    cell = replace(RECIPE.cell, link_limits=replace(RECIPE.cell.link_limits, boxes={'fixture': box}))
    found = findings('targets.place', replace(RECIPE, cell=cell))
    assert not found['limits'].ok and 'fixture' in found['limits'].message
    assert not found['reach and move from the camera'].ok


def test_a_corner_with_another_turn_and_a_place_taken_twice_are_noticed() -> None:
    joints = place_joints(RECIPE, 'parts.EM1-2U1.1.rows')
    assert joints is not None
    turned = (*joints[:5], joints[5] + 0.2)
    found = {finding.name: finding for finding in check_place(RECIPE, 'parts.EM1-2U1.1.rows', turned)}
    assert not found['turn of the tool'].ok and 'as at the first slot' in found['turn of the tool'].message
    home = RECIPE.waypoints['home']
    twice = {finding.name: finding for finding in check_place(RECIPE, 'waypoints.camera', home)}
    assert 'waypoints.home is the same place' in twice['same place'].message


def test_places_that_do_not_exist_have_no_joints() -> None:
    assert place_joints(RECIPE, 'targets.nowhere') is None and place_joints(RECIPE, 'waypoints.moon') is None
