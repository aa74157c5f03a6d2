"""Commands carry who, when and an expiry; a command that is too old is refused, not carried out late."""

from __future__ import annotations

from typing import Any

from cell_common.time import NS_PER_S, to_ns

__all__ = ['expiry_error']


def expiry_error(command: Any, now_ns: int) -> str:
    """Say why a command is too old, or return "" when it may be carried out.

    Args:
        command: A cell_interfaces CommandInfo.
        now_ns: ROS time now, nanoseconds.
    """
    issued, valid_for = to_ns(command.issued_at), to_ns(command.valid_for)
    if issued == 0 or valid_for == 0 or now_ns <= issued + valid_for:
        return ''
    age = (now_ns - issued) / NS_PER_S
    return f'the command is {age:.1f} s old and was valid for {valid_for / NS_PER_S:.1f} s; give it again'
