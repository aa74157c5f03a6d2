"""Fixtures of the `ros2` verbs: a graph of one node in a domain of its own, and the command line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DEADLINE_S = 30.0


class Graph:
    """Node `/cell/talker`, spun in a thread, in a ROS context of its own."""

    def __init__(self, domain: int) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        self.context.init(domain_id=domain)
        self.node = rclpy.create_node('talker', namespace='/cell', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        from rclpy.executors import ExternalShutdownException, ShutdownException

        with contextlib.suppress(ExternalShutdownException, ShutdownException):
            self.executor.spin()

    def close(self) -> None:
        self.executor.shutdown()
        self._thread.join(DEADLINE_S)
        self.node.destroy_node()
        self.context.try_shutdown()


class Ros2:
    """The `ros2` command, called in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *argv: str) -> tuple[object, str]:
        """Run the command once; return exit code (or error text) and output."""
        from ros2cli import cli

        self._capsys.readouterr()
        code = cli.main(argv=list(argv))
        return code, self._capsys.readouterr().out

    def until(self, fragment: str, *argv: str) -> str:
        """Run the command until its output contains a fragment; return the output."""
        return self.until_true(lambda out: fragment in out, *argv)

    def until_true(self, accepts: Callable[[str], bool], *argv: str) -> str:
        """Run the command until its output is accepted; return the output.

        Each run is a node of its own, so its first view of the graph may be incomplete.
        """
        deadline = time.monotonic() + DEADLINE_S
        while True:
            code, out = self(*argv)
            if accepts(out):
                assert not code
                return out
            assert time.monotonic() < deadline, f'{argv}: {code} {out}'


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch):
    from domain_coordinator import domain_id

    with domain_id() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        graph = Graph(int(domain))
        yield graph
        graph.close()


@pytest.fixture
def ros2(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ros2:
    monkeypatch.setattr('sys.argv', ['ros2'])
    return Ros2(capsys)


@contextlib.contextmanager
def _running(*argv: str):
    """Run the command in a process, interrupt it at the end as Ctrl-C does."""
    code = 'import sys; from ros2cli.cli import main; sys.exit(main())'
    process = subprocess.Popen(
        [sys.executable, '-c', code, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    watchdog = threading.Timer(DEADLINE_S, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)
        watchdog.cancel()


@pytest.fixture
def ros2_process():
    """Return a context manager that runs `ros2` in a process of its own."""
    return _running


@pytest.fixture
def launch_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logs of launch below the test's folder; afterwards the environment is as before."""
    import launch.logging

    environment = dict(os.environ)
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    monkeypatch.delenv('OVERRIDE_LAUNCH_PROCESS_OUTPUT', raising=False)
    yield
    launch.logging.reset()
    os.environ.clear()
    os.environ.update(environment)
