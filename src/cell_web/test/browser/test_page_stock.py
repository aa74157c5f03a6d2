"""Stock in a real browser: nothing is preselected that was not refilled, and each manual booking can be undone."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
from cell_common.testing import wait_until
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import InventoryEvent, TrayStock

pytestmark = NEEDS


def ledger_with_a_reload(cell: ScriptedCell, *trays: int, ago: float = 0.5) -> None:
    """Let the ledger report a reload of trays of EM1-2U4."""
    booked = scene.stamp(time.time(), ago)
    events = [
        scene.written(
            InventoryEvent(
                sequence=20 + tray,
                stamp=booked,
                kind=InventoryEvent.RELOAD,
                part_number='EM1-2U4',
                tray=tray,
                delta=24,
                count_after=24,
                operator_id='Ada',
            )
        )
        for tray in sorted(trays, reverse=True)
    ]
    stock = scene.written(scene.inventory(time.time()))
    cell.answers['/cell/inventory/get'] = {'code': 0, 'message': '', 'inventory': stock, 'events': events}


def test_a_part_with_full_trays_has_no_preselected_tray(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('reload-EM1-2U1').click()
    for tray in range(5):
        expect(page.get_by_test_id(f'reload-tray-{tray}')).to_have_attribute('aria-pressed', 'false')
    expect(page.get_by_test_id('reload-confirm')).to_be_disabled()
    page.get_by_test_id('reload-tray-2').click()
    page.get_by_test_id('reload-full').click()
    page.get_by_test_id('reload-tray-3').click()
    expect(page.get_by_test_id('reload-confirm')).to_be_disabled()


def test_a_reload_takes_three_taps_and_its_undo_one(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    ledger_with_a_reload(cell, 4)
    for tap in ('reload-EM1-2U4', 'reload-full', 'reload-confirm'):
        page.get_by_test_id(tap).click()
    (asked,) = wait_until(lambda: cell.of('/cell/inventory/reload'))
    assert (asked['args']['tray'], asked['args']['count']) == (4, -1)
    expect(page.get_by_test_id('toast-done')).to_contain_text('EM1-2U4 tray 4: 0 → 24')
    shoot(page, 'undo-toast')
    page.get_by_test_id('toast-action').click()
    (undone,) = wait_until(lambda: cell.of('/cell/inventory/undo'))
    assert (undone['args']['sequence'], undone['args']['command']['operator_id']) == (24, 'Ada')


def test_a_booking_of_all_trays_is_undone_from_the_stock_list_after_a_reload_of_the_page(
    cell: ScriptedCell, open_page: Any
) -> None:
    ledger_with_a_reload(cell, 1, 2, 3, 4, ago=120)
    page = open_page()
    booking = page.get_by_test_id('recent-bookings').locator('li')
    expect(booking).to_contain_text('EM1-2U4 tray 1: 0 → 24, tray 2: 0 → 24')
    booking.get_by_test_id('undo-booking').click()
    calls = wait_until(lambda: len(cell.of('/cell/inventory/undo')) == 4 and cell.of('/cell/inventory/undo'))
    assert [call['args']['sequence'] for call in calls] == [24, 23, 22, 21]


def test_an_old_booking_cannot_be_undone(cell: ScriptedCell, open_page: Any) -> None:
    ledger_with_a_reload(cell, 4, ago=16 * 60)
    page = open_page()
    wait_until(lambda: cell.reads)
    expect(page.get_by_test_id('recent-bookings')).to_have_count(0)


def test_the_name_is_asked_once_before_something_changes(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page(operator='')
    page.get_by_test_id('alarm-acknowledge').first.click()
    shoot(page, 'name')
    assert cell.of('/cell/alarms/acknowledge') == []
    page.get_by_test_id('name-input').fill('Grace')
    page.get_by_test_id('name-save').click()
    (asked,) = wait_until(lambda: cell.of('/cell/alarms/acknowledge'))
    assert asked['args']['command']['operator_id'] == 'Grace'
    page.get_by_test_id('alarm-acknowledge').first.click()
    wait_until(lambda: len(cell.of('/cell/alarms/acknowledge')) == 2)


def test_a_part_with_many_trays_shows_those_to_refill_and_chooses_from_a_list(cell: ScriptedCell, open_page: Any) -> None:
    stock = scene.inventory(time.time())
    states = [TrayStock.FILLED] * 18 + [TrayStock.EMPTY, TrayStock.LOW]
    stock.parts[0].trays = [
        TrayStock(tray=number, count=0 if state == TrayStock.EMPTY else 3, capacity=24, state=state)
        for number, state in enumerate(states, 1)
    ]
    page = open_page(390, 844)
    cell.publish('inventory', stock)
    row = page.get_by_test_id('inventory-row-EM1-2U1')
    expect(row).to_contain_text('12 more trays')
    expect(page.get_by_test_id('tray-EM1-2U1-19')).to_contain_text('empty')
    page.get_by_test_id('reload-EM1-2U1').click()
    expect(page.get_by_test_id('reload-tray')).to_have_value('19')
    page.get_by_test_id('reload-tray').select_option('20')
    page.get_by_test_id('reload-full').click()
    page.get_by_test_id('reload-confirm').click()
    (asked,) = wait_until(lambda: cell.of('/cell/inventory/reload'))
    assert (asked['args']['tray'], asked['args']['count']) == (20, -1)
