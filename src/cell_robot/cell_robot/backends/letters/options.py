"""Settings of the letters backend, from the parameters of the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.runner import StartError

from cell_robot.backends.letters.event_letters import EventLettersError, event_letters
from cell_robot.backends.letters.session import Deadlines
from cell_robot.backends.letters.tcp_server import Network, parse_networks
from cell_robot.parameters import RobotParameters


@dataclass(frozen=True)
class LettersOptions:
    """Settings of the letters backend."""

    address: str
    port: int
    allowed: list[Network]
    framing: str
    """`line` or `bare`."""
    acknowledge_is_done: bool
    deadlines: Deadlines
    letters: Mapping[str, str]
    """Event -> letter."""
    quiet: float = 0.0
    """Bare framing: seconds without a letter after an answer, so that a late copy of the answer cannot answer it."""
    reconnect: float = 10.0
    """Seconds that a recovery waits for the program to reconnect."""


def configured_letters(parameters: RobotParameters) -> dict[str, str]:
    """Return event -> letter, of the catalogue and of parameter `event_letters`.

    Args:
        parameters: Of the robot node; catalogue_file is read here.

    Raises:
        StartError: The catalogue or the letters are missing or wrong.
    """
    if not parameters.catalogue_file:
        raise StartError('set parameter catalogue_file to the part catalogue (config/parts.yaml), which gives parts letters')
    try:
        return event_letters(load_catalogue(parameters.catalogue_file), parameters.event_letters)
    except (EventLettersError, CatalogueError) as error:
        raise StartError(str(error)) from error


def letters_options(parameters: RobotParameters) -> LettersOptions:
    """Return the settings.

    Args:
        parameters: Of the robot node; catalogue_file is read here.

    Raises:
        StartError: The catalogue, the letters or the allow-list are missing or wrong.
    """
    letters = configured_letters(parameters)
    try:
        allowed = parse_networks(parameters.allowed_peers)
    except ValueError as error:
        raise StartError(
            f'parameter allowed_peers: {error}; write addresses or networks such as 192.168.0.10 or 192.168.0.0/24'
        ) from error
    return LettersOptions(
        address=parameters.listen_address,
        port=parameters.port,
        allowed=allowed,
        framing=parameters.framing,
        acknowledge_is_done=parameters.framing == 'bare' and parameters.bare_reply == 'ack',
        deadlines=Deadlines(parameters.ack_timeout, parameters.done_timeout, parameters.heartbeat_timeout),
        letters=letters,
        reconnect=parameters.reconnect_timeout,
        quiet=parameters.bare_quiet_time if parameters.framing == 'bare' else 0.0,
    )
