"""Gripper of the simulated arm: the pose at which it closes or opens decides which part changes hands.

Inputs are the joints, their speeds and the digital outputs of the controller. The running program plays no role.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cell_robot.motion import CellRecipe, GripperSettings, Matrix, max_joint_difference, pose_distance, rotation_vector

from cell_sim.faults import FaultInjector
from cell_sim.world.world import REFERENCE, ViewPhase, World

GRIP_M, GRIP_RAD = 0.010, math.radians(10.0)
"""Tolerance between the tool center point and a taught pose for gripping and releasing."""
CAMERA_RAD = math.radians(2.0)
"""Joint tolerance around the camera waypoint within which the part is in the image."""
PASSING_M = 0.15
"""Tool distance to the camera pose within which the part is at the edge of the image and moves."""
FAR_RAD = 0.8
"""Joint difference to the camera waypoint above which the tool position is not computed."""
STANDING_RAD_S = 0.01
FAULTS = {
    'no_grip': ('the gripper closes without taking the part: no vacuum, or the fingers miss it, times', 1.0),
    'slip': ('a part drops out of the gripper this long after it was taken, seconds', 1.0),
    'stay_closed': ('the gripper does not let the part go when it opens, times', 1.0),
}
"""Faults of the gripper: name -> (description, default value)."""


@dataclass(frozen=True)
class TaughtPose:
    """Taught place of a recipe.

    Attributes:
        name: place, reject, benchmark or tray.
        owners: (part number, tray) of each part that lies there; several parts may share a place.
            Empty for the other names.
    """

    name: str
    owners: tuple[tuple[str, int], ...] = ()


class TaughtPoses:
    """All taught places of a recipe, searchable by tool pose.

    Slots with the same pose, rounded to a micrometer and a microradian, are one place with several
    owners.
    """

    def __init__(self, recipe: CellRecipe) -> None:
        found: dict[tuple[float, ...], tuple[Matrix, str, list[tuple[str, int]]]] = {}
        for name, target in recipe.targets.items():
            found[_key(target.pose)] = target.pose, name, []
        for part_number, trays in recipe.parts.items():
            for tray, slots in trays.items():
                for slot in slots.slots:
                    found.setdefault(_key(slot.pose), (slot.pose, 'tray', []))[2].append((part_number, tray))
        self._matrices = [pose for pose, _, _ in found.values()]
        self._positions = np.array([pose[:3, 3] for pose in self._matrices])
        self._taught = [TaughtPose(name, tuple(owners)) for _, name, owners in found.values()]

    def find(self, tcp: Matrix) -> TaughtPose | None:
        """Return the taught place within tolerance of the tool center point, or None.

        Args:
            tcp: Tool center point in the base frame, 4 x 4 homogeneous matrix, meters.

        Returns:
            The nearest place by position, if position (10 mm) and rotation (10 degrees) both match.
        """
        # One vectorized distance instead of a matrix comparison per slot: a recipe has hundreds of
        # slots.
        index = int(np.argmin(np.linalg.norm(self._positions - tcp[:3, 3], axis=1)))
        meters, radians = pose_distance(self._matrices[index], tcp)
        return self._taught[index] if meters <= GRIP_M and radians <= GRIP_RAD else None


class SimulatedGripper:
    """Gripper of one arm in one world.

    The gripper only sees what a real one would: where the tool is and which outputs are set. A
    robot node that closes at a wrong pose grips nothing, so a wrong recipe fails here as it would
    in the cell.

    Attributes:
        closed: Whether the fingers are closed, with or without a part.
    """

    def __init__(self, recipe: CellRecipe, world: World) -> None:
        self._recipe, self._world = recipe, world
        self.faults = FaultInjector(FAULTS)
        self._gripped_at = 0.0
        self._poses = TaughtPoses(recipe)
        self._camera = recipe.waypoints['camera']
        self._camera_tcp = recipe.cell.tcp(self._camera)
        self._outputs = 0
        self.closed = False

    @property
    def holds(self) -> bool:
        """Whether a part is held."""
        return self._world.held is not None

    def update(self, joints: Sequence[float], speeds: Sequence[float], outputs: int, now: float = 0.0) -> bool:
        """Process one controller cycle and return True if a part is held (the gripper's sensor).

        Args:
            joints: Six joint angles, base to wrist 3, radians.
            speeds: Six joint speeds, radians per second.
            outputs: Digital output bits as in RTDE (`actual_digital_output_bits`): bit 0 is
                standard output 0.
            now: Seconds.
        """
        if outputs != self._outputs and self._recipe.gripper.close_output is not None:
            closed = is_closed(self._recipe.gripper, self._outputs, outputs, self.closed)
            self._outputs = outputs
            self.set_closed(closed, joints, now)
        slip_s = self.faults.value('slip')
        if slip_s and self.holds and now - self._gripped_at >= slip_s:
            self.faults.take('slip')
            self._world.release(self._world.dropped)
        if self._world.held is not None:
            self._world.set_visibility(self._visibility(joints, speeds))
        return self.holds

    def set_closed(self, closed: bool, joints: Sequence[float], now: float) -> None:
        """Close or open; the arm's joints (radians) decide which part changes hands.

        Args:
            closed: True to close.
            joints: Radians.
            now: Seconds.
        """
        if closed == self.closed:
            return
        self.closed = closed
        if closed and not self.faults.consume('no_grip'):
            self._gripped_at = now
            self._close(joints)
        elif not closed and not self.faults.consume('stay_closed'):
            self._open(joints)

    def _close(self, joints: Sequence[float]) -> None:
        """Grip what lies at the pose of the tool; nothing if it is no taught place."""
        taught = self._taught_pose(joints)
        if taught is None or self._world.held is not None:
            return
        if taught.name == 'benchmark':
            self._world.grip_reference()
        elif taught.name == 'tray':
            # Several parts may share the place: the presented one lies there.
            owner = next(
                (owner for owner in taught.owners if owner[0] == self._world.presented_part),
                taught.owners[0] if len(taught.owners) == 1 else None,
            )
            if owner is not None:
                self._world.grip(*owner)

    def _open(self, joints: Sequence[float]) -> None:
        world, taught = self._world, self._taught_pose(joints)
        name = taught.name if taught is not None else ''
        if name == 'benchmark' and world.held is not None and world.held.serial.startswith(REFERENCE):
            world.return_reference()
        else:
            world.release({'place': world.placed, 'reject': world.rejected}.get(name, world.dropped))

    def _taught_pose(self, joints: Sequence[float]) -> TaughtPose | None:
        return self._poses.find(self._recipe.cell.tcp(joints))

    def _visibility(self, joints: Sequence[float], speeds: Sequence[float]) -> ViewPhase:
        """Return whether the held part is in the image, by the position of the arm alone."""
        turned = max_joint_difference(joints, self._camera)
        if turned <= CAMERA_RAD:
            return ViewPhase.STILL if max(map(abs, speeds)) <= STANDING_RAD_S else ViewPhase.MOVING
        # Forward kinematics at 500 Hz costs more than the rest of the cycle, so a far arm is
        # decided by its joints alone.
        if turned > FAR_RAD:
            return ViewPhase.AWAY
        meters, _ = pose_distance(self._recipe.cell.tcp(joints), self._camera_tcp)
        return ViewPhase.MOVING if meters <= PASSING_M else ViewPhase.AWAY


def is_closed(gripper: GripperSettings, before: int, after: int, closed: bool) -> bool:
    """Return True if a gripper is closed after its outputs have changed; of two outputs the last rising edge counts.

    Args:
        gripper: Number of the closing output, and of the opening one if the valve has two.
        before: Output bits of the last cycle.
        after: Output bits of this cycle.
        closed: State before the change.
    """
    assert gripper.close_output is not None, 'a gripper without outputs is closed over its own connection'
    if gripper.open_output is None:
        return bool(after >> gripper.close_output & 1)
    risen = after & ~before
    if risen >> gripper.open_output & 1:
        return False
    return closed or bool(risen >> gripper.close_output & 1)


def _key(pose: Matrix) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in (*pose[:3, 3], *rotation_vector(pose[:3, :3])))
