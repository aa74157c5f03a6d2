"""The built page in a real browser, through the gateway, against a scripted rosbridge."""

from __future__ import annotations

import os
import time
from typing import Any

import cell_scene as scene
import pytest
from cell_common.testing import wait_until
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import JobState, RobotState

SCREENSHOTS = os.environ.get('CELL_SCREENSHOTS', '')
SIZES = {'wide': (1280, 800), 'tablet': (1024, 768), 'upright': (800, 1280), 'phone': (420, 860)}
pytestmark = NEEDS


def test_all_data_is_shown_at_the_start_and_after_a_reload(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    for _ in range(2):
        expect(page.get_by_test_id('cell-ready')).to_contain_text('READY')
        expect(page.get_by_test_id('job-state')).to_have_text('RUNNING')
        expect(page.get_by_test_id('job-placed')).to_have_text('3')
        expect(page.get_by_test_id('job-rejected')).to_have_text('1')
        expect(page.get_by_test_id('inventory-row-EM1-2U4')).to_contain_text('empty')
        expect(page.get_by_test_id('alarms-list')).to_contain_text('Check tray 2 for foreign parts.')
        expect(page.get_by_test_id('verdict')).to_contain_text('MATCH')
        expect(page.get_by_test_id('camera-image')).to_have_js_property('naturalWidth', 640)
        page.get_by_test_id('view-weigh').click()
        expect(page.get_by_test_id('bags-table')).to_contain_text('14.030 kg')
        page.get_by_test_id('view-pick').click()
        page.reload()


def test_a_job_is_started_after_a_confirmation_with_a_fresh_command(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    page = open_page()
    page.get_by_test_id('part-select').select_option('EM1-2U1')
    page.get_by_test_id('quantity-input').fill('5')
    page.get_by_test_id('start-job').click()
    expect(page.get_by_text('The arm will move')).to_be_visible()
    shoot(page, 'confirm')
    assert [call['service'] for call in cell.calls] == ['/cell/robot/preflight']
    page.get_by_test_id('confirm-yes').click()
    wait_until(lambda: cell.of('/cell/run_job'))
    (asked,) = cell.of('/cell/set_job')
    assert (asked['args']['part_number'], asked['args']['quantity']) == ('EM1-2U1', 5)
    command = asked['args']['command']
    assert len(command['request_id']) == 36
    assert command['valid_for']['sec'] == 5
    assert abs(command['issued_at']['sec'] - time.time()) < 60
    assert cell.of('/cell/run_job')[0]['args']['job_id'] == 'j2'
    cell.publish('job', scene.job(time.time(), JobState.RUNNING, job_id='j2', placed=0))
    expect(page.get_by_test_id('job-state')).to_have_text('RUNNING')
    expect(page.get_by_test_id('toast-error')).to_have_count(0)


def test_a_refused_job_says_why(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    cell.code, cell.message = 302, 'Only 2 pieces of EM1-2U1 are left; reload first.'
    page = open_page()
    page.get_by_test_id('part-select').select_option('EM1-2U1')
    page.get_by_test_id('start-job').click()
    page.get_by_test_id('confirm-yes').click()
    expect(page.get_by_test_id('toast-error')).to_contain_text('reload first. (NOT ENOUGH STOCK)')
    shoot(page, 'refused')
    assert cell.of('/cell/run_job') == []


def test_what_is_not_ready_is_named_beside_the_button(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    cell.status = lambda now: scene.status(now, ready=False, camera='no frame for 12 s: check the cable')
    page = open_page()
    shoot(page, 'not-ready')
    expect(page.get_by_test_id('start-blockers')).to_contain_text('camera: no frame for 12 s: check the cable')
    expect(page.get_by_test_id('status-camera')).to_contain_text('ERROR')
    expect(page.get_by_test_id('start-job')).to_be_disabled()
    expect(page.get_by_test_id('cell-ready')).to_contain_text('NOT READY')


def test_when_the_cell_is_silent_the_page_says_stale_and_blocks_commands(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    cell.silent.set()
    expect(page.get_by_test_id('stale')).to_be_visible()
    shoot(page, 'stale')
    expect(page.get_by_test_id('job-pause')).to_be_disabled()
    cell.silent.clear()
    expect(page.get_by_test_id('stale')).to_have_count(0)
    expect(page.get_by_test_id('job-pause')).to_be_enabled()


def test_the_page_reconnects_after_a_lost_connection(cell: ScriptedCell, rosbridge: Any, open_page: Any) -> None:
    page = open_page()
    rosbridge.drop()
    expect(page.get_by_test_id('connection-state')).to_contain_text('NOT CONNECTED')
    expect(page.get_by_test_id('connection-state')).to_have_attribute('data-state', 'CONNECTED')
    assert cell.calls == []


def test_stop_cell_asks_robot_and_job_without_a_question(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    expect(page.get_by_text('Not an emergency stop')).to_be_visible()
    page.get_by_test_id('stop-cell').click()
    wait_until(lambda: cell.of('/cell/robot/stop') and cell.of('/cell/control_job'))
    assert cell.of('/cell/control_job')[0]['args']['action'] == 0


def test_a_reload_is_booked_after_the_count_is_confirmed(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('reload-EM1-2U4').click()
    expect(page.get_by_test_id('reload-tray-4')).to_have_attribute('aria-pressed', 'true')
    expect(page.get_by_test_id('reload-confirm')).to_be_disabled()
    page.get_by_test_id('reload-full').click()
    shoot(page, 'reload')
    page.get_by_test_id('reload-confirm').click()
    (asked,) = wait_until(lambda: cell.of('/cell/inventory/reload'))
    expected = {'part_number': 'EM1-2U4', 'tray': 4, 'count': -1}
    assert {key: asked['args'][key] for key in expected} == expected
    expect(page.get_by_test_id('reload-confirm')).to_have_count(0)


def test_an_alarm_is_acknowledged(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('alarm-acknowledge').click()
    (asked,) = wait_until(lambda: cell.of('/cell/alarms/acknowledge'))
    assert asked['args']['alarm_id'] == 'a1'


def test_an_unknown_outcome_is_resolved_before_the_job_resumes(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish(
        'job',
        scene.job(
            time.time(),
            JobState.PAUSED,
            unresolved_trigger=True,
            step=JobState.STEP_PLACE,
            reason='The robot did not confirm PLACE: look whether it did.',
        ),
    )
    page = open_page()
    expect(page.get_by_test_id('job-reason')).to_contain_text('look whether it did')
    expect(page.get_by_test_id('job-resume')).to_be_disabled()
    shoot(page, 'resolve')
    page.get_by_test_id('resolve-done').click()
    page.get_by_test_id('confirm-yes').click()
    (asked,) = wait_until(lambda: cell.of('/cell/control_job'))
    assert asked['args']['action'] == 3


@pytest.mark.parametrize('view', ['pick', 'weigh'])
@pytest.mark.parametrize('size', SIZES)
def test_it_fits_its_screen_and_every_target_can_be_hit_with_gloves(
    cell: ScriptedCell, open_page: Any, size: str, view: str
) -> None:
    page = open_page(*SIZES[size])
    expect(page.get_by_test_id('camera-image')).to_have_js_property('naturalWidth', 640)
    page.get_by_test_id(f'view-{view}').click()
    expect(page.get_by_test_id('job-state' if view == 'pick' else 'last-bag-A')).to_be_visible()
    shoot(page, f'{view}-{size}')
    if SCREENSHOTS:
        page.screenshot(path=f'{SCREENSHOTS}/{view}-{size}-whole.png', full_page=True)
    cell.status = lambda now: scene.status(now, ready=False, camera='no frame for 12 s: check the cable')
    cell.publish('robot/state', scene.robot(time.time(), safety_mode=RobotState.SAFETY_SYSTEM_EMERGENCY_STOP))
    expect(page.get_by_test_id('cell-ready')).to_contain_text('NOT READY')
    shoot(page, f'{view}-{size}-worst')
    assert page.evaluate('document.documentElement.scrollWidth - innerWidth') <= 0
    hidden = page.evaluate("""[...document.querySelectorAll('header *')].filter(
        (e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 80))""")
    assert hidden == []
    small = page.evaluate("""[...document.querySelectorAll('button, input, select, summary, a')].filter((e) => {
        const box = e.getBoundingClientRect();
        return box.width < 48 || box.height < 48; }).map((e) => e.outerHTML.slice(0, 80))""")
    assert small == []
    hosts = page.evaluate('performance.getEntriesByType("resource").map((e) => new URL(e.name).host)')
    assert set(hosts) <= {page.url.split('/')[2], ''}  # '' = pictures made of the stream
