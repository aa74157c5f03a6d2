"""Timed waypoints: where they are, how fast, and within what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cell_robot.motion.kinematics import ARMS
from cell_robot.motion.path_check import move_duration
from cell_robot.motion.poses import interpolate, pose_distance
from cell_robot.motion.trajectory import TimedWaypoint, profile_at, time_path
from cell_robot.recipe_file import load_recipe

LIMITS = ARMS['ur5e'].speed
RECIPE = Path(__file__).parents[4] / 'config' / 'recipe.yaml'


def cubic(points: list[TimedWaypoint], start: tuple[float, ...], time: float) -> np.ndarray:
    """Return where a controller that runs cubics between waypoints is."""
    before = TimedWaypoint(0.0, start, (0.0,) * len(start))
    for after in points:
        if time <= after.time:
            break
        before = after
    span = after.time - before.time
    s = (time - before.time) / span
    one, other, slow, fast = (np.array(values) for values in (before.joints, after.joints, before.speeds, after.speeds))
    return (
        (2 * s**3 - 3 * s**2 + 1) * one
        + (s**3 - 2 * s**2 + s) * span * slow
        + (3 * s**2 - 2 * s**3) * other
        + (s**3 - s**2) * span * fast
    )


@pytest.mark.parametrize(('distance', 'speed', 'acceleration'), [(1.0, 1.0, 2.0), (0.05, 1.0, 2.0), (2.0, 0.3, 10.0)])
def test_the_speed_rises_holds_and_falls(distance: float, speed: float, acceleration: float) -> None:
    total = move_duration(distance, speed, acceleration)
    times = np.linspace(0.0, total, 500)
    places, rates = np.array([profile_at(time, distance, speed, acceleration) for time in times]).T
    assert (places[0], rates[0]) == (0.0, 0.0)
    assert (places[-1], rates[-1]) == pytest.approx((distance, 0.0), abs=1e-9)
    assert np.all(np.diff(places) >= 0.0) and rates.max() <= speed + 1e-9
    assert np.diff(places) / np.diff(times) == pytest.approx((rates[1:] + rates[:-1]) / 2.0, abs=0.05 * speed)


def test_a_joint_move_ends_at_rest_and_keeps_to_its_pace() -> None:
    start, end = (0.0,) * 6, (0.5, -1.0, 0.2, 0.0, 0.1, 0.3)
    points = time_path([start, end], 1.0, 1.0, 2.0, LIMITS)
    assert points[-1].joints == pytest.approx(end) and points[-1].speeds == (0.0,) * 6
    assert points[-1].time == pytest.approx(move_duration(1.0, 1.0, 2.0))
    assert np.all(np.diff([point.time for point in points]) > 0.0)
    assert max(abs(speed) for point in points for speed in point.speeds) <= 1.0 + 1e-9
    assert points[0].time > 0.0, 'the first waypoint is where the arm is already, and is left out'


def test_a_joint_that_would_be_too_fast_slows_the_whole_move_down() -> None:
    path = [(0.0,) * 6, (0.0, 0.0, 0.0, 0.0, 0.0, 2.0)]
    fast, slow = time_path(path, 0.1, 1.0, 5.0, (1e3,) * 6), time_path(path, 0.1, 1.0, 5.0, LIMITS)
    assert slow[-1].time > 1.5 * fast[-1].time
    assert max(abs(speed) for point in slow for speed in point.speeds) <= max(LIMITS) + 1e-9


def test_the_tool_stays_on_the_line_between_waypoints_too() -> None:
    recipe = load_recipe(RECIPE, reach=False)
    cell, target = recipe.cell, recipe.parts['EM1-2U1'][1].slots[0]
    start = cell.solve(target.above, recipe.waypoints['camera'])
    begin = cell.tcp(start)
    distance = pose_distance(begin, target.pose)[0]
    points = time_path(cell.linear_move(start, target.pose), distance, 0.25, 0.8, LIMITS)
    for time in np.linspace(0.0, points[-1].time, 200):
        tool = cell.tcp(cubic(points, start, float(time)))
        share = min(1.0, pose_distance(begin, tool)[0] / distance)
        off, turned = pose_distance(interpolate(begin, target.pose, share), tool)
        assert off < 0.0005 and turned < 0.002
