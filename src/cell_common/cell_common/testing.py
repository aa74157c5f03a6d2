"""Fixtures for tests that need ROS: a separate domain, ports from the kernel, waiting with a deadline.

Import the fixtures in a package's `conftest.py`: `from cell_common.testing import domain, graph, node_switch_interval`.

All nodes of a test run in the test's process, spun by one thread, so a test can look into a node and stop it like a crash.
rclpy is imported inside functions: tests that create no node must not
pay for it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from rclpy.node import Node
    from rclpy.qos import QoSProfile
    from rclpy.task import Future
    from sqlalchemy import Engine

__all__ = [
    'FULL',
    'SOCKETIO_CLIENTS',
    'NodeGraph',
    'dds_thread_count',
    'domain',
    'free_port',
    'graph',
    'matched_subscribers',
    'migrated_database',
    'node_switch_interval',
    'postgresql',
    'wait_until',
]

T = TypeVar('T')
NodeT = TypeVar('NodeT', bound='Node')
DEADLINE_S = 30.0
"""Far longer than anything takes here: other programs may hold the processor, and only a failing test waits for it."""
POLL_S = 0.01
SPIN_TIMEOUT_S = 0.1
LOWEST_PORT, PORT_TRIES = 12_000, 100
"""Lower ports belong to well-known services."""
FULL = 'CELL_FULL' in os.environ
"""Whether tests of endurance run in their long form: more kills, more random input, every size of the page."""
SOCKETIO_CLIENTS = Path(sysconfig.get_path('purelib')).parents[2] / 'socketio-clients'
"""Folder with Socket.IO libraries of other releases, in the environment; `make setup-tests` fills it."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that is free now.

    It is below the range from which the kernel gives ports, so that no connection or server with port 0 takes it before it is
    used. Prefer port 0 and ask the server for its port; use this where a port must be known before its server starts, or stay
    closed.
    """
    given_from = int(Path('/proc/sys/net/ipv4/ip_local_port_range').read_text().split()[0])
    # Of the system: processes that seed the generator alike would get the same ports.
    choose = random.SystemRandom()
    for _ in range(PORT_TRIES):
        port = choose.randrange(LOWEST_PORT, given_from) if given_from > 2 * LOWEST_PORT else 0
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(('127.0.0.1', port))
            return int(probe.getsockname()[1])
    raise OSError('no free port was found')


def wait_until(condition: Callable[[], T], timeout: float = DEADLINE_S, what: str = '') -> T:
    """Wait until a condition returns a true value, and return that value.

    The deadline is reached on a defect only, so a slow machine costs no false alarms. To test how long something takes,
    compare times of the product, such as stamps. A state that passes by itself may be gone between two polls: wait for a
    message of it, or hold it.

    Args:
        condition: Polled every 10 ms.
        timeout: Seconds; DEADLINE_S if that is longer.
        what: Name of the condition for the message.

    Raises:
        AssertionError: The condition is not true within `timeout`.
    """
    timeout = max(timeout, DEADLINE_S)
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {timeout:g} s: {what or condition}')
        time.sleep(POLL_S)
    return result


def dds_thread_count() -> int:
    """Return the number of threads of the DDS participants of this process; it grows if a test leaves a context open."""
    return sum(name.read_text().startswith('dds.') for name in Path('/proc/self/task').glob('*/comm'))


def migrated_database(url: str, *packages: str) -> Engine:
    """Return an open database with the current tables of some packages.

    For SQLite the migrations run once in a process, and their result is copied: they take 0.1 s, and most tests need a
    database.

    Args:
        url: SQLAlchemy URL of a database without tables.
        packages: Import names, in the order of their migrations.
    """
    from sqlalchemy import make_url

    from cell_common.database import migrate, open_database

    parsed = make_url(url)
    if parsed.get_backend_name() == 'sqlite':
        Path(str(parsed.database)).write_bytes(_migrated_file(packages))
    engine = open_database(url)
    for package in packages:
        migrate(engine, package)
    return engine


@functools.cache
def _migrated_file(packages: tuple[str, ...]) -> bytes:
    from cell_common.database import migrate, open_database

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'cell.db'
        engine = open_database(f'sqlite:///{path}')
        for package in packages:
            migrate(engine, package)
        # Closing the last connection moves the write-ahead log into the file.
        engine.dispose()
        return path.read_bytes()


def matched_subscribers(node: Node, topic: str) -> int:
    """Return how many subscribers one publisher of a node reaches.

    A message that is published before its subscriber is matched is lost, so tests wait for this before they cause one.

    Args:
        node: Node with a publisher of the topic.
        topic: End of the topic's name, e.g. "weighing/weight".
    """
    publisher = next(publisher for publisher in node.publishers if publisher.topic_name.endswith(f'/{topic}'))
    return int(publisher.get_subscription_count())


class NodeGraph:
    """The nodes of one test, spun together in a thread, in a ROS domain that no other test uses.

    Attributes:
        node: A node of the test's own, for its subscriptions and clients.
        nodes: All nodes that are spun, `node` first.
        context: The rclpy context; pass it to each node, see `options`.
        executor: Spins in a thread from the beginning.
    """

    def __init__(self, domain_id: int) -> None:
        """Create a context in `domain_id` and start the thread."""
        import rclpy
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor

        self.context = Context()
        self.context.init(domain_id=domain_id)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.nodes: list[Node] = []
        self._closing = threading.Event()
        self._removals: queue.SimpleQueue[tuple[Node, threading.Event]] = queue.SimpleQueue()
        self.node = self.add(rclpy.create_node('test', context=self.context, namespace='cell'))
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def add(self, node: NodeT) -> NodeT:
        """Spin a node, which must belong to `context`."""
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def remove(self, node: Node) -> None:
        """Stop and destroy a node, as if its process had ended.

        The spinning thread destroys the node between two callbacks, because destroying a node in a wait set ends the executor.
        From a callback the node is removed after that callback has returned.
        """
        self.nodes.remove(node)
        removed = threading.Event()
        self._removals.put((node, removed))
        self.executor.wake()
        if threading.current_thread() is not self._thread:
            assert removed.wait(DEADLINE_S), f'{node.get_name()} was not removed'

    def options(self, **parameters: object) -> dict[str, object]:
        """Return the constructor arguments that place a node in this graph with these parameters.

        Args:
            parameters: Name and value of each parameter that differs from its default.
        """
        from rclpy.parameter import Parameter

        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        return {'context': self.context, 'namespace': 'cell', 'parameter_overrides': overrides}

    def collect(self, kind: type[T], topic: str, qos: QoSProfile | int = 10) -> list[T]:
        """Subscribe and return the list that messages are appended to.

        The list grows in the spinning thread: wait for its length with `wait_until`.

        Args:
            kind: Message type.
            topic: Relative names are in the namespace "cell", as those of the nodes.
            qos: Must be compatible with the publisher's, see `cell_common.qos`.
        """
        received: list[T] = []
        self.node.create_subscription(kind, topic, received.append, qos)
        return received

    def call(self, kind: Any, name: str, request: Any, timeout: float = DEADLINE_S) -> Any:
        """Call a service of type `kind` and return its response.

        Args:
            kind: Service type.
            name: Relative names are in the namespace "cell".
            request: Its request message.
            timeout: Seconds, each for the service and for its response.

        Raises:
            AssertionError: No response within `timeout`.
        """
        client = self.node.create_client(kind, name)
        wait_until(client.service_is_ready, timeout, f'service {name}')
        future = client.call_async(request)
        wait_until(future.done, timeout, f'response of {name}')
        return future.result()

    def request(self, send: Callable[[], Future]) -> Future:
        """Send a request of an action client in the spinning thread; see `action_calls`.

        Args:
            send: E.g. `lambda: client.send_goal_async(goal)` or `handle.get_result_async`.
        """
        from cell_common.action_calls import in_executor

        return in_executor(self.executor, send)

    def close(self) -> None:
        """Destroy the nodes, the last added first, and shut the context down."""
        self._closing.set()
        self.executor.wake()
        self._thread.join(DEADLINE_S)
        self.executor.shutdown()
        for node in reversed(self.nodes):
            node.destroy_node()
            _destroy_actions(node)
        self.context.try_shutdown()

    def _spin(self) -> None:
        from rclpy.executors import ExternalShutdownException, ShutdownException

        timeout = SPIN_TIMEOUT_S
        with contextlib.suppress(ExternalShutdownException, ShutdownException):
            while self.context.ok() and not self._closing.is_set():
                self.executor.spin_once(timeout_sec=timeout)
                while not self._removals.empty():
                    node, removed = self._removals.get()
                    self.executor.remove_node(node)
                    node.destroy_node()
                    removed.set()
                    # The executor keeps its list of ready entities, with the node's, as long as its arguments are the same.
                    # So another timeout makes it collect its entities again.
                    timeout = SPIN_TIMEOUT_S if timeout != SPIN_TIMEOUT_S else 2 * SPIN_TIMEOUT_S


def _destroy_actions(node: Node) -> None:
    """Destroy the action clients and servers of a node: each keeps its participant and threads until garbage collection.

    Not while the node is spun: destroying an entity in a wait set ends the executor.
    """
    from rclpy.action.client import ActionClient
    from rclpy.action.server import ActionServer

    for action in [waitable for waitable in node.waitables if isinstance(waitable, ActionClient | ActionServer)]:
        action.destroy()


@pytest.fixture(scope='session', autouse=True)
def node_switch_interval() -> None:
    """Use the nodes' GIL switch interval, since all nodes under test share one process."""
    from cell_common.runner import SWITCH_S

    sys.setswitchinterval(SWITCH_S)


