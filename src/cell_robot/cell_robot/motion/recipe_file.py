"""Read a recipe file and check it as a whole: every problem is reported at once, with the place it is in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import yaml

from cell_robot.motion.kinematics import ARMS, JointVector
from cell_robot.motion.path_check import FULL_TURN, Bounds, Cell, MoveError
from cell_robot.motion.poses import Matrix, from_rpy, matrix, pose
from cell_robot.motion.recipe import TARGETS, WAYPOINTS, Gripper, Recipe, Speeds, Target, TrayTargets

LENGTHS = {'m': 1.0, 'mm': 0.001}
ANGLES = {'rad': 1.0, 'deg': math.pi / 180.0}
ROTATIONS = ('rotation_vector', 'rpy')
TRAYS = (1, 2, 3, 4)
JOINT_SPEED, LINEAR_SPEED, LINEAR_ACCELERATION, JOINT_ACCELERATION = math.pi, 1.0, 5.0, 10.0
"""The most that a recipe may ask for; the client library allows more, a cell beside people should not."""
MISSING = object()


class RecipeError(ValueError):
    """The recipe cannot be used; the text lists every problem and where it is."""


def load_recipe(path: str | Path, *, reach: bool = True) -> Recipe:
    """Read and check a recipe file.

    Args:
        path: The file.
        reach: Whether the arm must be able to do it all; that check takes a moment.

    Raises:
        RecipeError: The file cannot be read, or something in it is wrong, out of reach or out of bounds.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as problem:
        raise RecipeError(f'cannot read the recipe {path}: {problem.strerror}. Check parameter recipe_file.') from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise RecipeError(f'the recipe {path} is not YAML: {problem}') from problem
    try:
        return parse_recipe(data, reach=reach)
    except RecipeError as problem:
        raise RecipeError(f'the recipe {path} has problems:\n{problem}') from problem


def parse_recipe(data: Any, *, reach: bool = True) -> Recipe:
    """Make a recipe of parsed YAML and, with `reach`, check that the arm can do what it says.

    Raises:
        RecipeError: Lists every problem.
    """
    if not isinstance(data, Mapping):
        raise RecipeError('  - it must hold robot, units, tool, speeds, workspace, gripper, waypoints, targets and parts')
    reader = _Reader(data)
    recipe = reader.recipe()
    if reach and not reader.problems:
        reader.problems += reach_problems(recipe)
    if reader.problems:
        raise RecipeError('\n'.join(f'  - {problem}' for problem in reader.problems))
    return recipe


def reach_problems(recipe: Recipe) -> list[str]:
    """Say which waypoints and targets the arm cannot reach within the bounds, by which way."""
    problems: list[str] = []
    cell, camera = recipe.cell, recipe.waypoints['camera']

    def attempt(where: str, move: Callable[[], object]) -> None:
        try:
            move()
        except MoveError as problem:
            problems.append(f'{where}: {problem}')

    for name, joints in recipe.waypoints.items():
        attempt(f'waypoints.{name}', lambda joints=joints: cell.check(joints))  # type: ignore[misc]
    if problems:
        return problems
    attempt('the way from camera to home', lambda: cell.swing(camera, recipe.waypoints['home']))
    for where, target in _every_target(recipe):
        attempt(where, lambda target=target: _come_down(cell, camera, target))  # type: ignore[misc]
    return problems


def _every_target(recipe: Recipe) -> list[tuple[str, Target]]:
    """Targets and the corners of trays; a place that several parts share comes once."""
    result = [(f'targets.{name}', target) for name, target in recipe.targets.items()]
    for part_number, trays in recipe.parts.items():
        for tray, slots in trays.items():
            result += [(f'parts.{part_number}.{tray} slot {index + 1}', slots.slots[index]) for index in slots.corners]
    first = {(*pose(target.pose), target.approach): (where, target) for where, target in reversed(result)}
    return list(reversed(first.values()))


def _come_down(cell: Cell, camera: JointVector, target: Target) -> None:
    above = cell.solve(target.above, camera)
    cell.swing(camera, above)
    cell.line(above, target.pose)


