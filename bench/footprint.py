#!/usr/bin/env python3
"""Cost of the idle cell: memory (PSS) and CPU of each process, camera at 10 fps, no browser.

. ./env.sh && python bench/footprint.py [--seconds 20] [--first-start]

Measured is the second start on a state folder: in the first one each node with tables loads Alembic and makes them, which takes
11 MB in each of eight nodes until their next start.

PSS (proportional set size) divides shared pages among the processes that map them, so the sum over all processes is what the
cell really takes. RSS would count the libraries once for each node.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from cell_bringup.client import CellClient
from cell_bringup.jobs import wait_until_ready
from cell_common.testing import free_port
from rich.console import Console
from rich.table import Table

MEMORY_GOAL_MB, CPU_GOAL = 1200.0, 35.0
LAUNCH = ('setpriv', '--pdeathsig', 'INT', 'ros2', 'launch', 'cell_bringup', 'cell.launch.py')
PORTS = ('robot_port', 'scale_port', 'rosbridge_port', 'web_port', 'sim_camera_port')


@dataclass
class Cost:
    """Cost of one process."""

    name: str
    pss_mb: float
    cpu: float
    """Percent of one core."""


def name_of(process: psutil.Process) -> str:
    """Return the name of the node, or of the program if it is no node."""
    words = process.cmdline()
    for word in words:
        if '/lib/' in word and word.rsplit('/', 2)[-2].startswith(('cell_', 'rosbridge')):
            return str(word).rsplit('/', 1)[-1]
    return next(
        (' '.join(words[at : at + 2]) for at, word in enumerate(words) if word == '-m'), Path(words[-1] if words else '?').name
    )


def measure(root: psutil.Process, seconds: float) -> list[Cost]:
    """Measure a tree of processes for some seconds.

    Args:
        root: The launch process.
        seconds: Time of the measurement.

    Returns:
        Costs, the largest memory first.
    """
    processes = [root, *root.children(recursive=True)]
    before = {process.pid: sum(process.cpu_times()[:2]) for process in processes}
    began = time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - began
    costs = []
    for process in processes:
        used = sum(process.cpu_times()[:2]) - before[process.pid]
        label = 'ros2 launch' if process.pid == root.pid else name_of(process)
        costs.append(Cost(label, process.memory_full_info().pss / 2**20, used / elapsed * 100))
    return sorted(costs, key=lambda cost: -cost.pss_mb)


@contextlib.contextmanager
def running_cell(folder: Path) -> Iterator[tuple[psutil.Process, float]]:
    """Launch a cell with simulated devices, and stop it at the end.

    Args:
        folder: State folder; the log of the launch is written there.

    Yields:
        The launch process and the seconds until the cell was ready.

    Raises:
        CellError: The cell does not become ready.
    """
    arguments = [f'{name}:={free_port()}' for name in PORTS]
    began = time.monotonic()
    with (folder / 'launch.log').open('a') as out:
        cell = subprocess.Popen(
            [*LAUNCH, f'state_dir:={folder}', *arguments], stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        client = CellClient()
        wait_until_ready(client)
        ready = time.monotonic() - began
        client.close()
        # The client of the wait has just left; its discovery traffic must not be measured.
        time.sleep(3)
        yield psutil.Process(cell.pid), ready
    finally:
        cell.send_signal(signal.SIGINT)
        cell.wait(20)


def main() -> int:
    """Launch the cell, measure, print the table; return 0 if the goals are met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=20.0, help='time of the measurement')
    parser.add_argument('--first-start', action='store_true', help='measure the first start, in which nodes make their tables')
    options = parser.parse_args()
    os.environ.setdefault('ROS_DOMAIN_ID', '91')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not options.first_start:
            with running_cell(folder):
                pass
        with running_cell(folder) as (process, ready):
            costs = measure(process, options.seconds)
    memory, cpu = sum(cost.pss_mb for cost in costs), sum(cost.cpu for cost in costs)
    table = Table(title=f'idle cell: ready after {ready:.1f} s')
    for heading in ('process', 'PSS MB', 'CPU % of a core'):
        table.add_column(heading, justify='left' if heading == 'process' else 'right')
    for cost in costs:
        table.add_row(cost.name, f'{cost.pss_mb:.0f}', f'{cost.cpu:.1f}')
    table.add_row('sum', f'{memory:.0f} (goal < {MEMORY_GOAL_MB:.0f})', f'{cpu:.1f} (goal < {CPU_GOAL:.0f})', style='bold')
    Console().print(table)
    return 0 if memory < MEMORY_GOAL_MB and cpu < CPU_GOAL else 1


if __name__ == '__main__':
    sys.exit(main())
