"""Tables of `cell robot state`."""

from __future__ import annotations

import io

from cell_bringup.robot import position_table
from geometry_msgs.msg import PoseStamped
from rich.console import Console
from sensor_msgs.msg import JointState


def pose(x: float, nanosec: int) -> PoseStamped:
    message = PoseStamped()
    message.header.stamp.nanosec = nanosec
    message.pose.position.x, message.pose.orientation.x, message.pose.orientation.w = x, 1.0, 0.0
    return message


def shown(poses: list[PoseStamped]) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(position_table(JointState(position=[0.0, -1.5707963, 0.0, 0.0, 0.0, 0.0]), poses))
    return file.getvalue()


def test_joints_tool_pose_and_speed_are_shown_in_the_units_of_the_pendant() -> None:
    text = shown([pose(0.4, 0), pose(0.41, 100_000_000)])
    assert '-90.00' in text and '410.0  0.0  0.0 mm' in text and '3.1416' in text and '100 mm/s' in text


def test_one_pose_gives_no_speed() -> None:
    assert 'tool speed' not in shown([pose(0.4, 0)])
