"""The operator page in a real browser, against the whole cell."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cell_common.testing import wait_until
from playwright.sync_api import Page, expect, sync_playwright

from cell_interfaces.msg import JobState
from cell_interfaces.srv import InjectFault

CHROMIUM = '/usr/bin/chromium'
PART = 'EM1-2U1'
CONFIG = Path(__file__).resolve().parents[1] / 'config' / 'cell.yaml'
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def page(results: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        page = browser.new_context(viewport={'width': 1280, 'height': 800}, has_touch=True).new_page()
        yield page
        page.screenshot(path=results / 'page.png')
        browser.close()


def open_page(cell: Any, page: Page) -> None:
    page.goto(f'http://127.0.0.1:{cell.ports["web_port"]}/')
    expect(page.get_by_test_id('cell-ready')).to_have_attribute('data-state', 'READY', timeout=30_000)
    page.get_by_test_id('operator-name').click()
    page.get_by_test_id('name-input').fill('Ada')
    page.get_by_test_id('name-save').click()


def start_job(page: Page, quantity: int) -> None:
    page.get_by_test_id('part-select').select_option(PART)
    page.get_by_test_id('quantity-input').fill(str(quantity))
    page.get_by_test_id('start-job').click()
    expect(page.get_by_test_id('preflight-failing')).to_have_count(0)
    page.get_by_test_id('confirm-yes').click(timeout=60_000)


def test_an_operator_starts_a_job_by_clicking_and_sees_it_finish(launch_cell: Callable[..., Any], page: Page) -> None:
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0)
    open_page(cell, page)
    start_job(page, 2)
    expect(page.get_by_test_id('job-placed')).to_contain_text('2', timeout=60_000)
    wait_until(lambda: cell.client.job.state == JobState.DONE, 30)
    expect(page.get_by_test_id('job-state')).to_contain_text('DONE')
    page.reload()
    expect(page.get_by_test_id('job-state')).to_contain_text('DONE', timeout=60_000)
    expect(page.get_by_test_id(f'inventory-row-{PART}')).to_be_visible()


def test_an_operator_corrects_a_rejected_piece_and_its_image_is_kept(
    launch_cell: Callable[..., Any], page: Page, tmp_path: Path
) -> None:
    cell = launch_cell(wrong_share=1.0, unreadable_share=0.0)
    open_page(cell, page)
    start_job(page, 1)
    expect(page.get_by_test_id('job-rejected')).not_to_have_text('0', timeout=60_000)
    cell.client.wait_for(lambda: cell.client.job.rejected, 10, 'a reject')
    page.get_by_test_id('job-pause').click()
    wait_until(lambda: cell.client.job.state == JobState.PAUSED, 30)
    expect(page.get_by_test_id('verdict')).to_have_attribute('data-state', 'MISMATCH')
    expect(page.get_by_test_id('verdict-crop').locator('img')).not_to_have_js_property('naturalWidth', 0)
    page.get_by_test_id('correct').click()
    page.get_by_test_id('correction-none').click()
    expect(page.get_by_test_id('correct')).to_have_text('Saved: not readable', timeout=60_000)
    kept = tmp_path / 'state' / 'kept_frames'
    wait_until(lambda: [file for file in kept.rglob('*') if 'CORRECTION' in file.read_text('latin-1').upper()], 10)


def test_a_robot_that_stopped_itself_is_recovered_by_clicking(launch_cell: Callable[..., Any], page: Page) -> None:
    address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
    cell = launch_cell(robot_backend='rtde', sim_robot_address=address, wrong_share=0.0, unreadable_share=0.0)
    open_page(cell, page)
    expect(page.get_by_test_id('robot-safety')).to_contain_text('NORMAL')
    expect(page.get_by_test_id('robot-speed')).to_contain_text('%')
    cell.client.call(InjectFault, 'sim/fault', InjectFault.Request(device='ur', fault='protective_stop'))
    expect(page.get_by_test_id('robot-safety')).to_contain_text('PROTECTIVE STOP', timeout=60_000)
    page.get_by_test_id('robot-recover').click()
    expect(page.get_by_test_id('recover-cause')).to_contain_text('PROTECTIVE STOP')
    page.get_by_test_id('confirm-yes').click()
    expect(page.get_by_test_id('recover-steps')).to_contain_text('Unlocking the protective stop', timeout=30_000)
    expect(page.get_by_test_id('recover-result')).to_contain_text('Recovered', timeout=60_000)
    page.get_by_test_id('recover-close').click()
    expect(page.get_by_test_id('robot-safety')).to_contain_text('NORMAL')
    expect(page.get_by_test_id('robot-recoveries')).to_contain_text('1')


class WebApplication:
    """Rejects each bag the first time, as an application that does not know the station, and accepts it the second time.

    So only bags that are sent again are accepted, whatever the fillers weigh.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.accepted: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers['Content-Length']))
                key, known = self.headers['Idempotency-Key'], self.headers['Idempotency-Key'] in outer.refused
                (outer.accepted if known else outer.refused).append(key)
                number = len(outer.accepted)
                answer = (
                    {'message': 'the application does not know this station'}
                    if not known
                    else {
                        'bag_id': number,
                        'bag_num': number,
                        'in_tolerance': True,
                        'job_complete': False,
                    }
                )
                data = json.dumps(answer).encode()
                self.send_response(200 if known else 422)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self._server.server_address[1]}/'
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def application() -> Iterator[WebApplication]:
    running = WebApplication()
    yield running
    running.close()


