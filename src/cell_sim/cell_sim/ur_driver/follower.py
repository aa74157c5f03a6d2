"""Follows a trajectory at the pace of the controller.

As in the scaled trajectory controller of the official driver, the time of the trajectory is scaled by the robot's speed
scaling. It stops while the program is paused and continues with the same goal after a resume. The end of the program aborts
the goal.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cell_sim.ur_controller.external_control import FOLLOW, HOLD
from cell_sim.ur_driver.trajectory import Trajectory

SUCCESSFUL, INVALID_GOAL, PATH_VIOLATED, GOAL_VIOLATED = 0, -1, -4, -5
"""Error codes of control_msgs/action/FollowJointTrajectory."""
STOPPING, STOPPED, PLAYING = 0, 1, 2
"""Values of runtime_state."""
GOAL_RAD = 1e-4
LATE_S = 2.0
"""Timeout after the end of the trajectory, in the controller's time."""

GoalCallback = Callable[[int, str], None]
"""Called with error code and text at the end of a goal."""


@dataclass(frozen=True)
class DriverData:
    """One data package of the controller.

    Attributes:
        timestamp: Seconds, by the clock of the controller.
        joints: Radians.
        speeds: rad/s.
        robot_mode: As in RTDE.
        safety_mode: As in RTDE.
        runtime_state: As in RTDE; see STOPPING, STOPPED and PLAYING.
        speed_scaling: Share of the programmed speed, 0..1.
        digital_inputs: Bits.
        digital_outputs: Bits.
        echo: Counter of the driver's own program; it changes while that runs.
        tool: Tool center point in the base: meters and a rotation vector.
    """

    timestamp: float
    joints: tuple[float, ...]
    speeds: tuple[float, ...]
    robot_mode: int
    safety_mode: int
    runtime_state: int
    speed_scaling: float
    digital_inputs: int
    digital_outputs: int
    echo: int
    tool: tuple[float, ...] = ()


class TrajectoryFollower:
    """Computes the joint targets for each data package.

    Owned by the thread of the controller client's loop. Other threads only read `running` and
    `joints`, and pass calls on with `call_soon_threadsafe`.

    Attributes:
        time_scale: Speed of the arm relative to a real one.
        running: Whether the driver's program runs on the controller, or is paused.
        joints: Joint positions, radians; () = unknown.
    """

    def __init__(self, time_scale: float = 1.0) -> None:
        """Create a follower without a goal.

        Args:
            time_scale: Speed of the arm relative to a real one.
        """
        self.time_scale = time_scale
        self._goal: Trajectory | None = None
        self._on_end: GoalCallback = lambda _code, _text: None
        self._elapsed = self._late = 0.0
        self._timestamp: float | None = None
        self._echo: int | None = None
        self.running = False
        self.joints: tuple[float, ...] = ()

    def start(self, trajectory: Trajectory, on_end: GoalCallback) -> None:
        """Follow a trajectory; the current goal is aborted.

        Args:
            trajectory: Starts at the current joints.
            on_end: Called exactly once, with error code and text.
        """
        self.finish(INVALID_GOAL, 'replaced by another goal')
        self._goal, self._on_end, self._elapsed = trajectory, on_end, 0.0
        self._late = 0.0

    def finish(self, code: int, text: str) -> None:
        """End the current goal, if any, and hold the position.

        Args:
            code: Error code of FollowJointTrajectory.
            text: Cause; "" on success.
        """
        # Cleared before the callback: it may start the next goal.
        on_end, goal = self._on_end, self._goal
        self._on_end, self._goal = lambda _code, _text: None, None
        if goal is not None:
            on_end(code, text)

    def disconnected(self) -> None:
        """Reset the state after the loss of the connection."""
        self.running, self.joints, self._timestamp, self._echo = False, (), None, None
        self.finish(INVALID_GOAL, 'the connection to the robot was lost')

    def update(self, data: DriverData) -> tuple[int, tuple[float, ...]]:
        """Process a data package and return command and joint targets for the program.

        Args:
            data: Newest data package.

        Returns:
            (HOLD or FOLLOW, six joint targets in radians).
        """
        self.joints = data.joints
        passed = data.timestamp - self._timestamp if self._timestamp is not None else 0.0
        self._timestamp = data.timestamp
        self._update_running(data.runtime_state, data.echo)
        if self._goal is None:
            return HOLD, self.joints
        # Negative after a reboot of the controller, whose clock starts again.
        passed = max(0.0, passed) if data.runtime_state == PLAYING else 0.0
        # Decision 0015: time stands still while the program is paused, which is why the cell
        # cancels goals instead of leaving them.
        self._elapsed += passed * data.speed_scaling * self.time_scale
        return self._follow(self._goal, passed)

    def _update_running(self, runtime: int, echo: int) -> None:
        """Detect whether the running program is the driver's own, which counts in a register."""
        counted = self._echo is not None and echo != self._echo
        self._echo = echo
        if runtime in (STOPPING, STOPPED):
            self.running = False
            self.finish(INVALID_GOAL, 'the program on the robot has ended')
        elif counted:
            self.running = True

    def _follow(self, goal: Trajectory, seconds: float) -> tuple[int, tuple[float, ...]]:
        """Return the targets of this moment, and end the goal when the arm has arrived or is too late."""
        targets = goal.at(self._elapsed)
        if self._elapsed >= goal.duration:
            self._late += seconds
            off = max(abs(one - other) for one, other in zip(self.joints, goal.end, strict=True))
            if off <= GOAL_RAD:
                self.finish(SUCCESSFUL, '')
            elif self._late > LATE_S:
                self.finish(GOAL_VIOLATED, f'a joint is {off:.4f} rad away from the goal')
        return FOLLOW, targets
