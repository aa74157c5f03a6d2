"""axe finds nothing in twelve states of the page at three sizes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cell_scene as scene
import pytest
from cell_common.testing import FULL
from page_fixtures import AXE, FINDINGS, NEEDS, SIZES, ScriptedCell, shoot
from playwright.sync_api import Page, expect

from cell_interfaces.msg import Alarm, AlarmList, JobState, RobotState, ScaleReading

pytestmark = [*NEEDS, pytest.mark.skipif(not AXE.exists(), reason='needs axe-core: npm ci in src/cell_web/hmi')]


def reload_required(cell: ScriptedCell, page: Page) -> None:
    cell.publish('job', scene.job(time.time(), JobState.WAITING_RELOAD, reason='Trays of EM1-2U1 are empty.\n1 Fill a tray.'))
    expect(page.get_by_test_id('job-state')).to_have_attribute('data-state', 'WAITING RELOAD')


def question(cell: ScriptedCell, page: Page) -> None:
    job = scene.job(time.time(), JobState.PAUSED, unresolved_trigger=True, step=JobState.STEP_PLACE, reason='Not confirmed.')
    cell.publish('job', job)
    expect(page.get_by_test_id('piece-question')).to_be_visible()


def not_ready(cell: ScriptedCell, page: Page) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    cell.status = lambda now: scene.status(now, ready=False, camera='no frame for 12 s: check the cable')
    expect(page.get_by_test_id('start-blockers')).to_contain_text('camera')


def stopped_robot(cell: ScriptedCell, page: Page) -> None:
    cell.publish('robot/state', scene.robot(time.time(), safety_mode=RobotState.SAFETY_PROTECTIVE_STOP, backend='rtde'))
    page.get_by_test_id('robot-recover').click()
    expect(page.get_by_test_id('recover-cause')).to_contain_text('Protective stop')


def rejects(cell: ScriptedCell, page: Page) -> None:
    found = [
        Alarm(
            alarm_id=f'r{number}',
            key=key,
            priority=priority,
            state=Alarm.RETURNED if number < 2 else Alarm.UNACKNOWLEDGED,
            text=f'Piece {number} rejected: read EM1-2U4, ordered EM1-2U1',
            action='1 Look at the piece.\n2 Press Seen.',
            raised_at=scene.stamp(time.time(), 3600),
        )
        for number, (key, priority) in enumerate(
            (('part_rejected/1/a', 1), ('part_rejected/2/b', 1), ('x', 3), ('y', 2), ('z', 0))
        )
    ]
    cell.publish('alarms', AlarmList(stamp=scene.stamp(time.time()), alarms=found))
    cell.publish('component_captured', scene.captured(time.time()))
    expect(page.get_by_test_id('reject')).to_have_count(2)


def start(cell: ScriptedCell, page: Page) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    page.get_by_test_id('part-select').select_option('EM1-2U1')
    page.get_by_test_id('start-job').click()
    expect(page.get_by_test_id('confirm-yes')).to_be_visible()


def reload_dialog(cell: ScriptedCell, page: Page) -> None:
    page.get_by_test_id('reload-EM1-2U4').click()


def toast(cell: ScriptedCell, page: Page) -> None:
    cell.code, cell.message = 600, 'No such alarm.'
    page.get_by_test_id('alarm-acknowledge').first.click()
    expect(page.get_by_test_id('toast-error')).to_be_visible()


def silent(cell: ScriptedCell, page: Page) -> None:
    cell.silent.set()
    expect(page.get_by_test_id('stale')).to_be_visible()


def weighing(cell: ScriptedCell, page: Page) -> None:
    page.get_by_test_id('view-weigh').click()
    cell.publish(
        'weighing/not_taken',
        ScaleReading(reading_id='n', scale_id='2', received_at=scene.stamp(time.time()), message='not stable'),
    )
    expect(page.get_by_test_id('not-taken')).to_be_visible()


def weigh_form(cell: ScriptedCell, page: Page) -> None:
    page.get_by_test_id('view-weigh').click()
    page.get_by_test_id('weigh-open').click()


def running(cell: ScriptedCell, page: Page) -> None:
    expect(page.get_by_test_id('job-state')).to_have_attribute('data-state', 'RUNNING')


STATES: tuple[Callable[[ScriptedCell, Page], None], ...] = (
    running,
    reload_required,
    question,
    not_ready,
    stopped_robot,
    rejects,
    start,
    reload_dialog,
    toast,
    silent,
    weighing,
    weigh_form,
)


@pytest.mark.parametrize('size', SIZES)
def test_axe_finds_nothing(cell: ScriptedCell, open_page: Any, size: str) -> None:
    """One page goes through all states; without CELL_FULL each state is checked at one of the sizes."""
    page = open_page(*SIZES[size])
    chosen = STATES if FULL else STATES[list(SIZES).index(size) :: len(SIZES)]
    found = {}
    for state in chosen:
        state(cell, page)
        page.evaluate(AXE.read_text())
        shoot(page, f'axe-{state.__name__}-{size}')
        found[state.__name__] = page.evaluate(FINDINGS)
        cell.restart()
        page.get_by_test_id('view-pick').evaluate('button => button.click()')
        page.reload()
        expect(page.get_by_test_id('cell-ready')).to_have_attribute('data-state', 'READY')
    assert {name: findings for name, findings in found.items() if findings} == {}
