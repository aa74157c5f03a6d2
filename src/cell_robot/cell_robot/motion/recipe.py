"""The recipe: where the arm picks, shows and puts down, as the integrator writes it, in a YAML file with stated units.

Read by `recipe_file.load_recipe`; everything here is in metres, radians, seconds and kilograms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.path_check import Cell
from cell_robot.motion.poses import Matrix

WAYPOINTS = ('home', 'camera')
"""Stands of the arm, as joint angles."""
TARGETS = ('place', 'reject', 'benchmark')
"""Where something is put down or taken, as poses with an approach."""


@dataclass(frozen=True)
class Speeds:
    """How fast the arm moves."""

    joint: float
    """rad/s."""
    joint_acceleration: float
    """rad/s^2."""
    linear: float
    """m/s."""
    linear_acceleration: float
    """m/s^2."""
    approach: float
    """m/s, on the last bit to and from a piece."""


@dataclass(frozen=True)
class Gripper:
    """A gripper on digital outputs; numbers as in RTDE: 0-7 standard, 8-15 configurable, 16-17 tool."""

    close_output: int
    open_output: int | None
    """A second output that opens it; None = it opens when close_output goes off."""
    part_input: int | None
    """An input that is on while a piece is held; None = there is none."""
    close_time: float
    """Seconds until it is closed."""
    open_time: float
    """Seconds until it is open."""


@dataclass(frozen=True)
class Target:
    """A place to take something from or put it down; the tool comes down to it along the base's z axis."""

    pose: Matrix
    approach: float
    """Metres above it where the slow way begins."""

    @property
    def above(self) -> Matrix:
        """Where the slow way begins."""
        result = self.pose.copy()
        result[2, 3] += self.approach
        return result


@dataclass(frozen=True)
class TrayTargets:
    """The slots of one tray, in the order in which they are emptied."""

    slots: tuple[Target, ...]
    corners: tuple[int, ...]
    """Indexes of the slots at the corners of the tray: when these can be reached, all can."""


@dataclass(frozen=True)
class Recipe:
    """Everything that the arm must know of the cell."""

    cell: Cell
    payload: float
    """Kilograms, with the heaviest piece."""
    center_of_gravity: tuple[float, float, float]
    """Metres from the flange."""
    speeds: Speeds
    gripper: Gripper
    waypoints: Mapping[str, JointVector]
    """By the names of WAYPOINTS."""
    targets: Mapping[str, Target]
    """By the names of TARGETS."""
    parts: Mapping[str, Mapping[int, TrayTargets]]
    """Part number -> tray -> its slots."""
