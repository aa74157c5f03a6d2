"""ROS names of the official driver (Universal Robots ROS 2 driver, Jazzy: documentation of ur_robot_driver).

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping

JOINT_STATES = 'joint_states'
TRAJECTORY = 'scaled_joint_trajectory_controller/follow_joint_trajectory'
SPEED_SCALING = 'speed_scaling_state_broadcaster/speed_scaling'
TOOL_POSE = 'tcp_pose_broadcaster/pose'
IO = 'io_and_status_controller/'
DASHBOARD = 'dashboard_client/'
TRIGGERS: Mapping[str, str] = {
    'brake_release': 'brake release',
    'close_popup': 'close popup',
    'close_safety_popup': 'close safety popup',
    'pause': 'pause',
    'play': 'play',
    'power_off': 'power off',
    'power_on': 'power on',
    'restart_safety': 'restart safety',
    'stop': 'stop',
    'unlock_protective_stop': 'unlock protective stop',
}
"""Service of the dashboard client -> dashboard command."""
JOINT_ORDER = ('elbow_joint', 'shoulder_lift_joint', 'shoulder_pan_joint', 'wrist_1_joint', 'wrist_2_joint', 'wrist_3_joint')
"""Order of the joint state broadcaster, which sorts by name: readers must map by name."""
