"""What surrounds the page: double taps, browser zoom, a tablet that sleeps, and the load of a busy cell on its main thread."""

from __future__ import annotations

import json
import time
from typing import Any

import cell_scene as scene
from cell_common.testing import wait_until
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import expect

from cell_interfaces.msg import Alarm, AlarmList, Inventory, PartStock

pytestmark = NEEDS

ZOOMED = {'tablet at 200 %': (640, 400), 'tablet at 400 %': (320, 200), 'phone on its side': (844, 390)}
OUTSIDE = """() => [...document.querySelectorAll('.panel, dialog')].flatMap((panel) => [...panel.querySelectorAll('*')]
  .filter((part) => part.checkVisibility() && !part.closest('.hidden')
    && part.getBoundingClientRect().right > panel.getBoundingClientRect().right + 1)
  .map((part) => part.textContent.slice(0, 60)))"""
"""Texts and buttons that stick out of their panel, under the next one."""
OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
DOUBLE_TAP = """([first, second]) => {
  const [a, b] = [first, second].map((id) => [...document.querySelectorAll(`[data-testid=${id}]`)]);
  const box = a[0].getBoundingClientRect();
  const place = { clientX: box.x + 5, clientY: box.y + 5, pointerType: 'touch', bubbles: true, cancelable: true };
  const tap = () => new PointerEvent('click', place);
  a[0].dispatchEvent(tap());
  b.at(-1).dispatchEvent(tap());
}"""
"""Taps one control, and another one at the same place: what a double tap does when the page changes under the finger."""
LONGEST_MS = 50


def rejects(count: int) -> AlarmList:
    now = time.time()
    alarms = [
        Alarm(alarm_id=f'r{number}', key=f'part_rejected/{number}/read-{number}', state=Alarm.RETURNED, text=f'Piece {number}')
        for number in range(count)
    ]
    return AlarmList(stamp=scene.stamp(now), alarms=alarms)


