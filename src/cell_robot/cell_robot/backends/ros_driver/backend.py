"""Backend `ros_driver`: the same plans and rules as `rtde`, carried out by the official ROS 2 driver."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from cell_common.runner import StartError

from cell_robot import recovery
from cell_robot.backends.base import Backend
from cell_robot.backends.letters.backend import Log
from cell_robot.backends.ros_driver.arm import DriverArm
from cell_robot.backends.ros_driver.driver_client import DriverLink
from cell_robot.backends.ros_driver.joint_snapshot import Picture
from cell_robot.backends.rtde.arm import Arm
from cell_robot.backends.rtde.backend import RtdeBackend
from cell_robot.backends.rtde.steps import ArmOptions
from cell_robot.motion.recipe import Recipe
from cell_robot.motion.recipe_file import RecipeError, load_recipe
from cell_robot.parameters import RobotParameters
from cell_robot.tray_stock import TrayStock

if TYPE_CHECKING:
    from rclpy.node import Node


class RosDriverBackend(RtdeBackend):
    """Drives the arm through the driver."""

    name = 'ros_driver'
    advice = 'Look whether ur_robot_driver runs and the robot is on; check the network cable.'

    def __init__(
        self,
        options: ArmOptions,
        recipe: Recipe,
        stock: TrayStock,
        repeats: recovery.Repeats,
        log: Log,
        link: DriverLink,
        picture: Picture,
        *,
        allow_moves: bool = False,
    ) -> None:
        """Do nothing yet; `link` and `picture` belong together."""
        super().__init__(options, recipe, stock, repeats, log, allow_moves=allow_moves)
        self._link, self._picture = link, picture

    def close(self) -> None:
        """Cancel what moves, and stop listening."""
        self._link.close()
        super().close()

    async def _make_arm(self) -> Arm:
        return DriverArm(self._options, self._recipe, self._log, self._tell, self._link, self._picture)

    def _listening(self) -> Coroutine[Any, Any, None]:
        assert isinstance(self._arm, DriverArm)
        return self._arm.listen()


def make_ros_driver(parameters: RobotParameters, node: Node, log: Log) -> Backend:
    """Return the backend, not started.

    Raises:
        StartError: The recipe is missing or has problems, or the driver's joint states would be the node's own.
    """
    if not parameters.recipe_file:
        raise StartError('set parameter recipe_file to the recipe (config/recipe.yaml), which tells where the arm goes')
    try:
        recipe = load_recipe(parameters.recipe_file)
    except RecipeError as problem:
        raise StartError(str(problem)) from problem
    namespace = parameters.driver_namespace
    if node.resolve_topic_name(f'{namespace.rstrip("/")}/joint_states' if namespace else 'joint_states') == (
        node.resolve_topic_name('joint_states')
    ):
        raise StartError(
            "parameter driver_namespace: the driver's joint_states would be the cell's own; run the cell or the "
            'driver in another namespace'
        )
    picture = Picture(recipe.cell)
    link = DriverLink(node, namespace, picture, 1.0 / parameters.receive_frequency)
    options = ArmOptions(
        f'driver at {namespace}', parameters.receive_frequency, parameters.stale_data, parameters.watchdog_frequency
    )
    return RosDriverBackend(
        options,
        recipe,
        TrayStock(node),
        recovery.Repeats(parameters.max_recoveries, parameters.recovery_window),
        log,
        link,
        picture,
        allow_moves=parameters.allow_moves,
    )
