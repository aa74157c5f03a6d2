import pytest
from builtin_interfaces.msg import Duration, Time
from cell_common.qos import events
from cell_common.testing import wait_until

from cell_interfaces.msg import (
    CommandInfo,
    JobInvalid,
    JobState,
    ResultCode,
)
from cell_interfaces.srv import ResetStock, RobotCommand

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
SUCCEEDED, NOT_SENT, REFUSED, UNKNOWN = range(4)
TOO_OLD = {'issued_at': Time(sec=1), 'valid_for': Duration(sec=1)}


def test_canceling_the_action_ends_the_job_and_books_the_piece(cell):
    cell.up()
    cell.vision.read_broken = 1000
    future = cell.run(3)
    wait_until(lambda: cell.jobs and cell.jobs[-1].step == JobState.STEP_READ)
    cell.graph.request(cell.goal.cancel_goal_async)
    result = cell.result(future)
    assert result.code == ResultCode.JOB_CANCELLED and future.result().status == 5
    assert cell.robot.rejected == [PART] and cell.booked() == [(2, 1)]
    cell.vision.read_broken = 0
    assert cell.result(cell.run(1)).code == ResultCode.OK


def test_pause_resume_and_cancel_by_command(cell):
    cell.up()
    cell.robot.script['PART'] = [SUCCEEDED, NOT_SENT]
    future = cell.run(3)
    cell.until('PAUSED')
    assert cell.control('PAUSE').code == ResultCode.WRONG_STATE
    assert cell.control('CANCEL').job.state == JobState.CANCELLED
    assert cell.result(future).code == ResultCode.JOB_CANCELLED
    assert cell.control('CANCEL').code == ResultCode.NO_JOB
    assert cell.booked() == [(1, 1)]


def test_expired_commands_are_rejected_and_audited(cell):
    cell.up()
    assert cell.result(cell.run(1, command=CommandInfo(**TOO_OLD))).code == ResultCode.EXPIRED
    assert cell.set_job(1, **TOO_OLD).code == ResultCode.EXPIRED
    assert not cell.robot.sent and cell.jobs[-1].state == JobState.NONE
    logged = [('run_job', 1), ('set_job', 1)]
    wait_until(lambda: cell.rows('SELECT command, code FROM command_log ORDER BY command') == logged)


@pytest.mark.parametrize(
    ('part', 'quantity', 'code', 'available'),
    [
        (PART, 0, ResultCode.INVALID_ARGUMENT, 5),
        (PART, -3, ResultCode.INVALID_ARGUMENT, 5),
        (PART, 6, ResultCode.NOT_ENOUGH_STOCK, 5),
        ('NOPE', 1, ResultCode.UNKNOWN_PART, 0),
    ],
)
def test_a_job_that_the_trays_cannot_serve_is_rejected(cell, part, quantity, code, available):
    cell.up()
    invalid = cell.graph.collect(JobInvalid, 'job_invalid', events())
    wait_until(lambda: cell.coordinator.count_subscribers('job_invalid'))
    answer = cell.set_job(quantity, part)
    assert (answer.code, answer.job_id) == (code, '') and answer.message
    wait_until(lambda: invalid)
    assert (invalid[0].code, invalid[0].requested, invalid[0].available) == (code, quantity, available)
    assert cell.result(cell.run(quantity, part)).code == code and not cell.robot.sent


def test_every_refusal_tells_how_many_pieces_there_are(cell):
    cell.up()
    invalid = cell.graph.collect(JobInvalid, 'job_invalid', events())
    wait_until(lambda: cell.coordinator.count_subscribers('job_invalid'))
    assert (cell.set_job(1, **TOO_OLD).code, cell.set_job(1, **TOO_OLD).available) == (ResultCode.EXPIRED, 5)
    cell.robot.script['PART'] = [NOT_SENT]
    cell.run(1)
    cell.until('PAUSED')
    assert (cell.set_job(2).code, cell.set_job(2).available) == (ResultCode.JOB_ACTIVE, 5)
    assert cell.set_job(1, 'NOPE').available == 0
    cell.control('CANCEL')
    cell.until('CANCELLED')
    cell.graph.remove(cell.inventory)
    answer = cell.set_job(1)
    assert (answer.code, answer.available) == (ResultCode.TIMED_OUT, 5), 'the counts that were published last'
    assert [refusal.available for refusal in wait_until(lambda: invalid[5:] and invalid)] == [5, 5, 5, 5, 0, 5]


