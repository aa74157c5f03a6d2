"""Clients that are not the project's: each event of both ports, in both directions."""

from __future__ import annotations

from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CaptureEvent, JobRefusal
from foreign_clients import CLIENTS, ForeignClient
from legacy_contract import HUB_SCRIPT, PAGE_SCRIPT, STOCK, play

pytestmark = pytest.mark.slow
TRANSPORTS = ('polling,websocket', 'websocket', 'polling')


class StubbedCell:
    """Both servers, with a cell behind them that does as asked."""

    def __init__(self, page, hub, link, background) -> None:
        self._page, self._hub, self._link, self._background = page, hub, link, background

    @property
    def commands(self) -> list[tuple[Any, ...]]:
        """Commands in the words of the cell's services: a start is a trigger, with a job a run."""
        commands: list[tuple[Any, ...]] = []
        for name, *fields in self._link.commands:
            if name == 'start':
                commands.append(('run_job',) if fields[0] else ('trigger', 'START_PROGRAM'))
            else:
                commands.append((name,) if name == 'reset_stock' else (name, *fields))
        return commands

    def stock(self, stock):
        for server in (self._page, self._hub):
            self._background.run(server.on_stock(stock), 30.0)

    def frame(self, jpeg):
        self._background.run(self._page.on_frame(jpeg), 30.0)

    def capture(self, texts, match, score, image):
        self._background.run(self._page.on_capture(CaptureEvent(tuple(texts), match, score, image)), 30.0)

    def benchmark(self, part_number, texts, image):
        self._background.run(self._page.on_benchmark(part_number, tuple(texts), image), 30.0)

    def refuse_job(self, part_number, requested, available):
        for server in (self._page, self._hub):
            self._background.run(server.on_job_refused(JobRefusal(part_number, requested, available)), 30.0)

    def reload(self, part_number):
        for server in (self._page, self._hub):
            self._background.run(server.on_reload(part_number), 30.0)


@pytest.fixture
def cell(page, hub, link, background) -> StubbedCell:
    cell = StubbedCell(page, hub, link, background)
    cell.stock(STOCK)
    return cell


def test_the_scripts_hold_each_event_in_both_directions():
    assert {step.event for step in PAGE_SCRIPT} >= set(events.PAGE_EVENTS)
    assert {step.answer for step in PAGE_SCRIPT} == set(events.BACKEND_EVENTS)
    assert {step.event for step in HUB_SCRIPT} >= set(events.HUB_EVENTS)
    assert {step.answer for step in HUB_SCRIPT} == {'update_inventory', 'ack', 'job_invalid', 'reload_required', 'status'}


@pytest.mark.parametrize('transports', TRANSPORTS)
@pytest.mark.parametrize('kind', CLIENTS)
def test_a_page_exchanges_every_event(page, cell, kind, transports):
    with ForeignClient(kind, page.server.port, transports) as client:
        play(client, cell, PAGE_SCRIPT)
    if 'websocket' in transports:  # without it some clients leave without a word and are missed after their ping timeout
        wait_until(lambda: not page.server.clients, 5.0, 'the client gone')


@pytest.mark.parametrize('kind', CLIENTS)
def test_a_backend_exchanges_every_event(hub, cell, kind):
    with ForeignClient(kind, hub.server.port) as client:
        play(client, cell, HUB_SCRIPT)
    wait_until(lambda: not hub.server.clients, 5.0, 'the client gone')
