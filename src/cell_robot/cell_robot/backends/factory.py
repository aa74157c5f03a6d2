"""Creates the backend that the parameters select; imports only that backend.

ur_rtde, Socket.IO and the driver's messages are optional: a cell without them must start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cell_robot.backends.base import Backend, Logger
from cell_robot.parameters import RobotParameters

if TYPE_CHECKING:
    from rclpy.node import Node


def make_backend(parameters: RobotParameters, node: Node, log: Logger) -> Backend:
    """Return the selected backend, not started.

    Args:
        parameters: Parameters of the robot node.
        node: Node for backends that use ROS topics and services.
        log: Logger for any thread.

    Raises:
        StartError: A parameter is missing or wrong; the text names it and the remedy.
    """
    if parameters.backend == 'rtde':
        from cell_robot.backends.rtde.backend import make_rtde

        return make_rtde(parameters, node, log)
    if parameters.backend == 'ros_driver':
        from cell_robot.backends.ros_driver.backend import make_ros_driver

        return make_ros_driver(parameters, node, log)
    if parameters.backend == 'hub':
        from cell_robot.backends.hub.backend import make_hub

        return make_hub(parameters, log)
    from cell_robot.backends.letters.backend import make_letters

    return make_letters(parameters, log)
