"""Whether joints and tool pose of one package describe the arm of the recipe."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from cell_robot.motion.agreement import disagreement, flange_disagreement, model_mismatch
from cell_robot.motion.kinematics import ARMS, forward_kinematics
from cell_robot.motion.path_check import ArmCell, WorkspaceLimits
from cell_robot.motion.poses import matrix_to_pose, pose_to_matrix

TOOL = (0.0, 0.0, 0.15, 0.0, 0.0, 0.0)
JOINTS = (0.3, -1.4, -1.5, -1.6, 1.4, 0.2)
CELL = ArmCell(ARMS['ur5e'], pose_to_matrix(TOOL), WorkspaceLimits((-1, -1, -1), (1, 1, 1)))


def reported(arm='ur5e', tool=TOOL, moved=(0.0,) * 6):
    flange = forward_kinematics(ARMS[arm], JOINTS)
    return matrix_to_pose(flange @ pose_to_matrix(tool) @ pose_to_matrix(moved))


def test_the_same_arm_agrees_up_to_a_calibration():
    assert disagreement(CELL, JOINTS, reported()) == ''
    assert disagreement(CELL, JOINTS, reported(moved=(0.006, -0.004, 0.005, 0.02, 0.0, 0.0))) == ''


@pytest.mark.parametrize('moved', [(0.011, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, math.radians(2.1)), (math.nan, 0, 0, 0, 0, 0)])
def test_ten_millimeters_or_two_degrees_are_too_much(moved):
    assert disagreement(CELL, JOINTS, reported(moved=moved)) != ''


@pytest.mark.parametrize('arm', ['ur3e', 'ur10e', 'ur16e'])
def test_another_model_is_named(arm):
    assert arm in disagreement(CELL, JOINTS, reported(arm)) and 'ur5e' in disagreement(CELL, JOINTS, reported(arm))
    assert arm in flange_disagreement(CELL, JOINTS, reported(arm), TOOL)


def test_another_tool_is_distinguished_from_another_model():
    other = (0.0, 0.0, 0.25, 0.0, 0.0, 0.0)
    text = disagreement(CELL, JOINTS, reported(tool=other), other)
    assert 'tool center point' in text and '100 mm' in text
    assert flange_disagreement(CELL, JOINTS, reported(tool=other), other) == ''


@pytest.mark.parametrize('reply', ['UR7', 'UR7e', 'UR5', 'ur5e', ' UR5 ', 'URx', ''])
def test_a_model_that_fits_or_is_unknown_is_no_mismatch(reply):
    assert model_mismatch(ARMS['ur5e'], reply) == ''


@pytest.mark.parametrize('reply', ['UR3', 'UR10', 'UR16e', 'UR20', 'UR8 Long', 'UR8_LONG', 'UR15'])
def test_a_reported_model_that_differs_is_a_mismatch(reply):
    assert reply in model_mismatch(ARMS['ur5e'], reply)
    assert model_mismatch(replace(ARMS['ur5e'], name='twin'), 'UR5') == ''
    assert np.isfinite(CELL.tcp(JOINTS)).all()
