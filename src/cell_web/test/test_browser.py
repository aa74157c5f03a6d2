"""The built page in a real browser, through the gateway, against a scripted rosbridge."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cell_scene as scene
import cv2
import numpy as np
import pytest
from cell_common.qos import stream
from cell_common.testing import Graph, wait_until
from cell_web.gateway_node import TOPICS, GatewayNode
from playwright.sync_api import Page, expect, sync_playwright
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import JobState, RobotState

CHROMIUM = '/usr/bin/chromium'
BUILT = Path(__file__).resolve().parents[1] / 'hmi' / 'dist'
PREFLIGHT = [{'name': name, 'ok': True, 'message': message} for name, message in (
    ('link', 'connected'), ('remote control', 'this link cannot tell'), ('gripper empty', ''), ('data fresh', '0.4 s'))]
SCREENSHOTS = os.environ.get('CELL_SCREENSHOTS', '')
SIZES = {'wide': (1280, 800), 'tablet': (1024, 768), 'upright': (800, 1280), 'phone': (420, 860)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason='needs Chromium (Debian package chromium)'),
    pytest.mark.skipif(not (BUILT / 'index.html').exists(), reason='the page is not built: npm run build in src/cell_web/hmi'),
]


class ScriptedCell:
    """Publishes a cell's topics through the fake rosbridge, the status every half second."""

    def __init__(self, rosbridge: Any) -> None:
        self.rosbridge = rosbridge
        self.calls: list[dict[str, Any]] = []
        self.code, self.message = 0, ''
        self.answers: dict[str, dict[str, Any]] = {'/cell/robot/preflight': {'code': 0, 'message': '', 'checks': PREFLIGHT}}
        self.silent = threading.Event()
        self.status = scene.status
        rosbridge.answer = self._answer
        for topic, message in scene.whole_cell(time.time()).items():
            self.publish(topic, message)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell)
        self._thread.start()

    def publish(self, topic: str, message: Any) -> None:
        self.rosbridge.publish(f'/cell/{topic}', scene.written(message))

    def of(self, name: str) -> list[dict[str, Any]]:
        return [call for call in self.calls if name in (call.get('service'), call.get('action'))]

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _tell(self) -> None:
        while not self._ended.wait(0.5):
            if not self.silent.is_set():
                self.publish('status', self.status(time.time()))

    def _answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if message['op'] not in ('call_service', 'send_action_goal'):
            return None
        self.calls.append(message)
        if message['op'] == 'send_action_goal':
            return None
        values = {'code': self.code, 'message': self.message, 'job_id': 'j2', 'available': 0}
        values = self.answers.get(message['service'], values)
        return {'op': 'service_response', 'id': message['id'], 'service': message['service'], 'values': values, 'result': True}


@pytest.fixture
def cell(rosbridge: Any) -> Iterator[ScriptedCell]:
    running = ScriptedCell(rosbridge)
    yield running
    running.end()


@pytest.fixture
def gateway(graph: Graph, rosbridge: Any) -> GatewayNode:
    publishers = [graph.node.create_publisher(CompressedImage, topic, stream()) for topic in TOPICS.values()]
    picture = np.full((480, 640, 3), 120, np.uint8)
    cv2.rectangle(picture, (170, 150), (470, 330), (210, 205, 200), -1)
    cv2.putText(picture, 'EM1-2U1', (200, 255), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (40, 40, 40), 4)
    jpeg = cv2.imencode('.jpg', picture)[1].tobytes()

    def publish() -> None:
        image = CompressedImage(format='jpeg', data=jpeg)
        image.header.stamp = graph.node.get_clock().now().to_msg()
        for publisher in publishers:
            publisher.publish(image)

    graph.node.create_timer(0.1, publish)
    node = graph.add(GatewayNode(**graph.options(port=0, rosbridge_port=rosbridge.port, hmi_folder=str(BUILT))))
    wait_until(lambda: node.server.state.port)
    assert isinstance(node, GatewayNode)
    return node


@pytest.fixture(scope='module')
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, gateway: GatewayNode) -> Iterator[Callable[..., Page]]:
    contexts = []
    problems: list[str] = []

    def open_it(width: int = 1280, height: int = 800) -> Page:
        context = chromium.new_context(viewport={'width': width, 'height': height}, has_touch=True)
        contexts.append(context)
        page: Page = context.new_page()
        page.on('pageerror', lambda error: problems.append(str(error)))
        page.on('console', lambda line: problems.append(line.text) if 'Content Security' in line.text else None)
        page.goto(f'http://127.0.0.1:{gateway.server.state.port}/')
        expect(page.get_by_test_id('connection-state')).to_contain_text('CONNECTED')
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []


