"""Robot and verdict in a real browser: pre-flight, recovery, correction, benchmarks."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
from cell_common.testing import wait_until
from page_fixtures import NEEDS, PREFLIGHT, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import JobState, RobotState

pytestmark = NEEDS


def test_a_robot_that_is_not_ready_is_named_before_anything_starts(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    bad = [*PREFLIGHT[:1], {'name': 'remote control', 'ok': False, 'message': 'Switch the pendant to remote control.'}]
    cell.answers['/cell/robot/preflight'] = {'code': 500, 'message': 'remote control: switch the pendant over.', 'checks': bad}
    page = open_page()
    page.get_by_test_id('part-select').select_option('EM1-2U1')
    page.get_by_test_id('start-job').click()
    expect(page.get_by_test_id('preflight-failing')).to_contain_text('Switch the pendant')
    expect(page.get_by_test_id('confirm-yes')).to_have_text('Check again')
    shoot(page, 'preflight')
    cell.answers['/cell/robot/preflight'] = {'code': 0, 'message': '', 'checks': PREFLIGHT}
    page.get_by_test_id('confirm-yes').click()
    expect(page.get_by_test_id('confirm-yes')).to_have_text('Start')
    assert cell.of('/cell/set_job') == []


def test_a_recovery_shows_the_cause_a_question_and_each_step(cell: ScriptedCell, rosbridge: Any, open_page: Any) -> None:
    cell.publish(
        'robot/state',
        scene.robot(
            time.time(),
            backend='rtde',
            robot_mode=RobotState.MODE_RUNNING,
            safety_mode=RobotState.SAFETY_PROTECTIVE_STOP,
            program_state=RobotState.PROGRAM_PAUSED,
        ),
    )
    page = open_page()
    expect(page.get_by_test_id('robot-safety')).to_contain_text('PROTECTIVE STOP')
    expect(page.get_by_test_id('robot-speed')).to_have_text('80 %')
    shoot(page, 'stopped')
    page.get_by_test_id('robot-recover').click()
    expect(page.get_by_test_id('recover-cause')).to_contain_text('Find out what the arm has hit')
    shoot(page, 'recover')
    assert cell.calls == []
    page.get_by_test_id('confirm-yes').click()
    (goal,) = wait_until(lambda: cell.of('/cell/robot/recover'))
    assert goal['args']['area_is_clear'] is True
    about = {'id': goal['id'], 'action': '/cell/robot/recover'}
    for number, step in enumerate(('wait 5 s after the stop', 'close the pop-up', 'unlock the protective stop'), 1):
        rosbridge.send({'op': 'action_feedback', **about, 'values': {'step': step, 'number': number, 'count': 7}})
    expect(page.get_by_test_id('recover-steps')).to_contain_text('unlock the protective stop')
    expect(page.get_by_text('Step 3 of 7.')).to_be_visible()
    shoot(page, 'recovering')
    rosbridge.send(
        {'op': 'action_result', **about, 'status': 4, 'result': True, 'values': {'code': 0, 'message': 'The robot is ready.'}}
    )
    expect(page.get_by_test_id('recover-result')).to_contain_text('The robot is ready.')
    page.get_by_test_id('recover-close').click()
    expect(page.get_by_test_id('recover-steps')).to_have_count(0)


def test_an_operator_says_what_a_rejected_piece_really_was(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('component_captured', scene.captured(time.time()))
    cell.answers['/cell/ocr/get_crop'] = {'code': 0, 'message': '', 'crop': scene.written(scene.crop('EM1-2U4'))}
    page = open_page()
    expect(page.get_by_test_id('verdict')).to_have_attribute('data-state', 'MISMATCH')
    expect(page.get_by_test_id('verdict-crop').locator('img')).to_have_js_property('naturalWidth', 340)
    assert [call['args']['request_id'] for call in cell.of('/cell/ocr/get_crop')] == ['read-9']
    expect(page.get_by_test_id('verdict-codes')).to_contain_text('EM1-2U4 M2634 (DataMatrix)')
    shoot(page, 'mismatch')
    page.get_by_test_id('correct').click()
    shoot(page, 'correction')
    page.get_by_test_id('correction-EM2-2U1').click()
    (asked,) = wait_until(lambda: cell.of('/cell/ocr/keep_frame'))
    expected = {'request_id': 'read-9', 'kind': 1, 'part_number': 'EM2-2U1', 'verdict': 'MISMATCH EM1-2U4'}
    assert {key: asked['args'][key] for key in expected} == expected
    expect(page.get_by_test_id('correct')).to_have_text('Saved: EM2-2U1')
    expect(page.get_by_test_id('correct')).to_be_disabled()


def test_benchmarks_are_listed_with_version_and_frames(cell: ScriptedCell, open_page: Any) -> None:
    mark = {
        'stamp': {'sec': int(time.time()) - 7200, 'nanosec': 0},
        'part_number': 'EM1-2U1',
        'version': 3,
        'texts': ['ELCORA', 'EM1-2U1'],
        'frames': 5,
        'operator_id': 'Ada',
    }
    cell.answers['/cell/matching/benchmarks'] = {'code': 0, 'message': '', 'benchmarks': [mark]}
    page = open_page()
    page.get_by_test_id('benchmarks-open').click()
    expect(page.get_by_test_id('benchmark-EM1-2U1')).to_contain_text('version 3 · 5 frames · 2 h ago by Ada')
    shoot(page, 'benchmarks')
