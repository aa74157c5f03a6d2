"""Motion of the arm: joint moves and linear moves with trapezoidal speed, stops, and speed control.

All vectors have six entries in the order base, shoulder, elbow, wrist 1, wrist 2, wrist 3. Poses
are in the base frame: three coordinates in meters and a rotation vector in radians, as in URScript.
Accelerations of the arm's dynamics are not modeled: the arm follows its profile exactly.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from cell_robot.motion import (
    ArmModel,
    JointVector,
    PathMove,
    TimedPath,
    forward_kinematics,
    matrix_to_pose,
    max_joint_difference,
    nearest_solution,
    pose_distance,
    pose_to_matrix,
    rotation_vector,
)

from cell_sim.ur_controller.linear_path import LIMIT, LinearPath, MotionError, SingularityError, joints_between
from cell_sim.ur_controller.profile import Profile

JointPath = Callable[[float], JointVector]
"""Share of the path (0..1) -> joints."""

__all__ = ['LIMIT', 'Motion', 'MotionError', 'SingularityError']

# Step of the numerical derivative: far above rounding, far below any curvature.
PROBE_RAD = 1e-5
FLAT = 1e-4
"""Determinant of the Jacobian below which the arm is singular."""
RATE_PER_M = 4.0
"""Joint acceleration (rad/s^2) for each m/s^2 of the tool."""
PROBE_S = 1e-4
"""Time step of the numerical tool speed."""


class Motion:
    """Joint positions and their current move.

    At most one of two kinds of motion is in progress: a path with a profile (`move_joints`,
    `move_line`) or speeds to reach (`follow_speeds`, `follow_tool_speed`). A new one replaces the
    old one at once. `place` bypasses both and sets a target for one cycle.

    Attributes:
        arm: Kinematic model.
        joints: Joint angles, radians.
        speeds: Joint speeds, rad/s.
        tcp: Flange -> tool center point, 4 x 4.
        freedrive: The arm may be moved by hand; no program can.
    """

    def __init__(self, arm: ArmModel, joints: Sequence[float]) -> None:
        """Create an arm that stands still.

        Args:
            arm: Kinematic model.
            joints: Radians.
        """
        self.arm = arm
        self.joints: JointVector = tuple(joints)
        self.speeds: JointVector = (0.0,) * 6
        self.tcp = np.eye(4)
        self.freedrive = False
        self._path: JointPath | None = None
        self._timed: TimedPath | None = None
        self._rate, self._slowing = 1.0, 0.0
        self._profile = Profile(0.0, 0.0, 1.0, 1.0)
        self._time = self._offset = 0.0
        self._length = 0.0
        self._target_speeds: JointVector | None = None
        self._acceleration = 1.0
        self._pose_of: tuple[JointVector, bytes, ArmModel] | None = None
        self._pose: tuple[float, ...] = ()

    @property
    def moving(self) -> bool:
        """Whether a move or a stop is in progress."""
        return self._path is not None or self._timed is not None or self._target_speeds is not None

    @property
    def tcp_pose(self) -> tuple[float, ...]:
        """Tool center point in the base: meters and a rotation vector."""
        # Several ports ask for the pose in every cycle; kinematics is the most expensive part of
        # one.
        key = (self.joints, self.tcp.tobytes(), self.arm)
        if key != self._pose_of:
            self._pose_of, self._pose = key, matrix_to_pose(forward_kinematics(self.arm, self.joints) @ self.tcp)
        return self._pose

    @property
    def tcp_offset(self) -> tuple[float, ...]:
        """Tool center point in the flange: meters and a rotation vector."""
        return matrix_to_pose(self.tcp)

    @property
    def tcp_speed(self) -> tuple[float, ...]:
        """Speed of the tool center point in the base: m/s and rad/s."""
        if not any(self.speeds):
            return (0.0,) * 6
        now = pose_to_matrix(self.tcp_pose)
        later = (
            forward_kinematics(self.arm, [q + PROBE_S * qd for q, qd in zip(self.joints, self.speeds, strict=True)]) @ self.tcp
        )
        turn = rotation_vector(later[:3, :3] @ now[:3, :3].T)
        return (*((later[:3, 3] - now[:3, 3]) / PROBE_S), *(angle / PROBE_S for angle in turn))

    def inverse(self, target: Sequence[float], near: Sequence[float] | None = None) -> JointVector:
        """Return the joints that put the tool center point at a pose.

        Args:
            target: Pose in the base: meters and a rotation vector.
            near: Joints to stay close to, radians; None = the current ones.

        Returns:
            The solution nearest to `near`, within +-2 pi.

        Raises:
            MotionError: The pose is out of reach.
        """
        flange = pose_to_matrix(target) @ np.linalg.inv(self.tcp)
        joints = nearest_solution(self.arm, flange, self.joints if near is None else near, [(-LIMIT, LIMIT)] * 6)
        if joints is None:
            raise MotionError('No inverse kinematics solution: the pose is out of reach')
        return joints

    def move_joints(self, target: Sequence[float], speed: float, acceleration: float) -> None:
        """Start a joint move.

        Args:
            target: Radians.
            speed: Of the leading joint, rad/s.
            acceleration: Of the leading joint, rad/s^2.

        Raises:
            MotionError: A joint target is outside its limits, or speed or acceleration is not positive.
        """
        # Written with `not`, so that NaN is refused.
        if any(not abs(angle) <= LIMIT for angle in target):
            raise MotionError('A joint position is outside its limits')
        start, end = self.joints, tuple(target)
        self._begin(lambda share: joints_between(start, end, share), max_joint_difference(start, end), speed, acceleration)

    def move_line(self, target: Sequence[float], speed: float, acceleration: float) -> None:
        """Start a linear move of the tool center point.

        Args:
            target: Pose in the base: meters and a rotation vector.
            speed: m/s, or rad/s if the tool only turns.
            acceleration: m/s^2 or rad/s^2.

        Raises:
            MotionError: The target is out of reach, or speed or acceleration is not positive.
        """
        # Only the end point is checked here; LinearPath checks the path.
        self.inverse(target)
        flange = pose_to_matrix(target) @ np.linalg.inv(self.tcp)
        path = LinearPath(self.arm, self.joints, flange)
        meters, radians = pose_distance(forward_kinematics(self.arm, self.joints), flange)
        self._begin(path, meters if meters > 1e-4 else radians, speed, acceleration)

    def pose_at(self, joints: Sequence[float]) -> tuple[float, ...]:
        """Return the pose of the tool center point at joints: meters and a rotation vector."""
        return matrix_to_pose(forward_kinematics(self.arm, joints) @ self.tcp)

    def joint_part(
        self, start: JointVector, target: Sequence[float], speed: float, acceleration: float, blend: float
    ) -> PathMove:
        """Return a joint move as part of a path.

        Raises:
            MotionError: A joint target is outside its limits.
        """
        if any(not abs(angle) <= LIMIT for angle in target):
            raise MotionError('A joint position is outside its limits')
        end = tuple(target)
        length = max_joint_difference(start, end)
        return PathMove(lambda share: joints_between(start, end, share), length, speed, acceleration, blend)

    def line_part(
        self, start: JointVector, target: Sequence[float], speed: float, acceleration: float, blend: float
    ) -> PathMove:
        """Return a straight move as part of a path; its whole path is inverted at once.

        Raises:
            MotionError: The target is out of reach.
            SingularityError: The line passes a singularity.
        """
        self.inverse(target, start)
        flange = pose_to_matrix(target) @ np.linalg.inv(self.tcp)
        line = LinearPath(self.arm, start, flange)
        line(1.0)
        meters, radians = pose_distance(forward_kinematics(self.arm, start), flange)
        return PathMove(line, meters if meters > 1e-4 else radians, speed, acceleration, blend)

    def follow_path(self, parts: Sequence[PathMove]) -> None:
        """Start moves with rounded corners.

        Args:
            parts: Moves of `joint_part` and `line_part`, each from the end of the one before.

        Raises:
            MotionError: There is no move, or speed or acceleration is not positive.
        """
        if not parts or not all(part.speed > 0.0 and part.acceleration > 0.0 for part in parts):
            raise MotionError('Speed and acceleration must be positive')
        self._check_held()
        self.halt()
        if any(part.length > 0.0 for part in parts):
            self._timed = TimedPath(parts, lambda joints: (forward_kinematics(self.arm, joints) @ self.tcp)[:3, 3])
            self._time, self._rate, self._slowing = 0.0, 1.0, 0.0

    def follow_speeds(self, speeds: Sequence[float], acceleration: float) -> None:
        """Accelerate the joints to constant speeds; ends only by another command or `brake`.

        Args:
            speeds: Six joint speeds, rad/s.
            acceleration: rad/s^2, for every joint.
        """
        self._check_held()
        self._path = self._timed = None
        self._target_speeds, self._acceleration = tuple(speeds), acceleration

    def follow_tool_speed(self, speed: Sequence[float], acceleration: float) -> None:
        """Accelerate the tool to a constant speed in the base.

        Joint speeds are computed once, at the current joints, so the tool follows a straight line
        for small moves only.

        Args:
            speed: Three speeds in m/s and three in rad/s.
            acceleration: m/s^2; converted with RATE_PER_M.

        Raises:
            SingularityError: The arm is at a singularity.
        """
        columns, here = [], forward_kinematics(self.arm, self.joints) @ self.tcp
        for number in range(6):
            joints = [angle + (PROBE_RAD if number == index else 0.0) for index, angle in enumerate(self.joints)]
            there = forward_kinematics(self.arm, joints) @ self.tcp
            turn = rotation_vector(there[:3, :3] @ here[:3, :3].T)
            columns.append([*(there[:3, 3] - here[:3, 3]), *turn])
        jacobian = np.array(columns).T / PROBE_RAD
        if abs(np.linalg.det(jacobian)) < FLAT:
            raise SingularityError('A tool speed was requested at a singularity')
        self.follow_speeds([float(rate) for rate in np.linalg.solve(jacobian, np.array(speed))], acceleration * RATE_PER_M)

    def place(self, joints: Sequence[float], seconds: float) -> None:
        """Move the joints to a target within `seconds`, limited by their maximum speed.

        Args:
            joints: Target, radians. A target that is too far away is approached over several calls.
            seconds: Duration of the cycle.
        """
        self._path = self._timed = self._target_speeds = None
        steps = [
            max(-limit * seconds, min(limit * seconds, target - now))
            for target, now, limit in zip(joints, self.joints, self.arm.speed, strict=True)
        ]
        self._set(tuple(now + step for now, step in zip(self.joints, steps, strict=True)), seconds)

    def brake(self, deceleration: float) -> None:
        """Stop along the current path; deceleration in the units of the move.

        Args:
            deceleration: Above 0. The remaining path may force a stronger one: the arm never stops
                beyond its target.

        Raises:
            MotionError: The deceleration is not positive.
        """
        if not deceleration > 0.0:
            raise MotionError('A deceleration must be positive')
        if self._target_speeds is not None:
            self.follow_speeds((0.0,) * 6, deceleration)
        elif self._timed is not None:
            # The time of the path runs slower until it stands: the arm stays on its path.
            leading = max(map(abs, self.speeds))
            self._slowing = deceleration / leading if leading > 0.0 else math.inf
        elif self._path is not None:
            done, speed = self._profile.at(self._time)
            self._offset += done
            self._profile = Profile.braking(speed, deceleration, self._length - self._offset)
            self._time = 0.0

    def halt(self) -> None:
        """Stop and discard the move."""
        self._path = self._timed = self._target_speeds = None
        self.speeds = (0.0,) * 6

    def hold(self) -> None:
        """Stop; the next step continues the move."""
        self.speeds = (0.0,) * 6

    def step(self, seconds: float, scaling: float) -> None:
        """Continue the move; `scaling` 0..1 slows it down as the speed slider does.

        Args:
            seconds: Duration of the cycle.
            scaling: Share of the programmed speed.

        Raises:
            SingularityError: The path reaches a singularity; the arm has stopped.
        """
        if self._target_speeds is not None:
            self._approach(self._target_speeds, seconds)
        elif self._timed is not None:
            self._step_path(self._timed, seconds, scaling)
        elif self._path is not None:
            self._time += seconds * scaling
            done = self._offset + self._profile.at(self._time)[0]
            try:
                self._set(self._path(done / self._length if self._length else 1.0), seconds)
            except SingularityError:
                self.halt()
                raise
            if self._time >= self._profile.duration:
                self.halt()

    def _step_path(self, path: TimedPath, seconds: float, scaling: float) -> None:
        self._rate = max(0.0, self._rate - self._slowing * seconds)
        self._time += seconds * scaling * self._rate
        self._set(path.joints(self._time), seconds)
        if self._time >= path.duration or self._rate <= 0.0:
            self.halt()

    def _check_held(self) -> None:
        if self.freedrive:
            raise MotionError('The arm is in freedrive: it does not follow a program')

    def _begin(self, path: JointPath, length: float, speed: float, acceleration: float) -> None:
        if not (speed > 0.0 and acceleration > 0.0 and math.isfinite(length)):
            raise MotionError('Speed and acceleration must be positive')
        self._check_held()
        self.halt()
        self._path, self._length = path, length
        self._profile, self._time, self._offset = Profile.standing(length, speed, acceleration), 0.0, 0.0

    def _approach(self, target: JointVector, seconds: float) -> None:
        change = self._acceleration * seconds
        speeds = tuple(now + max(-change, min(change, goal - now)) for goal, now in zip(target, self.speeds, strict=True))
        moved = (angle + speed * seconds for angle, speed in zip(self.joints, speeds, strict=True))
        self.joints, self.speeds = tuple(max(-LIMIT, min(LIMIT, angle)) for angle in moved), speeds
        if not any(target) and not any(speeds):
            self._target_speeds = None

    def _set(self, joints: JointVector, seconds: float) -> None:
        if seconds > 0.0:
            self.speeds = tuple((new - old) / seconds for new, old in zip(joints, self.joints, strict=True))
        self.joints = joints
