"""The steps of each event, all checked before the first one is made. No ROS, no sockets, no clock.

Every plan goes by the camera waypoint: from there each target is known to be reachable, for the recipe was checked so. The
slot that is taken from a tray follows from the ledger alone, so that it is right after a crash too: slots are emptied in the
order of the recipe, so the next one is that of number slots - pieces left.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cell_robot.motion.kinematics import JointVector, farthest
from cell_robot.motion.path_check import MoveError, deadline
from cell_robot.motion.poses import pose
from cell_robot.motion.recipe import Recipe, Target

THERE_RAD = 0.002
"""A move shorter than this is left out."""
BESIDE_M = 0.05
"""A tool that is no further than this beside a target, and below its approach, is lifted before it goes anywhere else."""
LIFTED_M = 0.002
EVENTS = ('START_PROGRAM', 'PLACE', 'REJECT', 'BENCHMARK', 'HOME')
PART, MOVE = 'PART_', 'MOVE_'
DOWN = 'going down'
"""Label of the move to a piece or a place."""


class Piece(enum.Enum):
    """What is known of the gripper."""

    NONE = 'nothing'
    HELD = 'a piece'
    BENCHMARK = 'the benchmark part'
    UNKNOWN = 'unknown'


class PlanError(Exception):
    """An event cannot be carried out; nothing moved. The text says why and what to do."""


class UnknownEventError(PlanError):
    """There is no such event, or its part has no place in the recipe."""


class ReachError(PlanError):
    """A pose breaks a joint limit, the workspace or the arm's reach."""


@dataclass(frozen=True)
class Move:
    """One move of the arm."""

    label: str
    """For people, completes "on the way"."""
    joints: JointVector
    """Where it ends."""
    pose: tuple[float, ...] | None
    """Where the tool ends when it moves on a straight line; None = the joints turn evenly."""
    speed: float
    """rad/s, or m/s on a straight line."""
    acceleration: float
    seconds: float
    """After so long at full speed it counts as stuck."""


@dataclass(frozen=True)
class Grip:
    """Open or close the gripper."""

    closed: bool
    seconds: float
    """Until it is open or closed."""
    holds: bool
    """What the part sensor must say afterwards, where there is one."""
    missing: str
    """What it means when it says otherwise, for people."""


Step = Move | Grip
Stock = Mapping[tuple[str, int], int]
"""(part number, tray) -> pieces by the ledger."""


