"""Timers of real time."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.timer import Timer

__all__ = ['create_steady_timer']


def create_steady_timer(node: Node, seconds: float, callback: Callable[[], object]) -> Timer:
    """Call back in the node's executor every so many seconds of real time.

    Housekeeping goes on in a replay whose bag has ended, where ROS time stands still. And a timer of ROS time that stands
    still keeps Jazzy's executor from waking for an interrupt.
    """
    return node.create_timer(seconds, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
