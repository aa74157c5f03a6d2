"""The replaced system's page and backend, played from their contract, against a whole cell."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
import pytest
import socketio
from cell_common.testing import free_port, wait_until

from cell_interfaces.msg import JobState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PART = 'EM1-2U1'


class Peer:
    """A client that keeps what it receives."""

    def __init__(self, port: int) -> None:
        self.received: list[tuple[str, Any]] = []
        self.sio = socketio.Client(reconnection=False, handle_sigint=False)
        self.sio.on('*', lambda event, *data: self.received.append((event, data[0] if data else None)))
        self.sio.connect(f'http://127.0.0.1:{port}')
        self.commands_from = time.monotonic() + 1.2
        """A page's command in the first second may be one that was kept while there was no connection: it is refused."""

    def all(self, event: str) -> list[Any]:
        return [data for name, data in list(self.received) if name == event]

    def ask(self, event: str, payload: Any, answer: str, timeout: float = 30.0) -> Any:
        """Send an event and return the next answer."""
        wait_until(lambda: time.monotonic() > self.commands_from, 5.0, 'the first second is over')
        count = len(self.all(answer))
        self.sio.emit(event, payload)
        last = lambda: [name for name, _ in self.received if name != 'video_frame'][-5:]  # noqa: E731
        wait_until(
            lambda: len(self.all(answer)) > count, timeout, f'{answer} after {event}; last: {last()} {self.all("status")[-3:]}'
        )
        return self.all(answer)[count]


@pytest.fixture
def cell(launch_cell):
    ports = {'legacy_page_port': free_port(), 'legacy_hub_port': free_port()}
    cell = launch_cell(legacy='true', wrong_share=0.0, unreadable_share=0.0, **ports)
    cell.legacy = ports
    return cell


@pytest.fixture
def connect(cell) -> Iterator[Any]:
    peers: list[Peer] = []

    def start(which: str) -> Peer:
        def there() -> Peer | None:
            with suppress(socketio.exceptions.ConnectionError):
                return Peer(cell.legacy[f'legacy_{which}_port'])
            return None

        peers.append(wait_until(there, 30.0, f'the {which} port'))
        return peers[-1]

    yield start
    for peer in peers:
        with suppress(socketio.exceptions.SocketIOError):
            peer.sio.disconnect()


def counts(payload: dict[str, Any], part: str) -> list[int]:
    row = next(row for row in payload['inventory'] if row['part_number'] == part)
    return [row[f'tray{tray}'] for tray in range(1, 5)]


def picture(payload: dict[str, Any], field: str = 'image') -> Any:
    return cv2.imdecode(np.frombuffer(base64.b64decode(payload[field]), np.uint8), cv2.IMREAD_COLOR)


def test_an_old_page_runs_a_job_and_an_old_backend_starts_the_program(cell, connect):
    page = connect('page')
    wait_until(lambda: page.all('update_inventory'), 30.0, 'the stock after connecting')
    before = sum(counts(page.all('update_inventory')[-1], PART))
    assert picture(page.ask('start_camera', None, 'video_frame'), 'frame') is not None

    refused = page.ask('set_job', {'part_number': PART, 'quantity': 100_000}, 'job_invalid')
    assert refused == {'part_number': PART, 'requested': 100_000, 'available': before}
    page.sio.emit('set_job', {'part_number': PART})
    wait_until(
        lambda: any('quantity is missing' in status['msg'] for status in page.all('status')), 30.0, 'the wrong field named'
    )

    benchmark = page.ask('set_benchmark', {'part_number': PART}, 'benchmark_set', 60.0)
    assert benchmark['part_number'] == PART and benchmark['texts'] and picture(benchmark) is not None

    page.sio.emit('start_robot', {'part_number': PART, 'quantity': 2})
    wait_until(lambda: len(page.all('component_captured')) >= 2, 60.0, f'two parts captured; {page.all("status")}')
    capture = page.all('component_captured')[-1]
    assert capture['match'] is True and capture['score'] > 0.5 and capture['texts'] and picture(capture) is not None
    wait_until(lambda: sum(counts(page.all('update_inventory')[-1], PART)) == before - 2, 30.0, 'two parts booked')

    wait_until(lambda: cell.client.job is not None and cell.client.job.state == JobState.DONE, 30.0, 'the job ended')
    page.ask('reset_inventory', None, 'update_inventory')
    wait_until(lambda: sum(counts(page.all('update_inventory')[-1], PART)) >= before, 10.0, 'the stock reset')

    backend = connect('hub')
    wait_until(lambda: backend.all('update_inventory'), 30.0, 'the stock after connecting')
    assert len(backend.all('update_inventory')[-1][PART]) == 4
    started = backend.ask('send_trigger', {'trigger': 'D', 'event': 'program_started', 'part_number': ''}, 'ack')
    assert started == {'event': 'program_started'}
    refused = backend.ask('send_trigger', {'trigger': 'P', 'event': 'PLACE', 'part_number': ''}, 'status')
    assert 'letter P is refused' in refused['msg']
