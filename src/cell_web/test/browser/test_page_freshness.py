"""Every value on the page is covered with "?" when its source is silent, at every size and in both views."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
import pytest
from page_fixtures import NEEDS, ScriptedCell, shoot
from playwright.sync_api import Page, expect

from cell_interfaces.msg import Subsystem

pytestmark = NEEDS

SIZES = {'tablet': (1280, 800), 'panel': (1920, 1080), 'phone': (390, 844)}
LIMIT_MS = 2_500
CURRENT = '[data-fresh][data-current="true"]'
UNCOVERED_VALUES = """() => {
  const allowed = '[data-fresh], form, dialog, button, select, label, input, .stepper, '
    + '[data-testid=stale], [data-testid=connection-state], h1, h2, th';
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    const value = /\\d|NORMAL|READY|RUNNING/.test(node.data) && !/ (ago|old)\\b/.test(node.data);
    if (value && element.checkVisibility() && !element.closest(allowed)) found.push(node.data.trim());
  }
  return found;
}"""
"""Texts outside the component that look like a value; an age is none, because it grows by the clock of the page."""


def view(page: Page, name: str) -> None:
    page.get_by_test_id(f'view-{name}').click()
    expect(page.get_by_test_id('job-state' if name == 'pick' else 'last-bag-A')).to_be_visible()


@pytest.mark.parametrize('name', ['pick', 'weigh'])
@pytest.mark.parametrize('size', SIZES)
def test_no_value_of_a_silent_cell_is_shown_as_current(cell: ScriptedCell, open_page: Any, size: str, name: str) -> None:
    page = open_page(*SIZES[size])
    view(page, name)
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0)
    expect(page.get_by_test_id('safety')).to_contain_text('NOT REPORTED')
    cell.silent.set()
    expect(page.locator(CURRENT)).to_have_count(0, timeout=LIMIT_MS)
    expect(page.get_by_test_id('safety')).not_to_contain_text('NOT REPORTED')
    shoot(page, f'stale-{name}-{size}')
    cell.silent.clear()
    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0, timeout=1_500)


@pytest.mark.parametrize('name', ['pick', 'weigh'])
def test_every_value_stands_in_the_component_that_covers_old_values(cell: ScriptedCell, open_page: Any, name: str) -> None:
    page = open_page(1920, 1080)
    view(page, name)
    assert page.evaluate(UNCOVERED_VALUES) == []


@pytest.mark.parametrize(
    ('node', 'sources', 'name'),
    [
        ('inventory', ['inventory'], 'pick'),
        ('part_matcher', ['captured'], 'pick'),
        ('alarms', ['alarms'], 'pick'),
        ('weigh_station', ['bags', 'delivery', 'weighJobs'], 'weigh'),
        ('scale_bridge', ['scales'], 'weigh'),
    ],
)
def test_values_of_a_node_that_reports_nothing_are_covered(
    cell: ScriptedCell, open_page: Any, node: str, sources: list[str], name: str
) -> None:
    page = open_page()
    view(page, name)

    def with_a_stale_node(now: float) -> Any:
        status = scene.status(now)
        next(part for part in status.subsystems if part.name == node).level = Subsystem.STALE
        return status

    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0)
    cell.status = with_a_stale_node
    old = page.locator('[data-fresh][data-current="false"]')
    expect(old.first).to_be_visible(timeout=LIMIT_MS + 1_000)
    assert sorted({element.get_attribute('data-fresh') or '' for element in old.all()}) == sources


def test_a_silent_robot_node_leaves_no_safety_state_on_the_page(cell: ScriptedCell, open_page: Any) -> None:
    cell.publish('robot/state', scene.robot(time.time(), safety_mode=1))
    page = open_page()
    expect(page.get_by_test_id('safety')).to_contain_text('NORMAL')
    cell.robot_silent.set()
    expect(page.get_by_test_id('safety')).not_to_contain_text('NORMAL', timeout=LIMIT_MS + 500)
    expect(page.get_by_test_id('cover-robot')).to_be_visible()
    expect(page.get_by_test_id('connection-state')).to_contain_text('CONNECTED')
