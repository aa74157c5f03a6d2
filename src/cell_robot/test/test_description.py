"""URDF and frames against the kinematics."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from cell_robot.description import arm_frames, cell_frames, fixed_frames, moving_frames, origin_transform, rpy_of, urdf
from cell_robot.motion.kinematics import ARMS, JOINTS, forward_kinematics
from cell_robot.motion.poses import Matrix, rotation_matrix, rpy_to_rotation_vector
from cell_robot.recipe_file import load_recipe

RECIPE = Path(__file__).parents[3] / 'config' / 'recipe.yaml'
STANDS = [
    np.zeros(6),
    np.array([0.0, -1.2, -1.4, -1.3, 1.5, 0.3]),
    *np.random.default_rng(5).uniform(-math.pi, math.pi, (20, 6)),
]
MOVING = ('shoulder_link', 'upper_arm_link', 'forearm_link', 'wrist_1_link', 'wrist_2_link', 'wrist_3_link')


def tree_of(text: str, angles: dict[str, float]) -> dict[str, Matrix]:
    """Return link -> place in base_link, by the text alone."""
    places = {'base_link': np.eye(4)}
    for joint in ElementTree.fromstring(text).iter('joint'):
        origin = joint.find('origin')
        xyz, rpy = ([float(value) for value in origin.get(name).split()] for name in ('xyz', 'rpy'))
        place = np.eye(4)
        place[:3, :3], place[:3, 3] = rotation_matrix(rpy_to_rotation_vector(*rpy)), xyz
        if joint.get('type') == 'revolute':
            assert joint.find('axis').get('xyz') == '0 0 1'
            turn = np.eye(4)
            turn[:3, :3] = rotation_matrix((0.0, 0.0, angles[joint.get('name')]))
            place = place @ turn
        places[joint.find('child').get('link')] = places[joint.find('parent').get('link')] @ place
    return places


@pytest.mark.parametrize('name', sorted(ARMS))
def test_the_urdf_puts_tool0_where_the_kinematics_do(name: str) -> None:
    arm = ARMS[name]
    text = urdf(arm, arm_frames(arm))
    for stand in STANDS:
        places = tree_of(text, dict(zip(JOINTS, stand, strict=True)))
        assert np.abs(np.linalg.inv(places['base']) @ places['tool0'] - forward_kinematics(arm, stand)).max() < 1e-9


def test_base_link_is_half_a_turn_from_the_pendants_base() -> None:
    arm = ARMS['ur5e']
    places = tree_of(urdf(arm, arm_frames(arm)), dict.fromkeys(JOINTS, 0.0))
    assert places['base'] == pytest.approx(origin_transform(rpy=(0.0, 0.0, math.pi)), abs=1e-12)
    assert places['tool0'][0, 3] > 0.0, 'at zero the arm stretches along +x of base_link (REP 103: forward)'


def test_the_text_is_whole_for_rviz() -> None:
    arm = ARMS['ur10e']
    robot = ElementTree.fromstring(urdf(arm, arm_frames(arm)))
    links = [link.get('name') for link in robot.iter('link')]
    children = [joint.find('child').get('link') for joint in robot.iter('joint')]
    assert robot.get('name') == 'ur10e' and len(set(links)) == len(links)
    assert set(links) - set(children) == {'base_link'}, 'one root'
    assert [joint.get('name') for joint in robot.iter('joint') if joint.get('type') == 'revolute'] == list(JOINTS)
    assert {link.get('name') for link in robot.iter('link') if link.find('visual') is not None} >= set(MOVING)


@pytest.mark.parametrize(
    'rpy', [(0.1, 0.2, 0.3), (0.0, math.pi / 2, 0.4), (math.pi / 2, math.pi, math.pi), (0.0, -math.pi / 2, 0.0)]
)
def test_roll_pitch_and_yaw_come_back_as_the_same_turn(rpy: tuple[float, float, float]) -> None:
    place = origin_transform((1.0, 2.0, 3.0), rpy)
    assert origin_transform((1.0, 2.0, 3.0), rpy_of(place)) == pytest.approx(place, abs=1e-12)


def test_frames_are_the_same_tree_as_the_urdf() -> None:
    recipe = load_recipe(RECIPE, reach=False)
    arm = recipe.cell.arm
    tree = [*arm_frames(arm), *cell_frames(recipe)]
    angles = dict(zip(JOINTS, STANDS[1], strict=True))
    wanted = tree_of(urdf(arm, tree), angles)
    found = {'base_link': np.eye(4)}
    frames = {frame.child: frame for frame in (*fixed_frames(tree), *moving_frames(tree, angles))}
    for joint in tree:
        frame = frames.pop(joint.child)
        assert frame.parent == joint.parent and sum(value * value for value in frame.quaternion) == pytest.approx(1.0)
        found[frame.child] = found[frame.parent] @ _matrix(frame)
        assert found[frame.child] == pytest.approx(wanted[frame.child], abs=1e-9)
    assert not frames
    in_base = np.linalg.inv(found['base'])
    assert in_base @ found['tool'] == pytest.approx(recipe.cell.tcp(STANDS[1]), abs=1e-9)
    assert in_base @ found['tray_1'] == pytest.approx(recipe.parts['EM1-2U1'][1].slots[0].pose, abs=1e-9)
    assert {'place', 'reject', 'benchmark', 'tray_2', 'tray_3', 'tray_4'} <= set(found)


def test_only_known_joints_get_frames() -> None:
    tree = arm_frames(ARMS['ur5e'])
    assert moving_frames(tree, {}) == []
    assert [frame.child for frame in moving_frames(tree, {'elbow_joint': 0.1, 'finger': 1.0})] == ['forearm_link']


def _matrix(frame: Any) -> Matrix:
    x, y, z, w = frame.quaternion
    result = np.eye(4)
    result[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    result[:3, 3] = frame.translation
    return result
