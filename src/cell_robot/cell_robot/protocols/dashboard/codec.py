"""Commands and replies of the dashboard server.

Source: Universal Robots, "Dashboard Server e-Series, port 29999".

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping

BANNER = 'Connected: Universal Robots Dashboard Server'
MAX_LINE = 4096
"""Bytes."""
REPLIES: Mapping[str, str] = {
    'play': 'Starting program',
    'stop': 'Stopped',
    'power on': 'Powering on',
    'brake release': 'Brake releasing',
    'unlock protective stop': 'Protective stop releasing',
    'close popup': 'closing popup',
    'close safety popup': 'closing safety popup',
}
"""Command -> beginning of the reply that confirms it."""


class DashboardError(Exception):
    """The dashboard did not answer or refused a command; the text gives the reason."""


def encode(command: str) -> bytes:
    """Return the bytes of a command."""
    return f'{command}\n'.encode()


def require_ok(command: str, reply: str) -> None:
    """Check that the controller executed a command of REPLIES.

    Raises:
        DashboardError: The reply does not confirm the command.
    """
    if not reply.startswith(REPLIES[command]):
        raise DashboardError(f'the controller refused "{command}": {reply}')


def parse_bool(reply: str) -> bool:
    """Return the value of a reply "true" or "false".

    Raises:
        DashboardError: The reply is neither.
    """
    if reply not in ('true', 'false'):
        raise DashboardError(f'the controller answered {reply!r} where true or false was expected')
    return reply == 'true'
