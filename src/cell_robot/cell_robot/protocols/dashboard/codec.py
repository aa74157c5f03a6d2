"""Commands and replies of the dashboard server.

Pure: no ROS, sockets, files or clock.

Source: Universal Robots, "Dashboard Server e-Series, port 29999". Replies are compared without regard to case, extra blanks
and empty lines, because these differ between software versions.

A reply is one line of text without a code. PolyScope X has no dashboard server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

BANNER = 'Connected: Universal Robots Dashboard Server'
MAX_LINE = 4096
"""Bytes."""
REPLIES: Mapping[str, tuple[str, ...]] = {
    'play': ('Starting program',),
    'stop': ('Stopped',),
    'power on': ('Powering on',),
    'brake release': ('Brake releasing',),
    'unlock protective stop': ('Protective stop releasing',),
    'close popup': ('closing popup',),
    'close safety popup': ('closing safety popup',),
    'is in remote control': ('true', 'false'),
}
"""Command -> possible beginnings of the reply that answers it."""
PATTERNS: Mapping[str, str] = {
    'get robot model': r'ur[\s_]*\d+.*',
    'get serial number': r'\d+',
    'PolyscopeVersion': r'.*\d+\.\d+.*',
}
"""Question -> pattern of its answer; other lines are skipped."""
REFUSALS = ('failed', 'could not', 'cannot', 'error', 'not ', 'no ', 'command is not', 'unknown')
"""Beginnings of a reply that refuses a command, in lower case."""


@dataclass(frozen=True)
class DashboardTimeouts:
    """Timeouts of the dashboard, seconds. Some commands take a real controller more than a second."""

    connect: float = 2.0
    """Until the controller accepts the connection."""
    command: float = 8.0
    """Until it answers a command."""


TIMEOUTS = DashboardTimeouts()


class DashboardError(Exception):
    """The dashboard did not answer or refused a command; the text gives the reason."""


class DashboardClosedError(DashboardError):
    """The controller closed the connection."""


def encode(command: str) -> bytes:
    """Return the bytes of a command."""
    return f'{command}\n'.encode()


def clean_line(line: bytes) -> str:
    """Return the text of a received line with single blanks, "" for an empty one."""
    return ' '.join(line.decode('utf-8', 'replace').replace('\0', ' ').split())


def is_banner(line: str) -> bool:
    """Return whether a cleaned line greets a new connection."""
    return line.lower().startswith(BANNER.lower())


def answers(command: str, line: str) -> bool:
    """Return whether a line answers a command; other lines, such as a late banner, are skipped.

    Args:
        command: As it was sent, without line end.
        line: As `clean_line` returns it. A refusal answers every command.
    """
    if not line or is_banner(line):
        return False
    if (pattern := PATTERNS.get(command)) is not None:
        return re.fullmatch(pattern, line, re.IGNORECASE) is not None or line.lower().startswith(REFUSALS)
    expected = REPLIES.get(command)
    return expected is None or _begins(line, expected) or line.lower().startswith(REFUSALS)


def require_ok(command: str, reply: str) -> None:
    """Check that the controller executed a command of REPLIES.

    Most commands are confirmed when they begin: "Powering on" says nothing about the end. Watch the robot mode for that.

    Args:
        command: A key of REPLIES.
        reply: Cleaned line.

    Raises:
        DashboardError: The reply does not confirm the command.
    """
    if not _begins(reply, REPLIES[command]):
        raise DashboardError(f'the controller refused "{command}": {reply}')


def parse_bool(reply: str) -> bool:
    """Return the value of a reply "true" or "false", also behind a label, as in "Program running: true".

    Raises:
        DashboardError: The reply is neither.
    """
    value = reply.rpartition(':')[2].strip().lower()
    if value not in ('true', 'false'):
        raise DashboardError(f'the controller answered {reply!r} where true or false was expected')
    return value == 'true'


def _begins(line: str, expected: tuple[str, ...]) -> bool:
    return line.lower().startswith(tuple(text.lower() for text in expected))
