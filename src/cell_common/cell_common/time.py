"""Times as whole nanoseconds, and their conversion to and from ROS messages.

Rules compute with plain integers: a float of seconds since 1970 is exact to about 200 ns only.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from rclpy.clock import Clock

__all__ = ['NS_PER_S', 'now_ns', 'seconds_to_ns', 'to_msg', 'to_ns']

NS_PER_S = 1_000_000_000
"""Nanoseconds per second."""


class TimeLike(Protocol):
    """A builtin_interfaces Time or Duration."""

    sec: int
    nanosec: int


class HasClock(Protocol):
    """An rclpy node."""

    def get_clock(self) -> Clock:
        """Return the node's clock."""


def now_ns(node: HasClock) -> int:
    """Return the ROS time of a node in nanoseconds; it is simulated time where the node uses it."""
    return int(node.get_clock().now().nanoseconds)


def seconds_to_ns(seconds: float) -> int:
    """Return seconds as whole nanoseconds, rounded."""
    return round(seconds * NS_PER_S)


def to_ns(message: TimeLike) -> int:
    """Return a builtin_interfaces Time or Duration in nanoseconds."""
    return int(message.sec) * NS_PER_S + int(message.nanosec)


def to_msg(nanoseconds: int) -> Time:
    """Return nanoseconds as a builtin_interfaces Time; `nanosec` is 0..999999999 for negative times, too."""
    from builtin_interfaces.msg import Time  # deferred: rules import NS_PER_S from this module

    seconds, rest = divmod(nanoseconds, NS_PER_S)
    return Time(sec=seconds, nanosec=rest)
