"""The view for weighing in a real browser: zones, tare, void and reopened, delivery."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
from cell_common.testing import wait_until
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import Page, expect

from cell_interfaces.msg import ScaleReading

pytestmark = NEEDS


def weighing(page: Page) -> Page:
    page.get_by_test_id('view-weigh').click()
    return page


def test_a_weigh_job_is_started(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('weigh-open').click()
    expect(page.get_by_test_id('weigh-start')).to_be_disabled()
    page.get_by_test_id('weigh-station').select_option('B')
    for name, value in (('company', 'Acme'), ('target', '12.5'), ('quantity', '20'), ('tare', '13')):
        page.get_by_test_id(f'weigh-{name}').fill(value)
    expect(page.get_by_test_id('tare-warning')).to_be_visible()
    page.get_by_test_id('weigh-tare').fill('0.12')
    expect(page.get_by_test_id('tare-warning')).to_have_count(0)
    page.get_by_test_id('weigh-tolerance').select_option(label='±5 %')
    shoot(page, 'weigh-form')
    page.get_by_test_id('weigh-start').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/start_job'))
    expected = {'company': 'Acme', 'station': 'B', 'target_weight': '12.5', 'unit': 'kg', 'quantity': 20, 'tare': '0.12'}
    expected['tolerance'] = '0.05'
    assert {key: asked['args'][key] for key in expected} == expected
    expect(page.get_by_test_id('weigh-start')).to_have_count(0)


def test_a_weigh_job_of_a_known_product_takes_four_taps(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('view-weigh').click()
    page.get_by_test_id('weigh-open').click()
    page.get_by_test_id('weigh-preset').nth(1).click()
    page.get_by_test_id('weigh-start').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/start_job'))
    expected = {'company': 'Bolt & Sons', 'station': 'B', 'target_weight': '1.10', 'unit': 'kg', 'quantity': 40, 'tare': ''}
    assert {key: asked['args'][key] for key in expected} == expected


def test_a_decimal_comma_is_understood(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('weigh-open').click()
    page.get_by_test_id('weigh-station').select_option('B')
    for name, value in (('company', 'Acme'), ('target', '1,10'), ('tare', '0,02')):
        page.get_by_test_id(f'weigh-{name}').fill(value)
    page.get_by_test_id('weigh-start').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/start_job'))
    assert (asked['args']['target_weight'], asked['args']['tare']) == ('1.10', '0.02')


def test_a_tare_that_is_no_weight_is_named_and_nothing_starts(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('weigh-open').click()
    page.get_by_test_id('weigh-station').select_option('B')
    for name, value in (('company', 'Acme'), ('target', '12.5'), ('tare', '1e3')):
        page.get_by_test_id(f'weigh-{name}').fill(value)
    expect(page.get_by_text('Enter the tare')).to_be_visible()
    expect(page.get_by_test_id('weigh-start')).to_be_disabled()


def test_a_bag_is_shown_by_its_zone_and_net_and_a_void_one_is_counted_as_void(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    verdicts = [row.inner_text() for row in page.get_by_test_id('bag-row').all()]
    for text, zone in zip(verdicts, ('OK', 'TOO HEAVY', 'LIGHT', 'TOO LIGHT', 'VOID', 'HEAVY'), strict=True):
        assert zone in text
    last = page.get_by_test_id('last-bag-A')
    expect(last).to_have_attribute('data-state', 'OK')
    expect(last).to_contain_text('12.360 kg')
    expect(last).to_contain_text('gross 12.480')
    expect(page.get_by_test_id('weigh-job-A').get_by_test_id('bags-voided')).to_have_text('1')
    report, table = page.get_by_test_id('weigh-job-A').get_by_test_id('report-link'), page.get_by_test_id('csv-link').last
    assert report.get_attribute('href') == './api/weighing/jobs/7/report.html'
    assert table.get_attribute('href') == './api/weighing/jobs/6/bags.csv'


def test_a_finished_weigh_job_is_reopened_with_a_reason(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('weigh-job-B').get_by_test_id('weigh-reopen').click()
    expect(page.get_by_test_id('reopen-yes')).to_be_disabled()
    page.get_by_test_id('reopen-reason').nth(1).click()
    shoot(page, 'reopen')
    page.get_by_test_id('reopen-yes').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/reopen_job'))
    expected = {'weigh_job_id': 6, 'quantity': 40, 'reason': 'More bags ordered'}
    assert {key: asked['args'][key] for key in expected} == expected


def test_a_bag_is_taken_back_with_a_reason(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('bag-open').first.click()
    expect(page.get_by_test_id('void-yes')).to_be_disabled()
    page.get_by_test_id('void-reason').first.click()
    shoot(page, 'void')
    page.get_by_test_id('void-yes').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/void_bag'))
    assert (asked['args']['bag_id'], asked['args']['reason']) == (40, 'Weighed twice')


def test_the_voiding_of_a_bag_is_undone_and_its_delivery_is_shown(cell: ScriptedCell, open_page: Any) -> None:
    cell.answers['/cell/weighing/get_bag'] = {'code': 0, 'message': 'bag 36 waits: no connection', 'response': '{"busy": 1}'}
    page = weighing(open_page())
    page.get_by_role('button', name='Details').click()
    expect(page.get_by_test_id('bag-delivery')).to_contain_text('bag 36 waits: no connection Its answer: {"busy": 1}')
    page.get_by_test_id('void-reason').first.click()
    page.get_by_test_id('void-yes').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/undo_void'))
    assert asked['args']['reason'] == 'Wrong bag voided'


def test_a_refused_bag_is_shown_with_its_reason_and_sent_again(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    expect(page.get_by_test_id('delivery')).to_have_attribute('data-state', 'RETRYING')
    expect(page.get_by_test_id('delivery-waiting')).to_have_text('3')
    letter = page.get_by_test_id('dead-letter').first
    expect(letter).to_contain_text('does not know station A')
    letter.get_by_test_id('send-again').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/retry'))
    assert asked['args']['bag_id'] == 38
    cell.publish('weighing/delivery', scene.delivery(time.time(), dead=0, dead_letters=[], delivered=1206))
    expect(page.get_by_test_id('dead-letter')).to_have_count(0)


def not_taken(scale: str, ago: float, message: str) -> ScaleReading:
    return ScaleReading(
        reading_id=f'n{ago}',
        scale_id=scale,
        received_at=scene.stamp(time.time(), ago),
        status=ScaleReading.VALID,
        weight='0.000',
        unit='kg',
        message=message,
    )


def test_a_print_that_made_no_bag_is_shown_with_its_reason_until_the_next_bag(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    expect(page.get_by_test_id('bag-row')).to_have_count(6)
    cell.publish('weighing/not_taken', not_taken('1', 0.5, 'weight is not stable: wait, then print again'))
    expect(page.get_by_test_id('not-taken')).to_contain_text('Scale 1: last print made no bag')
    expect(page.get_by_test_id('not-taken')).to_contain_text('wait, then print again')
    bags = scene.bags(time.time())
    bags.bags[0].weighed_at = scene.stamp(time.time(), -1)
    cell.publish('weighing/bags', bags)
    expect(page.get_by_test_id('not-taken')).to_have_count(0)


def test_a_print_that_is_older_than_the_last_bag_of_its_scale_is_not_shown(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    expect(page.get_by_test_id('bag-row')).to_have_count(6)
    cell.publish('weighing/not_taken', not_taken('1', 60, 'old'))
    cell.publish('weighing/not_taken', not_taken('2', 1, 'new'))
    expect(page.get_by_test_id('not-taken')).to_have_count(1)
    expect(page.get_by_test_id('not-taken')).to_contain_text('Scale 2')
