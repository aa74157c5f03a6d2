"""Fixtures for the built page in a real browser, through the gateway, against a scripted rosbridge."""

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
from cell_common.qos import sensor_stream
from cell_common.testing import NodeGraph, wait_until
from cell_web.gateway_node import TOPICS, GatewayNode
from playwright.sync_api import Page, expect, sync_playwright
from sensor_msgs.msg import CompressedImage

__all__ = [
    'AXE',
    'BUILT',
    'CHROMIUM',
    'FINDINGS',
    'NEEDS',
    'PREFLIGHT',
    'SIZES',
    'ScriptedCell',
    'cell',
    'chromium',
    'gateway',
    'open_page',
    'shoot',
]

CHROMIUM = '/usr/bin/chromium'
BUILT = Path(__file__).resolve().parents[1] / 'hmi' / 'dist'
AXE = BUILT.parent / 'node_modules' / 'axe-core' / 'axe.min.js'
SIZES = {'tablet': (1280, 800), 'panel': (1920, 1080), 'phone': (390, 844)}
FINDINGS = """async () => (await axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'],
})).violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.any.map((c) => c.message)}`))"""
PREFLIGHT = [
    {'name': name, 'ok': True, 'message': message}
    for name, message in (
        ('link', 'connected'),
        ('remote control', 'not supported by this backend'),
        ('gripper empty', ''),
        ('data fresh', '0.4 s'),
    )
]
# Only a failing test waits so long; the default, 5 s, is too short on a machine that does other work, too.
expect.set_options(timeout=30_000)
SCREENSHOTS = os.environ.get('CELL_SCREENSHOTS', '')

NEEDS = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason='needs Chromium (Debian package chromium)'),
    pytest.mark.skipif(not (BUILT / 'index.html').exists(), reason='the page is not built: npm run build in src/cell_web/hmi'),
]
"""Marks of every test module that opens the page."""


class ScriptedCell:
    """Publishes a cell's topics through the fake rosbridge: status, robot state and heartbeats every 0.3 s."""

    def __init__(self, rosbridge: Any) -> None:
        self.rosbridge = rosbridge
        self.calls: list[dict[str, Any]] = []
        self.reads: list[dict[str, Any]] = []
        """Reads of the page that no operator asked for."""
        self.answers: dict[str, dict[str, Any]] = {'/cell/robot/preflight': {'code': 0, 'message': '', 'checks': PREFLIGHT}}
        self.silent, self.robot_silent = threading.Event(), threading.Event()
        self.stopped: set[str]
        """Nodes without a heartbeat."""
        self._robot = scene.robot(time.time())
        rosbridge.answer = self._answer
        self.restart()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._publish_status)
        self._thread.start()

    def restart(self) -> None:
        """Publish the working cell again, and answer every call with OK."""
        self.code, self.message = 0, ''
        self.status = scene.status
        self.stopped = set()
        self.silent.clear()
        self.rosbridge.latched.clear()
        for topic, message in scene.whole_cell(time.time()).items():
            self.publish(topic, message)

    def publish(self, topic: str, message: Any) -> None:
        if topic == 'robot/state':
            self._robot = message
        self.rosbridge.publish(f'/cell/{topic}', scene.written(message))

    def of(self, name: str) -> list[dict[str, Any]]:
        return [call for call in self.calls if name in (call.get('service'), call.get('action'))]

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def beat(self) -> None:
        """Publish one heartbeat of each node that is not stopped."""
        for node in ('coordinator', *scene.NODES):
            stopped = node in self.stopped or (node == 'robot' and self.robot_silent.is_set())
            if not stopped:
                self.rosbridge.publish('/cell/heartbeat', {'data': node})

    def _publish_status(self) -> None:
        while not self._ended.wait(0.3):
            if not self.silent.is_set():
                self.beat()
                if not self.robot_silent.is_set():
                    self._robot.stamp = scene.stamp(time.time())
                    self.publish('robot/state', self._robot)
                self.publish('status', self.status(time.time()))

    def _answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if message['op'] not in ('call_service', 'send_action_goal'):
            return None
        background = message.get('service') == '/cell/inventory/get'
        (self.reads if background else self.calls).append(message)
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
def gateway(graph: NodeGraph, rosbridge: Any) -> GatewayNode:
    publishers = [graph.node.create_publisher(CompressedImage, topic, sensor_stream()) for topic in TOPICS.values()]
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
    # Without the end-to-end check: the fake bridge counts the connections of pages.
    options = graph.options(port=0, rosbridge_port=rosbridge.port, hmi_folder=str(BUILT), bridge_check_period=0.0)
    node = graph.add(GatewayNode(**options))
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
    errors: list[str] = []

    def open_it(width: int = 1280, height: int = 800, operator: str = 'Ada') -> Page:
        context = chromium.new_context(viewport={'width': width, 'height': height}, has_touch=True)
        contexts.append(context)
        if operator:
            context.add_init_script(f"localStorage.setItem('cell.operator', '{operator}')")
        page: Page = context.new_page()
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('console', lambda line: errors.append(line.text) if 'Content Security' in line.text else None)
        page.goto(f'http://127.0.0.1:{gateway.server.state.port}/')
        expect(page.get_by_test_id('connection-state')).to_contain_text('CONNECTED')
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []


def shoot(page: Page, name: str) -> None:
    """Keep a picture when CELL_SCREENSHOTS names a folder."""
    if SCREENSHOTS:
        page.screenshot(path=f'{SCREENSHOTS}/{name}.png')
