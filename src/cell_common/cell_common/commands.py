"""Expiry of operator commands: an expired command is rejected, never executed late.

Pure: no ROS, sockets, files or clock.

A browser or a bridge may deliver a click seconds late, after a stall of the network. By then the operator may stand at the
robot.
"""

from __future__ import annotations

from typing import Protocol

from cell_common.time import NS_PER_S, TimeLike, to_ns

__all__ = ['CommandInfoLike', 'expiry_error']


MOST_AHEAD_NS = 60 * NS_PER_S
"""Difference of clocks that is tolerated; a command from further ahead would stay valid for as long."""


class CommandInfoLike(Protocol):
    """A cell_interfaces/CommandInfo, or any object with its fields.

    Attributes:
        request_id: Id of the client for its command; also the key of the audit entry.
        operator_id: Who gave the command; "" = not known.
        issued_at: When the client sent it, ROS time.
        valid_for: How long it may be executed after that.
    """

    request_id: str
    operator_id: str
    role: str
    origin: str
    issued_at: TimeLike
    valid_for: TimeLike


def expiry_error(command: CommandInfoLike, now_ns: int) -> str:
    """Return why a command has expired or is from the future, or "" if it is valid.

    A command without `issued_at` or `valid_for` never expires: `ros2 service call` sends zeros. The clocks of client and node
    are compared directly, so a client whose clock is ahead extends its commands by the difference.

    Args:
        command: The `command` field of a request.
        now_ns: ROS time in nanoseconds.
    """
    issued, valid_for = to_ns(command.issued_at), to_ns(command.valid_for)
    if issued > now_ns + MOST_AHEAD_NS:
        ahead = (issued - now_ns) / NS_PER_S
        return f'the command is dated {ahead:.0f} s ahead of the clock of the cell: compare the clocks, then send it again'
    if issued == 0 or valid_for == 0 or now_ns <= issued + valid_for:
        return ''
    age = (now_ns - issued) / NS_PER_S
    return f'the command is {age:.1f} s old and was valid for {valid_for / NS_PER_S:.1f} s; send it again'
