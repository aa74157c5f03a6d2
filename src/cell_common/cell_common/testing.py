"""Fixtures for tests that need ROS: a domain of their own, ports from the kernel, waiting with a deadline.

Import the fixtures in a package's `conftest.py`: `from cell_common.testing import domain, graph, node_switch_interval`.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

__all__ = ['NodeGraph', 'dds_thread_count', 'domain', 'free_port', 'graph', 'node_switch_interval', 'wait_until']

T = TypeVar('T')
DEADLINE_S = 10.0
POLL_S = 0.01
PATIENCE_S = 0.1


def free_port() -> int:
    """Return a TCP port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], T], timeout: float = DEADLINE_S, what: str = '') -> T:
    """Wait until a condition holds and return what it returned.

    Raises:
        AssertionError: It did not hold within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {timeout:g} s: {what or condition}')
        time.sleep(POLL_S)
    return result


def dds_thread_count() -> int:
    """Return how many threads the DDS participants of this process have."""
    return sum(name.read_text().startswith('dds.') for name in Path('/proc/self/task').glob('*/comm'))


class NodeGraph:
    """The nodes of one test, spun together in a thread, in a ROS domain that no other test uses."""

    def __init__(self, domain_id: int) -> None:
        """Start rclpy in a context of its own."""
        import rclpy
        from rclpy.context import Context

        from cell_common.executor import CachedWaitSetExecutor

        self.context = Context()
        self.context.init(domain_id=domain_id)
        self.executor = CachedWaitSetExecutor(context=self.context)  # as every node of the cell has it
        self.nodes: list[Any] = []
        self._ending = threading.Event()
        self._leaving: queue.SimpleQueue[tuple[Any, threading.Event]] = queue.SimpleQueue()
        self.node = self.add(rclpy.create_node('test', context=self.context, namespace='cell'))
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def add(self, node: Any) -> Any:
        """Spin a node; it must have been made with this graph's `context`."""
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def remove(self, node: Any) -> None:
        """Stop and destroy a node, as if its process had ended.

        It is done by the thread that spins, between two callbacks: a node that is destroyed while the executor waits on it
        ends the executor. From a callback it is done once that callback has returned.
        """
        self.nodes.remove(node)
        gone = threading.Event()
        self._leaving.put((node, gone))
        self.executor.wake()
        if threading.current_thread() is not self._thread:
            assert gone.wait(DEADLINE_S), f'{node.get_name()} was not removed'

    def options(self, **parameters: Any) -> dict[str, Any]:
        """Return the arguments that place a node class in this graph with these parameters."""
        from rclpy.parameter import Parameter

        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        return {'context': self.context, 'namespace': 'cell', 'parameter_overrides': overrides}

    def collect(self, kind: Any, topic: str, qos: Any = 10) -> list[Any]:
        """Subscribe and return the list that messages are appended to."""
        received: list[Any] = []
        self.node.create_subscription(kind, topic, received.append, qos)
        return received

    def call(self, kind: Any, name: str, request: Any, timeout: float = DEADLINE_S) -> Any:
        """Call a service and return its response.

        Raises:
            AssertionError: No response in time.
        """
        client = self.node.create_client(kind, name)
        wait_until(client.service_is_ready, timeout, f'service {name}')
        future = client.call_async(request)
        wait_until(future.done, timeout, f'response of {name}')
        return future.result()

    def close(self) -> None:
        """Destroy the nodes and end the context."""
        self._ending.set()
        self.executor.wake()
        self._thread.join(DEADLINE_S)
        self.executor.shutdown()
        for node in reversed(self.nodes):
            node.destroy_node()
            _destroy_action_clients(node)
        self.context.try_shutdown()

    def _spin(self) -> None:
        from rclpy.executors import ExternalShutdownException, ShutdownException

        patience = PATIENCE_S
        with contextlib.suppress(ExternalShutdownException, ShutdownException):
            while self.context.ok() and not self._ending.is_set():
                self.executor.spin_once(timeout_sec=patience)
                while not self._leaving.empty():
                    node, gone = self._leaving.get()
                    self.executor.remove_node(node)
                    node.destroy_node()
                    gone.set()
                    # The executor keeps what it found ready as long as its arguments are the same; the node is among that.
                    patience = PATIENCE_S if patience != PATIENCE_S else 2 * PATIENCE_S


def _destroy_action_clients(node: Any) -> None:
    """Destroy what a node leaves: an action client keeps its participant, with all threads, until garbage is collected."""
    from rclpy.action.client import ActionClient

    for client in [waitable for waitable in node.waitables if isinstance(waitable, ActionClient)]:
        client.destroy()


@pytest.fixture(scope='session', autouse=True)
def node_switch_interval() -> None:
    """Threads hand over the interpreter as soon as in a node's process: here all nodes and devices share one."""
    from cell_common.runner import SWITCH_S

    sys.setswitchinterval(SWITCH_S)


@pytest.fixture
def domain() -> Iterator[int]:
    """A ROS domain id that no other test on this machine holds."""
    from domain_coordinator import domain_id

    with domain_id() as number:
        yield int(number)


@pytest.fixture
def graph(domain: int) -> Iterator[NodeGraph]:
    """A running graph in a domain of its own."""
    running = NodeGraph(domain)
    yield running
    running.close()
