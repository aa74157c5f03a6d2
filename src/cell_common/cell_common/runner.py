"""Run one node in one process: signals, exit codes and errors at start-up are the same for every node of the cell.

rclpy's own signal handlers are off. They shut the context down in the middle of a callback, which then fails at its next
publish.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import rclpy
import rclpy.utilities
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from cell_common.parameters import ParameterError, unknown_parameters
from cell_common.services import guard_services
from cell_common.timers import create_steady_timer

__all__ = ['EXIT_BAD_CONFIGURATION', 'SWITCH_S', 'StartError', 'node_main', 'run_node']

SWITCH_S = 0.0005
"""GIL switch interval. With Python's default of 5 ms a device thread waits that long for a computing callback."""
SIGNAL_POLL_S = 1.0
EXIT_BAD_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


class StartError(Exception):
    """A node cannot start; the text says why and what to do.

    Raise it for configuration and devices. Exit code 78 then tells a supervisor that a restart alone does not help.
    """


def run_node(factory: Callable[[], Node], arguments: Sequence[str] | None = None) -> int:
    """Create a node, spin it until SIGINT or SIGTERM, and destroy it.

    The first signal lets the current callback finish, so that it never publishes into a context that is shut down. The second
    signal shuts the context down without waiting.

    Args:
        factory: Creates the node; may raise StartError or ParameterError.
        arguments: ROS arguments; None = those of the command line.

    Returns:
        The exit code: 0 after a signal, 78 if the configuration does not allow a start.
    """
    sys.setswitchinterval(SWITCH_S)
    # NO signal handlers: see the module's docstring.
    rclpy.init(args=None if arguments is None else list(arguments), signal_handler_options=SignalHandlerOptions.NO)
    shutdown_guards: list[GuardCondition] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A guard condition wakes the executor between two callbacks.
        if shutdown_guards:
            shutdown_guards.pop().trigger()
        else:
            rclpy.utilities.try_shutdown()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    node: Node | None = None
    executor: SingleThreadedExecutor | None = None
    try:
        node = factory()
        guard_services(node)
        for sentence in unknown_parameters(node):
            node.get_logger().warning(sentence)
        # Objects that exist now live as long as the node: collections need not visit them, tens of milliseconds each time.
        gc.collect()
        gc.freeze()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        # In their own group: a waiting coroutine of the node's default group would delay the shutdown.
        group = ReentrantCallbackGroup()
        shutdown_guards.append(node.create_guard_condition(rclpy.utilities.try_shutdown, callback_group=group))
        # Python runs signal handlers between bytecodes only, so an executor that waits must return now and then.
        create_steady_timer(node, SIGNAL_POLL_S, lambda: None, group)
        executor.spin()
    except (ParameterError, StartError) as error:
        # The node may not exist yet; its program has its name.
        rclpy.logging.get_logger(Path(sys.argv[0]).name).fatal(f'cannot start: {error}')
        return EXIT_BAD_CONFIGURATION
    except ExternalShutdownException:
        pass
    except Exception:
        if rclpy.utilities.ok():
            raise
        # A signal during the start: errors after the shutdown of the context are its consequence.
    finally:
        if executor is not None:
            executor.shutdown()
        if node is not None:
            node.destroy_node()
        rclpy.utilities.try_shutdown()
        _close_databases()
    return 0


def _close_databases() -> None:
    # Imported late: SQLAlchemy takes 18 MB, and a node without a database has not loaded it.
    if 'cell_common.database' in sys.modules:
        from cell_common.database import close_databases

        close_databases()


def node_main(factory: Callable[[], Node]) -> Callable[[], None]:
    """Return a console-script entry point for a node.

    Args:
        factory: The node's class, or a function that creates it, without arguments.
    """

    def main() -> None:
        sys.exit(run_node(factory))

    return main
