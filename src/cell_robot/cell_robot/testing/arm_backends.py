"""Backends rtde and ros_driver for tests against a simulated robot."""

from __future__ import annotations

from rclpy.node import Node

from cell_robot import recovery
from cell_robot.backends.base import Logger
from cell_robot.backends.ros_driver.backend import RosDriverBackend
from cell_robot.backends.ros_driver.driver_client import DriverClient
from cell_robot.backends.ros_driver.joint_snapshot import DriverSnapshot
from cell_robot.backends.rtde.backend import RtdeBackend
from cell_robot.backends.rtde.setup import ArmSetup, Stock
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase
from cell_robot.motion.recipe import CellRecipe
from cell_robot.recovery import ProtectiveStopCounter

__all__ = ['ArmOptions', 'TriggerCommand', 'TriggerPhase', 'recovery', 'ros_driver_backend', 'rtde_backend']

MAX_STOPS, WINDOW_S = 2, 600.0


def rtde_backend(
    options: ArmOptions, recipe: CellRecipe, stock: Stock, log: Logger, *, allow_moves: bool = False
) -> RtdeBackend:
    """Return a backend that may unlock two protective stops; not started."""
    return RtdeBackend(_setup(options, recipe, stock, log, allow_moves))


def ros_driver_backend(
    options: ArmOptions, recipe: CellRecipe, stock: Stock, log: Logger, node: Node, namespace: str
) -> RosDriverBackend:
    """Return a backend that takes every joint state of the driver in `namespace`; not started."""
    client = DriverClient(node, namespace, DriverSnapshot(recipe.cell), 0.0)
    return RosDriverBackend(_setup(options, recipe, stock, log, False), client)


def _setup(options: ArmOptions, recipe: CellRecipe, stock: Stock, log: Logger, allow_moves: bool) -> ArmSetup:
    return ArmSetup(options, recipe, stock, ProtectiveStopCounter(MAX_STOPS, WINDOW_S), log, allow_moves)