class Planner:
    """Makes plans from a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        """Plan by a recipe that was checked as a whole."""
        self._recipe, self._cell, self._speeds = recipe, recipe.cell, recipe.speeds
        self._camera = recipe.waypoints['camera']
        self._places = np.array([target.above[:3, 3] for target in self._targets()])
        """Where the approaches begin, metres."""
        self._known: dict[tuple[float, ...], tuple[JointVector, JointVector]] = {}

    @property
    def named_poses(self) -> tuple[str, ...]:
        """Names that MOVE_<name> takes."""
        return (*self._recipe.waypoints, *(f'above_{name}' for name in self._recipe.targets))

    def tray(self, part_number: str, tray: int, stock: Stock) -> int:
        """Return the tray to take from: the one given, or the first one that holds pieces.

        Raises:
            PlanError: There is none.
        """
        trays = self._recipe.parts.get(part_number)
        if trays is None:
            raise UnknownEventError(f'The recipe has no place for {part_number}. Add it to parts of the recipe.')
        if tray == 0:
            tray = next((number for number in sorted(trays) if stock.get((part_number, number), 0) > 0), 0)
            if tray == 0:
                raise PlanError(f'No tray holds {part_number} by the ledger. Reload, or name the tray.')
        if tray not in trays:
            raise UnknownEventError(f'The recipe has no tray {tray} for {part_number}. Add it to parts of the recipe.')
        return tray

    def slot(self, part_number: str, tray: int, stock: Stock) -> int:
        """Return the index of the slot whose piece is taken next.

        Raises:
            PlanError: By the ledger the tray is empty, or holds more than there are slots.
        """
        left, slots = stock.get((part_number, tray)), len(self._recipe.parts[part_number][tray].slots)
        if left is None:
            raise PlanError(f'The stock of {part_number} in tray {tray} is not known yet. Is the inventory node running?')
        if left == 0:
            raise PlanError(f'Tray {tray} of {part_number} is empty by the ledger. Reload it.')
        if left > slots:
            raise PlanError(
                f'By the ledger tray {tray} holds {left} x {part_number}, by the recipe it has {slots} slots. '
                'Correct the count or the recipe.'
            )
        return slots - left

    def plan(
        self, event: str, tray: int, stand: JointVector, piece: Piece, stock: Stock, *, closed: bool = False
    ) -> list[Step]:
        """Return the steps of an event.

        Args:
            event: As in a trigger.
            tray: 1..4; 0 = none is given.
            stand: Where the joints are, rad.
            piece: What is in the gripper.
            stock: Pieces in the trays.
            closed: The gripper is closed, as it is after its piece was taken out by hand or got lost.

        Raises:
            PlanError: It cannot be done; the kinds of it tell unknown events and reach.
        """
        try:
            steps = self._steps(event, tray, stand, piece, stock)
        except MoveError as problem:
            raise ReachError(
                f'{event} is not possible from here: {problem}. Nothing moved. Move the arm by hand to a free '
                'place, or correct the recipe.'
            ) from problem
        return self._opened(steps) if closed else steps

    def retract(self, stand: JointVector) -> list[Step]:
        """Return the way up from a target that the tool is in; [] when it is at none.

        Raises:
            ReachError: It cannot go straight up from here.
        """
        tool = self._cell.tcp(stand)
        beside = np.hypot(self._places[:, 0] - tool[0, 3], self._places[:, 1] - tool[1, 3]) <= BESIDE_M
        height = float(self._places[beside, 2].max(initial=-np.inf))
        if tool[2, 3] > height - LIFTED_M:
            return []
        end = tool.copy()
        end[2, 3] = height
        try:
            way = self._cell.line(stand, end)
        except MoveError as problem:
            raise ReachError(f'The arm cannot retract straight up: {problem}. Move it by hand to a free place.') from problem
        return [self._line('retracting', pose(end), way[-1], float(end[2, 3] - tool[2, 3]), self._speeds.approach)]

    def _steps(self, event: str, tray: int, stand: JointVector, piece: Piece, stock: Stock) -> list[Step]:
        if event == 'START_PROGRAM':
            return []
        if event == 'HOME':
            return self._home(stand, piece)
        if event.startswith(MOVE):
            return self._named(event.removeprefix(MOVE), stand)
        if event in ('PLACE', 'REJECT'):
            return self._put_down(event, stand, piece)
        if event == 'BENCHMARK':
            return self._take(self._recipe.targets['benchmark'], stand, piece, 'The benchmark part is not in its place.')
        if not event.startswith(PART):
            raise UnknownEventError(f'{event} is no event of this robot.')
        part_number = event.removeprefix(PART)
        tray = self.tray(part_number, tray, stock)
        slot = self.slot(part_number, tray, stock)
        missing = f'No piece in slot {slot + 1} of tray {tray}. Look into the tray and correct its count.'
        return self._take(self._recipe.parts[part_number][tray].slots[slot], stand, piece, missing)

    def _take(self, target: Target, stand: JointVector, piece: Piece, missing: str) -> list[Step]:
        if piece in (Piece.HELD, Piece.BENCHMARK):
            raise PlanError(f'The gripper holds {piece.value}. Take it out first, by hand or with REJECT.')
        grip = Grip(True, self._recipe.gripper.close_time, True, missing)
        return [*self._to_camera(stand), *self._visit(target, grip)]

    def _opened(self, steps: list[Step]) -> list[Step]:
        """Open the gripper above the place before going down to take something: a closed one would hit it."""
        takes = any(isinstance(step, Grip) and step.closed for step in steps)
        down = next((number for number, step in enumerate(steps) if isinstance(step, Move) and step.label == DOWN), 0)
        return [*steps[:down], self._open(), *steps[down:]] if takes else steps

    def _put_down(self, event: str, stand: JointVector, piece: Piece) -> list[Step]:
        if piece is Piece.NONE:
            raise PlanError('The gripper holds nothing. Look where the piece is.')
        return [*self._to_camera(stand), *self._visit(self._recipe.targets[event.lower()], self._open())]

    def _home(self, stand: JointVector, piece: Piece) -> list[Step]:
        home = self._recipe.waypoints['home']
        if piece is Piece.BENCHMARK:
            steps = [*self._to_camera(stand), *self._visit(self._recipe.targets['benchmark'], self._open())]
            return [*steps, *self._swing('to home', self._camera, home)]
        if farthest(stand, home) <= THERE_RAD:
            return []
        return [*self._to_camera(stand), *self._swing('to home', self._camera, home)]

    def _named(self, name: str, stand: JointVector) -> list[Step]:
        if name not in self.named_poses:
            raise UnknownEventError(f'There is no pose {name}. There are: {", ".join(self.named_poses)}.')
        if name in self._recipe.waypoints:
            end = self._recipe.waypoints[name]
        else:
            end = self._down(self._recipe.targets[name.removeprefix('above_')])[0]
        if farthest(stand, end) <= THERE_RAD:
            return []
        return [*self._to_camera(stand), *self._swing(f'to {name}', self._camera, end)]

    def _visit(self, target: Target, grip: Grip) -> list[Step]:
        """From the camera to a target, and back to the camera."""
        above, there = self._down(target)
        down, up, way = pose(target.pose), pose(target.above), target.approach
        return [
            *self._swing('to the approach', self._camera, above),
            self._line(DOWN, down, there, way, self._speeds.approach),
            grip,
            self._line('going up', up, above, way, self._speeds.approach),
            *self._swing('to the camera', above, self._camera),
        ]

    def _down(self, target: Target) -> tuple[JointVector, JointVector]:
        """Joints above a target and in it; worked out once."""
        key = (*target.pose.flat, target.approach)
        if key not in self._known:
            self._known[key] = self._come_down(target)
        return self._known[key]

    def _come_down(self, target: Target) -> tuple[JointVector, JointVector]:
        above = self._cell.solve(target.above, self._camera)
        self._cell.swing(self._camera, above)
        return above, self._cell.line(above, target.pose)[-1]

    def _to_camera(self, stand: JointVector) -> list[Step]:
        """To the camera from anywhere; from a target straight up first."""
        up = self.retract(stand)
        start = next((step.joints for step in up if isinstance(step, Move)), stand)
        return [*up, *self._swing('to the camera', start, self._camera)]

    def _swing(self, label: str, start: JointVector, end: JointVector) -> list[Step]:
        way = farthest(start, end)
        if way <= THERE_RAD:
            return []
        self._cell.swing(start, end)
        speeds = self._speeds
        return [
            Move(
                label,
                end,
                None,
                speeds.joint,
                speeds.joint_acceleration,
                deadline(way, speeds.joint, speeds.joint_acceleration),
            )
        ]

    def _line(self, label: str, end: tuple[float, ...], joints: JointVector, way: float, speed: float) -> Move:
        acceleration = self._speeds.linear_acceleration
        return Move(label, joints, end, speed, acceleration, deadline(way, speed, acceleration))

    def _open(self) -> Grip:
        return Grip(
            False,
            self._recipe.gripper.open_time,
            False,
            'The piece is still in the gripper after it opened. Take it out by hand.',
        )

    def _targets(self) -> list[Target]:
        trays = (tray for trays in self._recipe.parts.values() for tray in trays.values())
        return [*self._recipe.targets.values(), *(slot for tray in trays for slot in tray.slots)]
