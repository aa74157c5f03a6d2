"""Run one node in one process, the same way for every node of the cell."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
import rclpy.utilities
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from cell_common.executor import CachedWaitSetExecutor
from cell_common.parameters import ParameterError

__all__ = ['EXIT_BAD_CONFIGURATION', 'SWITCH_S', 'StartError', 'node_main', 'run_node']

SWITCH_S = 0.0005
"""How long a thread keeps the interpreter from another that wants it. Python's 5 ms would make a device's thread wait that long
behind a callback."""
EXIT_BAD_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


class StartError(Exception):
    """A node cannot start; the text says why and what to do."""


def run_node(factory: Callable[[], Node], arguments: Sequence[str] | None = None) -> int:
    """Make a node, spin it until SIGINT or SIGTERM, and destroy it.

    The first signal lets the callback under way finish, so that it never publishes into a context that is gone; a second one
    does not wait.

    Returns:
        The exit code: 0 after a wanted end, 78 when the configuration does not allow a start.
    """
    sys.setswitchinterval(SWITCH_S)
    rclpy.init(args=None if arguments is None else list(arguments), signal_handler_options=SignalHandlerOptions.NO)
    ending: list[GuardCondition] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        if ending:
            ending.pop().trigger()
        else:
            rclpy.utilities.try_shutdown()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    node: Node | None = None
    executor: CachedWaitSetExecutor | None = None
    try:
        node = factory()
        # What is there now stays: a collection need not go through it, tens of milliseconds, again and again.
        gc.collect()
        gc.freeze()
        executor = CachedWaitSetExecutor()
        executor.add_node(node)
        # In a group of its own: a coroutine of the node's own group that waits for an answer does not keep the end waiting.
        ending.append(node.create_guard_condition(rclpy.utilities.try_shutdown, callback_group=ReentrantCallbackGroup()))
        executor.spin()
    except (ParameterError, StartError) as problem:
        rclpy.logging.get_logger(factory.__module__.rsplit('.', 1)[-1]).fatal(f'cannot start: {problem}')
        return EXIT_BAD_CONFIGURATION
    except ExternalShutdownException:
        pass
    except Exception:
        if rclpy.utilities.ok():
            raise
        # Interrupted while it started: ROS is gone already, whatever broke did so for that.
    finally:
        if executor is not None:
            executor.shutdown()
        if node is not None:
            node.destroy_node()
        rclpy.utilities.try_shutdown()
    return 0


def _ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: rclpy's handler, which calls this one, has done it; the default would raise KeyboardInterrupt anywhere."""


def node_main(factory: Callable[[], Node]) -> Callable[[], None]:
    """Return a console-script entry point for a node."""

    def main() -> None:
        sys.exit(run_node(factory))

    return main
