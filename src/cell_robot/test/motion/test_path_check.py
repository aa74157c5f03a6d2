"""Checks of moves."""

from __future__ import annotations

import math

import pytest
from cell_robot.motion.kinematics import ARMS, forward_kinematics
from cell_robot.motion.path_check import ArmCell, MoveError, WorkspaceLimits, move_deadline, move_duration
from cell_robot.motion.poses import pose_to_matrix

HOME = tuple(math.radians(angle) for angle in (0, -100, -90, -80, 90, 0))


def cell(**bounds):
    return ArmCell(ARMS['ur5e'], pose_to_matrix((0, 0, 0.15, 0, 0, 0)), WorkspaceLimits((-1, -1, 0), (1, 1, 1), **bounds))


def test_a_straight_way_keeps_the_tool_on_the_line():
    here = cell()
    start = here.tcp(HOME)
    end = start.copy()
    end[:3, 3] += (-0.1, 0.05, -0.15)
    path = here.linear_move(HOME, end)
    assert path[0] == HOME and len(path) > 15
    assert here.tcp(path[-1])[:3, 3] == pytest.approx(end[:3, 3])
    for number, joints in enumerate(path):
        share = number / (len(path) - 1)
        assert here.tcp(joints)[:3, 3] == pytest.approx((1 - share) * start[:3, 3] + share * end[:3, 3], abs=1e-9)


def test_a_straight_way_out_of_the_box_is_refused():
    here = cell()
    end = here.tcp(HOME)
    end[2, 3] = -0.05
    with pytest.raises(MoveError, match='outside the workspace'):
        here.linear_move(HOME, end)


def test_a_straight_way_through_the_middle_of_the_robot_is_refused():
    here = cell()
    end = here.tcp(HOME)
    end[0, 3] *= -1
    with pytest.raises(MoveError):
        here.linear_move(HOME, end)


def test_a_swing_beyond_a_joint_limit_or_the_box_is_refused():
    narrow = cell(joints=((-1.0, 1.0), *[(-7.0, 7.0)] * 5))
    narrow.joint_move(HOME, (0.9, *HOME[1:]))
    with pytest.raises(MoveError, match='joint 1'):
        narrow.joint_move(HOME, (1.2, *HOME[1:]))
    with pytest.raises(MoveError, match='outside the workspace'):
        narrow.joint_move(HOME, (0.0, -3.3, *HOME[2:]))


def test_the_solution_that_moves_the_big_joints_least_is_taken():
    here = cell()
    target = here.tcp(HOME)
    assert here.solve(target, HOME) == pytest.approx(HOME)
    assert forward_kinematics(here.arm, here.solve(target, (2.0, -1, 1, 0, 1, 0))) == pytest.approx(
        forward_kinematics(here.arm, HOME)
    )


def test_times_of_short_and_long_moves():
    assert move_duration(0.0, 0.25, 0.5) == 0.0
    assert move_duration(0.02, 0.25, 0.5) == pytest.approx(0.4), 'it never gets to full speed'
    assert move_duration(1.0, 0.25, 0.5) == pytest.approx(4.5)
    assert move_duration(-1.0, 0.25, 0.5) == pytest.approx(4.5)
    assert move_deadline(1.0, 0.25, 0.5) == pytest.approx(4.5 * 1.5 + 2.0)
    assert move_deadline(1.0, 0.25, 0.5, scaling=0.5) > 14
