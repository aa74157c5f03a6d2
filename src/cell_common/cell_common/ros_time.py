"""ROS time messages made from whole nanoseconds."""

from __future__ import annotations

from builtin_interfaces.msg import Time

from cell_common.time import NS_PER_S

__all__ = ['to_msg']


def to_msg(nanoseconds: int) -> Time:
    """Return nanoseconds as a builtin_interfaces Time; `nanosec` is 0..999999999 for negative times, too.

    Args:
        nanoseconds: ROS time. 0 becomes the zero Time, which the cell's messages define as "none".
    """
    seconds, rest = divmod(nanoseconds, NS_PER_S)
    return Time(sec=seconds, nanosec=rest)