def test_a_double_tap_does_not_press_what_comes_under_the_finger(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    cell.publish('alarms', rejects(2))
    expect(page.get_by_test_id('reject-seen')).to_have_count(2)
    page.evaluate(DOUBLE_TAP, ['reject-seen', 'reject-seen'])
    (asked,) = wait_until(lambda: cell.of('/cell/alarms/acknowledge'))
    assert asked['args']['alarm_id'] == 'r0'
    page.evaluate(DOUBLE_TAP, ['job-pause', 'stop-cell'])
    wait_until(lambda: cell.of('/cell/robot/stop'), what='Stop cell is always taken')


def publish_long_names(cell: ScriptedCell) -> None:
    now, station = time.time(), 'Abfüllanlage-Nord-2'
    stock, jobs, bags = scene.inventory(now), scene.weigh_jobs(now), scene.bags(now)
    stock.parts[0].part_number = 'XPSMCM-ETH-GL-SN-7GE12-0AB4'
    stock.parts[1].description = 'Sicherheitsrelaismodulschraubklemmenanschlussblock'
    stock.parts[1].trays[0].count = stock.parts[1].trays[0].capacity = 65535
    jobs.jobs[0].station = bags.bags[0].station = station
    jobs.jobs[0].company = 'Müller-Lüdenscheidt Kunststoffverarbeitungsgesellschaft mbH & Co. KG'
    bags.bags[0].weight, bags.bags[0].net_weight, bags.bags[0].bag_number = '1234.680', '1234.560', 12345
    robot = scene.robot(now, backend='ros_driver', peer='controller-3.werk-augsburg.example.de:30004')
    for topic, message in (('inventory', stock), ('weighing/job', jobs), ('weighing/bags', bags), ('robot/state', robot)):
        cell.publish(topic, message)


def test_at_every_zoom_the_page_fits_and_stop_cell_is_in_view(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page(operator='Karl-Friedrich Müller-Lüdenscheidt')
    for name, (width, height) in ZOOMED.items():
        page.set_viewport_size({'width': width, 'height': height})
        for view in ('pick', 'weigh'):
            page.get_by_test_id(f'view-{view}').click()
            expect(page.get_by_test_id('alarms-list')).to_be_visible()
            assert page.evaluate(OVERFLOW) <= 0, f'{name}, {view}'
            for end in ('0', 'document.body.scrollHeight'):
                page.evaluate(f'scrollTo(0, {end})')
                expect(page.get_by_test_id('stop-cell'), f'{name}, {view}').to_be_in_viewport(ratio=1)
            shoot(page, f'zoom-{width}-{view}')


def test_long_names_stay_in_their_panels(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    publish_long_names(cell)
    for view, name in (('pick', 'XPSMCM-ETH-GL-SN-7GE12-0AB4'), ('weigh', 'Abfüllanlage-Nord-2')):
        page.get_by_test_id(f'view-{view}').click()
        expect(page.get_by_text(name).filter(visible=True).first).to_be_attached()
        for width, height in ((1280, 800), (853, 533), (640, 400), (390, 844)):
            page.set_viewport_size({'width': width, 'height': height})
            shoot(page, f'long-{width}-{view}')
            assert page.evaluate(OUTSIDE) == [], f'{width} px, {view}'
            assert page.evaluate(OVERFLOW) <= 0, f'{width} px, {view}'


def test_after_a_sleep_the_page_reconnects_and_shows_old_values_as_old(
    cell: ScriptedCell, rosbridge: Any, open_page: Any
) -> None:
    page = open_page()
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0)
    connections = len(rosbridge.connections)
    cell.silent.set()
    updated = '<script src="./assets/of-another-version.js"></script>'
    page.route(page.url, lambda route: route.fulfill(body=updated, content_type='text/html'))
    page.evaluate('(() => { const now = Date.now; Date.now = () => now() + 3_600_000; })()')
    # A message that was on its way counts as received after the sleep, and has its own time until it is old.
    expect(page.locator('[data-fresh][data-current="true"]')).to_have_count(0)
    expect(page.get_by_test_id('stale')).to_contain_text('1 h old')
    wait_until(lambda: len(rosbridge.connections) > connections)
    expect(page.get_by_test_id('toasts')).to_contain_text('New version')  # while the tablet slept, the cell was updated
    cell.silent.clear()
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0)


def test_a_dialog_has_stop_cell_and_the_answers_to_its_commands_and_closes_whole(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('reload-EM1-2U4').click()
    cell.code, cell.message = 600, 'The ledger is locked.'
    page.get_by_test_id('reload-full').click()
    page.get_by_test_id('reload-confirm').click()
    expect(page.get_by_test_id('dialog-notice')).to_contain_text('The ledger is locked.')
    page.get_by_test_id('dialog-stop').click()
    wait_until(lambda: cell.of('/cell/robot/stop'))
    # What a second Escape, or Back of a phone, does.
    page.evaluate('document.querySelector("dialog").close()')
    expect(page.get_by_role('dialog')).to_have_count(0)
    page.get_by_test_id('reload-EM1-2U4').click()
    expect(page.get_by_test_id('reload-full')).to_be_visible()


def large_stock(now: float) -> Inventory:
    small = scene.inventory(now)
    parts = [
        PartStock(part_number=f'{part.part_number}-{number}', description=part.description, trays=part.trays, total=part.total)
        for number in range(25)
        for part in small.parts
    ]
    return Inventory(stamp=scene.stamp(now), sequence=9, parts=parts)


def longest_task_ms(trace: bytes) -> float:
    """Return the CPU time of the longest task of the page's main thread: wall time would count other programs, too."""
    events = json.loads(trace)['traceEvents']
    main = {(e['pid'], e['tid']) for e in events if e.get('name') == 'thread_name' and e['args']['name'] == 'CrRendererMain'}
    tasks = [e for e in events if e.get('ph') == 'X' and (e['pid'], e['tid']) in main and e['name'].endswith('RunTask')]
    assert len(tasks) > 100
    return max(float(event.get('tdur', 0)) for event in tasks) / 1000


def test_a_busy_cell_makes_no_long_tasks(cell: ScriptedCell, chromium: Any, open_page: Any) -> None:
    """100 parts, 30 rejects, all topics ten times a second, the camera, and an operator who switches between the views."""
    page = open_page()
    chromium.start_tracing(page=page, categories=['toplevel'])
    for number in range(30):
        if number % 10 == 9:
            page.get_by_test_id('view-weigh' if number == 9 else 'view-pick').click()
        now = time.time()
        busy = {
            **scene.whole_cell(now),
            'inventory': large_stock(now),
            'alarms': rejects(30),
            'job': scene.job(now, placed=number % 5, piece=number % 5 + 1),
        }
        for topic, message in busy.items():
            cell.publish(topic, message)
        cell.publish('component_captured', scene.captured(now))
        page.wait_for_timeout(100)
    assert longest_task_ms(chromium.stop_tracing()) < LONGEST_MS
