"""Poses as the controller writes them (meters and a rotation vector) and as 4x4 transforms.

Pure: no ROS, sockets, files or clock.

A rotation vector is axis times angle, in radians; it is not roll, pitch and yaw. URScript and RTDE write every pose in this
form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""4x4 homogeneous transform, meters; or a 3x3 rotation where a function says so."""
# Below this, sin(angle) / angle is 1 to double precision, and the division itself would fail.
ZERO_ANGLE_RAD = 1e-9
ROUNDING = 1e-12
"""Both signs of a half turn are right. Within this tolerance the first component is made positive, as controllers do."""


def pose_to_matrix(pose: Sequence[float]) -> Matrix:
    """Return the transform of (x, y, z, rx, ry, rz): meters and a rotation vector (axis times angle, radians)."""
    result = np.eye(4)
    result[:3, :3] = rotation_matrix(pose[3:6])
    result[:3, 3] = pose[:3]
    return result


def matrix_to_pose(transform: Matrix) -> tuple[float, ...]:
    """Return (x, y, z, rx, ry, rz) of a transform: meters and a rotation vector of length 0..pi."""
    return (*map(float, transform[:3, 3]), *rotation_vector(transform[:3, :3]))


def rotation_matrix(vector: Sequence[float]) -> Matrix:
    """Return the 3x3 matrix of a rotation vector in radians (Rodrigues' formula)."""
    x, y, z = (float(value) for value in vector)
    angle = math.sqrt(x * x + y * y + z * z)
    # The axis of a rotation by nothing is undefined.
    if angle < ZERO_ANGLE_RAD:
        return np.eye(3)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]) / angle
    result: Matrix = np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * (cross @ cross)
    return result


def rotation_vector(rotation: Matrix) -> tuple[float, float, float]:
    """Return the rotation vector of a 3x3 rotation matrix, length 0..pi.

    Near half a turn the antisymmetric part of the matrix vanishes, and the axis comes from the symmetric part.
    """
    skew = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]) / 2.0
    sine, cosine = float(np.linalg.norm(skew)), (float(np.trace(rotation)) - 1.0) / 2.0
    angle = math.atan2(sine, cosine)
    if sine > 1e-6:
        vector = skew / sine * angle
    elif cosine > 0.0:
        vector = skew
    else:  # half a turn: the axis is the longest column of (R + 1) / 2
        square = (rotation + np.eye(3)) / 2.0
        column = square[:, int(np.argmax(np.diag(square)))]
        axis = column / np.linalg.norm(column)
        sign = float(axis @ skew) if sine > ROUNDING else float(axis[np.flatnonzero(abs(axis) > ROUNDING)[0]])
        vector = math.copysign(angle, sign) * axis
    return float(vector[0]), float(vector[1]), float(vector[2])


def quaternion(vector: Sequence[float]) -> tuple[float, float, float, float]:
    """Return x, y, z, w of a rotation vector in radians."""
    x, y, z = (float(value) for value in vector)
    angle = math.sqrt(x * x + y * y + z * z)
    share = math.sin(angle / 2.0) / angle if angle > ZERO_ANGLE_RAD else 0.5
    return x * share, y * share, z * share, math.cos(angle / 2.0)


def quaternion_to_vector(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """Return the rotation vector of a unit quaternion, radians, length 0..pi; q and -q are the same rotation.

    Args:
        x: First component of the vector part, sin(angle / 2) times the axis.
        y: Second component.
        z: Third component.
        w: Scalar part, cos(angle / 2); last, as in geometry_msgs.
    """
    sine = math.sqrt(x * x + y * y + z * z)
    angle = 2.0 * math.atan2(sine, abs(w))
    share = math.copysign(angle / sine, w) if sine > ZERO_ANGLE_RAD else 2.0
    return x * share, y * share, z * share


def rpy_to_rotation_vector(roll: float, pitch: float, yaw: float) -> tuple[float, float, float]:
    """Return the rotation vector of a URDF rotation, radians.

    Args:
        roll: Radians about the fixed axis x, applied first.
        pitch: Radians about the fixed axis y.
        yaw: Radians about the fixed axis z, applied last.
    """
    cosines, sines = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    about_x = np.array([[1, 0, 0], [0, cosines[0], -sines[0]], [0, sines[0], cosines[0]]])
    about_y = np.array([[cosines[1], 0, sines[1]], [0, 1, 0], [-sines[1], 0, cosines[1]]])
    about_z = np.array([[cosines[2], -sines[2], 0], [sines[2], cosines[2], 0], [0, 0, 1]])
    return rotation_vector(about_z @ about_y @ about_x)


def rotation_to_rpy(rotation: Matrix) -> tuple[float, float, float]:
    """Return roll, pitch and yaw about the fixed axes x, y, z (radians) of a 3x3 rotation; yaw is 0 at 90 degrees of pitch."""
    pitch = math.atan2(-rotation[2, 0], math.hypot(rotation[0, 0], rotation[1, 0]))
    if math.hypot(rotation[0, 0], rotation[1, 0]) < ZERO_ANGLE_RAD:
        return math.atan2(-rotation[1, 2], rotation[1, 1]), pitch, 0.0
    return math.atan2(rotation[2, 1], rotation[2, 2]), pitch, math.atan2(rotation[1, 0], rotation[0, 0])


def interpolate(start: Matrix, end: Matrix, share: float) -> Matrix:
    """Return the transform at `share` (0..1) of a straight move: linear position, rotation about one axis.

    The controller's movel follows the same path.

    Args:
        start: Transform at share 0.
        end: Transform at share 1.
        share: Share of the path.
    """
    turn = rotation_vector(start[:3, :3].T @ end[:3, :3])
    result = np.eye(4)
    result[:3, :3] = start[:3, :3] @ rotation_matrix([share * value for value in turn])
    result[:3, 3] = (1.0 - share) * start[:3, 3] + share * end[:3, 3]
    return result


def pose_distance(start: Matrix, end: Matrix) -> tuple[float, float]:
    """Return the distance between two transforms: meters, and the angle of the rotation between them in radians.

    Args:
        start: Shape (4, 4), meters.
        end: Shape (4, 4), in the same frame.
    """
    turn = rotation_vector(start[:3, :3].T @ end[:3, :3])
    return float(np.linalg.norm(end[:3, 3] - start[:3, 3])), math.sqrt(sum(value * value for value in turn))
