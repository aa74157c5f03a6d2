"""Alarms and rejected pieces in a real browser: counted in the header, kept until an operator has looked."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
import pytest
from cell_common.testing import wait_until
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import Alarm, AlarmList

pytestmark = NEEDS

SIZES = {'tablet': (1280, 800), 'panel': (1920, 1080), 'phone': (390, 844)}


def reject(piece: int, ago: float, **fields: Any) -> Alarm:
    values = {
        'alarm_id': f'r{piece}',
        'source': 'coordinator',
        'key': f'part_rejected/{piece}/read-{piece}',
        'priority': Alarm.MEDIUM,
        'state': Alarm.RETURNED,
        'text': f'Piece {piece} rejected: read EM1-2U4, ordered EM1-2U1',
        'raised_at': scene.stamp(time.time(), ago),
        'count': 1,
        **fields,
    }
    return Alarm(**values)


def publish(cell: ScriptedCell, *alarms: Alarm) -> None:
    cell.publish('alarms', AlarmList(stamp=scene.stamp(time.time()), alarms=list(alarms)))


def test_each_reject_stays_on_the_list_and_is_resolved_in_two_taps_an_hour_later(cell: ScriptedCell, open_page: Any) -> None:
    publish(cell, reject(4, 3700), reject(5, 3600))
    page = open_page()
    expect(page.get_by_test_id('reject')).to_have_count(2)
    shoot(page, 'rejects')
    page.get_by_test_id('reject').first.get_by_test_id('reject-correct').click()
    page.get_by_test_id('correction-EM2-2U1').click()
    (kept,) = wait_until(lambda: cell.of('/cell/ocr/keep_frame'))
    assert (kept['args']['request_id'], kept['args']['part_number']) == ('read-4', 'EM2-2U1')
    (seen,) = wait_until(lambda: cell.of('/cell/alarms/acknowledge'))
    assert seen['args']['alarm_id'] == 'r4'


def test_a_reject_that_needs_no_correction_is_marked_as_seen(cell: ScriptedCell, open_page: Any) -> None:
    publish(cell, reject(4, 60))
    page = open_page()
    page.get_by_test_id('reject-seen').click()
    (seen,) = wait_until(lambda: cell.of('/cell/alarms/acknowledge'))
    assert seen['args']['alarm_id'] == 'r4'
    publish(cell)
    expect(page.get_by_test_id('rejects')).to_have_count(0)


def test_an_alarm_that_was_shelved_by_mistake_is_shown_again(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('alarm-shelve').first.click()
    page.get_by_role('button', name='8 h').click()
    page.get_by_test_id('toast-action').click()
    calls = wait_until(lambda: len(cell.of('/cell/alarms/shelve')) == 2 and cell.of('/cell/alarms/shelve'))
    assert [call['args']['shelve_for']['sec'] for call in calls] == [8 * 3600, 0]
    publish(cell, Alarm(alarm_id='s', key='lost', state=Alarm.SHELVED, text='Lost'))
    page.get_by_text('1 shelved').click()
    page.get_by_test_id('alarm-unshelve').click()
    wait_until(lambda: cell.of('/cell/alarms/shelve')[-1]['args']['alarm_id'] == 's')


@pytest.mark.parametrize('name', ['pick', 'weigh'])
@pytest.mark.parametrize('size', SIZES)
def test_the_alarm_count_stands_in_the_header_at_every_size(cell: ScriptedCell, open_page: Any, size: str, name: str) -> None:
    page = open_page(*SIZES[size])
    page.get_by_test_id(f'view-{name}').click()
    expect(page.get_by_test_id('alarm-count')).to_have_attribute('data-count', '2')
    expect(page.get_by_test_id('alarm-count')).to_be_visible()
    page.get_by_test_id('alarm-count').click()
    expect(page.get_by_test_id('alarms-list')).to_be_in_viewport()


@pytest.mark.parametrize('size', SIZES)
def test_stop_cell_stays_on_the_screen_and_notices_cover_no_button(cell: ScriptedCell, open_page: Any, size: str) -> None:
    page = open_page(*SIZES[size])
    cell.code, cell.message = 600, 'No such alarm.'
    page.get_by_test_id('alarm-acknowledge').first.click()
    expect(page.get_by_test_id('toast-error')).to_be_visible()
    page.evaluate('scrollTo(0, document.body.scrollHeight)')
    expect(page.get_by_test_id('stop-cell')).to_be_in_viewport()
    shoot(page, f'bottom-{size}')
