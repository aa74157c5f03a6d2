"""The history on the page: why a piece was rejected, in two taps, with its picture; axe finds nothing at three sizes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cell_common.testing import NodeGraph, wait_until
from cell_history.testing import JOB, make_sample
from cell_web.gateway_node import GatewayNode
from page_fixtures import AXE, BUILT, FINDINGS, NEEDS, SIZES, ScriptedCell, shoot
from playwright.sync_api import Page, expect

from cell_interfaces.srv import KeepFrame

pytestmark = [*NEEDS, pytest.mark.skipif(not AXE.exists(), reason='needs axe-core: npm ci in src/cell_web/hmi')]


@pytest.fixture
def gateway(graph: NodeGraph, rosbridge: Any, tmp_path: Path) -> GatewayNode:
    make_sample(f'sqlite:///{tmp_path}/cell.db', tmp_path, time.time_ns() - 3600 * 10**9)
    picture = next((tmp_path / 'kept_frames').glob('*.jpg'))
    picture.write_bytes(cv2.imencode('.jpg', np.full((480, 640, 3), 120, np.uint8))[1].tobytes())
    folders = {'kept_frames_folder': str(tmp_path / 'kept_frames'), 'clips_folder': str(tmp_path / 'recordings' / 'clips')}
    options = graph.options(
        port=0, rosbridge_port=rosbridge.port, hmi_folder=str(BUILT), bridge_check_period=0.0,
        database_url=f'sqlite:///{tmp_path}/cell.db', **folders,
    )  # fmt: skip
    node = graph.add(GatewayNode(**options))
    wait_until(lambda: node.server.state.port)
    assert isinstance(node, GatewayNode)
    return node


def check(page: Page, name: str, findings: dict[str, list[str]]) -> None:
    page.evaluate(AXE.read_text())
    shoot(page, name)
    if found := page.evaluate(FINDINGS):
        findings[name] = found


def test_why_a_piece_was_rejected_and_its_correction(cell: ScriptedCell, open_page: Any) -> None:
    findings: dict[str, list[str]] = {}
    for size, (width, height) in SIZES.items():
        page = open_page(width, height)
        page.get_by_test_id('view-history').click()
        expect(page.get_by_test_id('history-row')).to_have_count(1)
        check(page, f'history-{size}', findings)
        page.get_by_test_id('history-row').click()
        expect(page.get_by_test_id('piece-why')).to_contain_text('It was recognized as EM1-2U4, not as X1')
        picture = page.get_by_test_id('piece-picture')
        expect(picture).to_have_js_property('complete', value=True)
        assert picture.evaluate('image => image.naturalWidth') > 0
        check(page, f'history-piece-{size}', findings)
    page.get_by_test_id('piece-clip').click()
    expect(page.get_by_test_id('clip-missing')).to_be_visible()  # the sample has the line of a clip, and no bag
    page.get_by_test_id('clip-close').click()
    page.get_by_test_id('piece-correct').click()
    page.get_by_test_id('correction-EM1-2U4').click()
    wait_until(lambda: cell.of('/cell/ocr/keep_frame'))
    sent = cell.of('/cell/ocr/keep_frame')[0]['args']
    assert (sent['job_id'], sent['piece'], sent['part_number'], sent['kind']) == (
        JOB,
        7,
        'EM1-2U4',
        KeepFrame.Request.CORRECTION,
    )
    page.get_by_test_id('piece-close').click()
    page.get_by_test_id('history-faults').click()
    expect(page.get_by_test_id('history-row')).to_have_count(8)
    for kind, rows in (('jobs', 1), ('bags', 2), ('alarms', 1), ('commands', 2), ('stock', 8)):
        page.get_by_test_id(f'history-{kind}').click()
        expect(page.get_by_test_id('history-row')).to_have_count(rows)
    check(page, 'history-stock', findings)
    page.get_by_test_id('history-text').fill('nowhere')
    expect(page.get_by_text('Nothing found.')).to_be_visible()
    assert findings == {}
