"""Recipe files: units, errors, and reach."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import pytest
import yaml
from cell_robot.motion.kinematics import ARMS
from cell_robot.motion.path_check import ArmCell, WorkspaceLimits
from cell_robot.motion.poses import matrix_to_pose as pose_of
from cell_robot.motion.poses import pose_to_matrix
from cell_robot.recipe_file import RecipeError, load_recipe, parse_recipe

EXAMPLE = Path(__file__).parents[3] / 'config' / 'recipe.yaml'
HOME = tuple(math.radians(angle) for angle in (0, -100, -90, -80, 90, 0))

VACUUM = {
    'kind': 'vacuum',
    'vacuum_output': 0,
    'vacuum_analog': 0,
    'threshold': 6.0,
    'close_time': 0.5,
    'open_time': 0.3,
}


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
    return ArmCell(ARMS['ur5e'], pose_to_matrix((0, 0, 0.15, 0, 0, 0)), WorkspaceLimits((-1, -1, 0), (1, 1, 1), **bounds))


def test_the_shipped_recipe_is_good_and_covers_the_shipped_catalogue():
    recipe = load_recipe(EXAMPLE)
    catalogue = yaml.safe_load((EXAMPLE.parent / 'parts.yaml').read_text())
    assert set(recipe.parts) == {part['part_number'] for part in catalogue['parts']}
    assert all(set(trays) == {1, 2, 3, 4} for trays in recipe.parts.values())


def test_units_are_converted_to_meters_and_radians(data):
    recipe = parse_recipe(data)
    assert recipe.waypoints['home'] == pytest.approx(HOME)
    assert recipe.speeds.linear == pytest.approx(1.0) and recipe.speeds.joint == pytest.approx(math.radians(60))
    place = recipe.targets['place']
    assert pose_of(place.pose) == pytest.approx((0.1, 0.4, 0.1, math.pi, 0, 0))
    assert place.above[2, 3] == pytest.approx(0.2)
    assert recipe.cell.limits.low == pytest.approx((-0.75, -0.75, 0.005))


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
        (('robot',), 'kr6', "robot must be 'ur3e'"),
        (('units', 'length'), 'inch', "units: length must be 'mm' or 'm'"),
        (('units',), None, 'units'),
        (('tool', 'payload'), -1, 'tool: payload must'),
        (('tool', 'payload'), True, 'tool: payload must'),
        (('tool', 'tcp'), [1, 2], 'tool: tcp must have at least 6 entries'),
        (('tool', 'extra'), 1, 'unknown key "extra"'),
        (('speeds', 'linear'), 1500, 'speeds: linear is 1500; write a number from'),
        (('speeds', 'joint'), float('nan'), 'speeds: joint must be a finite number'),
        (('workspace', 'low'), [800, 0, 0], 'workspace'),
        (('joint_limits',), [[0, 1]], 'joint_limits must have at least 6 entries'),
        (('joint_limits',), [[10, -10]] * 6, 'lowest'),
        (('gripper', 'close_output'), 18, 'gripper: close_output must be 0-7'),
        (('gripper', 'open_output'), 0, 'must differ'),
        (('gripper', 'close_output'), None, 'gripper: write close_output'),
        (('gripper', 'vacuum_output'), 1, 'vacuum_output is no key of a digital gripper'),
        (('gripper',), {'kind': 'vacuum', 'close_time': 1, 'open_time': 1}, 'gripper: write vacuum_output'),
        (('gripper',), {**VACUUM, 'vacuum_input': 0}, 'vacuum_input or vacuum_analog, not both'),
        (('gripper',), {**VACUUM, 'vacuum_analog': 2}, 'gripper: vacuum_analog'),
        (('gripper',), {**VACUUM, 'blow_output': 0}, 'must differ'),
        (('gripper',), {'kind': 'robotiq', 'force': 300, 'close_time': 1, 'open_time': 1}, 'gripper: force'),
        (('gripper',), {'kind': 'magnet', 'close_time': 1, 'open_time': 1}, "gripper: kind must be 'digital'"),
        (('waypoints', 'home'), None, 'waypoints.home is not taught'),
        (('waypoints', 'away'), [0] * 6, 'unknown key "away"'),
        (('targets', 'place'), [1], 'targets: place is not a mapping'),
        (('parts', 'EM1-2U1', 256), None, 'parts: EM1-2U1: 256 is no tray: trays have the numbers 1 to 255'),
        (('parts', 'EM1-2U1', '01'), None, 'parts: EM1-2U1: 01 is no tray'),
        (('parts', 'EM1-2U1', 1, 'rows'), {'count': 0, 'step': [0, 0, 0]}, 'parts: EM1-2U1: 1: rows: count must be 1 or more'),
        (('speed',), 1, 'unknown key "speed"'),
    ],
)
def test_an_error_names_its_key_and_the_remedy(data, path, value, words):
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(RecipeError, match=words):
        parse_recipe(data)


@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        (('targets', 'place', 'pose'), [900, 0, 100, 180, 0, 0], 'targets: place: .*out of reach'),
        (('targets', 'place', 'pose'), [100, 400, -20, 180, 0, 0], 'targets: place: .*outside the workspace'),
        (('targets', 'reject', 'approach'), 900, 'targets: reject: '),
        (('waypoints', 'camera'), [-30, -95, -85, -90, 90, 400], 'joint 6 at 400.0 deg'),
        (('waypoints', 'home'), [0, -170, 0, 0, 90, 0], 'waypoints: home: .*outside the workspace'),
        (('parts', 'EM1-2U1', 1, 'columns'), {'count': 20, 'step': [-40, 0, 0]}, 'EM1-2U1: 1: slot 20'),
    ],
)
def test_an_unreachable_target_is_found_before_the_arm_moves(data, path, value, words):
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


def test_all_errors_are_reported_together_with_their_lines(tmp_path):
    text = EXAMPLE.read_text().replace('payload: 1.2', 'payload: heavy').replace('joint: 60', 'joint: 400')
    text = text.replace('camera: [-30,', 'camera: [none,')
    path = tmp_path / 'recipe.yaml'
    path.write_text(text)
    lines = {
        key: number
        for number, line in enumerate(text.splitlines(), 1)
        for key in ['payload', 'speeds', 'camera']
        if key + ':' in line
    }
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    message = str(caught.value)
    assert f'line {lines["payload"]}: tool: payload must be a number' in message
    assert f'line {lines["speeds"]}: speeds: joint is 400; write a number from 0.0573 to 180' in message
    assert f'line {lines["camera"]}: waypoints: camera 1 must be a number' in message


def test_an_unreachable_target_is_reported_with_its_line(tmp_path):
    text = EXAMPLE.read_text().replace('place: {pose: [100,', 'place: {pose: [2000,')
    path = tmp_path / 'recipe.yaml'
    path.write_text(text)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if 'place: {' in line)
    with pytest.raises(RecipeError, match=f'line {line}: targets: place: .*out of reach'):
        load_recipe(path)


def test_a_vacuum_gripper_needs_its_valve_and_blow_off_only(data):
    data['gripper'] = {**VACUUM, 'blow_output': 9, 'blow_time': 0.2, 'leak_time': 0.05}
    gripper = parse_recipe(data, reach=False).gripper
    assert gripper.outputs == (0, 9) and gripper.part_input is None
    assert (gripper.vacuum.threshold, gripper.vacuum.analog_input, gripper.vacuum.leak_time) == (6.0, 0, 0.05)


def test_a_robotiq_gripper_needs_no_output_of_the_controller(data):
    data['gripper'] = {'kind': 'robotiq', 'force': 30, 'close_time': 1.0, 'open_time': 1.0}
    gripper = parse_recipe(data, reach=False).gripper
    assert gripper.outputs == () and gripper.close_output is None and gripper.robotiq.force == 30
