"""Limits of the links: every link as a capsule against the workspace, the table plane and the boxes of the recipe.

Pure: no ROS, sockets, files or clock.

The links lie as in the kinematic model: upper arm and elbow beside the plane of the forearm by d4. Their radii follow from
that of the upper arm, so the capsules enclose the covers of the joints, too. The fixed base and the shoulder are left out:
they never leave their place. All postures of a path are computed at once, which takes about a millisecond.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cell_robot.motion.kinematics import ArmModel, JointVector
from cell_robot.motion.poses import Matrix

Points = NDArray[np.float64]
LINKS = ('upper arm', 'elbow', 'forearm', 'wrist 1', 'wrist 2', 'wrist 3', 'tool')
"""Names of the capsules, base to tool."""
SHARES = (1.0, 1.05, 0.8, 0.7, 0.7, 0.7)
"""Radius of each link, as a share of the upper arm's."""
SAMPLES = 12
"""Points along a capsule that are compared with a box."""
FINE_RAD = np.radians(1.5)
"""Largest joint step between two postures of a path."""
DEFAULT_TOOL_RADIUS = 0.03


class LinkLimitError(ValueError):
    """A link would leave the workspace or hit something; the text names both."""


@dataclass(frozen=True)
class Box:
    """Box that the arm must not touch: corners in the base frame, meters; its sides are parallel to the axes."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True)
class LinkLimits:
    """Space that the links must stay in; all lengths in meters in the controller's base frame."""

    low: tuple[float, float, float]
    """Corner of the workspace, meters, base frame."""
    high: tuple[float, float, float]
    table: float | None = None
    """Height of the table plane in the base frame, meters; None = there is none."""
    boxes: Mapping[str, Box] = field(default_factory=dict)
    """Name -> fixture, camera or other box."""
    tool_radius: float = DEFAULT_TOOL_RADIUS
    """Meters."""

    def check(self, arm: ArmModel, tool: Matrix, path: Sequence[JointVector]) -> None:
        """Check a path through joint vectors; between two of them all joints turn evenly.

        Args:
            arm: Arm model.
            tool: Transform from the flange to the tool center point.
            path: Joint vectors, radians; one is a single posture.

        Raises:
            LinkLimitError: A link leaves the workspace, goes below the table or hits a box.
        """
        capsules = link_capsules(arm, tool, densify(np.array(path)), self.tool_radius)
        radii = np.array([*(share * arm.radius for share in SHARES), self.tool_radius])
        # A link may pass something between two postures: half of its step there is added to its radius.
        steps = np.linalg.norm(np.diff(capsules, axis=0), axis=-1).max(axis=(0, 2), initial=0.0)
        self._check_workspace(capsules, radii)
        if self.table is not None:
            above: NDArray[np.bool_] = np.greater_equal(capsules[..., 2].min(axis=-1) - radii, self.table)
            _require(above, 'goes below the table')
        reach = (radii + steps).max()
        lowest, highest = capsules.min(axis=(0, 1, 2)) - reach, capsules.max(axis=(0, 1, 2)) + reach
        for name, box in self.boxes.items():
            if (np.array(box.low) > highest).any() or (np.array(box.high) < lowest).any():
                continue  # far from the whole path
            free: NDArray[np.bool_] = np.greater_equal(_distances(capsules, box), _needed(capsules, radii + steps / 2.0))
            _require(free, f'hits {name}')

    def _check_workspace(self, capsules: Points, radii: Points) -> None:
        low, high = np.array(self.low), np.array(self.high)
        margin = radii[:, None, None]
        inside = (capsules - margin >= low) & (capsules + margin <= high)
        stays: NDArray[np.bool_] = np.all(inside, axis=(-1, -2))
        _require(stays, 'leaves the workspace')


