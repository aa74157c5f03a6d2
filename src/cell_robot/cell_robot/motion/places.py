"""Places of a recipe by name, such as `targets.place`: what is taught one after the other.

Pure: no ROS, sockets, files or clock.

The name is the path of keys to the place in the file. A tray has up to three places: its first slot (`parts.EM1-2U1.1`), the
last slot of its first row (`.columns`) and the first slot of its last row (`.rows`), from which the steps between the slots
follow.
"""

from __future__ import annotations

from collections.abc import Iterator

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.recipe import ApproachTarget, CellRecipe

COLUMNS, ROWS = 'columns', 'rows'


def place_name(*keys: str) -> str:
    """Return the name of the place at these keys of the file."""
    return '.'.join(keys)


def target_places(recipe: CellRecipe) -> Iterator[tuple[str, ApproachTarget]]:
    """Yield name and target of each place that is a pose; a tray with its corners, and for each part that uses it."""
    for name, target in recipe.targets.items():
        yield place_name('targets', name), target
    for part_number, trays in recipe.parts.items():
        for number, tray in trays.items():
            name = place_name('parts', part_number, str(number))
            yield name, tray.slots[0]
            if tray.columns > 1:
                yield f'{name}.{COLUMNS}', tray.slots[tray.columns - 1]
            if tray.rows > 1:
                yield f'{name}.{ROWS}', tray.slots[(tray.rows - 1) * tray.columns]


def place_joints(recipe: CellRecipe, name: str) -> JointVector | None:
    """Return joint angles at a place; None where the recipe has no such place.

    Args:
        recipe: Recipe in which the camera waypoint is taught.
        name: Name of the place.

    Raises:
        MoveError: The place is out of reach.
    """
    kind, _, key = name.partition('.')
    if kind == 'waypoints':
        return recipe.waypoints.get(key)
    target = dict(target_places(recipe)).get(name)
    return None if target is None else recipe.cell.solve(target.pose, recipe.waypoints['camera'])
