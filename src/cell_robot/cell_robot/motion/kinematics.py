"""Forward and inverse kinematics of the e-Series arms and of the series after it.

Pure: no ROS, sockets, files or clock.

Denavit-Hartenberg values: Universal Robots, "DH parameters for calculations of kinematics and dynamics"; joint speeds: the
joint_limits.yaml of Universal_Robots_ROS2_Description. These are nominal values. The calibration of a real arm moves the
tool by up to a few millimeters, so prefer taught waypoints to computed ones.

All transforms are 4x4, in meters, from the controller's base frame (`base` in TF, not `base_link`). The inverse is solved in
closed form: base, then wrist 2 and wrist 3, then the planar arm of lift, elbow and wrist 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cell_robot.motion.poses import Matrix

JOINTS = ('shoulder_pan_joint', 'shoulder_lift_joint', 'elbow_joint', 'wrist_1_joint', 'wrist_2_joint', 'wrist_3_joint')
"""Order of the joints in every interface."""
ALPHA = (math.pi / 2, 0.0, 0.0, math.pi / 2, -math.pi / 2, 0.0)
FULL_TURN_RAD = 2.0 * math.pi
SLACK = 1e-9
"""Tolerance by which rounding may push a cosine out of -1..1."""
SINGULAR_SINE = 1e-6
"""Below this sine of wrist 2 the angle of wrist 3 is arbitrary."""
NEAR_SINGULAR_RAD = math.radians(5.0)
"""Closer to a singularity than this, a straight move needs more joint speed than the arm has."""
NEAR_SHOULDER_M = 0.03
WEIGHTS = (2.0, 2.0, 2.0, 1.0, 1.0, 0.5)
"""Cost of a radian per joint: the base turns the whole arm, wrist 3 only the tool."""

JointVector = tuple[float, ...]
"""Six joint angles, radians."""


@dataclass(frozen=True)
class ArmModel:
    """Geometry and speed limits of one arm type; lengths in meters, signs as in the Denavit-Hartenberg table."""

    name: str
    a2: float
    """Upper arm (negative)."""
    a3: float
    """Forearm (negative)."""
    d1: float
    d4: float
    d5: float
    d6: float
    speed: JointVector
    """Maximum joint speeds, rad/s."""
    reach: float
    """Meters from the base axis to the wrist; nothing farther away is reachable."""
    radius: float
    """Radius of the upper arm, meters; the other links are thinner."""

    @property
    def a(self) -> JointVector:
        """Link lengths of the table, meters."""
        return 0.0, self.a2, self.a3, 0.0, 0.0, 0.0

    @property
    def d(self) -> JointVector:
        """Link offsets of the table, meters."""
        return self.d1, 0.0, 0.0, self.d4, self.d5, self.d6


def _speeds(base: float, elbow: float, wrist: float) -> JointVector:
    degrees = (base, base, elbow, wrist, wrist, wrist)
    return tuple(math.radians(value) for value in degrees)


ARMS = {
    arm.name: arm
    for arm in (
        ArmModel('ur3e', -0.24355, -0.2132, 0.15185, 0.13105, 0.08535, 0.0921, _speeds(180, 180, 360), 0.5, 0.045),
        ArmModel('ur5e', -0.425, -0.3922, 0.1625, 0.1333, 0.0997, 0.0996, _speeds(180, 180, 180), 0.85, 0.055),
        ArmModel('ur10e', -0.6127, -0.57155, 0.1807, 0.17415, 0.11985, 0.11655, _speeds(120, 180, 180), 1.3, 0.07),
        ArmModel('ur16e', -0.4784, -0.36, 0.1807, 0.17415, 0.11985, 0.11655, _speeds(120, 180, 180), 0.9, 0.07),
        ArmModel('ur7e', -0.425, -0.3922, 0.1625, 0.1333, 0.0997, 0.0996, _speeds(180, 180, 180), 0.85, 0.055),
        # Joint speeds of the UR8 Long are not in the maker's file; those of the UR20 are slower than any arm of its series.
        ArmModel('ur8long', -0.8989, -0.7149, 0.2186, 0.1824, 0.1361, 0.1434, _speeds(120, 150, 210), 1.75, 0.075),
        ArmModel('ur12e', -0.6127, -0.57155, 0.1807, 0.17415, 0.11985, 0.11655, _speeds(120, 180, 180), 1.3, 0.07),
        ArmModel('ur15', -0.6475, -0.5164, 0.2186, 0.1824, 0.1361, 0.1434, _speeds(180, 240, 300), 1.3, 0.075),
        ArmModel('ur18', -0.475, -0.3389, 0.2186, 0.1824, 0.1361, 0.1434, _speeds(180, 240, 300), 0.95, 0.075),
        ArmModel('ur20', -0.862, -0.7287, 0.2363, 0.201, 0.1593, 0.1543, _speeds(120, 150, 210), 1.75, 0.085),
        ArmModel('ur30', -0.637, -0.5037, 0.2363, 0.201, 0.1593, 0.1543, _speeds(120, 150, 210), 1.3, 0.085),
    )
}
"""Model name, as in parameter `arm_model` and key `robot` of the recipe -> arm."""


def link_transform(arm: ArmModel, number: int, angle: float) -> Matrix:
    """Return the transform of one joint and its link, shape (4, 4), in meters.

    The Denavit-Hartenberg form that Universal Robots publishes: turn about z, then `d` along z, `a` along x, twist about x.

    Args:
        arm: Lengths of the model.
        number: 0 (base) to 5 (wrist 3).
        angle: Angle of the joint, radians.
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    # Exactly 0 and 1: rounding errors of pi/2 would accumulate over six joints.
    twist_cosine, twist_sine = round(math.cos(ALPHA[number])), round(math.sin(ALPHA[number]))
    a, d = arm.a[number], arm.d[number]
    return np.array(
        [
            [cosine, -sine * twist_cosine, sine * twist_sine, a * cosine],
            [sine, cosine * twist_cosine, -cosine * twist_sine, a * sine],
            [0.0, twist_sine, twist_cosine, d],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


def link_frames(arm: ArmModel, joints: Sequence[float]) -> list[Matrix]:
    """Return the transforms from the controller's base to the six link frames; the last one is the flange.

    Args:
        arm: Arm model.
        joints: Six angles in radians, base to wrist.
    """
    result, transform = [], np.eye(4)
    for number, angle in enumerate(joints):
        transform = transform @ link_transform(arm, number, angle)
        result.append(transform)
    return result


def forward_kinematics(arm: ArmModel, joints: Sequence[float]) -> Matrix:
    """Return the transform from the controller's base to the flange, shape (4, 4), in meters.

    Args:
        arm: Lengths of the model.
        joints: Six angles, radians, from the base to wrist 3.
    """
    return link_frames(arm, joints)[-1]


def inverse_kinematics(arm: ArmModel, flange: Matrix, free: float = 0.0) -> list[JointVector]:
    """Return all joint vectors (-pi..pi) that reach a flange pose: at most eight, none when it is out of reach.

    Two choices each of shoulder, wrist and elbow give eight. Joint limits and collisions are not considered.

    Args:
        arm: Arm model.
        flange: Transform from the controller's base to the flange.
        free: Angle of wrist 3 in radians where the wrist is singular and the angle is arbitrary.
    """
    return [
        tuple(_wrap(angle) for angle in solution)
        for pan in _pan_angles(arm, flange)
        for solution in _solve_after_pan(arm, flange, pan, free)
    ]


def nearest_solution(
    arm: ArmModel, flange: Matrix, joints: Sequence[float], limits: Sequence[tuple[float, float]]
) -> JointVector | None:
    """Return the solution within the limits that turns the joints least, whole turns included; None without one.

    Args:
        arm: Arm model.
        flange: Transform from the controller's base to the flange.
        joints: Current joint angles, radians.
        limits: Lowest and highest angle of each joint, radians.
    """
    candidates = [
        turned
        for solution in inverse_kinematics(arm, flange, joints[5])
        if (turned := _add_turns(solution, joints, limits)) is not None
    ]
    return min(candidates, key=lambda solution: weighted_joint_distance(solution, joints), default=None)


def weighted_joint_distance(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the sum of the joint differences in radians, weighted by WEIGHTS.

    Args:
        first: Six angles, radians.
        second: Six angles; angles one turn apart count as different.
    """
    return sum(weight * abs(one - other) for weight, one, other in zip(WEIGHTS, first, second, strict=True))


def max_joint_difference(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the largest difference of any joint, radians.

    Args:
        first: Six angles, radians.
        second: Six angles, radians.
    """
    return max(abs(one - other) for one, other in zip(first, second, strict=True))


def near_singularity(arm: ArmModel, joints: Sequence[float]) -> str:
    """Return a description of the singularity the arm is close to, "" when there is none.

    Args:
        arm: Arm model.
        joints: Six angles in radians.
    """
    if abs(math.sin(joints[4])) < math.sin(NEAR_SINGULAR_RAD):
        return 'wrist (wrist 2 near 0 or 180 degrees)'
    if abs(math.sin(joints[2])) < math.sin(NEAR_SINGULAR_RAD):
        return 'elbow (arm stretched)'
    wrist = link_frames(arm, joints)[4]
    if abs(math.hypot(wrist[0, 3], wrist[1, 3]) - arm.d4) < NEAR_SHOULDER_M:
        return 'shoulder (wrist above the base)'
    return ''


def _pan_angles(arm: ArmModel, flange: Matrix) -> Iterator[float]:
    """Yield the base angles: the wrist lies at distance d4 from the plane of the arm.

    None if the wrist is inside the cylinder of radius d4 about the base axis, which no base angle reaches.
    """
    x, y, _ = flange[:3, 3] - arm.d6 * flange[:3, 2]
    radius = math.hypot(x, y)
    if radius <= arm.d4 - SLACK or radius < SLACK:
        return
    direction, offset = math.atan2(y, x), math.asin(min(1.0, arm.d4 / radius))
    # Shoulder left, shoulder right.
    yield direction + offset
    yield direction + math.pi - offset


def _solve_after_pan(arm: ArmModel, flange: Matrix, pan: float, free: float) -> Iterator[JointVector]:
    """Yield the joint vectors for one base angle.

    The height of the flange above the plane of the arm gives wrist 2, its orientation wrist 3. With wrist 2 at 0 or pi the
    axes of wrist 1 and wrist 3 are parallel, and only their sum counts: wrist 3 becomes `free`.
    """
    normal = np.array([math.sin(pan), -math.cos(pan), 0.0])
    """Axis of the lift, elbow and wrist 1 joints in the base frame."""
    cosine = (float(normal @ flange[:3, 3]) - arm.d4) / arm.d6
    if abs(cosine) > 1.0 + SLACK:
        return
    bend = math.acos(max(-1.0, min(1.0, cosine)))
    across = normal @ flange[:3, :3]
    # Wrist not flipped, wrist flipped.
    for wrist_2 in (bend, -bend):
        sine = math.sin(wrist_2)
        wrist_3 = free if abs(sine) < SINGULAR_SINE else math.atan2(-across[1] / sine, across[0] / sine)
        for planar in _solve_plane(arm, flange, pan, wrist_2, wrist_3):
            yield (pan, *planar, wrist_2, wrist_3)
        if abs(sine) < SINGULAR_SINE:
            return


def _solve_plane(
    arm: ArmModel, flange: Matrix, pan: float, wrist_2: float, wrist_3: float
) -> Iterator[tuple[float, float, float]]:
    """Yield lift, elbow and wrist 1: a planar two-link arm, by the law of cosines."""
    hand = link_transform(arm, 4, wrist_2) @ link_transform(arm, 5, wrist_3)
    wrist = np.linalg.inv(link_transform(arm, 0, pan)) @ flange @ np.linalg.inv(hand)
    x, y = float(wrist[0, 3]), float(wrist[1, 3])
    cosine = (x * x + y * y - arm.a2**2 - arm.a3**2) / (2.0 * arm.a2 * arm.a3)
    if abs(cosine) > 1.0 + SLACK:
        return
    bend = math.acos(max(-1.0, min(1.0, cosine)))
    total = math.atan2(float(wrist[1, 0]), float(wrist[0, 0]))
    # Elbow up, elbow down.
    for elbow in (bend, -bend):
        lift = math.atan2(y, x) - math.atan2(arm.a3 * math.sin(elbow), arm.a2 + arm.a3 * math.cos(elbow))
        yield lift, elbow, total - lift - elbow
        if bend < SLACK:
            return


def _wrap(angle: float) -> float:
    return math.remainder(angle, FULL_TURN_RAD)


def _add_turns(solution: JointVector, joints: Sequence[float], limits: Sequence[tuple[float, float]]) -> JointVector | None:
    """Add whole turns so that each joint gets as close to its current angle as its limits allow."""
    result = []
    for angle, now, (low, high) in zip(solution, joints, limits, strict=True):
        # The joints turn more than once around, and a whole turn more can be the shorter way.
        near = angle + FULL_TURN_RAD * round((now - angle) / FULL_TURN_RAD)
        allowed = [candidate for candidate in (near, near - FULL_TURN_RAD, near + FULL_TURN_RAD) if low <= candidate <= high]
        if not allowed:
            return None
        result.append(min(allowed, key=lambda candidate, now=now: abs(candidate - now)))  # type: ignore[misc]
    return tuple(result)
