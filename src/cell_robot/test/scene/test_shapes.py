from pathlib import Path as FilePath

import pytest
from cell_robot.recipe_file import load_recipe
from cell_robot.scene.shapes import AMBER, GRAY, GREEN, RED, Path, ShownJob, ShownTray, scene_shapes

RECIPE = FilePath(__file__).parents[4] / 'config' / 'recipe.yaml'
PART, OTHER = 'EM1-2U1', 'G5LE-14'


@pytest.fixture(scope='module')
def recipe():
    return load_recipe(str(RECIPE), reach=False)


def by_name(shapes):
    return {(shape.group, shape.number): shape for shape in shapes}


def test_each_tray_place_is_drawn_once_with_its_count_and_color(recipe):
    stock = {(PART, 1): ShownTray(24, 24, 2), (PART, 2): ShownTray(3, 24, 1), (PART, 3): ShownTray(0, 24, 0)}
    shapes = by_name(scene_shapes(recipe, stock, ShownJob(PART, 5, 2)))
    assert [shapes['trays', number].color[:3] for number in range(4)] == [color[:3] for color in (GREEN, AMBER, RED, GRAY)]
    assert len(shapes['pieces', 0].points) == 24 and len(shapes['pieces', 1].points) == 3
    assert ('pieces', 2) not in shapes and ('pieces', 3) not in shapes
    assert shapes['labels', 1].text == f'tray 2\n{PART}\n3 of 24'
    assert shapes['labels', 3].text.endswith('?')
    assert {'placed: 5', 'rejected: 2'} <= {shape.text for shape in shapes.values()}


def test_pieces_lie_in_the_slots_that_are_emptied_last(recipe):
    shapes = by_name(scene_shapes(recipe, {(PART, 1): ShownTray(1, 24, 1)}, ShownJob(PART)))
    last = recipe.parts[PART][1].slots[-1].pose[:3, 3]
    assert shapes['pieces', 0].points[0] == pytest.approx(tuple(last))


def test_the_plate_covers_all_slots(recipe):
    plate = by_name(scene_shapes(recipe, {}, ShownJob()))['trays', 0]
    for slot in recipe.parts[PART][1].slots:
        for axis in range(2):
            assert abs(slot.pose[axis, 3] - plate.position[axis]) < plate.size[axis] / 2


def test_a_place_without_job_shows_the_part_of_which_it_holds_most(recipe):
    stock = {(PART, 1): ShownTray(2, 24, 1), (OTHER, 1): ShownTray(9, 24, 2)}
    assert OTHER in by_name(scene_shapes(recipe, stock, ShownJob()))['labels', 0].text
    assert PART in by_name(scene_shapes(recipe, stock, ShownJob(PART)))['labels', 0].text
    assert OTHER in by_name(scene_shapes(recipe, stock, ShownJob('unknown')))['labels', 0].text


def test_more_pieces_than_slots_fill_the_slots_only(recipe):
    shapes = by_name(scene_shapes(recipe, {(PART, 1): ShownTray(99, 24, 2)}, ShownJob(PART)))
    assert len(shapes['pieces', 0].points) == 24
    assert '99 of 24' in shapes['labels', 0].text


def test_the_path_has_a_point_every_few_millimeters_and_forgets_the_oldest():
    path = Path()
    assert path.add((0.0, 0.0, 0.0)) and not path.add((0.001, 0.0, 0.0)) and path.shape() is None
    for step in range(1, 2000):
        assert path.add((0.01 * step, 0.0, 0.0))
    shape = path.shape()
    assert len(shape.points) == 500 and shape.points[-1] == pytest.approx((19.99, 0.0, 0.0))
