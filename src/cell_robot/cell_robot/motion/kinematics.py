"""Forward and inverse kinematics of the e-Series arms.

Denavit-Hartenberg values: Universal Robots, "Parameters for calculations of kinematics and dynamics". They are the nominal
ones: an arm's own calibration moves the tool by up to a few millimetres, so taught waypoints are better than computed ones.
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
TURN = 2.0 * math.pi
SLACK = 1e-9
"""How far a cosine may be outside -1..1 by rounding."""
SINGULAR = 1e-6
"""Below this sine of wrist 2 the last joint's angle is free."""
NEAR_SINGULAR_RAD = math.radians(5.0)
"""Closer than this to a singularity a straight move needs joint speeds that the arm does not have."""
NEAR_SHOULDER_M = 0.03
WEIGHTS = (2.0, 2.0, 2.0, 1.0, 1.0, 0.5)
"""A turn of the base sweeps the whole arm, one of the last joint only the tool."""

JointVector = tuple[float, ...]
"""Six angles, radians."""


@dataclass(frozen=True)
class Arm:
    """One model of arm."""

    name: str
    a2: float
    """Metres, as in the table (negative): length of the upper arm."""
    a3: float
    """Metres, as in the table (negative): length of the forearm."""
    d1: float
    d4: float
    d5: float
    d6: float
    speed: JointVector
    """Greatest joint speeds, rad/s."""
    reach: float
    """Metres from the base axis to the wrist; beyond it nothing is reachable."""

    @property
    def a(self) -> JointVector:
        """Link lengths of the table, metres."""
        return 0.0, self.a2, self.a3, 0.0, 0.0, 0.0

    @property
    def d(self) -> JointVector:
        """Link offsets of the table, metres."""
        return self.d1, 0.0, 0.0, self.d4, self.d5, self.d6


def _speeds(base: float, elbow: float, wrist: float) -> JointVector:
    degrees = (base, base, elbow, wrist, wrist, wrist)
    return tuple(math.radians(value) for value in degrees)


ARMS = {
    arm.name: arm
    for arm in (
        Arm('ur3e', -0.24355, -0.2132, 0.15185, 0.13105, 0.08535, 0.0921, _speeds(180, 180, 360), 0.5),
        Arm('ur5e', -0.425, -0.3922, 0.1625, 0.1333, 0.0997, 0.0996, _speeds(180, 180, 180), 0.85),
        Arm('ur10e', -0.6127, -0.57155, 0.1807, 0.17415, 0.11985, 0.11655, _speeds(120, 180, 180), 1.3),
        Arm('ur16e', -0.4784, -0.36, 0.1807, 0.17415, 0.11985, 0.11655, _speeds(120, 180, 180), 0.9),
    )
}


def link(arm: Arm, number: int, angle: float) -> Matrix:
    """Return the transform of one joint and its link; `number` is 0..5, `angle` radians."""
    cosine, sine = math.cos(angle), math.sin(angle)
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


def frames(arm: Arm, joints: Sequence[float]) -> list[Matrix]:
    """Return the transforms from the controller's base to each of the six link frames; the last one is the flange."""
    result, transform = [], np.eye(4)
    for number, angle in enumerate(joints):
        transform = transform @ link(arm, number, angle)
        result.append(transform)
    return result


def forward(arm: Arm, joints: Sequence[float]) -> Matrix:
    """Return the transform from the controller's base to the flange; joints in radians."""
    return frames(arm, joints)[-1]


def inverse(arm: Arm, flange: Matrix, free: float = 0.0) -> list[JointVector]:
    """Return every set of angles in -pi..pi that puts the flange there: none when it is out of reach, at most eight.

    Args:
        arm: The model.
        flange: Transform from the controller's base to the flange.
        free: Angle of the last joint, radians, where the wrist is singular and any would do.
    """
    return [
        tuple(_wrapped(angle) for angle in solution)
        for pan in _pans(arm, flange)
        for solution in _behind_pan(arm, flange, pan, free)
    ]


def nearest(arm: Arm, flange: Matrix, joints: Sequence[float], limits: Sequence[tuple[float, float]]) -> JointVector | None:
    """Return the solution that turns the joints least, whole turns included, and keeps the limits; None when there is none.

    Args:
        arm: The model.
        flange: Transform from the controller's base to the flange.
        joints: Where the arm is, radians.
        limits: Lowest and highest angle of each joint, radians.
    """
    found = [
        turned for solution in inverse(arm, flange, joints[5]) if (turned := _turned(solution, joints, limits)) is not None
    ]
    return min(found, key=lambda solution: effort(solution, joints), default=None)