def reset(cell, part=''):
    request = ResetStock.Request(part_number=part, command=CommandInfo(operator_id='ann'))
    assert cell.graph.call(ResetStock, 'inventory/reset', request).code == ResultCode.OK


def test_a_reset_of_the_stock_clears_a_job_that_is_not_running(cell):
    cell.up()
    wait_until(lambda: cell.inventory.count_subscribers('inventory/last_reset'))
    cell.set_job(2)
    cell.until('READY')
    reset(cell, PART)
    assert cell.set_job(3).code == ResultCode.OK, 'a reset of one part clears no job'
    reset(cell)
    job = cell.until('NONE')
    assert (job.part_number, job.quantity, job.job_id) == ('', 0, '')
    rows = cell.rows('SELECT quantity, state, reason FROM pick_job ORDER BY quantity')
    assert rows[-1] == (3, 'CANCELLED', 'the stock was reset by ann')
    assert cell.set_job(1).code == ResultCode.OK, 'a job that is set after the reset stays'
    assert cell.until('READY').quantity == 1


def test_an_ended_job_is_no_longer_shown_after_a_reset_nor_after_a_restart(cell):
    cell.up()
    wait_until(lambda: cell.inventory.count_subscribers('inventory/last_reset'))
    assert cell.result(cell.run(1)).code == ResultCode.OK
    reset(cell)
    cell.until('NONE')
    cell.crash()
    cell.jobs.clear()
    cell.up(ready=False)
    assert cell.until('NONE').part_number == ''
    assert cell.rows('SELECT state FROM pick_job') == [('DONE',)]


def test_a_reset_leaves_an_active_job_alone(cell):
    cell.up()
    wait_until(lambda: cell.inventory.count_subscribers('inventory/last_reset'))
    cell.robot.script['PART'] = [NOT_SENT]
    cell.run(1)
    cell.until('PAUSED')
    reset(cell)
    cell.control('CANCEL')
    assert cell.until('CANCELLED').quantity == 1


def test_a_job_may_be_replaced_before_it_starts(cell):
    cell.up()
    first, second = cell.set_job(1), cell.set_job(2)
    assert (first.available, cell.until('READY').quantity) == (5, 2)
    assert cell.result(cell.run(job_id=first.job_id)).code == ResultCode.NO_JOB
    assert cell.result(cell.run(job_id=second.job_id)).job.placed == 2
    assert cell.rows('SELECT state FROM pick_job WHERE quantity = 1') == [('CANCELLED',)]


def test_only_one_job_is_active(cell):
    cell.up()
    cell.robot.script['PART'] = [NOT_SENT]
    cell.run(1)
    cell.until('PAUSED')
    assert cell.set_job(1).code == ResultCode.JOB_ACTIVE
    assert cell.result(cell.run(1)).code == ResultCode.JOB_ACTIVE
    assert cell.set_benchmark().code == ResultCode.JOB_ACTIVE


def test_the_robots_program_is_started_on_request(cell):
    cell.up()
    answer = cell.graph.call(RobotCommand, 'start_robot', RobotCommand.Request())
    assert (answer.code, answer.message, cell.robot.started) == (ResultCode.OK, 'started', 1)
    late = cell.graph.call(RobotCommand, 'start_robot', RobotCommand.Request(command=CommandInfo(**TOO_OLD)))
    assert late.code == ResultCode.EXPIRED and cell.robot.started == 1
