"""Checks of one place of a recipe: limits, reach, and the moves to its neighbors, with the moves that the planner will make.

Pure: no ROS, sockets, files or clock.

A place is checked when it is taught, while the arm still stands there, and not only when the whole recipe is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cell_robot.motion.kinematics import JointVector, max_joint_difference
from cell_robot.motion.path_check import ArmCell, MoveError
from cell_robot.motion.places import COLUMNS, ROWS, place_joints, place_name, target_places
from cell_robot.motion.poses import pose_distance
from cell_robot.motion.recipe import ApproachTarget, CellRecipe

SAME_RAD = math.radians(0.1)
"""Closer joints are most often a place that was taken twice."""
TILT_RAD = math.radians(3.0)
"""Slots have the turn of the first one; a corner of the tray that differs by more was not taught with the same tool."""


@dataclass(frozen=True)
class PlaceFinding:
    """Result of one check of a place."""

    name: str
    ok: bool
    message: str
    """For the integrator, with the remedy when the check failed."""


def check_approach(cell: ArmCell, camera: JointVector, target: ApproachTarget) -> None:
    """Check the move from the camera to a target.

    Raises:
        MoveError: A move is not possible.
    """
    above = cell.solve(target.above, camera)
    cell.joint_move(camera, above)
    cell.linear_move(above, target.pose)


def check_place(recipe: CellRecipe, name: str, joints: JointVector) -> list[PlaceFinding]:
    """Return the findings about one place; the place may be kept when all are ok.

    Args:
        recipe: Recipe with the place in it; others may be missing.
        name: Name of the place.
        joints: Joint angles of the arm that stands there, radians.
    """
    limits = _try('limits', 'joints, workspace and links', lambda: recipe.cell.joint_move(joints, joints))
    kind, _, key = name.partition('.')
    moves = _moves_of_waypoint(recipe, key) if kind == 'waypoints' else _moves_of_target(recipe, name)
    return [limits, *moves, *_check_tray(recipe, name, joints), *_twins(recipe, name, joints)]


def _moves_of_waypoint(recipe: CellRecipe, key: str) -> Iterator[PlaceFinding]:
    """Yield the moves from a waypoint; every target is reached from the camera, so that one has a move to each."""
    cell, camera, home = recipe.cell, recipe.waypoints.get('camera'), recipe.waypoints.get('home')
    if camera is None:
        yield PlaceFinding('moves', True, 'checked when the camera waypoint is taught')
        return
    if home is not None:
        yield _try('move between home and camera', 'free', lambda: cell.joint_move(camera, home))
    if key != 'camera':
        return
    seen: set[bytes] = set()
    for name, target in target_places(recipe):
        if target.pose.tobytes() not in seen:
            seen.add(target.pose.tobytes())
            yield _try(f'move to {name}', 'free', lambda target=target: check_approach(cell, camera, target))  # type: ignore[misc]


def _moves_of_target(recipe: CellRecipe, name: str) -> Iterator[PlaceFinding]:
    """Yield reach and move of a target; the first slot of a tray brings the tray's other corners along."""
    camera = recipe.waypoints.get('camera')
    if camera is None:
        yield PlaceFinding('moves', False, 'Teach the camera waypoint first: every move begins there.')
        return
    for other, target in target_places(recipe):
        if other == name or other in (f'{name}.{COLUMNS}', f'{name}.{ROWS}'):
            label = 'reach and move from the camera' if other == name else f'move to {other}'
            yield _try(label, 'free', lambda target=target: check_approach(recipe.cell, camera, target))  # type: ignore[misc]


def _check_tray(recipe: CellRecipe, name: str, joints: JointVector) -> Iterator[PlaceFinding]:
    """Yield whether a corner of a tray fits to its first slot."""
    first, _, side = name.rpartition('.')
    target = dict(target_places(recipe)).get(first)
    if target is None or side not in (COLUMNS, ROWS):
        return
    corner = recipe.cell.tcp(joints)
    _, turned = pose_distance(target.pose, corner)
    step = float(np.linalg.norm(corner[:3, 3] - target.pose[:3, 3]))
    part_number, tray = first.removeprefix('parts.').rsplit('.', 1)
    slots = recipe.parts[part_number][int(tray)]
    count = (slots.columns if side == COLUMNS else slots.rows) - 1
    yield PlaceFinding(
        'turn of the tool',
        turned <= TILT_RAD,
        f'{math.degrees(turned):.1f} deg from the first slot'
        + ('' if turned <= TILT_RAD else '. Hold the tool as at the first slot; slots have its turn.'),
    )
    yield PlaceFinding('step', step > 0.0, f'{1e3 * step / max(1, count):.1f} mm from slot to slot')


def _twins(recipe: CellRecipe, name: str, joints: JointVector) -> Iterator[PlaceFinding]:
    """Yield a hint when another place has the same joints; two names for one place are allowed."""
    names = [place_name('waypoints', key) for key in recipe.waypoints]
    if 'camera' in recipe.waypoints:
        names += [other for other, _ in target_places(recipe) if other.split('.')[0] == 'targets']
    for other in names:
        try:
            there = place_joints(recipe, other) if other != name else None
        except MoveError:
            continue
        if there is not None and max_joint_difference(there, joints) < SAME_RAD:
            yield PlaceFinding('same place', True, f'Attention: {other} is the same place. Has the arm been moved?')


def _try(name: str, fine: str, move: Callable[[], object]) -> PlaceFinding:
    try:
        move()
    except MoveError as error:
        return PlaceFinding(name, False, str(error))
    return PlaceFinding(name, True, fine)