def link_capsules(arm: ArmModel, tool: Matrix, joints: Points, tool_radius: float = DEFAULT_TOOL_RADIUS) -> Points:
    """Return the axes of the capsules: shape (postures, links, 2 ends, 3), meters, base frame.

    Args:
        arm: Arm model.
        tool: Transform from the flange to the tool center point; its capsule ends there.
        joints: Shape (postures, 6), radians.
        tool_radius: Meters.
    """
    pan, lift, elbow, wrist_1, wrist_2, wrist_3 = joints.T
    zero, one = np.zeros(len(joints)), np.ones(len(joints))
    radial = np.stack([np.cos(pan), np.sin(pan), zero], axis=-1)
    normal = np.stack([np.sin(pan), -np.cos(pan), zero], axis=-1)
    up = np.stack([zero, zero, one], axis=-1)

    def turned(angle: Points) -> Points:
        direction: Points = np.cos(angle)[:, None] * radial + np.sin(angle)[:, None] * up
        return direction

    shoulder = arm.d1 * up
    at_elbow = shoulder + arm.a2 * turned(lift)
    at_wrist = at_elbow + arm.a3 * turned(lift + elbow)
    total = lift + elbow + wrist_1
    along, across = turned(total), np.sin(total)[:, None] * radial - np.cos(total)[:, None] * up
    first = at_wrist + arm.d4 * normal
    second = first + arm.d5 * across
    axis = -np.sin(wrist_2)[:, None] * along + np.cos(wrist_2)[:, None] * normal
    flange = second + arm.d6 * axis
    side = np.cos(wrist_2)[:, None] * along + np.sin(wrist_2)[:, None] * normal
    x_axis = np.cos(wrist_3)[:, None] * side - np.sin(wrist_3)[:, None] * across
    y_axis = -np.sin(wrist_3)[:, None] * side - np.cos(wrist_3)[:, None] * across
    x, y, z = _tool_end(tool, tool_radius)
    end = flange + x * x_axis + y * y_axis + z * axis
    beside = arm.d4 * normal
    pairs = [
        (shoulder + beside, at_elbow + beside),
        (at_elbow + beside, at_elbow),
        (at_elbow, at_wrist),
        (at_wrist, first),
        (first, second),
        (second, flange),
        (flange, end),
    ]
    return np.stack([np.stack(pair, axis=1) for pair in pairs], axis=1)


def _tool_end(tool: Matrix, radius: float) -> tuple[float, float, float]:
    """Return the end of the tool's axis in the flange frame: its rounding ends at the tool center point."""
    position = tool[:3, 3]
    length = float(np.linalg.norm(position))
    x, y, z = (max(0.0, length - radius) / length * position) if length > 0.0 else position
    return float(x), float(y), float(z)


def densify(path: Points) -> Points:
    """Return the path with joint steps of at most FINE_RAD.

    Args:
        path: Shape (postures, 6), radians.

    Returns:
        Shape (n, 6); the given postures are among them.
    """
    if len(path) < 2:
        return path
    pieces = []
    for start, end in itertools.pairwise(path):
        count = max(1, int(np.ceil(np.abs(end - start).max() / FINE_RAD)))
        shares = np.arange(count)[:, None] / count
        pieces.append(start + shares * (end - start))
    result: Points = np.concatenate([*pieces, path[-1:]])
    return result


def _distances(capsules: Points, box: Box) -> Points:
    """Return the smallest distance of each axis to a box at its samples.

    Args:
        capsules: Shape (postures, links, 2, 3), meters.
        box: In the same frame.

    Returns:
        Shape (postures, links), meters; 0 inside the box.
    """
    shares = np.linspace(0.0, 1.0, SAMPLES)[:, None]
    points = capsules[:, :, None, 0] + shares * (capsules[:, :, None, 1] - capsules[:, :, None, 0])
    outside = np.maximum(np.maximum(np.array(box.low) - points, points - np.array(box.high)), 0.0)
    result: Points = np.sqrt((outside**2).sum(axis=-1)).min(axis=-1)
    return result


def _needed(capsules: Points, radii: Points) -> Points:
    """Return the distance of the samples at which the whole axis keeps its radius: a corner may be between two samples.

    Args:
        capsules: Shape (postures, links, 2, 3), meters.
        radii: Shape (links,), meters.
    """
    lengths = np.linalg.norm(capsules[:, :, 1] - capsules[:, :, 0], axis=-1)
    result: Points = np.sqrt(radii**2 + (lengths / (SAMPLES - 1) / 2.0) ** 2)
    return result


def _require(fine: NDArray[np.bool_], text: str) -> None:
    """Check a table of (postures, links).

    Args:
        fine: True where a link is in order.
        text: What the link does otherwise.

    Raises:
        LinkLimitError: Names the first link that is not fine.
    """
    links = np.flatnonzero(~fine.all(axis=0))
    if len(links):
        # The outermost: it is what an operator sees first.
        raise LinkLimitError(f'the {LINKS[links[-1]]} {text}')
