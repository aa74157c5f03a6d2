"""Lets the controller's program follow a trajectory, at the controller's own pace. No ROS, no sockets, no clock.

As in the scaled controller of the official driver, the trajectory's time runs as fast as the robot's speed scaling allows: it
stands while the program is paused, and goes on with the same goal when the program is resumed. A program that ends, ends the
goal too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cell_sim.ur_controller.external_control import FOLLOW, HOLD, INT
from cell_sim.ur_driver.trajectory import Trajectory

SUCCESSFUL, INVALID_GOAL, PATH_VIOLATED, GOAL_VIOLATED = 0, -1, -4, -5
"""Error codes of control_msgs/action/FollowJointTrajectory."""
STOPPING, STOPPED, PLAYING = 0, 1, 2
"""Values of runtime_state."""
GOAL_RAD = 1e-4
LATE_S = 2.0
"""Of the controller's time, after the trajectory's end."""

Ended = Callable[[int, str], None]
"""Hears error code and text when a goal has ended."""


class TrajectoryFollower:
    """What the driver makes of each data package."""

    def __init__(self, time_scale: float = 1.0) -> None:
        """Hold still.

        Args:
            time_scale: How many times faster than in life the controller's arm moves.
        """
        self._time_scale = time_scale
        self._goal: Trajectory | None = None
        self._ended: Ended = lambda _code, _text: None
        self._elapsed = self._late = 0.0
        self._timestamp: float | None = None
        self._echo: int | None = None
        self.running = False
        """The driver's program runs on the controller, or is paused."""
        self.joints: tuple[float, ...] = ()
        """Where the joints are; () = not known."""

    def begin(self, trajectory: Trajectory, ended: Ended) -> None:
        """Follow a trajectory from now on; one that was followed until now is aborted."""
        self.end(INVALID_GOAL, 'another goal has taken its place')
        self._goal, self._ended, self._elapsed = trajectory, ended, 0.0
        self._late = 0.0

    def end(self, code: int, text: str) -> None:
        """Hold still."""
        ended, self._ended, was, self._goal = self._ended, lambda _code, _text: None, self._goal, None
        if was is not None:
            ended(code, text)

    def lost(self) -> None:
        """Know nothing: the controller is not connected."""
        self.running, self.joints, self._timestamp, self._echo = False, (), None, None
        self.end(INVALID_GOAL, 'the connection to the robot was lost')

    def cycle(self, values: Mapping[str, Any]) -> tuple[int, tuple[float, ...]]:
        """Take a data package and return what the program is told: command and joint targets."""
        self.joints = values['actual_q']
        passed = values['timestamp'] - self._timestamp if self._timestamp is not None else 0.0
        self._timestamp = values['timestamp']
        self._watch(values['runtime_state'], values[f'output_int_register_{INT}'])
        if self._goal is None:
            return HOLD, self.joints
        passed = max(0.0, passed) if values['runtime_state'] == PLAYING else 0.0
        self._elapsed += passed * values['speed_scaling'] * self._time_scale
        return self._follow(self._goal, passed)

    def _watch(self, runtime: int, echo: int) -> None:
        """See whether it is the driver's own program that runs: it counts in a register."""
        counted = self._echo is not None and echo != self._echo
        self._echo = echo
        if runtime in (STOPPING, STOPPED):
            self.running = False
            self.end(INVALID_GOAL, 'the program on the robot has ended')
        elif counted:
            self.running = True

    def _follow(self, goal: Trajectory, seconds: float) -> tuple[int, tuple[float, ...]]:
        targets = goal.at(self._elapsed)
        if self._elapsed >= goal.duration:
            self._late += seconds
            off = max(abs(one - other) for one, other in zip(self.joints, goal.end, strict=True))
            if off <= GOAL_RAD:
                self.end(SUCCESSFUL, '')
            elif self._late > LATE_S:
                self.end(GOAL_VIOLATED, f'a joint is {off:.4f} rad away from the goal')
        return FOLLOW, targets
