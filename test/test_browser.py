"""An operator's way through the page, in a real browser, against the whole cell."""


import pytest
from cell_common.testing import wait_until
from playwright.sync_api import expect, sync_playwright

from cell_interfaces.msg import JobState

CHROMIUM = '/usr/bin/chromium'
PART = 'EM1-2U1'
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def page(results):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        context = browser.new_context(viewport={'width': 1280, 'height': 800})
        page = context.new_page()
        yield page
        page.screenshot(path=results / 'page.png')
        browser.close()


def test_an_operator_starts_a_job_by_clicking_and_sees_it_finish(launch_cell, page):
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0)
    page.goto(f'http://127.0.0.1:{cell.ports["web_port"]}/')
    expect(page.get_by_test_id('cell-ready')).to_contain_text('READY', timeout=30_000)
    page.get_by_test_id('part-select').select_option(PART)
    page.get_by_test_id('quantity-input').fill('2')
    page.get_by_test_id('start-job').click()
    page.get_by_test_id('confirm-yes').click()
    expect(page.get_by_test_id('job-placed')).to_contain_text('2', timeout=60_000)
    wait_until(lambda: cell.client.job.state == JobState.DONE, 30)
    expect(page.get_by_test_id('job-state')).to_contain_text('DONE')
    page.reload()
    expect(page.get_by_test_id('job-state')).to_contain_text('DONE', timeout=10_000)
    expect(page.get_by_test_id(f'inventory-row-{PART}')).to_be_visible()
