"""Kinematics against values of a real controller's model and against themselves."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from cell_robot.motion.kinematics import (
    ARMS,
    forward_kinematics,
    inverse_kinematics,
    max_joint_difference,
    near_singularity,
    nearest_solution,
)
from cell_robot.motion.poses import (
    interpolate,
    matrix_to_pose,
    pose_distance,
    pose_to_matrix,
    rotation_matrix,
    rotation_vector,
    rpy_to_rotation_vector,
)

WIDE = [(-2 * math.pi, 2 * math.pi)] * 6
UR5E = ARMS['ur5e']
BENT = (0.3, -1.6, -1.5, -1.4, 1.5, 0.2)


def draw(rng):
    return tuple(rng.uniform(-math.pi, math.pi) for _ in range(6))


def test_the_ur5e_pose_equals_that_of_its_controller():
    found = matrix_to_pose(forward_kinematics(UR5E, (0, -math.pi / 2, -math.pi / 2, -math.pi / 2, math.pi / 2, 0)))
    assert found == pytest.approx((0.4919, -0.1333, 0.4879, 2.2214, -2.2214, 0.0), abs=5e-5)


@pytest.mark.parametrize(
    ('name', 'reach'),
    [
        ('ur3e', 0.45675),
        ('ur5e', 0.8172),
        ('ur7e', 0.8172),
        ('ur8long', 1.6138),
        ('ur10e', 1.18425),
        ('ur12e', 1.18425),
        ('ur15', 1.1639),
        ('ur16e', 0.8384),
        ('ur18', 0.8139),
        ('ur20', 1.5907),
        ('ur30', 1.1407),
    ],
)
def test_a_stretched_arm_reaches_as_far_as_its_links_are_long(name, reach):
    arm = ARMS[name]
    flange = forward_kinematics(arm, (0.0,) * 6)
    assert flange[:3, 3] == pytest.approx((-reach, -arm.d4 - arm.d6, arm.d1 - arm.d5), abs=1e-9)


@pytest.mark.parametrize('name', ARMS)
def test_every_solution_of_the_inverse_leads_back_to_the_pose(name):
    rng, arm = random.Random(3), ARMS[name]
    for _ in range(300):
        joints = draw(rng)
        flange = forward_kinematics(arm, joints)
        solutions = inverse_kinematics(arm, flange)
        assert min(max_joint_difference(solution, joints) for solution in solutions) < 1e-6
        for solution in solutions:
            assert np.allclose(forward_kinematics(arm, solution), flange, atol=1e-8)


def test_an_ordinary_pose_has_eight_solutions():
    assert len(inverse_kinematics(UR5E, forward_kinematics(UR5E, BENT))) == 8


@pytest.mark.parametrize('position', [(2.0, 0.0, 0.5), (0.0, 0.0, 1.5), (0.05, 0.0, 0.5), (0.0, 0.0, -3.0)])
def test_a_pose_out_of_reach_has_none(position):
    target = pose_to_matrix((*position, math.pi, 0.0, 0.0))
    assert inverse_kinematics(UR5E, target) == []
    assert nearest_solution(UR5E, target, BENT, WIDE) is None


@pytest.mark.parametrize('joints', [(0.3, -1.6, -1.5, -1.4, 0.0, 0.2), (0.3, -1.6, 0.0, -1.4, 1.5, 0.2), (0, -1.6, 0, 0, 0, 0)])
def test_singular_poses_are_solved_too(joints):
    flange = forward_kinematics(UR5E, joints)
    found = nearest_solution(UR5E, flange, joints, WIDE)
    assert found is not None
    assert np.allclose(forward_kinematics(UR5E, found), flange, atol=1e-6)


def test_the_nearest_solution_counts_whole_turns():
    joints = tuple(angle + turn * 2 * math.pi for angle, turn in zip(BENT, (0, 0, 0, 0, 0, 1), strict=True))
    assert nearest_solution(UR5E, forward_kinematics(UR5E, joints), joints, [*WIDE[:5], (-9.0, 9.0)]) == pytest.approx(joints)
    narrow = nearest_solution(UR5E, forward_kinematics(UR5E, joints), joints, [(-math.pi, math.pi)] * 6)
    assert max(map(abs, narrow)) <= math.pi and np.allclose(forward_kinematics(UR5E, narrow), forward_kinematics(UR5E, BENT))


def test_no_solution_remains_when_all_break_the_limits():
    assert nearest_solution(UR5E, forward_kinematics(UR5E, BENT), BENT, [(1.0, 1.1), *WIDE[1:]]) is None


@pytest.mark.parametrize(
    ('joints', 'word'),
    [
        (BENT, ''),
        ((0.3, -1.6, -1.5, -1.4, 0.01, 0.2), 'wrist'),
        ((0.3, -1.6, 0.02, -1.4, 1.5, 0.2), 'elbow'),
        ((0.7, -2.44, 1.5, -1.0, 1.5, 0.4), 'shoulder'),
    ],
)
def test_singularities_are_named(joints, word):
    assert near_singularity(UR5E, joints).startswith(word) and bool(near_singularity(UR5E, joints)) == bool(word)


@pytest.mark.parametrize(
    'vector',
    [
        (0, 0, 0),
        (1e-8, 0, 0),
        (0.1, -0.2, 0.3),
        (math.pi, 0, 0),
        (0, -math.pi + 1e-7, 0),
        (2.2214414690791831, -2.2214414690791831, 0),
        (0, 0, math.pi - 1e-4),
    ],
)
def test_rotation_vectors_survive_a_round_trip(vector):
    assert np.allclose(rotation_matrix(rotation_vector(rotation_matrix(vector))), rotation_matrix(vector), atol=1e-9)
    assert np.linalg.norm(rotation_vector(rotation_matrix(vector))) <= math.pi + 1e-9


def test_random_rotation_vectors_survive_a_round_trip():
    rng = random.Random(5)
    for _ in range(500):
        axis = np.array([rng.gauss(0, 1) for _ in range(3)])
        vector = axis / np.linalg.norm(axis) * rng.uniform(0, math.pi - 1e-3)
        assert rotation_vector(rotation_matrix(vector)) == pytest.approx(tuple(vector), abs=1e-8)


def test_roll_pitch_and_yaw_turn_about_fixed_axes():
    assert np.allclose(rotation_matrix(rpy_to_rotation_vector(0, 0, math.pi / 2)) @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(rotation_matrix(rpy_to_rotation_vector(math.pi / 2, 0, math.pi / 2)) @ [0, 1, 0], [0, 0, 1])
    assert np.allclose(rotation_matrix(rpy_to_rotation_vector(0, math.pi / 2, math.pi / 2)) @ [1, 0, 0], [0, 0, -1])


def test_the_path_between_two_poses_is_straight():
    start, end = pose_to_matrix((0.3, 0.1, 0.2, math.pi, 0, 0)), pose_to_matrix((0.5, 0.1, 0.4, 0, math.pi, 0))
    middle = interpolate(start, end, 0.5)
    assert middle[:3, 3] == pytest.approx((0.4, 0.1, 0.3))
    whole, half = pose_distance(start, end), pose_distance(start, middle)
    assert half == pytest.approx((whole[0] / 2, whole[1] / 2))
    assert np.allclose(interpolate(start, end, 0.0), start) and np.allclose(interpolate(start, end, 1.0), end)