def effort(first: Sequence[float], second: Sequence[float]) -> float:
    """Return how much of the arm moves between two stands: radians, weighted."""
    return sum(weight * abs(one - other) for weight, one, other in zip(WEIGHTS, first, second, strict=True))


def farthest(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the largest difference of any joint, radians."""
    return max(abs(one - other) for one, other in zip(first, second, strict=True))


def singularity(arm: Arm, joints: Sequence[float]) -> str:
    """Say which singularity the arm is near, "" when it is near none."""
    if abs(math.sin(joints[4])) < math.sin(NEAR_SINGULAR_RAD):
        return 'wrist (wrist 2 near 0 or 180 degrees)'
    if abs(math.sin(joints[2])) < math.sin(NEAR_SINGULAR_RAD):
        return 'elbow (arm stretched)'
    wrist = frames(arm, joints)[4]
    if abs(math.hypot(wrist[0, 3], wrist[1, 3]) - arm.d4) < NEAR_SHOULDER_M:
        return 'shoulder (wrist above the base)'
    return ''


def _pans(arm: Arm, flange: Matrix) -> Iterator[float]:
    """Angles of the base: the wrist lies d4 beside the plane of the arm."""
    x, y, _ = flange[:3, 3] - arm.d6 * flange[:3, 2]
    radius = math.hypot(x, y)
    if radius <= arm.d4 - SLACK or radius < SLACK:
        return
    direction, aside = math.atan2(y, x), math.asin(min(1.0, arm.d4 / radius))
    yield direction + aside
    yield direction + math.pi - aside


def _behind_pan(arm: Arm, flange: Matrix, pan: float, free: float) -> Iterator[JointVector]:
    normal = np.array([math.sin(pan), -math.cos(pan), 0.0])
    """Axis of the lift, elbow and wrist 1 joints in the base frame."""
    cosine = (float(normal @ flange[:3, 3]) - arm.d4) / arm.d6
    if abs(cosine) > 1.0 + SLACK:
        return
    bend = math.acos(max(-1.0, min(1.0, cosine)))
    across = normal @ flange[:3, :3]
    for wrist_2 in (bend, -bend):
        sine = math.sin(wrist_2)
        wrist_3 = free if abs(sine) < SINGULAR else math.atan2(-across[1] / sine, across[0] / sine)
        for planar in _planar(arm, flange, pan, wrist_2, wrist_3):
            yield (pan, *planar, wrist_2, wrist_3)
        if abs(sine) < SINGULAR:
            return


def _planar(arm: Arm, flange: Matrix, pan: float, wrist_2: float, wrist_3: float) -> Iterator[tuple[float, float, float]]:
    """Lift, elbow and wrist 1: two links in a plane."""
    hand = link(arm, 4, wrist_2) @ link(arm, 5, wrist_3)
    wrist = np.linalg.inv(link(arm, 0, pan)) @ flange @ np.linalg.inv(hand)
    x, y = float(wrist[0, 3]), float(wrist[1, 3])
    cosine = (x * x + y * y - arm.a2**2 - arm.a3**2) / (2.0 * arm.a2 * arm.a3)
    if abs(cosine) > 1.0 + SLACK:
        return
    bend = math.acos(max(-1.0, min(1.0, cosine)))
    whole = math.atan2(float(wrist[1, 0]), float(wrist[0, 0]))
    for elbow in (bend, -bend):
        lift = math.atan2(y, x) - math.atan2(arm.a3 * math.sin(elbow), arm.a2 + arm.a3 * math.cos(elbow))
        yield lift, elbow, whole - lift - elbow
        if bend < SLACK:
            return


def _wrapped(angle: float) -> float:
    return math.remainder(angle, TURN)


def _turned(solution: JointVector, joints: Sequence[float], limits: Sequence[tuple[float, float]]) -> JointVector | None:
    """Add whole turns so that each joint comes as near as its limits allow."""
    result = []
    for angle, now, (low, high) in zip(solution, joints, limits, strict=True):
        near = angle + TURN * round((now - angle) / TURN)
        allowed = [candidate for candidate in (near, near - TURN, near + TURN) if low <= candidate <= high]
        if not allowed:
            return None
        result.append(min(allowed, key=lambda candidate, now=now: abs(candidate - now)))  # type: ignore[misc]
    return tuple(result)
