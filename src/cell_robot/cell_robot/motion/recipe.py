"""Cell recipe: where the arm picks, shows and puts down, in meters, radians, seconds and kilograms.

`cell_robot.recipe_file` reads it from the integrator's YAML file, which states its own units.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
    blend: float = 0.0
    """Radius in meters within which the corner above a target is rounded; 0 = the arm stops there."""


@dataclass(frozen=True)
class VacuumSettings:
    """Vacuum gripper: its blow-off and its sensor, beside the valve on close_output."""

    blow_output: int | None = None
    """Output of the blow-off; None = the vacuum is only switched off."""
    blow_time: float = 0.0
    """Seconds of blow-off."""
    analog_input: int | None = None
    """Analog input of the vacuum sensor, 0 or 1; None = part_input is a vacuum switch."""
    threshold: float = 0.0
    """Reading from which a piece is held: volts, or amperes, as the input is set on the pendant."""
    falling: bool = False
    """A lower reading is more vacuum."""
    leak_time: float = 0.1
    """Seconds without vacuum after which a piece that is carried counts as lost."""


@dataclass(frozen=True)
class RobotiqSettings:
    """Robotiq gripper behind the socket of its URCap; positions, speed and force as the gripper counts them, 0..255."""

    open_position: int = 0
    close_position: int = 255
    speed: int = 255
    force: int = 50


@dataclass(frozen=True)
class GripperSettings:
    """Gripper of the cell; pin numbers as in RTDE: 0-7 standard, 8-15 configurable, 16-17 tool."""

    close_output: int | None
    """Output that closes it, or switches the vacuum on; None = a gripper without outputs."""
    open_output: int | None
    """Second output that opens it; None = it opens when close_output goes off."""
    part_input: int | None
    """Input that is on while a piece is held; None = no such input."""
    close_time: float
    """Seconds to close, or the longest time to build up vacuum."""
    open_time: float
    """Seconds to open."""
    vacuum: VacuumSettings | None = None
    robotiq: RobotiqSettings | None = None

    @property
    def outputs(self) -> tuple[int, ...]:
        """Digital outputs of the controller that the gripper needs."""
        blow = self.vacuum.blow_output if self.vacuum is not None else None
        return tuple(pin for pin in (self.close_output, self.open_output, blow) if pin is not None)


@dataclass(frozen=True)
class ApproachTarget:
    """Position to pick up or put down a piece."""

    pose: Matrix
    approach: float
    """Distance in meters from the pose where the slow move begins."""
    along_tool: bool = False
    """The tool comes along its own z axis; otherwise straight down, along the base's z axis."""

    @property
    def axis(self) -> Matrix:
        """Direction from the pose to the start of the approach; unit vector, base frame."""
        return -self.pose[:3, 2] if self.along_tool else np.array([0.0, 0.0, 1.0])

    @property
    def above(self) -> Matrix:
        """Transform at the start of the slow move."""
        result = self.pose.copy()
        result[:3, 3] += self.approach * self.axis
        return result


@dataclass(frozen=True)
class TrayTargets:
    """Slots of one tray, in the order in which they are emptied."""

    slots: tuple[ApproachTarget, ...]
    corners: tuple[int, ...]
    """Indexes of the corner slots: when these are reachable, all are."""
    rows: int = 1
    columns: int = 1


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
    untaught: tuple[str, ...] = ()
    """Names of places that are not taught yet; nothing is planned before there are none."""