@pytest.fixture
def domain() -> Iterator[int]:
    """A ROS domain id that no other test on this machine uses; it is reserved by a bound port until the test ends."""
    from domain_coordinator import domain_id

    with domain_id() as number:
        yield int(number)


@pytest.fixture
def graph(domain: int) -> Iterator[NodeGraph]:
    """A running graph in its own domain."""
    running = NodeGraph(domain)
    yield running
    running.close()


@pytest.fixture(scope='session')
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """A PostgreSQL server of its own; the function makes a new database and returns its URL. Skips where there is none."""
    pytest.importorskip('psycopg', reason='psycopg is not installed')
    found = sorted(Path('/usr/lib/postgresql').glob('*/bin/initdb'))
    initdb = str(found[-1]) if found else shutil.which('initdb')
    if initdb is None:
        pytest.skip('PostgreSQL is not installed (apt install postgresql)')
    programs, folder, port = Path(initdb).parent, tmp_path_factory.mktemp('postgresql'), free_port()
    user: dict[str, Any] = {}
    if os.getuid() == 0:  # the server refuses to run as root
        user = {'user': 'nobody', 'group': 'nogroup', 'extra_groups': []}
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)
        shutil.chown(folder, 'nobody', 'nogroup')
    quiet: dict[str, Any] = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, 'cwd': folder, **user}
    subprocess.run([programs / 'initdb', '-D', folder / 'data', '-U', 'cell', '-A', 'trust', '--no-sync'], check=True, **quiet)
    options = ['-p', str(port), '-k', str(folder), '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off']
    server = subprocess.Popen([programs / 'postgres', '-D', folder / 'data', *options], **quiet)
    try:
        yield _database_maker(port)
    finally:
        server.send_signal(signal.SIGINT)  # its fast shutdown: it waits for nobody
        server.wait(20)


def _database_maker(port: int) -> Callable[[], str]:
    import psycopg
    from psycopg import sql

    address = f'host=127.0.0.1 port={port} user=cell dbname=postgres'
    numbers = itertools.count(1)

    def is_ready() -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(address, autocommit=True):
            return True
        return False

    def make() -> str:
        wait_until(is_ready, 90, 'PostgreSQL')
        name = f'cell{next(numbers)}'
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(sql.SQL('CREATE DATABASE {}').format(sql.Identifier(name)))
        return f'postgresql+psycopg://cell@127.0.0.1:{port}/{name}'

    return make
