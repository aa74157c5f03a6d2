"""Run a recorder or a player as a process of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import rclpy
import rclpy.utilities
from rclpy.signals import SignalHandlerOptions


def run_until_signal(make: Callable[[], Any]) -> Any:
    """Create a node with a method `run(stop)`, run it until it ends or SIGINT or SIGTERM arrives, and return it.

    Args:
        make: Creates the node, after rclpy is initialized.
    """
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    # rclpy's handlers would shut the context down before the bag is closed.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
    try:
        node = make()
        node.run(stop)
        node.destroy_node()
        return node
    finally:
        rclpy.utilities.try_shutdown()
