"""Pydantic models of the recipe file, and their conversion to a CellRecipe in meters, radians, seconds and kilograms.

The messages of the validators follow `cell_common.yaml_model`: key, fact, remedy. Fields have the names of the file's keys and
the file's units; only `RecipeModel.recipe` converts.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from cell_common.catalogue import MOST_TRAYS
from cell_common.yaml_model import StrictModel
from pydantic import Field, ValidationInfo, field_validator, model_validator

from cell_robot.motion.kinematics import ARMS, JointVector
from cell_robot.motion.link_limits import DEFAULT_TOOL_RADIUS, Box, LinkLimits
from cell_robot.motion.path_check import FULL_TURN_RANGE, ArmCell, WorkspaceLimits
from cell_robot.motion.places import COLUMNS, ROWS, place_name
from cell_robot.motion.poses import Matrix, pose_to_matrix, rpy_to_rotation_vector
from cell_robot.motion.recipe import ApproachTarget, CellRecipe, SpeedSettings, TrayTargets
from cell_robot.recipe_gripper import GripperModel

LENGTHS = {'m': 1.0, 'mm': 0.001}
ANGLES = {'rad': 1.0, 'deg': math.pi / 180.0}
# A speed of 0 would give a move without an end; so would a mistyped unit.
MIN_SPEED = 1e-3
MAX_SPEEDS = {
    'joint': math.pi,
    'joint_acceleration': 10.0,
    'linear': 1.0,
    'linear_acceleration': 5.0,
    'approach': 1.0,
}
"""Upper limits in rad/s, rad/s^2, m/s and m/s^2. ur_rtde accepts more; a cell next to people should not."""
# Catches millimeters written as meters.
MAX_APPROACH_M = 1.0
ROUNDING = 1.000001
"""Tolerance for limits that the file states in degrees or millimeters."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Vector = Annotated[list[Number], Field(min_length=3, max_length=3)]
Pose = Annotated[list[Number], Field(min_length=6, max_length=6)]
JointLimit = Annotated[list[Number], Field(min_length=2, max_length=2)]


class UnitsModel(StrictModel):
    """Key `units`: the units of all lengths, angles and rotations in the file."""

    length: Literal['mm', 'm']
    angle: Literal['deg', 'rad']
    rotation: Literal['rotation_vector', 'rpy']

    @property
    def meters(self) -> float:
        """Meters per unit of length."""
        return LENGTHS[self.length]

    @property
    def radians(self) -> float:
        """Radians per unit of angle."""
        return ANGLES[self.angle]

    def vector(self, values: list[float]) -> tuple[float, float, float]:
        """Return a position in meters."""
        x, y, z = (value * self.meters for value in values)
        return x, y, z

    def joints(self, values: list[float]) -> JointVector:
        """Return joint angles in radians."""
        return tuple(value * self.radians for value in values)

    def matrix(self, values: list[float]) -> Matrix:
        """Return the transform of a pose.

        Args:
            values: Position, then rotation vector or roll, pitch, yaw, in the file's units.
        """
        x, y, z = (value * self.radians for value in values[3:])
        rotation = rpy_to_rotation_vector(x, y, z) if self.rotation == 'rpy' else (x, y, z)
        return pose_to_matrix([*self.vector(values[:3]), *rotation])


class ToolModel(StrictModel):
    """Key `tool`: tool center point from the flange, payload in kilograms, center of gravity from the flange."""

    tcp: Pose
    radius: Positive | None = None
    payload: Annotated[float, Field(ge=0.0, le=30.0, allow_inf_nan=False)]
    center_of_gravity: Vector


class SpeedsModel(StrictModel):
    """Key `speeds`, in the units of the file per second or second squared."""

    joint: Number
    joint_acceleration: Number
    linear: Number
    linear_acceleration: Number
    approach: Number
    blend: Positive = 0.0

    def in_si(self, units: UnitsModel) -> dict[str, float]:
        """Return the values in radians and meters."""
        values = dict(self)
        return {key: values[key] * (units.radians if key.startswith('joint') else units.meters) for key in MAX_SPEEDS}

    def settings(self, units: UnitsModel) -> SpeedSettings:
        """Return speeds and blend radius in radians and meters."""
        return SpeedSettings(**self.in_si(units), blend=self.blend * units.meters)


