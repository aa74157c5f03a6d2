"""Places of a recipe file, and its text after one was taught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cell_robot.motion.poses import pose_to_matrix, rotation_matrix, rotation_to_rpy, rpy_to_rotation_vector
from cell_robot.recipe_file import RecipeError, load_recipe, parse_recipe
from cell_robot.recipe_model import trays_by_number
from cell_robot.teaching.new_recipe import NewRecipe, recipe_text
from cell_robot.teaching.recipe_text import PlaceKind, RecipeText
from yaml import safe_load

CONFIG = (Path(__file__).parents[4] / 'config' / 'recipe.yaml').read_text()
NEW = recipe_text(NewRecipe(parts=('A-1', '0104', "it's"), trays=2, rows=2, columns=3))
JOINTS = (0.1, -1.5, -1.6, -1.4, 1.5, 0.25)
TOOL = pose_to_matrix([0.1, 0.2, 0.3, 3.1, 0.2, 0.0])


def teach(text: RecipeText, name: str, tool: np.ndarray = TOOL) -> RecipeText:
    place = text.place(name)
    assert place is not None
    return text.changed(place, JOINTS, tool)


def test_a_new_recipe_has_every_place_once_and_none_is_taught() -> None:
    names = [place.name for place in RecipeText(NEW).places()]
    assert names[:5] == ['waypoints.home', 'waypoints.camera', 'targets.place', 'targets.reject', 'targets.benchmark']
    assert names[5:8] == ['parts.A-1.1', 'parts.A-1.1.columns', 'parts.A-1.1.rows'] and len(names) == 11
    assert not any(place.taught for place in RecipeText(NEW).places())
    assert RecipeText(NEW).place("parts.it's.2.rows") == RecipeText(NEW).place('parts.A-1.2.rows')


def test_a_recipe_with_untaught_places_is_refused_unless_it_is_being_taught() -> None:
    with pytest.raises(RecipeError, match=r'targets\.place is not taught yet'):
        parse_recipe(safe_load(NEW))
    assert 'parts.0104.2.columns' in parse_recipe(safe_load(NEW), partial=True).untaught


@pytest.mark.parametrize('name', ['waypoints.home', 'targets.reject', 'parts.EM1-2U1.2'])
def test_only_the_value_changes_and_comments_and_aliases_stay(name: str) -> None:
    before, after = RecipeText(CONFIG), teach(RecipeText(CONFIG), name)
    changed = [(one, two) for one, two in zip(CONFIG.splitlines(), after.text.splitlines(), strict=True) if one != two]
    assert len(changed) == 1 and changed[0][1].partition('#')[2] == changed[0][0].partition('#')[2]
    assert '*trays' in after.text
    same = [place.name for place in before.places() if place == after.place(place.name)]
    assert len(same) == len(before.places()) - 1


def test_values_have_the_units_of_the_file() -> None:
    assert teach(RecipeText(CONFIG), 'waypoints.home').model.waypoints.home == pytest.approx(np.degrees(JOINTS), abs=1e-3)
    pose = teach(RecipeText(CONFIG), 'targets.place').model.targets.place.pose
    assert pose is not None and pose[:3] == [100, 200, 300]
    in_meters = CONFIG.replace('length: mm', 'length: m').replace('rotation: rpy', 'rotation: rotation_vector')
    text = RecipeText(_in_meters(in_meters))
    assert teach(text, 'targets.place').model.targets.place.pose == pytest.approx(
        [0.1, 0.2, 0.3, *np.degrees([3.1, 0.2, 0])], abs=1e-3
    )


def _in_meters(text: str) -> str:
    """Lengths that are checked against limits, written in meters."""
    values = {'linear: 1000': 'linear: 1', 'acceleration: 800': 'acceleration: 0.8', 'approach: 100': 'approach: 0.1'}
    for old, new in {**values, 'approach: 80': 'approach: 0.08'}.items():
        text = text.replace(old, new)
    return text


def test_a_pose_comes_back_as_the_same_turn() -> None:
    for turn in ([3.1, 0.2, 0.0], [0.0, 1.5707963, 0.0], [0.4, -0.3, 2.0]):
        matrix = rotation_matrix(turn)
        again = rotation_matrix(rpy_to_rotation_vector(*rotation_to_rpy(matrix)))
        assert np.allclose(matrix, again, atol=1e-6)


def test_the_step_of_a_tray_follows_from_its_corner() -> None:
    text = teach(RecipeText(NEW), 'parts.A-1.1')
    corner = TOOL.copy()
    corner[:3, 3] += (0.05, 0.002, 0.0)
    tray = trays_by_number(teach(text, 'parts.A-1.1.columns', corner).model.parts['0104'])[1]
    assert tray.columns is not None and tray.columns.step == [25, 1, 0]
    with pytest.raises(ValueError, match='Teach the first slot before'):
        teach(RecipeText(NEW), 'parts.A-1.1.columns')
    with pytest.raises(ValueError, match='stands at the first slot'):
        teach(text, 'parts.A-1.1.rows', TOOL)


BLOCK_LIST = 'home:' + ''.join(f'\n    - {number}' for number in range(6)) + '  # last'


@pytest.mark.parametrize('written', ['home:', 'home: null', 'home: ~', 'home: [0, -100, -90, -80, 90, 0]', BLOCK_LIST])
def test_every_way_to_write_a_value_is_replaced(written: str) -> None:
    text = NEW.replace('home: null', written)
    after = teach(RecipeText(text), 'waypoints.home')
    assert after.place('waypoints.home').taught and after.model.waypoints.camera is None  # type: ignore[union-attr]
    assert after.text.count('camera: null') == 1


def test_kinds_are_those_of_the_message() -> None:
    assert [int(kind) for kind in PlaceKind] == [0, 1, 2]


def test_a_whole_recipe_is_taught_from_nothing(tmp_path: Path) -> None:
    truth = parse_recipe(safe_load(CONFIG))
    text = RecipeText(recipe_text(NewRecipe(parts=('EM1-2U1',), trays=1, rows=4, columns=6)))
    from cell_robot.motion.places import place_joints

    while open_places := [place for place in text.places() if not place.taught]:
        joints = place_joints(truth, open_places[0].name)
        assert joints is not None
        text = text.changed(open_places[0], joints, truth.cell.tcp(joints))
    file = tmp_path / 'recipe.yaml'
    file.write_text(text.text)
    taught = load_recipe(file)
    assert taught.untaught == () and replace(taught, untaught=()) is not None
    one, two = taught.parts['EM1-2U1'][1].slots, truth.parts['EM1-2U1'][1].slots
    assert all(np.allclose(first.pose, second.pose, atol=1e-4) for first, second in zip(one, two, strict=True))