def shoot(page: Page, name: str) -> None:
    """Keep a picture when CELL_SCREENSHOTS names a folder."""
    if SCREENSHOTS:
        page.screenshot(path=f'{SCREENSHOTS}/{name}.png')


def test_everything_is_there_at_once_and_again_after_a_reload(cell: ScriptedCell, open_page: Any) -> None:
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
    expect(page.get_by_text('The robot arm will move.')).to_be_visible()
    shoot(page, 'confirm')
    assert [call['service'] for call in cell.calls] == ['/cell/robot/preflight']
    page.get_by_test_id('confirm-yes').click()
    wait_until(lambda: cell.of('/cell/run_job'))
    (asked,) = cell.of('/cell/set_job')
    assert (asked['args']['part_number'], asked['args']['quantity']) == ('EM1-2U1', 5)
    command = asked['args']['command']
    assert len(command['request_id']) == 36
    assert command['valid_for']['sec'] == 5
    assert abs(command['issued_at']['sec'] - time.time()) < 3
    assert cell.of('/cell/run_job')[0]['args']['job_id'] == 'j2'
    cell.publish('job', scene.job(time.time(), JobState.RUNNING, job_id='j2', placed=0))
    expect(page.get_by_test_id('job-state')).to_have_text('RUNNING')
    expect(page.get_by_test_id('notice-error')).to_have_count(0)


