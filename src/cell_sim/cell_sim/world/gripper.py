"""What the arm's gripper does to the pieces: where it closes and opens decides, and nothing that a program says.

Geometry and rules only: a stand of the arm, the gripper's digital output and the world come in, pieces change hands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cell_robot.motion.kinematics import farthest
from cell_robot.motion.poses import Matrix, distance, rotation_vector
from cell_robot.motion.recipe import Gripper, Recipe

from cell_sim.world.world import REFERENCE, ViewPhase, World

GRIP_M, GRIP_RAD = 0.010, math.radians(10.0)
"""The gripper holds or puts down what is meant when the tool centre point is so near the taught pose."""
CAMERA_RAD = math.radians(2.0)
"""Every joint so near the camera waypoint: the piece is in the picture."""
PASSING_M = 0.15
"""Nearer than this to it, the piece is at the edge of the picture and moves."""
FAR_RAD = 0.8
"""Any joint further than this from it: not worth a look at the tool."""
STANDING_RAD_S = 0.01


@dataclass(frozen=True)
class TaughtPose:
    """A taught place."""

    name: str
    """place, reject, benchmark or tray."""
    owners: tuple[tuple[str, int], ...] = ()
    """(part number, tray) of those whose pieces lie there; several parts may share a place."""


class TaughtPoses:
    """Every taught place of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        """Collect them."""
        spots: dict[tuple[float, ...], tuple[Matrix, str, list[tuple[str, int]]]] = {}
        for name, target in recipe.targets.items():
            spots[_key(target.pose)] = target.pose, name, []
        for part_number, trays in recipe.parts.items():
            for tray, slots in trays.items():
                for slot in slots.slots:
                    spots.setdefault(_key(slot.pose), (slot.pose, 'tray', []))[2].append((part_number, tray))
        self._poses = [pose for pose, _, _ in spots.values()]
        self._places = np.array([pose[:3, 3] for pose in self._poses])
        self._spots = [TaughtPose(name, tuple(owners)) for _, name, owners in spots.values()]

    def spot(self, tcp: Matrix) -> TaughtPose | None:
        """Return the taught place that the tool is at, None when it is at none."""
        index = int(np.argmin(np.linalg.norm(self._places - tcp[:3, 3], axis=1)))
        metres, radians = distance(self._poses[index], tcp)
        return self._spots[index] if metres <= GRIP_M and radians <= GRIP_RAD else None


class SimulatedGripper:
    """The gripper of an arm in a world."""

    def __init__(self, recipe: Recipe, world: World) -> None:
        """Be open."""
        self._recipe, self._world = recipe, world
        self._poses = TaughtPoses(recipe)
        self._camera = recipe.waypoints['camera']
        self._before_camera = recipe.cell.tcp(self._camera)
        self._outputs = 0
        self.closed = False

    def update(self, joints: Sequence[float], speeds: Sequence[float], outputs: int) -> bool:
        """Take the arm's stand and its digital outputs, and return whether a piece is held (the gripper's sensor).

        Args:
            joints: Radians.
            speeds: Radians per second.
            outputs: Digital output bits as in RTDE.
        """
        if outputs != self._outputs:
            closed = is_closed(self._recipe.gripper, self._outputs, outputs, self.closed)
            self._outputs = outputs
            if closed != self.closed:
                self.closed = closed
                self._close(joints) if closed else self._open(joints)
        if self._world.held is not None:
            self._world.set_visibility(self._visibility(joints, speeds))
        return self._world.held is not None

    def _close(self, joints: Sequence[float]) -> None:
        spot = self._taught_pose(joints)
        if spot is None or self._world.held is not None:
            return
        if spot.name == 'benchmark':
            self._world.grip_reference()
        elif spot.name == 'tray':
            owner = next(
                (owner for owner in spot.owners if owner[0] == self._world.on_table),
                spot.owners[0] if len(spot.owners) == 1 else None,
            )
            if owner is not None:
                self._world.grip(*owner)

    def _open(self, joints: Sequence[float]) -> None:
        world, spot = self._world, self._taught_pose(joints)
        name = spot.name if spot is not None else ''
        if name == 'benchmark' and world.held is not None and world.held.serial.startswith(REFERENCE):
            world.return_reference()
        else:
            world.release({'place': world.placed, 'reject': world.rejected}.get(name, world.dropped))

    def _taught_pose(self, joints: Sequence[float]) -> TaughtPose | None:
        return self._poses.spot(self._recipe.cell.tcp(joints))

    def _visibility(self, joints: Sequence[float], speeds: Sequence[float]) -> ViewPhase:
        turned = farthest(joints, self._camera)
        if turned <= CAMERA_RAD:
            return ViewPhase.STILL if max(map(abs, speeds)) <= STANDING_RAD_S else ViewPhase.MOVING
        if turned > FAR_RAD:
            return ViewPhase.AWAY
        metres, _ = distance(self._recipe.cell.tcp(joints), self._before_camera)
        return ViewPhase.MOVING if metres <= PASSING_M else ViewPhase.AWAY


def is_closed(gripper: Gripper, before: int, after: int, closed: bool) -> bool:
    """Return whether a gripper is closed after its outputs have changed; with two outputs the one that went on last counts."""
    if gripper.open_output is None:
        return bool(after >> gripper.close_output & 1)
    risen = after & ~before
    if risen >> gripper.open_output & 1:
        return False
    return closed or bool(risen >> gripper.close_output & 1)


def _key(pose: Matrix) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in (*pose[:3, 3], *rotation_vector(pose[:3, :3])))
