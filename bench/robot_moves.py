#!/usr/bin/env python3
"""Check of moves before the arm starts: 50 joint moves and 50 straight ones with all links, table and boxes.

    . ./env.sh && python bench/robot_moves.py [--boxes 10]

Prints median, 95th percentile and longest time in milliseconds. The limit is 20 ms a move; the exit code is 1 above it.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cell_robot.motion import MoveError
from cell_robot.motion.link_limits import Box
from cell_robot.recipe_file import load_recipe

RECIPE = Path(__file__).resolve().parent.parent / 'config' / 'recipe.yaml'
LIMIT_MS = 20.0
MOVES = 50


def measure(move: Callable[[], object]) -> float:
    """Return the milliseconds of one check, whatever it finds."""
    began = time.perf_counter()
    with contextlib.suppress(MoveError):
        move()
    return 1e3 * (time.perf_counter() - began)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--boxes', type=int, default=10, help='boxes in the room')
    boxes = parser.parse_args().boxes
    recipe, draw = load_recipe(RECIPE), random.Random(1)
    assert recipe.cell.link_limits is not None
    fixtures = {f'box {number}': Box((2.0 + number, 2.0, 0.0), (2.5 + number, 2.5, 1.0)) for number in range(boxes)}
    cell = replace(recipe.cell, link_limits=replace(recipe.cell.link_limits, table=-0.05, boxes=fixtures))
    camera = recipe.waypoints['camera']
    slots = [slot for tray in recipe.parts['EM1-2U1'].values() for slot in tray.slots]
    worst = 0.0
    joint, straight = [], []
    for slot in draw.sample(slots, MOVES):
        above = cell.solve(slot.above, camera)
        joint.append(measure(lambda above=above: cell.joint_move(camera, above)))  # type: ignore[misc]
        straight.append(measure(lambda above=above, slot=slot: cell.linear_move(above, slot.pose)))  # type: ignore[misc]
    for name, times in (('joint moves', joint), ('straight moves', straight)):
        times.sort()
        worst = max(worst, times[-1])
        print(
            f'{name}: median {statistics.median(times):.1f} ms, 95 % {times[int(0.95 * MOVES)]:.1f} ms, max {times[-1]:.1f} ms'
        )
    return int(worst > LIMIT_MS)


if __name__ == '__main__':
    sys.exit(main())
