"""Times as whole nanoseconds; `cell_common.ros_time` makes the messages of them.

Rules compute with plain integers: a float of seconds since 1970 is exact to about 200 ns only.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ['NS_PER_S', 'TimeLike', 'now_ns', 'seconds_to_ns', 'to_ns']

NS_PER_S = 1_000_000_000
"""Nanoseconds per second."""


class TimeLike(Protocol):
    """A builtin_interfaces Time or Duration."""

    sec: int
    nanosec: int


class _Instant(Protocol):
    """An rclpy.time.Time."""

    @property
    def nanoseconds(self) -> int: ...


class _Clock(Protocol):
    """An rclpy clock."""

    def now(self) -> _Instant: ...


class HasClock(Protocol):
    """An rclpy node."""

    def get_clock(self) -> _Clock:
        """Return the node's clock."""


def now_ns(node: HasClock) -> int:
    """Return the ROS time of a node in nanoseconds; it is simulated time where the node uses it."""
    return node.get_clock().now().nanoseconds


def seconds_to_ns(seconds: float) -> int:
    """Return seconds as whole nanoseconds, rounded."""
    return round(seconds * NS_PER_S)


def to_ns(message: TimeLike) -> int:
    """Return a builtin_interfaces Time or Duration in nanoseconds."""
    return int(message.sec) * NS_PER_S + int(message.nanosec)
