"""Capsules of the links against workspace, table and boxes, along the whole path."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cell_common.yaml_model import load_yaml
from cell_robot.motion.kinematics import ARMS, link_frames
from cell_robot.motion.link_limits import LINKS, SHARES, Box, LinkLimitError, LinkLimits, link_capsules
from cell_robot.motion.path_check import MoveError
from cell_robot.motion.poses import pose_to_matrix
from cell_robot.recipe_file import RecipeError, load_recipe, parse_recipe

RECIPE_FILE = Path(__file__).parents[4] / 'config' / 'recipe.yaml'
RECIPE = load_recipe(RECIPE_FILE)
UR5E, TOOL = ARMS['ur5e'], RECIPE.cell.tool
HOME, CAMERA = RECIPE.waypoints['home'], RECIPE.waypoints['camera']
WIDE = LinkLimits((-3.0, -3.0, -3.0), (3.0, 3.0, 3.0))


@pytest.mark.parametrize('name', ARMS)
def test_the_capsules_lie_where_the_kinematics_put_the_links(name):
    rng, arm = random.Random(2), ARMS[name]
    tool = pose_to_matrix((0.02, -0.03, 0.15, 0.1, 0.2, 0.3))
    for _ in range(20):
        joints = tuple(rng.uniform(-3.0, 3.0) for _ in range(6))
        frames = [frame[:3, 3] for frame in link_frames(arm, joints)]
        (capsules,) = link_capsules(arm, tool, np.array([joints]), 0.0)
        ends = dict(zip(LINKS, capsules, strict=True))
        assert np.allclose(ends['forearm'], [frames[1], frames[2]]) and np.allclose(ends['wrist 2'], [frames[3], frames[4]])
        assert np.allclose(ends['wrist 3'], [frames[4], frames[5]])
        assert np.allclose(ends['tool'][1], (link_frames(arm, joints)[-1] @ tool)[:3, 3])


def test_the_elbow_is_kept_in_the_workspace_where_the_tool_alone_would_stay_in_it():
    elbow = link_frames(UR5E, HOME)[1][2, 3]
    limits = LinkLimits((-3.0, -3.0, -3.0), (3.0, 3.0, elbow))
    with pytest.raises(LinkLimitError, match=r'the (upper arm|elbow|forearm) leaves the workspace'):
        limits.check(UR5E, TOOL, [HOME])
    LinkLimits((-3.0, -3.0, -3.0), (3.0, 3.0, elbow + 0.1)).check(UR5E, TOOL, [HOME])


def test_a_wrist_below_the_table_is_found_although_the_tool_is_above():
    folded = (0.0, -0.2, 0.5, -1.9, 1.57, 0.0)
    lowest = link_capsules(UR5E, TOOL, np.array([folded]))[0, :, :, 2].min()
    with pytest.raises(LinkLimitError, match='below the table'):
        replace(WIDE, table=float(lowest)).check(UR5E, TOOL, [folded])
    replace(WIDE, table=float(lowest) - 0.06).check(UR5E, TOOL, [folded])


def test_a_thin_post_between_two_free_postures_is_hit():
    """Both ends are free, and so are the postures of a coarse sampling."""
    start, end = (0.0, *CAMERA[1:]), (1.0, *CAMERA[1:])
    middle = link_frames(UR5E, (0.5, *CAMERA[1:]))[5][:3, 3]
    post = Box((middle[0] - 0.002, middle[1] - 0.002, -1.0), (middle[0] + 0.002, middle[1] + 0.002, 1.0))
    limits = replace(WIDE, boxes={'post': post})
    limits.check(UR5E, TOOL, [start])
    limits.check(UR5E, TOOL, [end])
    with pytest.raises(LinkLimitError, match='hits post'):
        limits.check(UR5E, TOOL, [start, end])


def test_a_box_beside_the_way_is_no_obstacle():
    limits = replace(WIDE, boxes={'camera': Box((1.2, 1.2, 0.0), (1.3, 1.3, 1.0))})
    limits.check(UR5E, TOOL, [HOME, CAMERA])


@pytest.mark.parametrize('seed', range(5))
def test_no_link_is_nearer_to_a_box_than_its_radius_when_the_check_passes(seed):
    rng, box = random.Random(seed), Box((0.3, -0.2, 0.2), (0.5, 0.1, 0.6))
    limits, found = replace(WIDE, boxes={'box': box}), {True: 0, False: 0}
    for _ in range(60):
        joints = tuple(rng.uniform(-2.5, 2.5) for _ in range(6))
        ends = link_capsules(UR5E, TOOL, np.array([joints]))[0]
        shares = np.linspace(0.0, 1.0, 400)[:, None, None]
        points = ends[:, 0] + shares * (ends[:, 1] - ends[:, 0])
        outside = np.maximum(np.maximum(np.array(box.low) - points, points - np.array(box.high)), 0.0)
        radii = UR5E.radius * np.array([*SHARES, 30 / 55])
        distance = np.linalg.norm(outside, axis=-1).min(axis=0) - radii
        try:
            limits.check(UR5E, TOOL, [joints])
            assert distance.min() >= -1e-6
            found[True] += 1
        except LinkLimitError:
            assert distance.min() < 0.012, 'a free posture is refused'
            found[False] += 1
    assert found[True] and found[False]


def test_the_recipe_gives_the_limits_of_the_links_and_a_camera_in_the_path_is_found_at_the_start():
    data = load_yaml(RECIPE_FILE).data
    data['parts'] = {'EM1-2U1': data['parts']['EM1-2U1']}
    data |= {'table': -20, 'obstacles': {'lamp': {'low': [600, 600, 0], 'high': [700, 700, 800]}}}
    limits = parse_recipe(data).cell.link_limits
    assert limits.table == -0.02 and limits.boxes['lamp'].high == pytest.approx((0.7, 0.7, 0.8))
    data['obstacles']['lamp'] = {'low': [80, 300, 150], 'high': [120, 500, 400]}
    with pytest.raises(RecipeError, match='hits lamp'):
        parse_recipe(data)
    data['obstacles']['lamp'] = {'low': [80, 300, 150], 'high': [70, 500, 400]}
    with pytest.raises(RecipeError, match='obstacles: lamp'):
        parse_recipe(data)


def test_a_move_of_the_cell_is_checked_with_all_links():
    cell = replace(RECIPE.cell, link_limits=replace(WIDE, boxes={'post': Box((0.0, 0.0, 0.5), (0.2, 0.2, 2.0))}))
    with pytest.raises(MoveError, match='hits post'):
        cell.joint_move(HOME, CAMERA)
