"""Where the gripper closes and opens decides what happens to a piece."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cell_robot.motion import CellRecipe, GripperSettings, Matrix
from cell_robot.recipe_file import load_recipe
from cell_sim.world.gripper import GRIP_M, SimulatedGripper, is_closed
from cell_sim.world.parts import TrayMix
from cell_sim.world.world import ViewPhase, World

PART, OTHER = 'EM1-2U1', 'G8NB-17SR'
STILL = (0.0,) * 6
ON, OFF = 1, 0


@pytest.fixture(scope='module')
def recipe() -> CellRecipe:
    return load_recipe(Path(__file__).resolve().parents[4] / 'config' / 'recipe.yaml')


class Bench:
    """An arm that a test puts anywhere."""

    def __init__(self, recipe: CellRecipe) -> None:
        self.events: list[str] = []
        self.world = World(TrayMix((PART, OTHER)), self._note)
        self.world.fill([(PART, 1, 2), (OTHER, 1, 2)])
        self.world.presented_part = PART
        self.recipe, self.gripper = recipe, SimulatedGripper(recipe, self.world)

    def _note(self, event: str, **_facts: Any) -> None:
        self.events.append(event)

    def at(self, pose: Matrix, output: int, aside: float = 0.0) -> bool:
        place = pose.copy()
        place[0, 3] += aside
        joints = self.recipe.cell.solve(place, self.recipe.waypoints['camera'])
        return self.gripper.update(joints, STILL, output)

    def slot(self, number: int = 0) -> Matrix:
        return self.recipe.parts[PART][1].slots[number].pose


@pytest.fixture
def bench(recipe: CellRecipe) -> Bench:
    return Bench(recipe)


def test_closing_at_a_slot_takes_a_piece_of_the_part_whose_trays_stand_there(bench: Bench) -> None:
    assert bench.at(bench.slot(3), ON)
    assert bench.world.held is not None and bench.world.held.serial == f'{PART}/1/1'
    assert (bench.world.count(PART, 1), bench.world.count(OTHER, 1)) == (1, 2)


def test_a_shared_slot_without_a_tray_is_empty(bench: Bench) -> None:
    bench.world.presented_part = ''
    assert not bench.at(bench.slot(), ON)


@pytest.mark.parametrize(('aside', 'held'), [(0.9 * GRIP_M, True), (1.5 * GRIP_M, False)])
def test_the_gripper_must_be_near_enough(bench: Bench, aside: float, held: bool) -> None:
    assert bench.at(bench.slot(), ON, aside) is held


def test_an_empty_tray_gives_nothing(bench: Bench) -> None:
    bench.world.change_tray(PART, 1, -2)
    assert not bench.at(bench.slot(), ON)


@pytest.mark.parametrize(('target', 'event'), [('place', 'placed'), ('reject', 'rejected'), ('benchmark', 'dropped')])
def test_where_it_opens_is_where_the_piece_is(bench: Bench, target: str, event: str) -> None:
    bench.at(bench.slot(), ON)
    assert not bench.at(bench.recipe.targets[target].pose, OFF)
    assert bench.events[-1] == event


def test_a_piece_that_is_let_go_above_its_place_has_fallen(bench: Bench) -> None:
    bench.at(bench.slot(), ON)
    bench.at(bench.recipe.targets['place'].above, OFF)
    assert (bench.events[-1], bench.world.placed) == ('dropped', [])


def test_the_known_good_piece_comes_from_its_nest_and_goes_back(bench: Bench) -> None:
    assert bench.at(bench.recipe.targets['benchmark'].pose, ON)
    assert not bench.at(bench.recipe.targets['benchmark'].pose, OFF)
    assert not bench.world.dropped


def test_the_camera_sees_what_stands_before_it_and_not_what_moves(bench: Bench) -> None:
    camera = bench.recipe.waypoints['camera']
    bench.at(bench.slot(), ON)
    assert bench.world.view(0.0).phase is ViewPhase.AWAY
    bench.gripper.update(camera, (0.5, *STILL[1:]), ON)
    assert bench.world.view(0.0).phase is ViewPhase.MOVING
    bench.gripper.update(camera, STILL, ON)
    assert bench.world.view(0.0).phase is ViewPhase.STILL
    assert bench.events[-1] == 'held_up'
    bench.gripper.update(tuple(np.add(camera, 0.1)), STILL, ON)
    assert bench.world.view(0.0).phase is ViewPhase.MOVING


def test_of_two_outputs_the_one_that_went_on_last_counts(recipe: CellRecipe) -> None:
    gripper: GripperSettings = replace(recipe.gripper, close_output=0, open_output=1)
    assert is_closed(gripper, 0b00, 0b01, closed=False)
    assert is_closed(gripper, 0b01, 0b00, closed=True), 'without power on either it stays as it is'
    assert not is_closed(gripper, 0b00, 0b10, closed=True)
