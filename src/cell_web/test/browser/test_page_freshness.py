"""Every value on the page is covered with "?" when its source is silent, at every size and in both views."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import cell_scene as scene
import pytest
from cell_common.qos import latched
from cell_common.testing import FULL, NodeGraph, wait_until
from cell_web.last_values import TOPICS
from cell_web.roles import OPERATOR
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import Locator, Page, expect
from std_msgs.msg import String

pytestmark = NEEDS

SIZES = {'tablet': (1280, 800), 'panel': (1920, 1080), 'phone': (390, 844)}
STOP_MS, RETURN_MS = (2_000, 1_000) if FULL else (30_000, 30_000)
"""The page covers within 2 s and uncovers within 1 s. Short runs share the processor and ask whether it does."""
SOURCES_OF = {
    'pick': {
        'inventory': {'inventory'},
        'part_matcher': {'captured'},
        'ocr': {'captured'},
        'alarms': {'alarms'},
        'robot': {'robot'},
        'coordinator': {'job', 'captured', 'status'},
    },
    'weigh': {'weigh_station': {'bags', 'delivery', 'weighJobs'}, 'scale_bridge': {'scales'}},
}
"""View -> node -> sources that are covered while the node is stopped."""
FRESH_OF = 'elements => elements.map(element => element.dataset.fresh)'
CURRENT = '[data-fresh][data-current="true"]'
UNCOVERED_VALUES = """() => {
  const allowed = '[data-fresh], dialog, button, label, input, [data-testid=stale], [data-testid=connection-state], h1';
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    const value = /\\d|[A-Z]{4}/.test(node.data) && !/ (ago|old)\\b/.test(node.data);
    if (value && element.checkVisibility() && !element.closest(allowed)) found.push(node.data.trim());
  }
  return found;
}"""
"""Texts outside the component with a digit or a state in capitals. An age is no value: it grows by the clock of the page."""


def view(page: Page, name: str) -> None:
    page.get_by_test_id(f'view-{name}').click()
    expect(page.get_by_test_id('job-state' if name == 'pick' else 'last-bag-A')).to_be_visible()


def covers(covered: Locator, sources: set[str]) -> bool:
    return set(covered.evaluate_all(FRESH_OF)) == sources


@pytest.mark.parametrize('name', ['pick', 'weigh'])
@pytest.mark.parametrize('size', SIZES)
def test_no_value_of_a_silent_cell_is_shown_as_current(cell: ScriptedCell, open_page: Any, size: str, name: str) -> None:
    page = open_page(*SIZES[size])
    view(page, name)
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0)
    expect(page.get_by_test_id('safety')).to_contain_text('NOT REPORTED')
    cell.silent.set()
    expect(page.locator(CURRENT)).to_have_count(0, timeout=STOP_MS)
    expect(page.get_by_test_id('safety')).not_to_contain_text('NOT REPORTED')
    shoot(page, f'stale-{name}-{size}')
    cell.silent.clear()
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0, timeout=RETURN_MS)


@pytest.mark.parametrize('name', ['pick', 'weigh'])
def test_every_value_stands_in_the_component_that_covers_old_values(cell: ScriptedCell, open_page: Any, name: str) -> None:
    page = open_page(1920, 1080)
    view(page, name)
    assert page.evaluate(UNCOVERED_VALUES) == []


def test_values_of_a_stopped_node_are_covered_within_two_seconds_and_return_within_one(
    cell: ScriptedCell, open_page: Any
) -> None:
    page = open_page()
    for name, nodes in SOURCES_OF.items():
        view(page, name)
        for node, sources in nodes.items():
            expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0, timeout=RETURN_MS)
            cell.stopped = {node}
            covered = page.locator('[data-fresh][data-current="false"]')
            expect(covered).not_to_have_count(0, timeout=STOP_MS)
            # Not at once: on a busy machine another source may be late, too.
            wait_until(partial(covers, covered, sources), what=f'{node} covers {sources}')
            cell.stopped = set()
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0, timeout=RETURN_MS)


def test_a_stopped_node_is_named_before_the_coordinator_reports_it(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    expect(page.get_by_test_id('status-camera')).to_have_attribute('data-state', 'OK')
    cell.stopped = {'camera'}
    expect(page.get_by_test_id('status-camera')).to_have_attribute('data-state', 'NO DATA', timeout=STOP_MS)
    expect(page.get_by_test_id('cell-ready')).to_have_attribute('data-state', 'NO DATA (1)')


def test_a_page_that_connects_while_a_node_is_down_shows_its_last_values_covered_with_their_age(
    cell: ScriptedCell, rosbridge: Any, gateway: Any, graph: NodeGraph, open_page: Any
) -> None:
    for topic, message in scene.whole_cell(time.time()).items():
        graph.node.create_publisher(TOPICS[topic], topic, latched()).publish(message)
    beats = graph.node.create_publisher(String, 'heartbeat', 10)
    wait_until(lambda: len(gateway.last_values.snapshot(OPERATOR.topics)['values']) == len(TOPICS))
    wait_until(
        lambda: beats.publish(String(data='inventory')) or gateway.last_values.snapshot(OPERATOR.topics)['heartbeat_age_s']
    )
    cell.stopped = {'inventory'}
    del rosbridge.latched['/cell/inventory']
    page = open_page()
    expect(page.get_by_test_id('cover-inventory')).to_contain_text('s old')
    expect(page.get_by_test_id('tray-EM1-2U4-3')).to_contain_text('4/24')


def test_a_silent_robot_node_leaves_no_safety_state_on_the_page(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('robot/state', scene.robot(time.time(), safety_mode=1))
    page = open_page()
    expect(page.get_by_test_id('safety')).to_contain_text('NORMAL')
    cell.robot_silent.set()
    expect(page.get_by_test_id('safety')).not_to_contain_text('NORMAL', timeout=STOP_MS)
    expect(page.get_by_test_id('cover-robot')).to_be_visible()
    expect(page.get_by_test_id('connection-state')).to_contain_text('CONNECTED')
