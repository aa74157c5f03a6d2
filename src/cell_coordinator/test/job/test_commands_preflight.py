"""No job starts on a robot that is not fit for it."""

from __future__ import annotations

import pytest
from cell_common.testing import wait_until

from cell_interfaces.msg import ResultCode

pytestmark = pytest.mark.slow


def test_a_failing_preflight_check_rejects_the_job_and_is_named(cell):
    cell.up()
    cell.robot.failing = 'remote control: Switch it to remote control on the pendant.'
    result = cell.result(cell.run(1))
    assert result.code == ResultCode.PREFLIGHT_FAILED
    assert result.message.endswith(cell.robot.failing)
    assert cell.robot.sent == [], 'nothing moved'
    cell.robot.failing = ''
    assert cell.result(cell.run(1)).code == ResultCode.OK


def test_without_a_robot_node_nothing_is_sent(cell):
    cell.up()
    cell.graph.remove(cell.robot)
    result = cell.result(cell.run(1))
    assert result.code == ResultCode.TIMED_OUT and 'robot/preflight is not available' in result.message
    assert cell.robot.sent == []


def test_a_cell_that_is_not_ready_rejects_the_job_and_names_the_nodes(cell):
    cell.diagnostics.levels['camera'] = 2
    cell.diagnostics.levels.pop('robot')
    cell.up(ready=False, stale_after=1.0)
    wait_until(lambda: cell.statuses and [line.level for line in cell.statuses[-1].subsystems][:2] == [2, 0])
    result = cell.result(cell.run(1))
    assert result.code == ResultCode.NOT_READY and not cell.robot.sent
    assert 'camera is ERROR (broken)' in result.message and 'robot is STALE' in result.message
    assert not cell.statuses[-1].ready
    cell.diagnostics.levels.update(camera=1, robot=0)
    wait_until(lambda: cell.statuses[-1].ready)
    cell.diagnostics.levels.pop('ocr')
    wait_until(lambda: not cell.statuses[-1].ready)
