"""Adjustments, benchmarks, camera and robot program on the built page, against a scripted rosbridge."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
import pytest
from cell_common.testing import wait_until
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import BenchmarkSet, JobInvalid, JobState, ReloadRequired

pytestmark = NEEDS
ASKED_FIRST = {
    'stock-undo': '/cell/inventory/undo',
    'stock-reset': '/cell/inventory/reset',
    'robot-program-start': '/cell/start_robot',
    'camera-stop': '/cell/camera/stop',
}


@pytest.fixture
def idle_page(cell: ScriptedCell, open_page: Any) -> Any:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    for action in ('start', 'stop'):
        cell.answers[f'/cell/camera/{action}'] = {'success': True, 'message': f'camera {action} done'}
    return open_page()


def test_a_tray_is_adjusted_with_count_and_reason(cell: ScriptedCell, idle_page: Any) -> None:
    idle_page.get_by_test_id('adjust-EM1-2U4').click()
    idle_page.get_by_test_id('adjust-tray-3').click()
    idle_page.get_by_test_id('adjust-count').fill('7')
    shoot(idle_page, 'adjust')
    idle_page.get_by_test_id('adjust-confirm').click()
    (asked,) = wait_until(lambda: cell.of('/cell/inventory/adjust'))
    expected = {'part_number': 'EM1-2U4', 'tray': 3, 'count': 7, 'reason': 'counted'}
    assert {key: asked['args'][key] for key in expected} == expected


@pytest.mark.parametrize(('button', 'service'), ASKED_FIRST.items())
def test_what_moves_books_or_stops_is_asked_first(cell: ScriptedCell, idle_page: Any, button: str, service: str) -> None:
    idle_page.get_by_test_id(button).click()
    idle_page.get_by_test_id('confirm-no').click()
    assert cell.of(service) == []
    idle_page.get_by_test_id(button).click()
    idle_page.get_by_test_id('confirm-yes').click()
    wait_until(lambda: cell.of(service))
    expect(idle_page.get_by_test_id('toast-done')).to_have_count(1)


def test_a_refusal_is_shown(cell: ScriptedCell, idle_page: Any) -> None:
    cell.code, cell.message = 304, 'there is no entry to undo'
    idle_page.get_by_test_id('stock-undo').click()
    idle_page.get_by_test_id('confirm-yes').click()
    expect(idle_page.get_by_test_id('toast-error')).to_contain_text('there is no entry to undo')


def test_a_benchmark_is_set_for_a_chosen_part_after_the_motion_is_confirmed(cell: ScriptedCell, idle_page: Any) -> None:
    cell.answers['/cell/matching/benchmarks'] = {'code': 0, 'message': '', 'benchmarks': []}
    idle_page.get_by_test_id('benchmarks-open').click()
    expect(idle_page.get_by_test_id('benchmark-set')).to_be_disabled()
    idle_page.get_by_test_id('benchmark-part').select_option('EM1-2U1')
    idle_page.get_by_test_id('capture-component').click()
    wait_until(lambda: cell.of('/cell/capture_component'))
    expect(idle_page.get_by_test_id('benchmark-set')).to_be_enabled()
    idle_page.get_by_test_id('benchmark-set').click()
    expect(idle_page.get_by_text('The arm will move')).to_be_visible()
    assert cell.of('/cell/set_benchmark') == []
    idle_page.get_by_test_id('confirm-yes').click()
    (asked,) = wait_until(lambda: cell.of('/cell/set_benchmark'))
    assert asked['args']['part_number'] == 'EM1-2U1'


def test_the_events_of_the_cell_are_shown(cell: ScriptedCell, idle_page: Any) -> None:
    now = time.time()
    cell.publish('benchmark_set', BenchmarkSet(stamp=scene.stamp(now), part_number='EM1-2U1', version=4, texts=['EM1-2U1']))
    expect(idle_page.get_by_test_id('toast-done')).to_contain_text('version 4')
    cell.publish('job_invalid', JobInvalid(stamp=scene.stamp(now), requested=9, available=2, message='order fewer.'))
    expect(idle_page.get_by_test_id('toast-error')).to_contain_text('Ordered: 9, in the trays: 2.')
    cell.publish('reload_required', ReloadRequired(stamp=scene.stamp(now), part_number='EM1-2U4', trays=[1, 4], missing=3))
    expect(idle_page.get_by_text('Fill tray 1, 4')).to_be_visible()


def test_a_running_job_keeps_camera_and_program(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time()))
    page = open_page()
    expect(page.get_by_test_id('camera-stop')).to_be_disabled()
    expect(page.get_by_test_id('robot-program-start')).to_be_disabled()
    expect(page.get_by_text('A job needs the camera')).to_be_visible()
