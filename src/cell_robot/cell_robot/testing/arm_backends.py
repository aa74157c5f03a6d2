"""Backends rtde and ros_driver for tests against a simulated robot."""

from __future__ import annotations

from rclpy.node import Node

from cell_robot import recovery
from cell_robot.backends.ros_driver.backend import RosDriverBackend
from cell_robot.backends.ros_driver.driver_client import DriverClient
from cell_robot.backends.ros_driver.joint_snapshot import DriverSnapshot
from cell_robot.backends.rtde.backend import RtdeBackend
from cell_robot.backends.rtde.setup import ArmSetup
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase
from cell_robot.recovery import ProtectiveStopCounter

__all__ = [
    'ArmOptions',
    'ArmSetup',
    'ProtectiveStopCounter',
    'RtdeBackend',
    'TriggerCommand',
    'TriggerPhase',
    'recovery',
    'ros_driver_backend',
]


def ros_driver_backend(setup: ArmSetup, node: Node, namespace: str) -> RosDriverBackend:
    """Return a backend that takes every joint state of the driver in `namespace`; not started."""
    return RosDriverBackend(setup, DriverClient(node, namespace, DriverSnapshot(setup.recipe.cell), 0.0))
