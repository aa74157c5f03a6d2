"""A whole cell for a test, launched as a user launches it, on its own domain and ports."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from cell_bringup.client import CellClient
from cell_common.testing import domain, free_port, graph, node_switch_interval, wait_until
from cell_sim.world.ground_truth import read_ground_truth

from cell_interfaces.msg import JobState

READY_S = 60.0
STOP_S = 60.0
ENDED = (JobState.DONE, JobState.CANCELLED, JobState.FAILED)
HUNG_S = 60.0
"""Margin after a test's timeout: longer means that it hangs outside Python, where pytest-timeout has no effect."""
TERMINAL = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the error output of the terminal, which pytest captures while a test runs."""
    config.stash[TERMINAL] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the run with the stacks of all threads if a test hangs in a library."""
    marker = item.get_closest_marker('timeout')
    limit = marker.args[0] if marker else float(item.config.getini('timeout'))
    faulthandler.dump_traceback_later(limit + HUNG_S, exit=True, file=item.config.stash[TERMINAL])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


class RunningCell:
    """A launched cell and its client."""

    def __init__(self, domain_id: int, home: Path, log: Path, launch_file: str = 'cell.launch.py', **arguments: Any) -> None:
        self.domain_id, self.log, self.launch_file = domain_id, log, launch_file
        self.ports = {
            name: free_port() for name in ('robot_port', 'scale_port', 'rosbridge_port', 'web_port', 'sim_camera_port')
        }
        self.truth_file = home / 'truth.jsonl'
        self.arguments = {
            'state_dir': home / 'state',
            'truth_file': self.truth_file,
            'time_scale': 10.0,
            'seed': 7,
            **self.ports,
            **arguments,
        }
        self.process = self._launch()
        self.client = CellClient(domain_id=domain_id)

    def _launch(self) -> subprocess.Popen[bytes]:
        # setpriv: the cell ends with the test run, also if that is killed
        launch = ['setpriv', '--pdeathsig', 'INT', 'ros2', 'launch', 'cell_bringup', self.launch_file]
        command = [*launch, *(f'{k}:={v}' for k, v in self.arguments.items())]
        env = {**os.environ, 'ROS_DOMAIN_ID': str(self.domain_id), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        with self.log.open('ab') as out:
            return subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, start_new_session=True
            )

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Wait until the cell is ready."""
        wait_until(lambda: self.client.status is not None and self.client.status.ready, timeout, f'cell ready; see {self.log}')

    def log_text(self) -> str:
        return self.log.read_text(errors='replace')

    def truth(self) -> list[dict[str, Any]]:
        return read_ground_truth(self.truth_file) if self.truth_file.exists() else []

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def pid_of(self, executable: str) -> int:
        pattern = re.compile(rf'/lib/\w+/{executable}$')
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if any(pattern.search(word) for word in process.cmdline()[:3]):
                    return process.pid
        raise AssertionError(f'no process of {executable}')

    def kill(self, executable: str) -> int:
        pid = self.pid_of(executable)
        os.kill(pid, signal.SIGKILL)
        return pid

    def start_job(self, part_number: str, quantity: int) -> str:
        job_id = self.client.set_job(part_number, quantity)
        self.client.run_job(job_id)
        return job_id

    def wait_job(self, job_id: str, states: tuple[int, ...] = ENDED, timeout: float = 60.0) -> JobState:
        def there() -> JobState | None:
            job = self.client.job
            return job if job is not None and job.job_id == job_id and job.state in states else None

        return wait_until(there, timeout, f'job in state {states}; last seen: {self.client.job}; see {self.log}')

    def stop(self) -> int:
        self.client.close()
        children = self.processes() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        self.left_behind = psutil.wait_procs(children, 10)[1]
        for process in self.left_behind:
            process.kill()
        return code


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Path:
    """Folder for logs and screenshots of this test, kept after the run."""
    base = Path(os.environ.get('CELL_TEST_RESULTS', 'build/test'))
    folder = base / re.sub(r'\W+', '_', request.node.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder.resolve()


@pytest.fixture(scope='module')
def shared_cell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCell]:
    """A cell shared by the tests of a module that leave it unchanged."""
    from domain_coordinator import domain_id

    folder = tmp_path_factory.mktemp('cell')
    base = Path(os.environ.get('CELL_TEST_RESULTS', 'build/test')).resolve() / f'{request.module.__name__}_shared'
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    with domain_id() as number:
        cell = RunningCell(number, folder, base / 'launch.log')
        try:
            cell.wait_ready()
            yield cell
        finally:
            cell.stop()


@pytest.fixture
def launch_cell(domain: int, tmp_path: Path, results: Path) -> Iterator[Callable[..., RunningCell]]:
    """Launch a cell with launch arguments and wait until it is ready; it ends with the test."""
    running: list[RunningCell] = []

    def launch(*, wait: bool = True, **arguments: Any) -> RunningCell:
        cell = RunningCell(domain, tmp_path, results / 'launch.log', **arguments)
        running.append(cell)
        if wait:
            cell.wait_ready()
        return cell

    yield launch
    for cell in running:
        cell.stop()
