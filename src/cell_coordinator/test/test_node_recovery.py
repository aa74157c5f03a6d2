import sqlite3
import threading

import pytest
from cell_common.testing import FULL, wait_until
from cell_inventory.node import InventoryNode

from cell_interfaces.msg import (
    JobState,
    ResultCode,
)

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
PICK = f'PART_{PART}'
SUCCEEDED, NOT_SENT, REFUSED, UNKNOWN = range(4)
SILENT = 'silent'
LOCKED_S = 15.0 if FULL else 2.5


RESOLVED = [
    (PICK, 'RESOLVE_DONE', [(1, 1)], [PICK, 'PLACE']),
    (PICK, 'RESOLVE_NOT_DONE', [(1, 1)], [PICK, PICK, 'PLACE']),
    (PICK, 'RESOLVE_REMOVED', [(2, 1), (1, 2)], [PICK, PICK, 'PLACE']),
    ('PLACE', 'RESOLVE_DONE', [(1, 1)], [PICK, 'PLACE']),
    ('PLACE', 'RESOLVE_NOT_DONE', [(1, 1)], [PICK, 'PLACE', 'PLACE']),
    ('PLACE', 'RESOLVE_REMOVED', [(2, 1), (1, 2)], [PICK, 'PLACE', PICK, 'PLACE']),
    ('REJECT', 'RESOLVE_DONE', [(2, 1), (1, 2)], [PICK, 'REJECT', PICK, 'PLACE']),
    ('REJECT', 'RESOLVE_NOT_DONE', [(2, 1), (1, 2)], [PICK, 'REJECT', 'REJECT', PICK, 'PLACE']),
    ('REJECT', 'RESOLVE_REMOVED', [(2, 1), (1, 2)], [PICK, 'REJECT', PICK, 'PLACE']),
]


@pytest.mark.parametrize(('trigger', 'resolution', 'booked', 'sent'), RESOLVED)
def test_a_trigger_with_unknown_outcome_is_resolved_by_the_operator(cell, trigger, resolution, booked, sent):
    cell.up()
    if trigger == 'REJECT':
        cell.robot.supply.append(OTHER)
    cell.robot.script[trigger.split('_')[0]] = [UNKNOWN]
    future = cell.run(1)
    job = cell.until('PAUSED')
    assert job.unresolved_trigger and 'not confirmed' in job.reason
    assert cell.control('RESUME').code == cell.control('CANCEL').code == ResultCode.NOT_RESOLVED
    if trigger == PICK and resolution == 'RESOLVE_DONE':
        cell.robot.in_gripper = PART
    assert cell.control(resolution).code == ResultCode.OK
    if len(booked) == 2 and resolution != 'RESOLVE_NOT_DONE':
        wait_until(lambda: cell.jobs[-1].rejected == 1, what='booked at once')
    if (trigger, resolution) != ('PLACE', 'RESOLVE_DONE'):  # that was the last piece: the job is done
        assert cell.control('RESUME').code == ResultCode.OK
    assert cell.result(future).code == ResultCode.OK
    assert cell.booked() == booked
    assert cell.robot.events() == ['START_PROGRAM', *sent]
    assert sum(cell.stock()[0]) == 5 - len(booked)


@pytest.mark.parametrize(('outcome', 'reason'), [(NOT_SENT, 'Robot command not sent'), (REFUSED, 'As scripted.')])
def test_a_trigger_that_was_not_done_is_sent_again_on_resume(cell, outcome, reason):
    cell.up()
    cell.robot.script['PART'] = [outcome]
    future = cell.run(1)
    job = cell.until('PAUSED')
    assert reason in job.reason and not job.unresolved_trigger
    cell.control('RESUME')
    assert cell.result(future).job.placed == 1 and cell.booked() == [(1, 1)]


@pytest.mark.parametrize('died', [False, True])
def test_a_silent_or_dead_robot_node_leaves_an_unknown_outcome(cell, died):
    cell.up(trigger_timeout=60.0 if died else 1.0)
    cell.robot.script['PART'] = [SILENT]
    cell.run(1)
    wait_until(lambda: PICK in cell.robot.events())
    if died:
        cell.graph.remove(cell.robot)
    assert cell.until('PAUSED', 20).unresolved_trigger


def test_a_job_that_crashed_during_a_trigger_comes_back_unresolved(cell):
    cell.up()
    cell.robot.script['PLACE'] = [SILENT]
    cell.run(2)
    wait_until(lambda: 'PLACE' in cell.robot.events())
    cell.crash()
    cell.jobs.clear()
    cell.up()
    job = cell.until('PAUSED')
    assert job.unresolved_trigger and 'restarted' in job.reason and job.last_match.part_number == PART
    assert cell.result(cell.run(1)).code == ResultCode.JOB_ACTIVE
    cell.control('RESOLVE_DONE')
    cell.control('RESUME')
    assert cell.until('DONE').placed == 2
    assert cell.booked() == [(1, 1), (1, 2)] and cell.robot.events().count('PLACE') == 2


