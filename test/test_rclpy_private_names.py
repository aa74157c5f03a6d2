"""The cell with every private name of rclpy replaced: another release of rclpy may rename them at any time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cell_common.testing import wait_until

from cell_interfaces.msg import JobState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PART = 'EM1-2U1'


@pytest.fixture
def renamed_rclpy(monkeypatch):
    folder = Path(__file__).parent / 'renamed_rclpy'
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(folder), os.environ.get('PYTHONPATH', '')]))


def test_the_private_names_of_rclpy_are_replaced(renamed_rclpy):
    code = 'from rclpy.executors import Executor as E; print([n for n in dir(E) if n.startswith("_") and n[1] != "_"])'
    names = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout
    assert '_renamed_wait_for_ready_callbacks' in names
    assert "'_wait_for_ready_callbacks" not in names


def test_a_cell_runs_a_job_and_a_weigh_job(renamed_rclpy, launch_cell):
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0)
    wait_until(lambda: cell.client.stock_of(PART))
    job = cell.wait_job(cell.start_job(PART, 2), (JobState.PAUSED, JobState.DONE, JobState.FAILED), 120.0)
    assert (job.state, job.placed) == (JobState.DONE, 2)
    job_id = cell.client.start_weigh_job('ACME', 'A', '1.10', 1)
    wait_until(lambda: cell.client.bags and cell.client.bags[-1].weigh_job_id == job_id, 60, 'a bag of the weigh job')
    assert 'AttributeError' not in cell.log_text()