def test_a_refused_job_says_why(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    cell.code, cell.message = 302, 'Only 2 pieces of EM1-2U1 are left; reload first.'
    page = open_page()
    page.get_by_test_id('part-select').select_option('EM1-2U1')
    page.get_by_test_id('start-job').click()
    page.get_by_test_id('confirm-yes').click()
    expect(page.get_by_test_id('notice-error')).to_contain_text('reload first. (NOT ENOUGH STOCK)')
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
    expect(page.get_by_test_id('stale')).to_be_visible(timeout=8_000)
    shoot(page, 'stale')
    expect(page.get_by_test_id('job-pause')).to_be_disabled()
    cell.silent.clear()
    expect(page.get_by_test_id('stale')).to_have_count(0)
    expect(page.get_by_test_id('job-pause')).to_be_enabled()


def test_the_page_comes_back_by_itself_when_the_connection_was_lost(cell: ScriptedCell, rosbridge: Any, open_page: Any) -> None:
    page = open_page()
    rosbridge.drop()
    expect(page.get_by_test_id('connection-state')).to_contain_text('NOT CONNECTED')
    expect(page.get_by_test_id('connection-state')).to_have_attribute('data-state', 'CONNECTED', timeout=8_000)
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
    page.get_by_test_id('reload-tray-4').click()
    shoot(page, 'reload')
    page.get_by_test_id('reload-confirm').click()
    (asked,) = wait_until(lambda: cell.of('/cell/inventory/reload'))
    expected = {'part_number': 'EM1-2U4', 'tray': 4, 'count': -1}
    assert {key: asked['args'][key] for key in expected} == expected
    expect(page.get_by_test_id('reload-confirm')).to_have_count(0)


def weighing(page: Page) -> Page:
    page.get_by_test_id('view-weigh').click()
    return page


def test_a_weigh_job_is_started(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('weigh-open').click()
    expect(page.get_by_test_id('weigh-start')).to_be_disabled()
    for name, value in (('company', 'Acme'), ('station', 'B'), ('target', '12.5'), ('quantity', '20'), ('tare', '0.12')):
        page.get_by_test_id(f'weigh-{name}').fill(value)
    shoot(page, 'weigh-form')
    page.get_by_test_id('weigh-start').click()
    (asked,) = wait_until(lambda: cell.of('/cell/weighing/start_job'))
    expected = {'company': 'Acme', 'station': 'B', 'target_weight': '12.5', 'unit': 'kg', 'quantity': 20, 'tare': '0.12'}
    assert {key: asked['args'][key] for key in expected} == expected
    expect(page.get_by_test_id('weigh-start')).to_have_count(0)


def test_a_tare_that_is_no_weight_is_named_and_nothing_starts(cell: ScriptedCell, open_page: Any) -> None:
    page = weighing(open_page())
    page.get_by_test_id('weigh-open').click()
    for name, value in (('company', 'Acme'), ('station', 'B'), ('target', '12.5'), ('tare', '1e3')):
        page.get_by_test_id(f'weigh-{name}').fill(value)
    expect(page.get_by_text('what the empty bag weighs')).to_be_visible()
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
    expected = {'weigh_job_id': 6, 'quantity': 40, 'reason': 'More bags were ordered'}
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


def test_a_recovery_shows_the_cause_asks_and_tells_each_step(cell: ScriptedCell, rosbridge: Any, open_page: Any) -> None:
    cell.publish('robot/state', scene.robot(
        time.time(), backend='rtde', robot_mode=RobotState.MODE_RUNNING, safety_mode=RobotState.SAFETY_PROTECTIVE_STOP,
        program_state=RobotState.PROGRAM_PAUSED))
    page = open_page()
    expect(page.get_by_test_id('robot-safety')).to_contain_text('PROTECTIVE STOP')
    expect(page.get_by_test_id('robot-speed')).to_have_text('80 %')
    shoot(page, 'stopped')
    page.get_by_test_id('robot-recover').click()
    expect(page.get_by_test_id('recover-cause')).to_contain_text('The arm stopped itself')
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
    rosbridge.send({'op': 'action_result', **about, 'status': 4, 'result': True,
                    'values': {'code': 0, 'message': 'The robot is ready.'}})
    expect(page.get_by_test_id('recover-result')).to_contain_text('The robot is ready.')
    page.get_by_test_id('recover-close').click()
    expect(page.get_by_test_id('recover-steps')).to_have_count(0)


def test_an_operator_says_what_a_rejected_piece_really_was(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('component_captured', scene.captured(time.time()))
    page = open_page()
    expect(page.get_by_test_id('verdict')).to_have_attribute('data-state', 'MISMATCH')
    expect(page.get_by_test_id('verdict-crop').locator('img')).to_have_js_property('naturalWidth', 340)
    expect(page.get_by_test_id('verdict-codes')).to_contain_text('EM1-2U4 M2634 (DataMatrix)')
    shoot(page, 'mismatch')
    page.get_by_test_id('correct').click()
    shoot(page, 'correction')
    page.get_by_test_id('correction-EM2-2U1').click()
    (asked,) = wait_until(lambda: cell.of('/cell/ocr/keep_frame'))
    expected = {'request_id': 'read-9', 'kind': 1, 'part_number': 'EM2-2U1', 'verdict': 'MISMATCH EM1-2U4'}
    assert {key: asked['args'][key] for key in expected} == expected
    expect(page.get_by_test_id('correct')).to_have_text('Kept: it was EM2-2U1')
    expect(page.get_by_test_id('correct')).to_be_disabled()


def test_benchmarks_are_listed_with_version_and_frames(cell: ScriptedCell, open_page: Any) -> None:
    mark = {'stamp': {'sec': int(time.time()) - 7200, 'nanosec': 0}, 'part_number': 'EM1-2U1', 'version': 3,
            'texts': ['ELCORA', 'EM1-2U1'], 'frames': 5, 'operator_id': 'Ada'}
    cell.answers['/cell/matching/benchmarks'] = {'code': 0, 'message': '', 'benchmarks': [mark]}
    page = open_page()
    page.get_by_test_id('benchmarks-open').click()
    expect(page.get_by_test_id('benchmark-EM1-2U1')).to_contain_text('version 3 · 5 frames · 2 h ago by Ada')
    shoot(page, 'benchmarks')


def test_an_alarm_is_acknowledged(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    page.get_by_test_id('alarm-acknowledge').click()
    (asked,) = wait_until(lambda: cell.of('/cell/alarms/acknowledge'))
    assert asked['args']['alarm_id'] == 'a1'


def test_an_unknown_outcome_is_resolved_before_the_job_goes_on(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('job', scene.job(time.time(), JobState.PAUSED, unresolved_trigger=True, step=JobState.STEP_PLACE,
                                  reason='The robot did not confirm PLACE: look whether it did.'))
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
        cell: ScriptedCell, open_page: Any, size: str, view: str) -> None:
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
    hidden = page.evaluate("""[...document.querySelectorAll('header *')].filter((e) => e.getBoundingClientRect().right > innerWidth)
        .map((e) => e.outerHTML.slice(0, 80))""")
    assert hidden == []
    small = page.evaluate("""[...document.querySelectorAll('button, input, select, summary, a')].filter((e) => {
        const box = e.getBoundingClientRect();
        return box.width < 48 || box.height < 48; }).map((e) => e.outerHTML.slice(0, 80))""")
    assert small == []
    hosts = page.evaluate('performance.getEntriesByType("resource").map((e) => new URL(e.name).host)')
    assert set(hosts) <= {page.url.split('/')[2], ''}  # '' = pictures made of the stream
