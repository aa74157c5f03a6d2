"""Arm kinematics, path checks, plans and trajectories, and the cell recipe they are made from.

Lengths are in meters, angles in radians, times in seconds, masses in kilograms.

Pure: no ROS, sockets, files or clock.
"""

from cell_robot.motion.kinematics import (
    ARMS,
    JOINTS,
    ArmModel,
    JointVector,
    forward_kinematics,
    inverse_kinematics,
    max_joint_difference,
    nearest_solution,
)
from cell_robot.motion.path_check import ArmCell, MoveError, WorkspaceLimits
from cell_robot.motion.poses import (
    Matrix,
    interpolate,
    matrix_to_pose,
    pose_distance,
    pose_to_matrix,
    quaternion,
    quaternion_to_vector,
    rotation_matrix,
    rotation_vector,
)
from cell_robot.motion.recipe import (
    ApproachTarget,
    CellRecipe,
    GripperSettings,
    RobotiqSettings,
    SpeedSettings,
    TrayTargets,
    VacuumSettings,
)

__all__ = [
    'ARMS',
    'JOINTS',
    'ApproachTarget',
    'ArmCell',
    'ArmModel',
    'CellRecipe',
    'GripperSettings',
    'JointVector',
    'Matrix',
    'MoveError',
    'RobotiqSettings',
    'SpeedSettings',
    'TrayTargets',
    'VacuumSettings',
    'WorkspaceLimits',
    'forward_kinematics',
    'interpolate',
    'inverse_kinematics',
    'matrix_to_pose',
    'max_joint_difference',
    'nearest_solution',
    'pose_distance',
    'pose_to_matrix',
    'quaternion',
    'quaternion_to_vector',
    'rotation_matrix',
    'rotation_vector',
]
