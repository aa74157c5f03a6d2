"""Timing of moves with rounded corners."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from cell_robot.motion.path_check import move_duration
from cell_robot.motion.timed_path import PathMove, TimedPath

STEP_S = 0.002
Point = tuple[float, ...]


def straight(
    start: tuple[float, ...], end: tuple[float, ...], speed: float, acceleration: float, blend: float = 0.0
) -> PathMove:
    """A move of a flat machine whose joints are its coordinates, so that every length is in meters."""
    one, two = np.array(start), np.array(end)
    length = float(np.linalg.norm(two - one))
    return PathMove(lambda share: tuple(one + share * (two - one)), length, speed, acceleration, blend)


def tool(joints: tuple[float, ...]) -> np.ndarray:
    return np.array(joints)[:3]


def corner(blend: float, second_speed: float = 0.08) -> TimedPath:
    first = straight((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.5, 1.0, blend)
    return TimedPath([first, straight((1.0, 0.0, 0.0), (1.0, 0.0, -0.1), second_speed, 0.8)], tool)


def samples(path: TimedPath) -> np.ndarray:
    return np.array([path.joints(number * STEP_S) for number in range(math.ceil(path.duration / STEP_S) + 1)])


def test_without_a_rounded_corner_each_move_keeps_its_own_time() -> None:
    path = corner(0.0)
    assert path.duration == pytest.approx(move_duration(1.0, 0.5, 1.0) + move_duration(0.1, 0.08, 0.8), abs=1e-6)
    assert path.joints(move_duration(1.0, 0.5, 1.0)) == pytest.approx((1.0, 0.0, 0.0), abs=1e-6), 'the arm is at the corner'


@pytest.mark.parametrize('blend', [0.01, 0.03, 0.05])
def test_a_rounded_corner_saves_time_and_stays_in_its_sphere(blend: float) -> None:
    path, places = corner(blend), samples(corner(blend))
    assert path.duration < corner(0.0).duration - 0.1
    assert np.allclose(places[0], (0, 0, 0)) and np.allclose(places[-1], (1, 0, -0.1), atol=1e-6)
    off = np.minimum(np.abs(places[:, 2]), np.abs(places[:, 0] - 1.0))
    beside = places[off > 1e-6]
    assert len(beside) and np.linalg.norm(beside - (1.0, 0.0, 0.0), axis=1).max() <= blend + 1e-4


@pytest.mark.parametrize('blend', [0.0, 0.02, 0.05])
def test_speed_has_no_jumps_and_keeps_the_limits_of_each_move(blend: float) -> None:
    speeds = np.linalg.norm(np.diff(samples(corner(blend)), axis=0), axis=1) / STEP_S
    assert speeds.max() <= 0.5 + 1e-3
    assert np.abs(np.diff(speeds)).max() <= 1.0 * STEP_S * 3.0, 'no acceleration far above that of the moves'
    low = samples(corner(blend))[1:, 2] < -blend - 0.005
    assert speeds[low].max() <= 0.08 + 1e-3


def test_a_radius_longer_than_its_moves_rounds_all_of_them() -> None:
    path = corner(5.0)
    assert np.allclose(samples(path)[-1], (1, 0, -0.1), atol=1e-6) and path.duration > 0.0


def test_many_moves_in_a_row_are_one_path() -> None:
    points = [(0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.3, 0.3, 0.0), (0.3, 0.3, 0.3)]
    pairs = [*itertools.pairwise(points)]
    path = TimedPath([straight(*pair, 0.4, 1.0, 0.05) for pair in pairs], tool)
    stops = TimedPath([straight(*pair, 0.4, 1.0) for pair in pairs], tool)
    assert path.duration < stops.duration - 0.4
    assert path.joints(path.duration + 1.0) == pytest.approx(points[-1])
    assert path.joints(-1.0) == pytest.approx(points[0])
