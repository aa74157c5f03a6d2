"""The question about a piece in a real browser: the sensor stands beside it, and no answer is a dead end."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
import pytest
from cell_common.testing import wait_until
from page_fixtures import NEEDS, PREFLIGHT, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import JobState
from cell_interfaces.srv import ControlJob

pytestmark = NEEDS

CONTRADICTED = 'The gripper sensor reports "empty". Look again. The same answer within 60 s overrules the sensor.'


def sensor(cell: ScriptedCell, message: str) -> None:
    line = {'name': 'gripper sensor', 'ok': True, 'message': message}
    cell.answers['/cell/robot/preflight'] = {'code': 0, 'message': '', 'checks': [*PREFLIGHT, line]}


def paused(cell: ScriptedCell, step: int = JobState.STEP_PLACE, unresolved: bool = True, **fields: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.PAUSED, unresolved_trigger=unresolved, step=step, reason='x', **fields))


@pytest.mark.parametrize(
    ('message', 'text'), [('empty', 'empty'), ('holds a piece', 'holds a piece'), ('no sensor', 'look at')]
)
def test_the_sensor_stands_beside_the_question(cell: ScriptedCell, open_page: Any, message: str, text: str) -> None:
    sensor(cell, message)
    paused(cell)
    page = open_page()
    expect(page.get_by_test_id('gripper-sensor')).to_contain_text(text)
    shoot(page, f'question-{message.split(maxsplit=1)[0]}')
    expect(page.get_by_test_id('job-resume')).to_be_disabled()


def test_a_contradicted_answer_is_overruled_only_after_a_second_confirmation(cell: ScriptedCell, open_page: Any) -> None:
    sensor(cell, 'empty')
    paused(cell)
    cell.answers['/cell/control_job'] = {'code': 402, 'message': CONTRADICTED}
    page = open_page()
    page.get_by_test_id('resolve-not-done').click()
    page.get_by_test_id('confirm-yes').click()
    expect(page.get_by_test_id('confirm-yes')).to_have_text('Overrule the sensor')
    shoot(page, 'overrule')
    assert len(cell.of('/cell/control_job')) == 1
    cell.answers['/cell/control_job'] = {'code': 0, 'message': 'resolved'}
    page.get_by_test_id('confirm-yes').click()
    calls = wait_until(lambda: len(cell.of('/cell/control_job')) == 2 and cell.of('/cell/control_job'))
    assert {call['args']['action'] for call in calls} == {ControlJob.Request.RESOLVE_NOT_DONE}


@pytest.mark.parametrize('step', [JobState.STEP_READ, JobState.STEP_PLACE, JobState.STEP_REJECT])
def test_the_answers_stay_reachable_while_a_piece_is_open(cell: ScriptedCell, open_page: Any, step: int) -> None:
    sensor(cell, 'empty')
    paused(cell, step, unresolved=False)
    page = open_page()
    page.get_by_test_id('correct-answer').click()
    page.get_by_test_id('resolve-removed').click()
    page.get_by_test_id('confirm-yes').click()
    (asked,) = wait_until(lambda: cell.of('/cell/control_job'))
    assert asked['args']['action'] == ControlJob.Request.RESOLVE_REMOVED


def test_a_pick_that_was_answered_wrongly_can_be_answered_again(cell: ScriptedCell, open_page: Any) -> None:
    paused(cell, JobState.STEP_PICK, unresolved=False, piece=5, placed=3, rejected=1)
    page = open_page()
    expect(page.get_by_test_id('correct-answer')).to_be_enabled()
    paused(cell, JobState.STEP_PICK, unresolved=False, piece=4, placed=3, rejected=1)
    expect(page.get_by_test_id('correct-answer')).to_have_count(0)


@pytest.mark.parametrize(
    ('message', 'text'), [('empty', 'The gripper is empty.'), ('holds a piece', 'remove it by hand'), ('no sensor', 'Look at')]
)
def test_cancel_says_by_the_sensor_what_to_do(cell: ScriptedCell, open_page: Any, message: str, text: str) -> None:
    sensor(cell, message)
    paused(cell, JobState.STEP_READ, unresolved=False)
    page = open_page()
    page.get_by_test_id('job-cancel').click()
    expect(page.get_by_role('dialog')).to_contain_text(text)