def test_a_piece_placed_before_a_crash_is_booked_after_it(cell):
    cell.up(retry_time=20.0)
    cell.robot.before_result['PLACE'] = lambda: cell.graph.remove(cell.inventory)
    cell.run(1)
    wait_until(lambda: cell.jobs and cell.jobs[-1].step == JobState.STEP_BOOK)
    cell.crash()
    cell.inventory = cell.graph.add(InventoryNode(**cell.inventory_options))
    cell.up()
    assert cell.until('DONE').placed == 1
    assert cell.booked() == [(1, 1)] and cell.robot.events().count('PLACE') == 1


def test_a_job_that_crashed_while_reading_comes_back_paused_and_reads_again(cell):
    cell.up(retry_time=20.0)
    cell.vision.read_broken = 1000
    cell.run(1)
    wait_until(lambda: cell.vision.asked)
    cell.crash()
    cell.vision.read_broken = 0
    cell.jobs.clear()
    cell.up()
    job = cell.until('PAUSED')
    assert not job.unresolved_trigger and job.step == JobState.STEP_READ
    cell.control('RESUME')
    assert cell.until('DONE').placed == 1 and cell.booked() == [(1, 1)]


def test_a_booking_is_retried_until_the_ledger_is_back(cell):
    cell.up(retry_time=20.0)
    cell.robot.before_result['PLACE'] = lambda: cell.graph.remove(cell.inventory)
    future = cell.run(1)
    wait_until(lambda: cell.jobs and cell.jobs[-1].step == JobState.STEP_BOOK)
    cell.inventory = cell.graph.add(InventoryNode(**cell.inventory_options))
    assert cell.result(future, 20).job.placed == 1
    assert cell.booked() == [(1, 1)]


def test_an_ocr_failure_that_persists_pauses_the_job_and_resume_reads_again(cell):
    cell.up(retry_time=0.6)
    cell.vision.read_broken = 1000
    future = cell.run(1)
    assert 'the OCR worker died' in cell.until('PAUSED').reason
    cell.vision.read_broken = 0
    cell.control('RESUME')
    assert cell.result(future).job.placed == 1 and cell.robot.events().count(PICK) == 1


def test_an_ocr_failure_that_passes_does_not_pause_the_job(cell):
    cell.up(retry_time=10.0)
    cell.vision.read_broken = 1
    assert cell.result(cell.run(1)).job.placed == 1


def test_an_answer_that_the_sensor_contradicts_is_overruled_by_the_same_answer_later_and_recorded(cell):
    cell.up()
    cell.robot.script['PLACE'] = [UNKNOWN]
    cell.robot.sensor = 'holds a piece'
    cell.run(1)
    cell.until('PAUSED')
    first = cell.control('RESOLVE_DONE')
    assert first.code == ResultCode.WRONG_STATE and 'holds a piece' in first.message and 'overrules' in first.message
    assert cell.control('RESOLVE_REMOVED').code == ResultCode.WRONG_STATE, 'another answer overrules nothing'
    assert cell.booked() == []
    assert cell.control('RESOLVE_DONE').code == ResultCode.WRONG_STATE
    answers = []  # the first is a double click, unless the machine is slow
    wait_until(lambda: answers.append(cell.control('RESOLVE_DONE')) or answers[-1].code == ResultCode.OK)
    assert 'gripper sensor overruled (holds a piece)' in answers[-1].message
    wait_until(lambda: cell.booked() == [(1, 1)])


def test_a_cancellation_goes_by_the_sensor(cell):
    cell.up()
    cell.robot.script['PLACE'] = [NOT_SENT]
    cell.run(1)
    cell.until('PAUSED')
    cell.robot.sensor = 'empty'
    assert 'gripper is empty' in cell.control('CANCEL').message


def test_a_locked_database_delays_a_job_and_the_node_answers_meanwhile(cell, database_url):
    """Lock: longer than one write of the coordinator waits; in its long form also longer than one of the inventory."""
    connection = sqlite3.connect(database_url.removeprefix('sqlite:///'), isolation_level=None, check_same_thread=False)
    locked = threading.Event()

    def lock():  # once, while the robot picks: the outcome of that trigger is the first thing that cannot be stored
        if not locked.is_set():
            connection.execute('BEGIN IMMEDIATE')
            locked.set()

    cell.up(retry_time=LOCKED_S + 10.0)
    cell.robot.before_result[PICK] = lock
    future = cell.run(2)
    wait_until(locked.is_set, what='the lock')
    released = threading.Timer(LOCKED_S, connection.execute, ('ROLLBACK',))
    released.start()
    seen = len(cell.statuses)
    assert cell.stock()[0]
    wait_until(lambda: len(cell.statuses) > seen + 1, what='the status goes on')
    result = cell.result(future, LOCKED_S + 15.0)
    released.join()
    connection.close()
    assert result.code == ResultCode.OK and result.job.placed == 2
    assert JobState.PAUSED not in [job.state for job in cell.jobs]
    assert cell.booked() == [(1, 1), (1, 2)] and cell.robot.events() == ['START_PROGRAM', PICK, 'PLACE', PICK, 'PLACE']
