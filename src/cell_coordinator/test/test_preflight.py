"""No job begins on a robot that is not fit for it."""

from __future__ import annotations

from cell_interfaces.msg import ResultCode


def test_a_robot_that_is_not_fit_lets_no_job_begin_and_the_line_that_fails_is_named(cell):
    cell.up()
    cell.robot.failing = 'remote control: Switch it to remote control on the pendant.'
    result = cell.result(cell.run(1))
    assert result.code == ResultCode.PREFLIGHT_FAILED
    assert result.message.endswith(cell.robot.failing)
    assert cell.robot.sent == [], 'nothing moved'
    cell.robot.failing = ''
    assert cell.result(cell.run(1)).code == ResultCode.OK
