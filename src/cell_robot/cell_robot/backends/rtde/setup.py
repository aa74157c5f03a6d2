"""Settings and collaborators of the backends that plan their own motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cell_common.runner import StartError

from cell_robot.backends.base import Logger
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.motion.plan import TrayCounts
from cell_robot.motion.recipe import CellRecipe
from cell_robot.parameters import RobotParameters
from cell_robot.protocols.dashboard.codec import DashboardTimeouts
from cell_robot.recipe_file import RecipeError, load_recipe
from cell_robot.recovery import ProtectiveStopCounter
from cell_robot.tray_stock import TrayStock

if TYPE_CHECKING:
    from rclpy.node import Node


class TrayStockReader(Protocol):
    """Pieces in the trays; readable from any thread."""

    @property
    def sequence(self) -> int:
        """Number of the last known ledger entry."""

    @property
    def counts(self) -> TrayCounts:
        """(part number, tray) -> pieces."""


@dataclass(frozen=True)
class ArmSetup:
    """Settings and collaborators of a backend that plans its own motion."""

    options: ArmOptions
    recipe: CellRecipe
    stock: TrayStockReader
    stops: ProtectiveStopCounter
    """Limit of unlocked protective stops."""
    log: Logger
    allow_moves: bool = False
    """Whether MOVE_<named pose> is an event."""


def make_setup(parameters: RobotParameters, address: str, node: Node, log: Logger) -> ArmSetup:
    """Return settings and collaborators from the parameters.

    Args:
        parameters: Parameters of the robot node.
        address: Name of the robot's end, for messages and for the RTDE connection.
        node: Node that subscribes to the inventory.
        log: Logger for any thread.

    Raises:
        StartError: The recipe is missing or invalid.
    """
    if not parameters.recipe_file:
        raise StartError('set parameter recipe_file to the recipe (config/recipe.yaml), which tells where the arm goes')
    try:
        recipe = load_recipe(parameters.recipe_file, partial=True)
    except RecipeError as error:
        raise StartError(str(error)) from error
    return ArmSetup(
        options=ArmOptions(
            address,
            parameters.receive_frequency,
            parameters.stale_data,
            parameters.watchdog_frequency,
            DashboardTimeouts(parameters.dashboard_connect_timeout, parameters.dashboard_timeout),
            parameters.rtde_registers == 'upper',
            parameters.gripper_address or parameters.robot_address,
            parameters.driver_dashboard or parameters.backend != 'ros_driver',
        ),
        recipe=recipe,
        stock=TrayStock(node),
        stops=ProtectiveStopCounter(parameters.max_recoveries, parameters.recovery_window),
        log=log,
        allow_moves=parameters.allow_moves,
    )
