"""Timers of steady time.

`Node.create_timer` uses ROS time, which a replayed bag or a simulation controls. Timeouts and housekeeping must not depend on
it.
"""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.timer import Timer

__all__ = ['create_steady_timer']


def create_steady_timer(
    node: Node, period_s: float, callback: Callable[[], object], callback_group: CallbackGroup | None = None
) -> Timer:
    """Create a timer of steady time, which runs independently of `use_sim_time`.

    Housekeeping continues after the end of a replayed bag, where ROS time stops. Also, a stopped ROS time timer keeps Jazzy's
    executor from waking up on an interrupt.

    Args:
        node: Owner of the timer; `node.destroy_timer` ends it.
        period_s: Period in seconds. The first call comes after one period; missed periods are skipped.
        callback: Called in the node's executor; may be a coroutine function.
        callback_group: None = the node's default group.
    """
    return node.create_timer(period_s, callback, callback_group, Clock(clock_type=ClockType.STEADY_TIME))
