"""Commands carry who, when and an expiry; a command that is too old is refused, not carried out late."""

from __future__ import annotations

from typing import Any

NANOSECONDS = 1_000_000_000


def nanoseconds(stamp: Any) -> int:
    """Return a builtin_interfaces Time or Duration as whole nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def expired(command: Any, now_ns: int) -> str:
    """Say why a command is too old, or return "" when it may be carried out.

    Args:
        command: A cell_interfaces CommandInfo.
        now_ns: ROS time now, nanoseconds.
    """
    issued, valid_for = nanoseconds(command.issued_at), nanoseconds(command.valid_for)
    if issued == 0 or valid_for == 0 or now_ns <= issued + valid_for:
        return ''
    age = (now_ns - issued) / NANOSECONDS
    return f'the command is {age:.1f} s old and was valid for {valid_for / NANOSECONDS:.1f} s; give it again'
