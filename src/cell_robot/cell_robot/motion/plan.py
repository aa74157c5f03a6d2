"""Plans: the steps of each event, all checked before the first one is executed.

Pure: no ROS, sockets, files or clock.

Every plan passes the camera waypoint, because the recipe check has shown that each target is reachable from there. The slot to
pick from follows from the ledger alone, so it is right after a crash too. Slots are emptied in the order of the recipe: the
next index is the number of slots minus the pieces left.

A pick or a placement is always camera, above the target, down, grip, up, camera. Down and up are slow straight lines; all else
are joint moves. Where the recipe has a blend radius and the path is free, the corner above the target is rounded.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from cell_robot.motion.approach import Retraction, SolvedTarget, solve_target
from cell_robot.motion.kinematics import JointVector, max_joint_difference
from cell_robot.motion.path_check import MoveError, move_deadline
from cell_robot.motion.plan_steps import (
    ArmPosition,
    GripperContent,
    GripStep,
    MoveStep,
    PlanError,
    PlanStep,
    ReachError,
    TrayCounts,
    UnknownEventError,
    untaught_text,
)
from cell_robot.motion.poses import matrix_to_pose
from cell_robot.motion.recipe import ApproachTarget, CellRecipe

__all__ = [
    'MOVE',
    'PART',
    'ArmPosition',
    'GripStep',
    'GripperContent',
    'MoveStep',
    'PlanError',
    'PlanStep',
    'Planner',
    'ReachError',
    'TrayCounts',
    'UnknownEventError',
]

ARRIVED_RAD = 0.002
"""Moves shorter than this are left out."""
FINE_RAD = math.radians(1.0)
"""Joint step at which the tool's speed is checked; moves are planned with a coarser one."""
PART, MOVE = 'PART_', 'MOVE_'
DOWN = 'going down'


