"""The cell on upstream's `launch` and `launch_ros` in place of the stand-ins of underlay/.

CELL_UPSTREAM_LAUNCH names the folders for PYTHONPATH that hold them, with their imports `osrf_pycommon` and
`composition_interfaces`; underlay/README.md says how to make them. Where ROS 2 is installed every test runs on upstream's
packages, and this one is not needed.
"""

import os
import subprocess
import sys

import pytest
from cell_common.testing import wait_until

from cell_interfaces.msg import JobState

FOLDERS = os.environ.get('CELL_UPSTREAM_LAUNCH', '')
PART = 'EM1-2U1'
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not FOLDERS, reason="CELL_UPSTREAM_LAUNCH names no folders with upstream's launch and launch_ros"),
]


@pytest.fixture
def upstream_launch(monkeypatch):
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([FOLDERS, os.environ.get('PYTHONPATH', '')]))


@pytest.mark.parametrize('module', ['launch', 'launch_ros'])
def test_upstreams_modules_are_imported(upstream_launch, module):
    code = f'import {module}; print({module}.__file__)'
    path = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
    assert path.startswith(tuple(FOLDERS.split(os.pathsep)))


@pytest.mark.parametrize(('option', 'text'), [('--show-args', "'robot_backend':"), ('--print-description', 'GroupAction')])
def test_the_launch_file_is_shown(upstream_launch, option, text):
    command = ['ros2', 'launch', 'cell_bringup', 'cell.launch.py', option]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert text in shown


def test_a_cell_runs_a_job_and_a_weigh_job_and_stops(upstream_launch, launch_cell):
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0)
    wait_until(lambda: cell.client.stock_of(PART), 60, 'stock of the ordered part')
    job = cell.wait_job(cell.start_job(PART, 2), (JobState.PAUSED, JobState.DONE, JobState.FAILED), 120.0)
    assert (job.state, job.placed) == (JobState.DONE, 2)
    job_id = cell.client.start_weigh_job('ACME', 'A', '1.10', 1)
    wait_until(lambda: cell.client.bags and cell.client.bags[-1].weigh_job_id == job_id, 60, 'a bag of the weigh job')
    assert cell.stop() == 0
