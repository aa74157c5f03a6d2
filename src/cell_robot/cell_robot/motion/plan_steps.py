"""Steps of a plan, where a plan starts, and why there may be none.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.poses import Matrix


class GripperContent(enum.Enum):
    """Content of the gripper as far as it is known; the value is its name for the operator."""

    NONE = 'nothing'
    HELD = 'a piece'
    BENCHMARK = 'the benchmark part'
    UNKNOWN = 'unknown'


class PlanError(Exception):
    """An event cannot be executed; nothing moved. The text gives the reason and the remedy."""


def untaught_text(untaught: tuple[str, ...]) -> str:
    """Return that places of the recipe are not taught, with the remedy."""
    more = f' and {len(untaught) - 3} more' if len(untaught) > 3 else ''
    return f'The recipe is not complete: {", ".join(untaught[:3])}{more} not taught. Teach them with "cell robot teach".'


class UnknownEventError(PlanError):
    """The event does not exist, or the recipe has no position for its part."""


class ReachError(PlanError):
    """A pose violates a joint limit, the workspace or the arm's reach."""


@dataclass(frozen=True)
class MoveStep:
    """One move of the arm."""

    label: str
    """Name for the operator; completes "on the move"."""
    joints: JointVector
    """Joint angles at the end, radians."""
    pose: tuple[float, ...] | None
    """Tool pose at the end of a straight line; None = joint move."""
    speed: float
    """rad/s, or m/s on a straight line."""
    acceleration: float
    seconds: float
    """Duration at full speed after which the move counts as stuck."""
    blend: float = 0.0
    """Radius in meters within which the corner to the next move may be rounded; 0 = the arm stops at the end."""


@dataclass(frozen=True)
class GripStep:
    """Opening or closing of the gripper."""

    closed: bool
    seconds: float
    """Time to open or close."""
    holds: bool
    """Expected state of the part sensor afterwards, if there is one."""
    missing: str
    """Message for the operator when the sensor disagrees."""


@dataclass(frozen=True)
class ArmPosition:
    """Place from which a plan starts."""

    joints: JointVector
    """rad."""
    tool: Matrix | None = None
    """Tool pose that the controller reports; None = computed from the joints. A calibrated arm differs by some millimeters, and
    goes straight only from the controller's own pose."""


PlanStep = MoveStep | GripStep


def moves_together(steps: Sequence[PlanStep], index: int) -> Sequence[PlanStep]:
    """Return the step at an index, with the moves after it as long as the corners between them are rounded."""
    count = 1
    while True:
        last, after = steps[index + count - 1], steps[index + count : index + count + 1]
        if not (isinstance(last, MoveStep) and last.blend > 0.0 and after and isinstance(after[0], MoveStep)):
            return steps[index : index + count]
        count += 1


TrayCounts = Mapping[tuple[str, int], int]
"""(part number, tray) -> pieces according to the ledger."""
