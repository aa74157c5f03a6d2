"""Backend `ros_driver`: the plans and rules of `rtde`, executed by the official ROS 2 driver.

Only the arm differs: `DriverArm` in place of `RtdeArm`, with data from topics in place of RTDE.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING

from cell_common.runner import StartError

from cell_robot.backends.base import Backend, Logger
from cell_robot.backends.ros_driver.arm import DriverArm
from cell_robot.backends.ros_driver.driver_client import DriverClient
from cell_robot.backends.ros_driver.joint_snapshot import DriverSnapshot
from cell_robot.backends.rtde.arm import RtdeArm
from cell_robot.backends.rtde.backend import RtdeBackend
from cell_robot.backends.rtde.setup import ArmSetup, make_setup
from cell_robot.parameters import RobotParameters

if TYPE_CHECKING:
    from rclpy.node import Node


class RosDriverBackend(RtdeBackend):
    """Moves the arm through the driver."""

    name = 'ros_driver'
    disconnected_advice = 'Check that ur_robot_driver runs and the robot is on.'

    def __init__(self, setup: ArmSetup, client: DriverClient) -> None:
        """Store the collaborators; `start` begins to receive data."""
        super().__init__(setup)
        self._client = client

    def close(self) -> None:
        """Cancel all moves and stop receiving."""
        self._client.close()
        super().close()

    async def _make_arm(self) -> RtdeArm:
        return DriverArm(self._options, self._recipe, self._setup.log, self._notify, self._client)

    def _receive(self) -> Coroutine[None, None, None]:
        assert isinstance(self._arm, DriverArm)
        self._background.submit(self._arm.gripper.run())
        return self._arm.receive()


def make_ros_driver(parameters: RobotParameters, node: Node, log: Logger) -> Backend:
    """Return the backend, not started.

    Args:
        parameters: Of the robot node.
        node: Node of all ROS entities.
        log: Logger for any thread.

    Raises:
        StartError: The recipe is missing or invalid, or the driver's joint states would be the node's own.
    """
    namespace = parameters.driver_namespace
    setup = make_setup(parameters, f'driver at {namespace}', node, log)
    if node.resolve_topic_name(f'{namespace.rstrip("/")}/joint_states' if namespace else 'joint_states') == (
        node.resolve_topic_name('joint_states')
    ):
        raise StartError(
            "parameter driver_namespace: the driver's joint_states would be the cell's own; run the cell or the "
            'driver in another namespace'
        )
    client = DriverClient(
        node, namespace, DriverSnapshot(setup.recipe.cell), 1.0 / parameters.receive_frequency, parameters.dashboard_timeout
    )
    return RosDriverBackend(setup, client)