class _Reader:
    """Takes the parsed file apart and collects what is wrong with it; what is wrong reads as something harmless."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self._data = data
        units = self._mapping(data, 'units')
        self._length = LENGTHS.get(str(units.get('length')), 0.0)
        self._angle = ANGLES.get(str(units.get('angle')), 0.0)
        self._rotation = units.get('rotation')
        if not self._length or not self._angle or self._rotation not in ROTATIONS:
            self.problems.append('units: write {length: mm or m, angle: deg or rad, rotation: rotation_vector or rpy}')

    def recipe(self) -> Recipe:
        known = {'robot', 'units', 'tool', 'speeds', 'workspace', 'joint_limits', 'gripper', 'waypoints', 'targets', 'parts'}
        self._unknown('', self._data, known)
        tool = self._mapping(self._data, 'tool')
        self._unknown('tool', tool, {'tcp', 'payload', 'center_of_gravity'})
        return Recipe(
            cell=self._cell(tool),
            payload=self._number('tool', tool, 'payload', 0.0, 30.0),
            center_of_gravity=self._vector('tool.center_of_gravity', tool.get('center_of_gravity')),
            speeds=self._speeds(),
            gripper=self._gripper(),
            waypoints=self._waypoints(),
            targets=self._targets(),
            parts=self._parts(),
        )

    def _cell(self, tool: Mapping[str, Any]) -> Cell:
        name = self._data.get('robot')
        if name not in ARMS:
            self.problems.append(f'robot: it is {name!r}; write one of {", ".join(ARMS)}')
        space = self._mapping(self._data, 'workspace')
        self._unknown('workspace', space, {'low', 'high'})
        low, high = (self._vector(f'workspace.{corner}', space.get(corner)) for corner in ('low', 'high'))
        if not all(one < other for one, other in zip(low, high, strict=True)):
            self.problems.append('workspace: each number of low must be less than that of high')
        bounds = Bounds(low, high, self._limits())
        return Cell(ARMS.get(str(name), ARMS['ur5e']), self._pose('tool.tcp', tool.get('tcp')), bounds)

    def _limits(self) -> tuple[tuple[float, float], ...]:
        given = self._data.get('joint_limits')
        if given is None:
            return (FULL_TURN,) * 6
        if not isinstance(given, list) or len(given) != 6:
            self.problems.append('joint_limits: write six pairs [lowest, highest]')
            return (FULL_TURN,) * 6
        pairs = [self._numbers(f'joint_limits {number}', pair, 2) for number, pair in enumerate(given, 1)]
        if any(not FULL_TURN[0] - 1e-6 <= low * self._angle < high * self._angle <= FULL_TURN[1] + 1e-6 for low, high in pairs):
            self.problems.append('joint_limits: lowest must be less than highest, both within one turn either way')
        return tuple((low * self._angle, high * self._angle) for low, high in pairs)

    def _speeds(self) -> Speeds:
        given = self._mapping(self._data, 'speeds')
        self._unknown('speeds', given, {'joint', 'joint_acceleration', 'linear', 'linear_acceleration', 'approach'})
        turn, way = self._angle or 1.0, self._length or 1.0

        def speed(key: str, unit: float, most: float) -> float:
            return self._number('speeds', given, key, 1e-3 / unit, most / unit * 1.000001) * unit

        return Speeds(
            speed('joint', turn, JOINT_SPEED),
            speed('joint_acceleration', turn, JOINT_ACCELERATION),
            speed('linear', way, LINEAR_SPEED),
            speed('linear_acceleration', way, LINEAR_ACCELERATION),
            speed('approach', way, LINEAR_SPEED),
        )

    def _gripper(self) -> Gripper:
        given = self._mapping(self._data, 'gripper')
        self._unknown('gripper', given, {'close_output', 'open_output', 'part_input', 'close_time', 'open_time'})
        close, opening = self._pin(given, 'close_output'), self._pin(given, 'open_output', None)
        if close is not None and close == opening:
            self.problems.append('gripper: close_output and open_output must differ')
        times = [self._number('gripper', given, key, 0.0, 10.0) for key in ('close_time', 'open_time')]
        return Gripper(close or 0, opening, self._pin(given, 'part_input', None), *times)

    def _waypoints(self) -> dict[str, JointVector]:
        given = self._mapping(self._data, 'waypoints')
        self._unknown('waypoints', given, set(WAYPOINTS))
        return {
            name: tuple(angle * self._angle for angle in self._numbers(f'waypoints.{name}', given.get(name), 6))
            for name in WAYPOINTS
        }

    def _targets(self) -> dict[str, Target]:
        given = self._mapping(self._data, 'targets')
        self._unknown('targets', given, set(TARGETS))
        return {name: self._target(f'targets.{name}', given.get(name), set()) for name in TARGETS}

    def _target(self, where: str, given: Any, more: set[str]) -> Target:
        if not isinstance(given, Mapping):
            self.problems.append(f'{where}: write {{pose: [x, y, z, rx, ry, rz], approach: height}}')
            return Target(np.eye(4), 0.0)
        self._unknown(where, given, {'pose', 'approach'} | more)
        approach = self._number(where, given, 'approach', 0.0, 1.0 / (self._length or 1.0)) * self._length
        return Target(self._pose(f'{where}.pose', given.get('pose')), approach)

    def _parts(self) -> dict[str, dict[int, TrayTargets]]:
        result: dict[str, dict[int, TrayTargets]] = {}
        for part_number, trays in self._mapping(self._data, 'parts').items():
            where = f'parts.{part_number}'
            if not isinstance(trays, Mapping) or not trays or set(trays) - set(TRAYS):
                self.problems.append(f'{where}: write its trays, 1 to 4')
                continue
            result[str(part_number)] = {tray: self._tray(f'{where}.{tray}', given) for tray, given in trays.items()}
        return result

    def _tray(self, where: str, given: Any) -> TrayTargets:
        first = self._target(where, given, {'rows', 'columns'})
        sides = given if isinstance(given, Mapping) else {}
        (rows, down), (columns, along) = (self._side(where, sides, name) for name in ('rows', 'columns'))
        slots = []
        for row in range(rows):
            for column in range(columns):
                place = first.pose.copy()
                place[:3, 3] += row * np.array(down) + column * np.array(along)
                slots.append(Target(place, first.approach))
        corners = sorted({0, columns - 1, (rows - 1) * columns, rows * columns - 1})
        return TrayTargets(tuple(slots), tuple(corners))

    def _side(self, where: str, given: Mapping[str, Any], name: str) -> tuple[int, tuple[float, float, float]]:
        side = given.get(name)
        if side is None:
            return 1, (0.0, 0.0, 0.0)
        count = side.get('count') if isinstance(side, Mapping) else None
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 100 or set(side) != {'count', 'step'}:
            self.problems.append(f'{where}.{name}: write {{count: 1 to 100, step: [x, y, z]}}')
            return 1, (0.0, 0.0, 0.0)
        return count, self._vector(f'{where}.{name}.step', side['step'])

    # What every part of the file is made of.

    def _unknown(self, where: str, given: Mapping[str, Any], known: set[str]) -> None:
        self.problems += [f'{where + ": " if where else ""}unknown key "{key}"' for key in given if key not in known]

    def _mapping(self, given: Mapping[str, Any], key: str) -> Mapping[Any, Any]:
        found = given.get(key)
        if isinstance(found, Mapping):
            return found
        self.problems.append(f'{key}: it is missing or no mapping')
        return {}

    def _number(self, where: str, given: Mapping[str, Any], key: str, low: float, high: float) -> float:
        value = given.get(key)
        if _is_number(value) and low <= value <= high:
            return float(value)
        self.problems.append(f'{where}.{key}: it is {value!r}; write a number from {low:g} to {high:g}')
        return max(low, min(1.0, high))

    def _pin(self, given: Mapping[str, Any], key: str, default: Any = MISSING) -> int | None:
        value = given.get(key, default)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 17):
            return value
        self.problems.append(f'gripper.{key}: write a number: 0-7 standard, 8-15 configurable, 16-17 tool')
        return None

    def _numbers(self, where: str, given: Any, count: int) -> tuple[float, ...]:
        if isinstance(given, list) and len(given) == count and all(map(_is_number, given)):
            return tuple(float(value) for value in given)
        self.problems.append(f'{where}: write a list of {count} numbers')
        return (0.0,) * count

    def _vector(self, where: str, given: Any) -> tuple[float, float, float]:
        x, y, z = (value * self._length for value in self._numbers(where, given, 3))
        return x, y, z

    def _pose(self, where: str, given: Any) -> Matrix:
        numbers = self._numbers(where, given, 6)
        turn = [value * self._angle for value in numbers[3:]]
        vector = from_rpy(*turn) if self._rotation == 'rpy' else turn
        return matrix([*(value * self._length for value in numbers[:3]), *vector])


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
