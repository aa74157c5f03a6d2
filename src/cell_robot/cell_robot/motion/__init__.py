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
from cell_robot.motion.place_check import PlaceFinding, check_place
from cell_robot.motion.places import place_joints, target_places
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
from cell_robot.motion.timed_path import PathMove, TimedPath

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
    'PathMove',
    'PlaceFinding',
    'RobotiqSettings',
    'SpeedSettings',
    'TimedPath',
    'TrayTargets',
    'VacuumSettings',
    'WorkspaceLimits',
    'check_place',
    'forward_kinematics',
    'interpolate',
    'inverse_kinematics',
    'matrix_to_pose',
    'max_joint_difference',
    'nearest_solution',
    'place_joints',
    'pose_distance',
    'pose_to_matrix',
    'quaternion',
    'quaternion_to_vector',
    'rotation_matrix',
    'rotation_vector',
    'target_places',
]
