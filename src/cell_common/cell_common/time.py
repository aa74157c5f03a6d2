"""Times as whole nanoseconds; `cell_common.ros_time` makes the messages of them.

Pure: no ROS, sockets, files or clock.

Rules compute with plain integers: a float of seconds since 1970 is exact to about 200 ns only. Names end in `_ns` for
nanoseconds and in `_s` for seconds. The protocols below describe the parts of ROS types that are used, so rules and tests need
no ROS.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ['NS_PER_S', 'SettableClock', 'TimeLike', 'now_ns', 'seconds_to_ns', 'to_ns']

NS_PER_S = 1_000_000_000
"""Nanoseconds per second."""
SMALLEST_JUMP_NS = 2 * NS_PER_S
"""A smaller difference is the clock's discipline, or a busy computer."""


class TimeLike(Protocol):
    """A builtin_interfaces Time or Duration.

    Attributes:
        sec: Whole seconds, rounded down, also for negative times.
        nanosec: 0..999999999, added to `sec`.
    """

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
    """An rclpy node, or a test's object with a clock."""

    def get_clock(self) -> _Clock:
        """Return the node's clock."""


def now_ns(node: HasClock) -> int:
    """Return the ROS time of a node in nanoseconds; it is simulated time where the node uses it.

    For stamps and for comparing them. Measure durations and timeouts with `time.monotonic`: ROS time may stop or jump.
    """
    return node.get_clock().now().nanoseconds


def seconds_to_ns(seconds: float) -> int:
    """Return seconds as whole nanoseconds, rounded."""
    return round(seconds * NS_PER_S)


def to_ns(message: TimeLike) -> int:
    """Return a builtin_interfaces Time or Duration in nanoseconds; 0 for the zero message, which means "none"."""
    return int(message.sec) * NS_PER_S + int(message.nanosec)


class SettableClock:
    """Detects that a clock was set, by comparing it with steady time."""

    def __init__(self, clock_ns: int, steady_ns: int) -> None:
        """Store the first pair of readings, in nanoseconds."""
        self._clock_ns, self._steady_ns = clock_ns, steady_ns

    def update(self, clock_ns: int, steady_ns: int) -> int:
        """Return how far the clock was set ahead since the last call; negative = back, 0 = it only ran."""
        jump = (clock_ns - self._clock_ns) - (steady_ns - self._steady_ns)
        self._clock_ns, self._steady_ns = clock_ns, steady_ns
        return jump if abs(jump) > SMALLEST_JUMP_NS else 0
