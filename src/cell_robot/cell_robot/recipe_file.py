"""Reads a recipe file into a CellRecipe and checks it as a whole, including the reach of the arm.

The file states its own units; the recipe is in meters, radians, seconds and kilograms. All errors are reported together, each
with its line, its key and the remedy.

Reach is checked once here with the planner's own moves, so that a position out of reach is found at the start and not in the
middle of a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from cell_common.yaml_model import YamlDocument, YamlError, load_yaml, validate

from cell_robot.motion.path_check import MoveError
from cell_robot.motion.place_check import check_approach
from cell_robot.motion.poses import matrix_to_pose
from cell_robot.motion.recipe import ApproachTarget, CellRecipe
from cell_robot.recipe_model import RecipeModel

__all__ = ['RecipeError', 'load_recipe', 'parse_recipe']

Location = tuple[int | str, ...]


class RecipeError(ValueError):
    """The recipe cannot be used; the text lists every error with its place and the remedy."""


def load_recipe(path: str | Path, *, reach: bool = True, partial: bool = False) -> CellRecipe:
    """Read and check a recipe file.

    Args:
        path: Path of the file.
        reach: Whether to check that the arm reaches every waypoint and target, which takes a moment.
        partial: Whether places may be missing, as in a recipe that is being taught.

    Returns:
        The recipe in SI units.

    Raises:
        RecipeError: The file cannot be read, or a value is invalid, out of reach or outside the limits.
    """
    try:
        return _make_recipe(load_yaml(path), reach=reach, partial=partial)
    except FileNotFoundError as error:
        raise RecipeError(
            f'there is no recipe {path}. Check parameter recipe_file, or make a new one with "cell robot new-recipe {path}".'
        ) from error
    except OSError as error:
        raise RecipeError(f'cannot read the recipe {path}: {error.strerror}. Check parameter recipe_file.') from error
    except ValueError as error:
        raise RecipeError(f'the recipe {path} has errors:\n{error}') from error


def parse_recipe(data: object, *, reach: bool = True, partial: bool = False) -> CellRecipe:
    """Return the recipe of parsed YAML.

    Args:
        data: Result of a YAML loader.
        reach: Whether to check the reach of the arm, as in `load_recipe`.
        partial: Whether places may be missing, as in `load_recipe`.

    Args:
        data: Mapping as the YAML parser returns it; without line numbers, so errors name only keys.
        reach: Also check that the arm reaches every pose inside its limits.

    Raises:
        RecipeError: Lists every error.
    """
    return _make_recipe(YamlDocument(data), reach=reach, partial=partial)


def _make_recipe(document: YamlDocument, *, reach: bool, partial: bool) -> CellRecipe:
    try:
        recipe = validate(RecipeModel, document).recipe()
        if recipe.untaught and not partial:
            raise YamlError([f'{name} is not taught yet; teach it with "cell robot teach"' for name in recipe.untaught])
        if reach and (messages := [_reach_message(*error, document) for error in _reach_errors(recipe)]):
            raise YamlError(messages)
    except YamlError as error:
        raise RecipeError(str(error)) from error
    return recipe


def _reach_message(location: Location, text: str, document: YamlDocument) -> str:
    line = document.line(location)
    return f'line {line}: {text}' if line else text


def _reach_errors(recipe: CellRecipe) -> list[tuple[Location, str]]:
    """Return (location in the file, message) of everything that the arm cannot reach."""
    errors: list[tuple[Location, str]] = []
    cell, camera, home = recipe.cell, recipe.waypoints.get('camera'), recipe.waypoints.get('home')

    def check(location: Location, name: str, move: Callable[[], object]) -> None:
        try:
            move()
        except MoveError as error:
            errors.append((location, f'{name}: {error}'))

    for name, joints in recipe.waypoints.items():
        check(('waypoints', name), f'waypoints: {name}', lambda joints=joints: cell.check(joints))  # type: ignore[misc]
    # Targets are solved from the camera; without it each would report the same error again.
    if errors or camera is None:
        return errors
    if home is not None:
        check(('waypoints',), 'the move from camera to home', lambda: cell.joint_move(camera, home))
    for location, name, target in _unique_targets(recipe):
        check(location, name, lambda target=target: check_approach(cell, camera, target))  # type: ignore[misc]
    return errors


def _unique_targets(recipe: CellRecipe) -> Iterator[tuple[Location, str, ApproachTarget]]:
    """Yield targets and tray corners; a pose that several parts share comes once."""
    known: set[tuple[float, ...]] = set()
    for location, name, target in _all_targets(recipe):
        # Each check takes some milliseconds, and a recipe may have hundreds of slots.
        key = (*matrix_to_pose(target.pose), target.approach, target.along_tool)
        if key not in known:
            known.add(key)
            yield location, name, target


def _all_targets(recipe: CellRecipe) -> Iterator[tuple[Location, str, ApproachTarget]]:
    """Yield (place in the file, name, target): the targets, and the corner slots of each tray."""
    for name, target in recipe.targets.items():
        yield ('targets', name), f'targets: {name}', target
    for part_number, trays in recipe.parts.items():
        for number, tray in trays.items():
            for index in tray.corners:
                location = ('parts', part_number, str(number))
                yield location, f'parts: {part_number}: {number}: slot {index + 1}', tray.slots[index]