class Planner:
    """Makes plans from a recipe that `recipe_file` has checked as a whole.

    It keeps solved targets and nothing about the arm: position, gripper and stock are arguments. Use it in one thread.
    """

    def __init__(self, recipe: CellRecipe) -> None:
        self._recipe, self._cell, self._speeds = recipe, recipe.cell, recipe.speeds
        self._camera = recipe.waypoints.get('camera', ())
        self._retraction = Retraction(self._all_targets())
        self._tool_speeds: tuple[float, int] | None = None
        self._solved: dict[tuple[float, ...], SolvedTarget] = {}

    @property
    def named_poses(self) -> tuple[str, ...]:
        """Names that MOVE_<name> accepts."""
        return (*self._recipe.waypoints, *(f'above_{name}' for name in self._recipe.targets))

    def tool_speeds(self) -> tuple[float, int]:
        """Return the highest speed of the tool on the joint moves, m/s, and how many of them are slowed for it.

        The first call solves every target, which takes some tenths of a second; it may run in another thread.
        """
        if self._recipe.untaught:
            return 0.0, 0
        if self._tool_speeds is None:
            self._tool_speeds = self._measure_tool_speeds()
        return self._tool_speeds

    def _measure_tool_speeds(self) -> tuple[float, int]:
        trays = [tray for trays in self._recipe.parts.values() for tray in trays.values()]
        corners = [tray.slots[index] for tray in trays for index in tray.corners]
        targets = {target.pose.tobytes(): target for target in [*self._recipe.targets.values(), *corners]}
        ends = [self._recipe.waypoints['home'], *(self._solve(target).above for target in targets.values())]
        moves = [end for end in ends if max_joint_difference(self._camera, end) > ARRIVED_RAD]
        speeds = [self._tool_limited(self._cell.tool_travel(self._camera, end)) for end in moves]
        highest = [
            speed * self._cell.tool_travel(self._camera, end, FINE_RAD) for speed, end in zip(speeds, moves, strict=True)
        ]
        return max(highest, default=0.0), sum(speed < self._speeds.joint for speed in speeds)

    def tray(self, part_number: str, tray: int, stock: TrayCounts) -> int:
        """Return the tray to pick from: the given one, or for 0 the first tray with pieces.

        Args:
            part_number: A part of the recipe.
            tray: 1..255, or 0.
            stock: Pieces in the trays.

        Raises:
            PlanError: There is no such tray, or all trays are empty.
        """
        trays = self._recipe.parts.get(part_number)
        if trays is None:
            raise UnknownEventError(f'The recipe has no place for {part_number}. Add it to parts of the recipe.')
        if tray == 0:
            tray = next((number for number in sorted(trays) if stock.get((part_number, number), 0) > 0), 0)
            if tray == 0:
                raise PlanError(f'No tray holds {part_number} according to the ledger. Reload, or name the tray.')
        if tray not in trays:
            raise UnknownEventError(f'The recipe has no tray {tray} for {part_number}. Add it to parts of the recipe.')
        return tray

    def slot(self, part_number: str, tray: int, stock: TrayCounts) -> int:
        """Return the index of the slot to pick from next, from 0.

        Args:
            part_number: A part of the recipe.
            tray: One of its trays.
            stock: Pieces in the trays.

        Raises:
            PlanError: By the ledger the tray is empty, or holds more pieces than the recipe has slots.
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
        self, event: str, tray: int, start: ArmPosition, content: GripperContent, stock: TrayCounts, *, closed: bool = False
    ) -> list[PlanStep]:
        """Return the steps of an event.

        Args:
            event: Event of a trigger.
            tray: 1..255; 0 = not specified.
            start: Current position of the arm.
            content: Content of the gripper.
            stock: Pieces in the trays.
            closed: The gripper is closed, for example after its piece was removed by hand.

        Raises:
            PlanError: The event cannot be executed; its subclasses tell unknown events and reach apart.
        """
        if untaught := self._recipe.untaught:
            raise PlanError(untaught_text(untaught))
        try:
            steps = self._steps(event, tray, start, content, stock)
        except MoveError as error:
            raise ReachError(
                f'{event} is not possible from here: {error}. Nothing moved. Move the arm by hand to a free '
                'place, or correct the recipe.'
            ) from error
        return self._open_before_pick(steps) if closed else steps

    def plan_next_slot(self, event: str, tray: int, start: ArmPosition, stock: TrayCounts) -> list[PlanStep] | None:
        """Return the steps of a second pick at the slot after an empty one; None when there is none.

        Args:
            event: PART_<part number>.
            tray: 1..255; 0 = not specified.
            start: Current position of the arm; the gripper is open.
            stock: Pieces in the trays, which count the missing piece.
        """
        part_number = event.removeprefix(PART)
        try:
            tray = self.tray(part_number, tray, stock)
            slots, slot = self._recipe.parts[part_number][tray].slots, self.slot(part_number, tray, stock) + 1
            if slot >= len(slots):
                return None
            missing = f'No piece in slots {slot} and {slot + 1} of tray {tray}. Look into the tray and correct its count.'
            return self._pick(slots[slot], start, GripperContent.NONE, missing)
        except (PlanError, MoveError):
            return None

    def retract(self, start: ArmPosition) -> list[PlanStep]:
        """Return the straight move out of a target, against its approach; [] when the tool is not in one.

        Any other first move from inside a tray or the benchmark position would sweep sideways through it.

        Args:
            start: Position of the arm, wherever it was stopped.

        Raises:
            ReachError: The arm cannot move straight out from here.
        """
        tool = self._cell.tcp(start.joints) if start.tool is None else start.tool
        end = self._retraction.end(tool)
        if end is None:
            return []
        try:
            path = self._cell.linear_move(start.joints, end)
        except MoveError as error:
            raise ReachError(f'The arm cannot retract: {error}. Move it by hand to a free place.') from error
        length = float(np.linalg.norm(end[:3, 3] - tool[:3, 3]))
        return [self.linear_move('retracting', matrix_to_pose(end), path[-1], length, self._speeds.approach)]

    def _steps(self, event: str, tray: int, start: ArmPosition, content: GripperContent, stock: TrayCounts) -> list[PlanStep]:
        """Return the steps of an event, without regard to a closed gripper.

        Raises:
            PlanError: The event cannot be executed.
            MoveError: A move is not possible.
        """
        if event == 'START_PROGRAM':
            return []
        if event == 'HOME':
            return self._home(start, content)
        if event.startswith(MOVE):
            return self._named_pose(event.removeprefix(MOVE), start)
        if event in ('PLACE', 'REJECT'):
            return self._put_down(event, start, content)
        if event == 'BENCHMARK':
            missing = 'The benchmark part is not in its place.'
            return self._pick(self._recipe.targets['benchmark'], start, content, missing)
        if not event.startswith(PART):
            raise UnknownEventError(f'{event} is no event of this robot.')
        part_number = event.removeprefix(PART)
        tray = self.tray(part_number, tray, stock)
        slot = self.slot(part_number, tray, stock)
        missing = f'No piece in slot {slot + 1} of tray {tray}. Look into the tray and correct its count.'
        return self._pick(self._recipe.parts[part_number][tray].slots[slot], start, content, missing)

    def _pick(self, target: ApproachTarget, start: ArmPosition, content: GripperContent, missing: str) -> list[PlanStep]:
        """Return the moves over the camera pose to a piece and back; a gripper that holds a piece is a PlanError."""
        # UNKNOWN is allowed: without a sensor, a restarted node could otherwise never pick again.
        if content in (GripperContent.HELD, GripperContent.BENCHMARK):
            raise PlanError(f'The gripper holds {content.value}. Take it out first, by hand or with REJECT.')
        grip = GripStep(True, self._recipe.gripper.close_time, True, missing)
        return [*self._to_camera(start), *self._pick_or_place(target, grip)]

    def _open_before_pick(self, steps: list[PlanStep]) -> list[PlanStep]:
        """Open the gripper above the target before going down: a closed one would hit the piece."""
        picks = any(isinstance(step, GripStep) and step.closed for step in steps)
        down = next((number for number, step in enumerate(steps) if isinstance(step, MoveStep) and step.label == DOWN), 0)
        return [*steps[:down], self._open(), *steps[down:]] if picks else steps

    def _put_down(self, event: str, start: ArmPosition, content: GripperContent) -> list[PlanStep]:
        """Return the moves over the camera pose to PLACE or REJECT and back; a gripper that holds nothing is a PlanError."""
        if content is GripperContent.NONE:
            raise PlanError('The gripper holds nothing. Look where the piece is.')
        return [*self._to_camera(start), *self._pick_or_place(self._recipe.targets[event.lower()], self._open())]

    def _home(self, start: ArmPosition, content: GripperContent) -> list[PlanStep]:
        """Return the moves home; a benchmark part in the gripper is put back first."""
        home = self._recipe.waypoints['home']
        if content is GripperContent.BENCHMARK:
            steps = [*self._to_camera(start), *self._pick_or_place(self._recipe.targets['benchmark'], self._open())]
            return [*steps, *self.joint_move('to home', self._camera, home)]
        if max_joint_difference(start.joints, home) <= ARRIVED_RAD:
            return []
        return [*self._to_camera(start), *self.joint_move('to home', self._camera, home)]

    def _named_pose(self, name: str, start: ArmPosition) -> list[PlanStep]:
        """Return the moves to a waypoint or above a target; only for simulated arms."""
        if name not in self.named_poses:
            raise UnknownEventError(f'There is no pose {name}. There are: {", ".join(self.named_poses)}.')
        if name in self._recipe.waypoints:
            end = self._recipe.waypoints[name]
        else:
            end = self._solve(self._recipe.targets[name.removeprefix('above_')]).above
        if max_joint_difference(start.joints, end) <= ARRIVED_RAD:
            return []
        return [*self._to_camera(start), *self.joint_move(f'to {name}', self._camera, end)]

    def _pick_or_place(self, target: ApproachTarget, grip: GripStep) -> list[PlanStep]:
        """Return the steps from the camera to a target and back."""
        solved = self._solve(target)
        down, up, length = matrix_to_pose(target.pose), matrix_to_pose(target.above), target.approach
        going_up = self.linear_move('going up', up, solved.above, length, self._speeds.approach)
        return [
            *(replace(step, blend=solved.blend) for step in self.joint_move('to the approach', self._camera, solved.above)),
            self.linear_move(DOWN, down, solved.at, length, self._speeds.approach),
            grip,
            replace(going_up, blend=solved.blend),
            *self.joint_move('to the camera', solved.above, self._camera),
        ]

    def _solve(self, target: ApproachTarget) -> SolvedTarget:
        """Return the joints of a target; cached."""
        # By value: parts share trays, and a plan must not cost the inverse kinematics of a line each time.
        key = (*target.pose.flat, target.approach, target.along_tool)
        if key not in self._solved:
            # Solved from the camera, not from where the arm stands: the same target always gives the same joints, as checked
            # at the start.
            self._solved[key] = solve_target(self._cell, self._camera, target, self._speeds.blend)
        return self._solved[key]

    def _to_camera(self, start: ArmPosition) -> list[PlanStep]:
        """Return the steps to the camera from anywhere; out of a target against its approach first."""
        up = self.retract(start)
        joints = next((step.joints for step in up if isinstance(step, MoveStep)), start.joints)
        return [*up, *self.joint_move('to the camera', joints, self._camera)]

    def joint_move(self, label: str, start: JointVector, end: JointVector) -> list[MoveStep]:
        """Return a checked joint move, [] when the arm is there; the tool keeps the recipe's highest speed.

        Raises:
            MoveError: The move leaves the limits.
        """
        length = max_joint_difference(start, end)
        if length <= ARRIVED_RAD:
            return []
        self._cell.joint_move(start, end)
        speed = self._tool_limited(self._cell.tool_travel(start, end))
        acceleration = self._speeds.joint_acceleration
        return [MoveStep(label, end, None, speed, acceleration, move_deadline(length, speed, acceleration))]

    def linear_move(self, label: str, end: tuple[float, ...], joints: JointVector, length: float, speed: float) -> MoveStep:
        """Return a straight move to a tool pose, which the caller has checked.

        Args:
            label: Name of the move in logs and errors.
            end: x, y, z in meters and a rotation vector in radians, base frame.
            joints: Angles at the end, radians.
            length: Way of the tool, meters, for the deadline.
            speed: Meters per second.
        """
        acceleration = self._speeds.linear_acceleration
        return MoveStep(label, joints, end, speed, acceleration, move_deadline(length, speed, acceleration))

    def _tool_limited(self, travel: float) -> float:
        """Return the speed of the leading joint (rad/s) at which the tool keeps its highest speed; `travel` in m/rad."""
        return min(self._speeds.joint, self._speeds.linear / travel) if travel > 0.0 else self._speeds.joint

    def _open(self) -> GripStep:
        return GripStep(
            False,
            self._recipe.gripper.open_time,
            False,
            'The piece is still in the gripper after it opened. Take it out by hand.',
        )

    def _all_targets(self) -> list[ApproachTarget]:
        trays = (tray for trays in self._recipe.parts.values() for tray in trays.values())
        return [*self._recipe.targets.values(), *(slot for tray in trays for slot in tray.slots)]
