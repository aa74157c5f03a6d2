"""What the dashboard's replies mean. No ROS, no sockets.

Source: Universal Robots, "Dashboard Server e-Series, port 29999".
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
"""Command -> how a reply begins that says it was done."""


class DashboardError(Exception):
    """The dashboard did not answer, or refused; the text says what."""


def command(line: str) -> bytes:
    """Return the bytes of a command."""
    return f'{line}\n'.encode()


def check(line: str, reply: str) -> None:
    """Check that a command of REPLIES was carried out.

    Raises:
        DashboardError: The reply says otherwise.
    """
    if not reply.startswith(REPLIES[line]):
        raise DashboardError(f'the controller refused "{line}": {reply}')


def truth(reply: str) -> bool:
    """Return what a reply of true or false says.

    Raises:
        DashboardError: It is neither.
    """
    if reply not in ('true', 'false'):
        raise DashboardError(f'the controller answered {reply!r} where true or false was expected')
    return reply == 'true'
