"""The moving arm: joint and straight moves with the timing of a trapezoid, stops, and joints that follow speeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from cell_robot.motion.kinematics import Arm, JointVector, farthest, forward, nearest
from cell_robot.motion.poses import Matrix, between, distance, matrix, pose, rotation_vector

from cell_sim.ur_controller.profile import Profile

LIMIT = 2.0 * math.pi
"""Every joint turns so far to either side."""
NODE_M, NODE_RAD = 0.01, 0.05
"""A straight way is inverted at points so far apart; between them the joints run linearly."""
JUMP_RAD = 0.6
"""Joints that would turn further than this from one point to the next have come to a singularity."""

PROBE_RAD = 1e-5
FLAT = 1e-4
"""Below this determinant of its Jacobian the arm is singular."""
RATE_PER_M = 4.0
"""rad/s^2 of the joints for each m/s^2 of the tool."""
PROBE_S = 1e-4
"""Speeds of the tool are taken from where it would be so much later."""

JointPath = Callable[[float], JointVector]
"""Share of the way (0..1) -> joints."""


class MotionError(Exception):
    """A move is impossible; the text says why."""


class SingularityError(MotionError):
    """A straight move came to a place that the arm cannot pass."""


class LinearPath:
    """A straight line of the flange, inverted point by point as the arm reaches it."""

    def __init__(self, arm: Arm, joints: JointVector, end: Matrix) -> None:
        """Begin at `joints`, end with the flange at `end`."""
        self._arm, self._begin, self._end = arm, forward(arm, joints), end
        metres, radians = distance(self._begin, end)
        self._count = max(1, math.ceil(max(metres / NODE_M, radians / NODE_RAD)))
        self._nodes = [joints]

    def __call__(self, share: float) -> JointVector:
        """Return the joints at a share of the way.

        Raises:
            SingularityError: The arm cannot pass.
        """
        place = max(0.0, min(share, 1.0)) * self._count
        low = min(int(place), self._count - 1)
        while len(self._nodes) < low + 2:
            self._nodes.append(self._next(len(self._nodes) / self._count))
        return _blend(self._nodes[low], self._nodes[low + 1], place - low)

    def _next(self, share: float) -> JointVector:
        last = self._nodes[-1]
        joints = nearest(self._arm, between(self._begin, self._end, share), last, [(-LIMIT, LIMIT)] * 6)
        if joints is None or farthest(joints, last) > JUMP_RAD:
            raise SingularityError('The straight move comes to a place that the arm cannot pass')
        return joints


class Motion:
    """Where the joints are and how they move."""

    def __init__(self, arm: Arm, joints: Sequence[float]) -> None:
        """Stand at `joints` (radians)."""
        self.arm = arm
        self.joints: JointVector = tuple(joints)
        self.speeds: JointVector = (0.0,) * 6
        """rad/s."""
        self.tcp = np.eye(4)
        """Flange -> tool centre point."""
        self._way: JointPath | None = None
        self._profile = Profile(0.0, 0.0, 1.0, 1.0)
        self._time = self._offset = 0.0
        self._length = 0.0
        self._wanted: JointVector | None = None
        self._acceleration = 1.0
        self._pose_of: tuple[JointVector, bytes] | None = None
        self._pose: tuple[float, ...] = ()

    @property
    def moving(self) -> bool:
        """Whether a move or a stop is under way."""
        return self._way is not None or self._wanted is not None

    @property
    def tcp_pose(self) -> tuple[float, ...]:
        """Tool centre point in the base: metres and a rotation vector."""
        key = (self.joints, self.tcp.tobytes())
        if key != self._pose_of:
            self._pose_of, self._pose = key, pose(forward(self.arm, self.joints) @ self.tcp)
        return self._pose

    @property
    def tcp_offset(self) -> tuple[float, ...]:
        """Tool centre point in the flange: metres and a rotation vector."""
        return pose(self.tcp)

    @property
    def tcp_speed(self) -> tuple[float, ...]:
        """Speed of the tool centre point in the base: m/s and rad/s."""
        if not any(self.speeds):
            return (0.0,) * 6
        now = matrix(self.tcp_pose)
        later = forward(self.arm, [q + PROBE_S * qd for q, qd in zip(self.joints, self.speeds, strict=True)]) @ self.tcp
        turn = rotation_vector(later[:3, :3] @ now[:3, :3].T)
        return (*((later[:3, 3] - now[:3, 3]) / PROBE_S), *(angle / PROBE_S for angle in turn))

    def inverse(self, target: Sequence[float], near: Sequence[float] | None = None) -> JointVector:
        """Return the joints that put the tool centre point at a pose.

        Raises:
            MotionError: The pose is out of reach.
        """
        flange = matrix(target) @ np.linalg.inv(self.tcp)
        joints = nearest(self.arm, flange, self.joints if near is None else near, [(-LIMIT, LIMIT)] * 6)
        if joints is None:
            raise MotionError('No inverse kinematics solution: the pose is out of reach')
        return joints

    def move_joints(self, target: Sequence[float], speed: float, acceleration: float) -> None:
        """Begin a joint move; speed and acceleration of the joint that turns most, rad/s and rad/s^2.

        Raises:
            MotionError: A joint is asked beyond its limit, or a number makes no sense.
        """
        if any(not abs(angle) <= LIMIT for angle in target):
            raise MotionError('A joint position is outside its limits')
        begin, end = self.joints, tuple(target)
        self._begin(lambda share: _blend(begin, end, share), farthest(begin, end), speed, acceleration)

    def move_line(self, target: Sequence[float], speed: float, acceleration: float) -> None:
        """Begin a straight move of the tool centre point to a pose; m/s and m/s^2 (rad where it only turns).

        Raises:
            MotionError: The end is out of reach, or a number makes no sense.
        """
        self.inverse(target)
        flange = matrix(target) @ np.linalg.inv(self.tcp)
        way = LinearPath(self.arm, self.joints, flange)
        metres, radians = distance(forward(self.arm, self.joints), flange)
        self._begin(way, metres if metres > 1e-4 else radians, speed, acceleration)

    def follow_speeds(self, speeds: Sequence[float], acceleration: float) -> None:
        """Let the joints approach speeds (rad/s) and keep them."""
        self._way = None
        self._wanted, self._acceleration = tuple(speeds), acceleration

    def follow_tool_speed(self, speed: Sequence[float], acceleration: float) -> None:
        """Let the tool approach a speed in the base (m/s, rad/s) and keep it; acceleration in m/s^2, taken for the joints.

        Raises:
            SingularityError: No joint speeds give it here.
        """
        columns, here = [], forward(self.arm, self.joints) @ self.tcp
        for number in range(6):
            joints = [angle + (PROBE_RAD if number == index else 0.0) for index, angle in enumerate(self.joints)]
            there = forward(self.arm, joints) @ self.tcp
            turn = rotation_vector(there[:3, :3] @ here[:3, :3].T)
            columns.append([*(there[:3, 3] - here[:3, 3]), *turn])
        jacobian = np.array(columns).T / PROBE_RAD
        if abs(np.linalg.det(jacobian)) < FLAT:
            raise SingularityError('A speed of the tool is asked for where the arm cannot give it')
        self.follow_speeds([float(rate) for rate in np.linalg.solve(jacobian, np.array(speed))], acceleration * RATE_PER_M)

    def place(self, joints: Sequence[float], seconds: float) -> None:
        """Let the joints be at an angle after `seconds`, no faster than they can."""
        self._way = self._wanted = None
        steps = [
            max(-limit * seconds, min(limit * seconds, target - now))
            for target, now, limit in zip(joints, self.joints, self.arm.speed, strict=True)
        ]
        self._set(tuple(now + step for now, step in zip(self.joints, steps, strict=True)), seconds)

    def brake(self, deceleration: float) -> None:
        """Stop on the way that the arm is on; deceleration in the units of the move.

        Raises:
            MotionError: The deceleration is not positive.
        """
        if not deceleration > 0.0:
            raise MotionError('A deceleration must be positive')
        if self._wanted is not None:
            self.follow_speeds((0.0,) * 6, deceleration)
        elif self._way is not None:
            done, speed = self._profile.at(self._time)
            self._offset += done
            self._profile = Profile.braking(speed, deceleration, self._length - self._offset)
            self._time = 0.0

    def halt(self) -> None:
        """Stand still and forget the move."""
        self._way = self._wanted = None
        self.speeds = (0.0,) * 6

    def hold(self) -> None:
        """Stand still; the next step goes on with the move."""
        self.speeds = (0.0,) * 6

    def step(self, seconds: float, scaling: float) -> None:
        """Move on; `scaling` 0..1 slows moves down as the speed slider does.

        Raises:
            SingularityError: The arm came to a place that it cannot pass; it has stopped.
        """
        if self._wanted is not None:
            self._approach(self._wanted, seconds)
        elif self._way is not None:
            self._time += seconds * scaling
            done = self._offset + self._profile.at(self._time)[0]
            try:
                self._set(self._way(done / self._length if self._length else 1.0), seconds)
            except SingularityError:
                self.halt()
                raise
            if self._time >= self._profile.duration:
                self.halt()

    def _begin(self, way: JointPath, length: float, speed: float, acceleration: float) -> None:
        if not (speed > 0.0 and acceleration > 0.0 and math.isfinite(length)):
            raise MotionError('Speed and acceleration must be positive')
        self.halt()
        self._way, self._length = way, length
        self._profile, self._time, self._offset = Profile.standing(length, speed, acceleration), 0.0, 0.0

    def _approach(self, wanted: JointVector, seconds: float) -> None:
        change = self._acceleration * seconds
        speeds = tuple(now + max(-change, min(change, goal - now)) for goal, now in zip(wanted, self.speeds, strict=True))
        moved = (angle + speed * seconds for angle, speed in zip(self.joints, speeds, strict=True))
        self.joints, self.speeds = tuple(max(-LIMIT, min(LIMIT, angle)) for angle in moved), speeds
        if not any(wanted) and not any(speeds):
            self._wanted = None

    def _set(self, joints: JointVector, seconds: float) -> None:
        if seconds > 0.0:
            self.speeds = tuple((new - old) / seconds for new, old in zip(joints, self.joints, strict=True))
        self.joints = joints


def _blend(first: JointVector, second: JointVector, share: float) -> JointVector:
    return tuple(one + (other - one) * share for one, other in zip(first, second, strict=True))
