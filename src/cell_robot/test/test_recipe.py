"""The recipe of waypoints: units, checks, and what is told when it cannot work."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import yaml
from cell_robot.motion.kinematics import ARMS, forward
from cell_robot.motion.path_check import Bounds, Cell, MoveError, deadline, seconds
from cell_robot.motion.poses import matrix
from cell_robot.motion.poses import pose as pose_of
from cell_robot.motion.recipe_file import RecipeError, load_recipe, parse_recipe

EXAMPLE = Path(__file__).parents[3] / 'config' / 'recipe.yaml'
HOME = tuple(math.radians(angle) for angle in (0, -100, -90, -80, 90, 0))


@pytest.fixture(scope='module')
def example():
    return yaml.safe_load(EXAMPLE.read_text())


@pytest.fixture
def data(example):
    """A recipe with one part in one tray."""
    result = copy.deepcopy(example)
    result['parts'] = {'EM1-2U1': {1: result['parts']['EM1-2U1'][1]}}
    return result


def cell(**bounds):
    return Cell(ARMS['ur5e'], matrix((0, 0, 0.15, 0, 0, 0)), Bounds((-1, -1, 0), (1, 1, 1), **bounds))


def test_the_shipped_recipe_is_good_and_covers_the_shipped_catalogue():
    recipe = load_recipe(EXAMPLE)
    catalogue = yaml.safe_load((EXAMPLE.parent / 'parts.yaml').read_text())
    assert set(recipe.parts) == {part['part_number'] for part in catalogue['parts']}
    assert all(set(trays) == {1, 2, 3, 4} for trays in recipe.parts.values())


def test_units_are_turned_into_metres_and_radians(data):
    recipe = parse_recipe(data)
    assert recipe.waypoints['home'] == pytest.approx(HOME)
    assert recipe.speeds.linear == pytest.approx(0.25) and recipe.speeds.joint == pytest.approx(math.radians(60))
    place = recipe.targets['place']
    assert pose_of(place.pose) == pytest.approx((0.1, 0.4, 0.1, math.pi, 0, 0))
    assert place.above[2, 3] == pytest.approx(0.2)
    assert recipe.cell.bounds.low == pytest.approx((-0.75, -0.75, 0.005))


def test_the_same_recipe_in_other_units_is_the_same(data):
    other = copy.deepcopy(data)
    other['units'] = {'length': 'm', 'angle': 'deg', 'rotation': 'rotation_vector'}

    def metres(values):
        return [value / 1000 for value in values[:3]] + values[3:]

    other['tool'].update(tcp=metres(other['tool']['tcp']), center_of_gravity=metres(other['tool']['center_of_gravity']))
    for key in ('linear', 'linear_acceleration', 'approach'):
        other['speeds'][key] /= 1000
    other['workspace'] = {key: metres(value) for key, value in other['workspace'].items()}
    tray = other['parts']['EM1-2U1'][1]
    for target in (*other['targets'].values(), tray):
        target.update(pose=metres(target['pose']), approach=target['approach'] / 1000)
    for side in ('rows', 'columns'):
        tray[side]['step'] = metres(tray[side]['step'])
    first, second = parse_recipe(data), parse_recipe(other)
    assert first.speeds.approach == pytest.approx(second.speeds.approach)
    for one, two in zip(first.parts['EM1-2U1'][1].slots, second.parts['EM1-2U1'][1].slots, strict=True):
        assert pose_of(one.pose) == pytest.approx(pose_of(two.pose))


def test_slots_are_counted_along_the_columns_then_the_rows(data):
    tray = parse_recipe(data).parts['EM1-2U1'][1]
    assert len(tray.slots) == 24
    assert [round(1000 * slot.pose[0, 3]) for slot in tray.slots[:3]] == [-480, -455, -430]
    assert [round(1000 * tray.slots[number].pose[1, 3]) for number in (0, 6, 12)] == [-420, -385, -350]
    assert tray.corners == (0, 5, 18, 23)


@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        (('robot',), 'kr6', 'robot: it is .kr6.'),
        (('units', 'length'), 'inch', 'units: write'),
        (('units',), None, 'units'),
        (('tool', 'payload'), -1, 'tool.payload'),
        (('tool', 'payload'), True, 'tool.payload'),
        (('tool', 'tcp'), [1, 2], 'list of 6'),
        (('tool', 'extra'), 1, 'unknown key "extra"'),
        (('speeds', 'linear'), 1500, 'speeds.linear'),
        (('speeds', 'joint'), float('nan'), 'speeds.joint'),
        (('workspace', 'low'), [800, 0, 0], 'workspace'),
        (('joint_limits',), [[0, 1]], 'six pairs'),
        (('joint_limits',), [[10, -10]] * 6, 'lowest'),
        (('gripper', 'close_output'), 18, 'gripper.close_output'),
        (('gripper', 'open_output'), 0, 'must differ'),
        (('waypoints', 'home'), None, 'waypoints.home'),
        (('waypoints', 'away'), [0] * 6, 'unknown key "away"'),
        (('targets', 'place'), [1], 'targets.place'),
        (('parts', 'EM1-2U1'), {5: {}}, 'parts.EM1-2U1'),
        (('parts', 'EM1-2U1', 1, 'rows'), {'count': 0, 'step': [0, 0, 0]}, 'rows: write'),
        (('speed',), 1, 'unknown key "speed"'),
    ],
)
def test_what_is_wrong_is_named_with_its_place(data, path, value, words):
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(RecipeError, match=words):
        parse_recipe(data)


@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        (('targets', 'place', 'pose'), [900, 0, 100, 180, 0, 0], 'targets.place.*out of reach'),
        (('targets', 'place', 'pose'), [100, 400, -20, 180, 0, 0], 'targets.place.*outside the workspace'),
        (('targets', 'reject', 'approach'), 900, 'targets.reject'),
        (('waypoints', 'camera'), [-30, -95, -85, -90, 90, 400], 'joint 6 at 400.0 deg'),
        (('waypoints', 'home'), [0, -170, 0, 0, 90, 0], 'waypoints.home.*outside the workspace'),
        (('parts', 'EM1-2U1', 1, 'columns'), {'count': 20, 'step': [-40, 0, 0]}, 'EM1-2U1.1 slot 20'),
    ],
)
def test_what_the_arm_cannot_do_is_found_before_it_moves(data, path, value, words):
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(RecipeError, match=words):
        parse_recipe(data)


@pytest.mark.parametrize('text', ['', '[]', 'robot: [', 'hello'])
def test_a_file_that_is_no_recipe_is_refused(tmp_path, text):
    path = tmp_path / 'recipe.yaml'
    path.write_text(text)
    with pytest.raises(RecipeError, match='recipe'):
        load_recipe(path)
    with pytest.raises(RecipeError, match='recipe_file'):
        load_recipe(tmp_path / 'none.yaml')


def test_a_straight_way_keeps_the_tool_on_the_line():
    here = cell()
    start = here.tcp(HOME)
    end = start.copy()
    end[:3, 3] += (-0.1, 0.05, -0.15)
    way = here.line(HOME, end)
    assert way[0] == HOME and len(way) > 15
    assert here.tcp(way[-1])[:3, 3] == pytest.approx(end[:3, 3])
    for number, joints in enumerate(way):
        share = number / (len(way) - 1)
        assert here.tcp(joints)[:3, 3] == pytest.approx((1 - share) * start[:3, 3] + share * end[:3, 3], abs=1e-9)


def test_a_straight_way_out_of_the_box_is_refused():
    here = cell()
    end = here.tcp(HOME)
    end[2, 3] = -0.05
    with pytest.raises(MoveError, match='outside the workspace'):
        here.line(HOME, end)


def test_a_straight_way_through_the_middle_of_the_robot_is_refused():
    here = cell()
    end = here.tcp(HOME)
    end[0, 3] *= -1
    with pytest.raises(MoveError):
        here.line(HOME, end)


def test_a_swing_beyond_a_joint_limit_or_the_box_is_refused():
    narrow = cell(joints=((-1.0, 1.0), *[(-7.0, 7.0)] * 5))
    narrow.swing(HOME, (0.9, *HOME[1:]))
    with pytest.raises(MoveError, match='joint 1'):
        narrow.swing(HOME, (1.2, *HOME[1:]))
    with pytest.raises(MoveError, match='outside the workspace'):
        narrow.swing(HOME, (0.0, -3.3, *HOME[2:]))


def test_the_solution_that_moves_the_big_joints_least_is_taken():
    here = cell()
    target = here.tcp(HOME)
    assert here.solve(target, HOME) == pytest.approx(HOME)
    assert forward(here.arm, here.solve(target, (2.0, -1, 1, 0, 1, 0))) == pytest.approx(forward(here.arm, HOME))


def test_times_of_short_and_long_moves():
    assert seconds(0.0, 0.25, 0.5) == 0.0
    assert seconds(0.02, 0.25, 0.5) == pytest.approx(0.4), 'it never gets to full speed'
    assert seconds(1.0, 0.25, 0.5) == pytest.approx(4.5)
    assert seconds(-1.0, 0.25, 0.5) == pytest.approx(4.5)
    assert deadline(1.0, 0.25, 0.5) == pytest.approx(4.5 * 1.5 + 2.0)
    assert deadline(1.0, 0.25, 0.5, scaling=0.5) > 14