def test_a_rejected_bag_is_sent_again_by_a_click(
    launch_cell: Callable[..., Any], page: Page, application: WebApplication, tmp_path: Path
) -> None:
    settings = {'site_url': application.url, 'controller': 'api', 'function': 'scan_bag', 'api_key': 'key', 'station': 'A'}
    (tmp_path / 'settings.json').write_text(json.dumps(settings))
    parameters = yaml.safe_load(CONFIG.read_text())
    parameters['/**/weigh_station']['ros__parameters']['settings_file'] = str(tmp_path / 'settings.json')
    (tmp_path / 'cell.yaml').write_text(yaml.safe_dump(parameters))
    cell = launch_cell(params_file=tmp_path / 'cell.yaml')
    open_page(cell, page)
    page.get_by_test_id('view-weigh').click()
    page.get_by_test_id('weigh-open').click()
    page.get_by_test_id('weigh-station').select_option('A')
    for name, value in (('company', 'ACME Foam'), ('target', '1.10'), ('quantity', '2')):
        page.get_by_test_id(f'weigh-{name}').fill(value)
    page.get_by_test_id('weigh-start').click()
    expect(page.get_by_test_id('dead-letter').first).to_contain_text('does not know this station', timeout=60_000)
    expect(page.get_by_test_id('last-bag-A')).to_contain_text('kg')
    expect(page.get_by_test_id('weigh-job-A')).to_have_attribute('data-state', 'COMPLETED', timeout=60_000)
    assert application.accepted == []
    letters = page.get_by_test_id('dead-letter')
    wait_until(lambda: letters.count() == len(application.refused) >= 2, 30)  # the page updates once a second
    page.get_by_test_id('send-again').first.click()
    wait_until(lambda: application.accepted, 30)
    expect(page.get_by_test_id('delivery-delivered')).to_have_text('1', timeout=60_000)
    wait_until(lambda: letters.count() == len(application.refused) - 1, 10)
    assert len(application.accepted) == 1
    with page.expect_popup() as report:
        page.get_by_test_id('report-link').click()
    expect(report.value.locator('body')).to_contain_text('ACME Foam')


def test_the_state_of_the_robot_is_shown_in_words(launch_cell: Callable[..., Any], page: Page) -> None:
    cell = launch_cell()
    open_page(cell, page)
    expect(page.get_by_test_id('robot-mode')).to_contain_text('CONNECTED')
    cell.client.call(InjectFault, 'sim/fault', InjectFault.Request(device='robot', fault='disconnect', value=20.0))
    expect(page.get_by_test_id('robot-mode')).to_contain_text('NOT CONNECTED', timeout=60_000)
    expect(page.get_by_test_id('robot-message')).to_be_visible()
    expect(page.get_by_test_id('start-job')).to_be_disabled()
