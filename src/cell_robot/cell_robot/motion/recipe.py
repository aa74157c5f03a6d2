"""Cell recipe: where the arm picks, shows and puts down, in meters, radians, seconds and kilograms.

`cell_robot.recipe_file` reads it from the integrator's YAML file, which states its own units.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.path_check import ArmCell
from cell_robot.motion.poses import Matrix

WAYPOINTS = ('home', 'camera')
"""Arm positions, as joint angles."""
TARGETS = ('place', 'reject', 'benchmark')
"""Positions to put down or pick up a piece, as poses with an approach."""


@dataclass(frozen=True)
class SpeedSettings:
    """Speeds and accelerations of the arm."""

    joint: float
    """rad/s."""
    joint_acceleration: float
    """rad/s^2."""
    linear: float
    """m/s, highest speed of the tool on joint moves."""
    linear_acceleration: float
    """m/s^2."""
    approach: float
    """m/s, on the last stretch to and from a piece."""


@dataclass(frozen=True)
class GripperSettings:
    """Gripper on digital outputs; pin numbers as in RTDE: 0-7 standard, 8-15 configurable, 16-17 tool."""

    close_output: int
    open_output: int | None
    """Second output that opens it; None = it opens when close_output goes off."""
    part_input: int | None
    """Input that is on while a piece is held; None = no sensor."""
    close_time: float
    """Seconds to close."""
    open_time: float
    """Seconds to open."""


@dataclass(frozen=True)
class ApproachTarget:
    """Position to pick up or put down a piece; the tool comes down along the base's z axis."""

    pose: Matrix
    approach: float
    """Height in meters above the pose where the slow move begins."""

    @property
    def above(self) -> Matrix:
        """Transform at the start of the slow move."""
        result = self.pose.copy()
        result[2, 3] += self.approach
        return result


@dataclass(frozen=True)
class TrayTargets:
    """Slots of one tray, in the order in which they are emptied."""

    slots: tuple[ApproachTarget, ...]
    corners: tuple[int, ...]
    """Indexes of the corner slots: when these are reachable, all are."""


@dataclass(frozen=True)
class CellRecipe:
    """Geometry, speeds and targets of one cell; all poses in the controller's base frame."""

    cell: ArmCell
    payload: float
    """Kilograms, with the heaviest piece."""
    center_of_gravity: tuple[float, float, float]
    """Meters from the flange."""
    speeds: SpeedSettings
    gripper: GripperSettings
    waypoints: Mapping[str, JointVector]
    """Name of WAYPOINTS -> joint angles."""
    targets: Mapping[str, ApproachTarget]
    """Name of TARGETS -> target."""
    parts: Mapping[str, Mapping[int, TrayTargets]]
    """Part number -> tray number -> slots."""
