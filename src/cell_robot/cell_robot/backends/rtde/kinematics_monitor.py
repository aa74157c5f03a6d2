"""Compares the kinematics of the recipe with the controller's in the incoming data.

Pure: no ROS, sockets, files or clock.

The plan is computed with the recipe's arm and tool. If the controller uses another arm model or tool, all poses are off while
every single check passes; comparing its tool pose with ours shows it.
"""

from __future__ import annotations

from cell_robot.motion.agreement import disagreement
from cell_robot.motion.path_check import ArmCell
from cell_robot.protocols.rtde.snapshot import RobotSnapshot

CHECK_PERIOD_S = 0.04
MAX_CONTRADICTIONS = 3
"""So many in a row count: joints and tool pose of one package may be one control cycle apart."""


class KinematicsMonitor:
    """State of the comparison; it pauses while the controller does not have the recipe's tool."""

    def __init__(self, cell: ArmCell) -> None:
        """Compare nothing until the controller has the recipe's tool.

        Args:
            cell: Arm model and tool of the recipe.
        """
        self._cell = cell
        self._checked_at, self._count = float('-inf'), 0
        self.active = False
        """The controller has the recipe's tool."""
        self.contradiction = ''
        """How the controller's kinematics contradict the recipe, with the remedy; "" when they agree."""

    def find(self, now: RobotSnapshot) -> str:
        """Return how one package contradicts the recipe, "" when it does not."""
        return disagreement(self._cell, now.joints, now.tool, now.tcp_offset)

    def begin(self) -> None:
        """Compare from now on: the controller has the recipe's tool."""
        self.active, self._count, self.contradiction = True, 0, ''

    def pause(self) -> None:
        """Stop comparing; a contradiction stays."""
        self.active = False

    def forget(self) -> None:
        """Stop comparing, and forget a contradiction."""
        self.active, self.contradiction = False, ''

    def fail(self, contradiction: str) -> None:
        """Keep a contradiction that was found before the comparison began."""
        self.active, self.contradiction = False, contradiction

    def take(self, now: RobotSnapshot, received_at: float) -> bool:
        """Compare a package when it is due; return True if the contradiction has changed.

        Args:
            now: Newest package.
            received_at: Its time of arrival, seconds of a monotonic clock.
        """
        if not self.active or received_at - self._checked_at < CHECK_PERIOD_S:
            return False
        self._checked_at = received_at
        found = self.find(now)
        self._count = self._count + 1 if found else 0
        # Not yet certain, or known already.
        if found and (self._count < MAX_CONTRADICTIONS or self.contradiction):
            return False
        changed = bool(found) != bool(self.contradiction)
        self.contradiction = found
        return changed
