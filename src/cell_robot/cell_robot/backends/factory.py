"""Make the backend that the parameters name. What a backend needs is imported only where it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.runner import StartError

from cell_robot.backends.base import Backend
from cell_robot.backends.letters.alphabet import AlphabetError, alphabet
from cell_robot.backends.letters.backend import LettersBackend, LettersOptions, Log
from cell_robot.backends.letters.tcp_server import networks
from cell_robot.backends.letters.trigger import Deadlines
from cell_robot.parameters import RobotParameters

if TYPE_CHECKING:
    from rclpy.node import Node


def make_backend(parameters: RobotParameters, node: Node, log: Log) -> Backend:
    """Return the backend, not started.

    Args:
        parameters: What the deployment chose.
        node: For a link that is made of ROS topics and services.
        log: Where the backend writes; from any thread.

    Raises:
        StartError: The parameters do not allow it; the text says which and what to do.
    """
    if parameters.backend == 'rtde':
        from cell_robot.backends.rtde.backend import make_rtde

        return make_rtde(parameters, node, log)
    if parameters.backend == 'ros_driver':
        from cell_robot.backends.ros_driver.backend import make_ros_driver

        return make_ros_driver(parameters, node, log)
    return LettersBackend(_letters(parameters), log)


def _letters(parameters: RobotParameters) -> LettersOptions:
    if not parameters.catalogue_file:
        raise StartError('set parameter catalogue_file to the part catalogue (config/parts.yaml), which gives parts letters')
    try:
        letters = alphabet(load_catalogue(parameters.catalogue_file), parameters.event_letters)
    except (AlphabetError, CatalogueError) as problem:
        raise StartError(str(problem)) from problem
    try:
        allowed = networks(parameters.allowed_peers)
    except ValueError as problem:
        raise StartError(
            f'parameter allowed_peers: {problem}; write addresses or networks such as 192.168.0.10 or 192.168.0.0/24'
        ) from problem
    deadlines = Deadlines(parameters.ack_timeout, parameters.done_timeout, parameters.heartbeat_timeout)
    single = parameters.framing == 'bare' and parameters.bare_reply == 'ack'
    return LettersOptions(
        address=parameters.listen_address,
        port=parameters.port,
        allowed=allowed,
        framing=parameters.framing,
        acknowledge_is_done=single,
        deadlines=deadlines,
        letters=letters,
        reconnect=parameters.reconnect_timeout,
    )
