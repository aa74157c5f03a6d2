"""The same job file over every backend gives the same ledger, and the same pieces in the same places."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

import pytest
from cell_common.testing import NodeGraph, wait_until
from robot_cell import BACKENDS, RobotCell, Row, job_file

from cell_interfaces.msg import InventoryEvent, JobState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
STANDSTILL_S = 0.7
"""Longer than the timeout for an output or the arm to show in the data."""
STANDSTILLS = 8
FOUND: dict[str, tuple[list[Row], list[tuple[str, str]]]] = {}


@pytest.mark.parametrize('backend', BACKENDS)
def test_the_same_job_file_gives_the_same_ledger(graph: NodeGraph, tmp_path: Path, backend: str) -> None:
    cell = RobotCell(graph, tmp_path, backend, grip_time=0.05)
    for job in job_file():
        end = cell.run(job['part_number'], job['quantity'])
        assert (end.state, end.placed) == (JobState.DONE, job['quantity']), end.reason
    ledger = cell.ledger()
    truth = [(str(entry['event']), str(entry.get('serial'))) for entry in cell.truth()]
    put_down = [(event, serial) for event, serial in truth if event in ('placed', 'rejected')]
    kinds = {'placed': InventoryEvent.PLACE, 'rejected': InventoryEvent.REJECT}
    assert [(row[0], row[2]) for row in ledger] == [(kinds[event], int(serial.split('/')[1])) for event, serial in put_down]
    assert sum(event == 'placed' for event, _ in put_down) == 12
    assert sum(event == 'rejected' for event, _ in put_down) >= 2
    assert 'dropped' not in dict(truth)
    assert not cell.violations(), '; '.join(cell.violations())
    FOUND[backend] = ledger, put_down
    first = next(iter(FOUND))
    assert FOUND[backend] == FOUND[first], f'{backend} differs from {first}'


@pytest.mark.parametrize('backend', BACKENDS)
def test_a_job_survives_short_standstills_of_the_machine(graph: NodeGraph, tmp_path: Path, backend: str) -> None:
    cell = RobotCell(graph, tmp_path, backend, grip_time=0.05, wrong_share=0.0)
    job = cell.start('EM1-2U1', 3)
    for number in range(STANDSTILLS):
        going = cell.controller.timestamp
        wait_until(lambda until=going + 0.15 + 0.07 * number: cell.controller.timestamp > until, what='the controller goes on')
        stand_still(cell.robot.backend.control_pid if backend == 'rtde' else 0)
    end = cell.wait_rest(job)
    assert (end.state, end.placed) == (JobState.DONE, 3), end.reason
    assert not cell.violations(), '; '.join(cell.violations())


def stand_still(control_pid: int) -> None:
    """Suspend all threads of this process and the control process of a backend."""
    with contextlib.suppress(ProcessLookupError):
        if control_pid:
            os.kill(control_pid, signal.SIGSTOP)
        ctypes.PyDLL(None).usleep(round(STANDSTILL_S * 1e6))  # PyDLL keeps the interpreter lock, unlike CDLL
        if control_pid:
            os.kill(control_pid, signal.SIGCONT)