class WorkspaceModel(StrictModel):
    """Key `workspace`: two opposite corners of the box."""

    low: Vector
    high: Vector

    @model_validator(mode='after')
    def _check_order(self) -> WorkspaceModel:
        if not all(low < high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError('workspace: each number of low must be less than that of high')
        return self


class BoxModel(StrictModel):
    """One box of key `obstacles`: two opposite corners."""

    low: Vector
    high: Vector


class WaypointsModel(StrictModel):
    """Key `waypoints`: six joint angles each; null = not taught yet."""

    home: Pose | None
    camera: Pose | None


class TargetModel(StrictModel):
    """Pose of a target (null = not taught yet), length of its approach, and the axis along which the tool comes."""

    pose: Pose | None
    approach: Positive
    along: Literal['base', 'tool'] = 'base'


class TargetsModel(StrictModel):
    """Key `targets`: where a piece is placed, rejected, and where the benchmark part lies."""

    place: TargetModel
    reject: TargetModel
    benchmark: TargetModel


class SideModel(StrictModel):
    """Number of slots along one side of a tray, and the step from slot to slot (null = not taught yet)."""

    count: Annotated[int, Field(ge=1, le=100)]
    step: Vector | None


class TrayModel(TargetModel):
    """First slot of a tray; the others follow along rows and columns."""

    rows: SideModel | None = None
    columns: SideModel | None = None


_TRAY_NUMBERS = frozenset(map(str, range(1, MOST_TRAYS + 1)))
TraysModel = dict[str, TrayModel | None]
"""Tray number -> tray of one part; None = left empty in the file."""


class RecipeModel(StrictModel):
    """The whole file. `units` comes first: the checks of the later keys need it."""

    units: UnitsModel
    robot: Literal['ur3e', 'ur5e', 'ur7e', 'ur8long', 'ur10e', 'ur12e', 'ur15', 'ur16e', 'ur18', 'ur20', 'ur30']
    tool: ToolModel
    speeds: SpeedsModel
    workspace: WorkspaceModel
    table: Number | None = None
    obstacles: dict[str, BoxModel] = Field(default_factory=dict)
    joint_limits: Annotated[list[JointLimit], Field(min_length=6, max_length=6)] | None = None
    gripper: GripperModel
    waypoints: WaypointsModel
    targets: TargetsModel
    parts: dict[str, TraysModel]

    @field_validator('speeds')
    @classmethod
    def _check_speeds(cls, speeds: SpeedsModel, info: ValidationInfo) -> SpeedsModel:
        if (units := _units(info)) is None:
            return speeds
        errors = []
        for key, value in speeds.in_si(units).items():
            if not MIN_SPEED <= value <= MAX_SPEEDS[key] * ROUNDING:
                unit = units.radians if key.startswith('joint') else units.meters
                low, high = MIN_SPEED / unit, MAX_SPEEDS[key] / unit
                errors.append(f'speeds: {key} is {value / unit:g}; write a number from {low:.3g} to {high:.3g}')
        if errors:
            raise ValueError('; '.join(errors))
        return speeds

    @field_validator('obstacles')
    @classmethod
    def _check_obstacles(cls, boxes: dict[str, BoxModel]) -> dict[str, BoxModel]:
        wrong = [name for name, box in boxes.items() if not all(one < two for one, two in zip(box.low, box.high, strict=True))]
        if wrong:
            raise ValueError(f'obstacles: {", ".join(wrong)}: each number of low must be less than that of high')
        return boxes

    @field_validator('joint_limits')
    @classmethod
    def _check_joint_limits(cls, limits: list[list[float]] | None, info: ValidationInfo) -> list[list[float]] | None:
        if limits is None or (units := _units(info)) is None:
            return limits
        # 360 degrees become 6.2831853 rad in more digits than the limit has.
        lowest, highest = FULL_TURN_RANGE[0] * ROUNDING, FULL_TURN_RANGE[1] * ROUNDING
        if any(not lowest <= low * units.radians < high * units.radians <= highest for low, high in limits):
            raise ValueError('joint_limits: lowest must be less than highest, both within one turn either way')
        return limits

    @field_validator('targets')
    @classmethod
    def _check_target_approaches(cls, targets: TargetsModel, info: ValidationInfo) -> TargetsModel:
        _check_approaches({f'targets: {name}': target for name, target in targets}, info)
        return targets

    @field_validator('parts', mode='before')
    @classmethod
    def _part_numbers_to_text(cls, data: object) -> object:
        """Turn the numeric keys of YAML, of parts and of trays, into texts."""
        if not isinstance(data, dict):
            return data
        return {str(part): _with_text_keys(trays) for part, trays in data.items()}

    @field_validator('parts')
    @classmethod
    def _check_parts(cls, parts: dict[str, TraysModel], info: ValidationInfo) -> dict[str, TraysModel]:
        unknown = [f'{part_number}: {key}' for part_number, trays in parts.items() for key in trays if key not in _TRAY_NUMBERS]
        if unknown:
            raise ValueError(f'parts: {unknown[0]} is no tray: trays have the numbers 1 to {MOST_TRAYS}')
        empty = [part_number for part_number, trays in parts.items() if not any(trays.values())]
        if empty:
            raise ValueError(f'parts: {", ".join(empty)} has no tray; write its trays, from 1')
        trays = {
            f'parts: {part_number}: {number}': tray
            for part_number, trays in parts.items()
            for number, tray in trays.items()
            if tray is not None
        }
        _check_approaches(trays, info)
        return parts

    def recipe(self) -> CellRecipe:
        """Return the recipe in SI units."""
        units, tool = self.units, self.tool
        limits = self.joint_limits
        joints = (
            tuple((low * units.radians, high * units.radians) for low, high in limits) if limits else (FULL_TURN_RANGE,) * 6
        )
        workspace = WorkspaceLimits(units.vector(self.workspace.low), units.vector(self.workspace.high), joints)
        return CellRecipe(
            cell=ArmCell(ARMS[self.robot], units.matrix(tool.tcp), workspace, self._link_limits()),
            payload=tool.payload,
            center_of_gravity=units.vector(tool.center_of_gravity),
            speeds=self.speeds.settings(units),
            gripper=self.gripper.settings(),
            waypoints={name: units.joints(angles) for name, angles in self.waypoints if angles is not None},
            targets={name: made for name, target in self.targets if (made := _make_target(target, units)) is not None},
            parts=self._trays(),
            untaught=self.untaught(),
        )

    def _trays(self) -> dict[str, dict[int, TrayTargets]]:
        """Return the trays whose first slot is taught."""
        made = {
            part_number: {number: _make_tray(tray, self.units) for number, tray in trays_by_number(trays).items()}
            for part_number, trays in self.parts.items()
        }
        return {part: {number: tray for number, tray in trays.items() if tray is not None} for part, trays in made.items()}

    def untaught(self) -> tuple[str, ...]:
        """Return the names of places that are not taught yet; a tray that several parts share is named for each."""
        missing = [place_name('waypoints', name) for name, joints in self.waypoints if joints is None]
        missing += [place_name('targets', name) for name, target in self.targets if target.pose is None]
        for part_number, trays in self.parts.items():
            for number, tray in trays_by_number(trays).items():
                name = place_name('parts', part_number, str(number))
                missing += [name] if tray.pose is None else []
                sides = {COLUMNS: tray.columns, ROWS: tray.rows}
                missing += [f'{name}.{side}' for side, model in sides.items() if _is_open(model)]
        return tuple(missing)

    def _link_limits(self) -> LinkLimits:
        units = self.units
        return LinkLimits(
            units.vector(self.workspace.low),
            units.vector(self.workspace.high),
            None if self.table is None else self.table * units.meters,
            {name: Box(units.vector(box.low), units.vector(box.high)) for name, box in self.obstacles.items()},
            DEFAULT_TOOL_RADIUS if self.tool.radius is None else self.tool.radius * units.meters,
        )


def _units(info: ValidationInfo) -> UnitsModel | None:
    """Return the units of the file, None when they are invalid themselves."""
    units = info.data.get('units')
    return units if isinstance(units, UnitsModel) else None


def _check_approaches(targets: dict[str, TargetModel] | dict[str, TrayModel], info: ValidationInfo) -> None:
    """Check the heights of approaches, which need the units of the file.

    Raises:
        ValueError: Names each approach that is too high.
    """
    units = _units(info)
    if units is None:
        return
    high = MAX_APPROACH_M / units.meters
    errors = [
        f'{place}: approach is {target.approach:g}; write a number from 0 to {high:g}'
        for place, target in targets.items()
        if target.approach > high
    ]
    if errors:
        raise ValueError('; '.join(errors))


def trays_by_number(trays: TraysModel) -> dict[int, TrayModel]:
    """Return tray number -> tray, without the missing ones."""
    return {int(number): tray for number, tray in trays.items() if tray is not None}


def _is_open(side: SideModel | None) -> bool:
    """Return whether the step of a side is needed and not taught."""
    return side is not None and side.count > 1 and side.step is None


def _with_text_keys(data: object) -> object:
    return {str(key): value for key, value in data.items()} if isinstance(data, dict) else data


def _make_target(target: TargetModel, units: UnitsModel) -> ApproachTarget | None:
    if target.pose is None:
        return None
    return ApproachTarget(units.matrix(target.pose), target.approach * units.meters, along_tool=target.along == 'tool')


def _make_tray(tray: TrayModel, units: UnitsModel) -> TrayTargets | None:
    """Return all slots of a tray, row by row, in the order in which they are emptied; None before it is taught."""
    first = _make_target(tray, units)
    if first is None:
        return None
    (rows, down), (columns, along) = (_side(side, units) for side in (tray.rows, tray.columns))
    slots = []
    for row in range(rows):
        for column in range(columns):
            pose = first.pose.copy()
            pose[:3, 3] += row * np.array(down) + column * np.array(along)
            slots.append(replace(first, pose=pose))
    # A tray is a parallelogram. The reach is checked at its corners only.
    corners = sorted({0, columns - 1, (rows - 1) * columns, rows * columns - 1})
    return TrayTargets(tuple(slots), tuple(corners), rows, columns)


def _side(side: SideModel | None, units: UnitsModel) -> tuple[int, tuple[float, float, float]]:
    """Return count and step of a side; a step that is not taught yet counts as zero."""
    if side is None:
        return 1, (0.0, 0.0, 0.0)
    return side.count, (0.0, 0.0, 0.0) if side.step is None else units.vector(side.step)
