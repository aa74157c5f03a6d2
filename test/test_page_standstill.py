"""Each process of the cell is stopped in turn: its values are covered within 2 s, and current within 1 s of its return."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_common.testing import FULL
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = '/usr/bin/chromium'
SIZES = {'tablet': (1280, 800), 'panel': (1920, 1080), 'phone': (390, 844)}
COVER_MS, RETURN_MS = (2_000, 1_000) if FULL else (5_000, 3_000)
ALL = '[data-fresh],[data-testid=camera-picture]'
WEIGH_STATION = '[data-fresh=bags],[data-fresh=weighJobs],[data-fresh=delivery]'
STOPPED: dict[str, dict[str, str]] = {
    'rosbridge_websocket': {'pick': '[data-fresh]', 'weigh': '[data-fresh]'},  # the camera comes over the gateway alone
    'web_gateway': {'pick': ALL, 'weigh': ALL},
    'robot': {'pick': '[data-fresh=robot]'},
    'inventory': {'pick': '[data-fresh=inventory]'},
    'alarms': {'pick': '[data-fresh=alarms]', 'weigh': '[data-fresh=alarms]'},
    'coordinator': {'pick': '[data-fresh=job],[data-fresh=status]'},
    'part_matcher': {'pick': '[data-fresh=captured]'},
    'ocr': {'pick': '[data-fresh=captured]'},
    'camera': {'pick': '[data-testid=camera-picture]'},
    'scale_bridge': {'weigh': '[data-fresh=scales]', 'pick': '[data-testid=status-scale_bridge]'},
    'weigh_station': {'weigh': WEIGH_STATION, 'pick': '[data-testid=status-weigh_station]'},
}
"""Process -> view -> values that are covered while it is stopped."""
ATTEMPTS = 3
"""Another program on the machine may delay one of them."""
SHORT = ('robot',)
HOLD_MS = 4_000 if FULL else 1_000
LONG_HOLD_MS = 20_000
"""Longer than any timeout of the connection, for the processes that carry it; in the long form."""
WAIT = """([selector, current, limitMs]) => {
  const begun = performance.now();
  window.waiting = (async () => { for (;;) {
    const values = [...document.querySelectorAll(selector)];
    const late = values.filter((value) => (value.dataset.current === 'true') !== current);
    if (values.length > 0 && late.length === 0) return performance.now() - begun;
    if (performance.now() - begun > limitMs) {
      return late.map((value) => value.dataset.fresh ?? value.dataset.testid).join() || 'none';
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  } })();
}"""
"""Begins to wait: `window.waiting` gives the time in ms until all values are current or covered, or the late ones."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 if FULL else 180)]


@pytest.fixture
def pages() -> Iterator[Callable[[int], list[Page]]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])

        def open_pages(port: int) -> list[Page]:
            opened = []
            for width, height in (SIZES if FULL else {'tablet': SIZES['tablet']}).values():
                context = browser.new_context(viewport={'width': width, 'height': height}, has_touch=True)
                opened.append(context.new_page())
                opened[-1].goto(f'http://127.0.0.1:{port}/')
            return opened

        yield open_pages
        browser.close()


def in_time(times: tuple[list[Any], list[Any]]) -> bool:
    return all(isinstance(time, float | int) for time in (*times[0], *times[1]))


def hold_ms(name: str) -> int:
    return LONG_HOLD_MS if FULL and name in ('rosbridge_websocket', 'web_gateway') else HOLD_MS


def stop_and_continue(pid: int, opened: list[Page], selector: str, held_ms: int) -> tuple[list[Any], list[Any]]:
    """Return the times until the values were covered, and until all were current again, of each page."""
    for page in opened:
        page.evaluate(WAIT, [selector, False, COVER_MS])
    os.kill(pid, signal.SIGSTOP)
    try:
        covered = [page.evaluate('window.waiting') for page in opened]
        opened[0].wait_for_timeout(held_ms)
        for page in opened:
            page.evaluate(WAIT, [f'{ALL},{selector}', True, RETURN_MS])
    finally:
        os.kill(pid, signal.SIGCONT)
    return covered, [page.evaluate('window.waiting') for page in opened]


def test_a_stopped_process_is_covered_and_its_values_return(
    launch_cell: Callable[..., Any], pages: Callable[[int], list[Page]], results: Path
) -> None:
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0)
    cell.wait_job(cell.start_job('EM1-2U1', 1))
    opened = pages(cell.ports['web_port'])
    found: dict[str, Any] = {}
    for name in STOPPED if FULL else SHORT:
        for view, selector in STOPPED[name].items() if FULL else list(STOPPED[name].items())[:1]:
            for page in opened:
                # Without the browser's input queue, which a loaded machine holds up for seconds.
                page.get_by_test_id(f'view-{view}').evaluate('button => button.click()')
            for _ in range(ATTEMPTS):
                for page in opened:
                    expect(page.locator('[data-fresh][data-current="false"]')).to_have_count(0, timeout=30_000)
                times = stop_and_continue(cell.pid_of(name), opened, selector, hold_ms(name))
                found[f'{name}, {view}'] = times
                if in_time(times):
                    break
    (results / 'times.json').write_text(json.dumps(found, indent=1))
    assert {name: times for name, times in found.items() if not in_time(times)} == {}, found
