"""Text of a recipe in which no place is taught yet.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cell_robot.motion.kinematics import ARMS

__all__ = ['NewRecipe', 'recipe_text']

MARGIN_M = 0.05
HEIGHT_M = 1.2


@dataclass(frozen=True)
class NewRecipe:
    """What the person who makes a recipe knows before the first place is taught."""

    robot: str = 'ur5e'
    """Arm model, a key of ARMS."""
    tool_length: float = 150.0
    """Millimeters from the flange to the tool center point, along the flange's axis."""
    payload: float = 1.0
    """kg, gripper and heaviest piece."""
    parts: Sequence[str] = ()
    """Part numbers; all share the same trays."""
    trays: int = 1
    """Number of trays, 1 to 255."""
    rows: int = 1
    columns: int = 1


def recipe_text(wanted: NewRecipe) -> str:
    """Return the YAML text of a new recipe.

    Args:
        wanted: Its settings.
    """
    reach = round(1000.0 * (ARMS[wanted.robot].reach + MARGIN_M + wanted.tool_length / 1000.0))
    return f"""# Recipe for backends rtde and ros_driver. Places that are null are not taught yet: cell robot teach
# Poses are of the tool center point in the robot's base frame, as on the pendant.
robot: {wanted.robot}
units: {{length: mm, angle: deg, rotation: rotation_vector}}   # mm or m; deg or rad; rotation_vector or rpy

tool:
  tcp: [0, 0, {wanted.tool_length:g}, 0, 0, 0]        # tool center point, from the flange
  payload: {wanted.payload:g}                     # kg, with the heaviest piece
  center_of_gravity: [0, 0, {wanted.tool_length / 2.5:.0f}]    # from the flange

speeds:                            # begin slowly: raise them when all moves have been seen
  joint: 30                        # angle per second
  joint_acceleration: 60
  linear: 500                      # length per second: highest speed of the tool on joint moves
  linear_acceleration: 800
  approach: 50                     # last stretch to and from a piece
  blend: 40                        # radius of the rounded corner above a piece; 0 = the arm stops there

workspace:                         # box that arm and tool must stay in: make it as tight as the cell allows
  low: [-{reach}, -{reach}, 0]
  high: [{reach}, {reach}, {round(1000.0 * HEIGHT_M)}]

gripper:                           # other kinds: docs/integrate.md#grippers
  close_output: 0
  part_input: 0                    # on while a piece is held; remove this line without a sensor
  close_time: 0.5                  # s
  open_time: 0.5

waypoints:                         # joint angles, base to wrist 3
  home: null
  camera: null

targets:                           # approach: distance before the pose on which the arm goes straight and slowly
  place: {{pose: null, approach: 80}}
  reject: {{pose: null, approach: 80}}
  benchmark: {{pose: null, approach: 80}}

parts:                             # part number -> tray -> first slot, and the steps to the others
{_parts_text(wanted)}"""


def _parts_text(wanted: NewRecipe) -> str:
    """Return the trays of the first part, and the other parts with the same trays."""
    sides = {'rows': wanted.rows, 'columns': wanted.columns}
    more = ''.join(f', {side}: {{count: {count}, step: null}}' for side, count in sides.items() if count > 1)
    first, *others = [_quoted(part) for part in wanted.parts] or ['PART-1']
    lines = [f'  {first}: &trays']
    lines += [f'    {number}: {{pose: null, approach: 80{more}}}' for number in range(1, wanted.trays + 1)]
    return '\n'.join([*lines, *(f'  {part}: *trays' for part in others)]) + '\n'


def _quoted(part: str) -> str:
    """Return a part number as a YAML key; 0104 and 1e5 would be read as numbers without quotes."""
    return part if part[:1].isalpha() and part.replace('-', '').isalnum() else "'" + part.replace("'", "''") + "'"
