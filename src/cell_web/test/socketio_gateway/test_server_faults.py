"""Messages and habits of clients that are known to break Socket.IO servers, over both Engine.IO protocols."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests
import websocket
from cell_common.testing import free_port, wait_until
from cell_web.socketio_gateway.page_server import PageServer
from cell_web.socketio_gateway.server import SocketIoSettings
from foreign_clients import ForeignClient

VERSIONS = ['3', '4']
SEPARATOR = '\x1e'
STOCK = {'EM1-2U1': {1: 2, 2: 0, 3: 1, 4: 7}}
LIST = {'inventory': [{'part_number': 'EM1-2U1', 'tray1': 2, 'tray2': 0, 'tray3': 1, 'tray4': 7}]}


class RawClient:
    """A client of raw messages, right or wrong ones."""

    def __init__(self, port: int, version: str) -> None:
        self.socket = websocket.create_connection(
            f'ws://127.0.0.1:{port}/socket.io/?EIO={version}&transport=websocket', timeout=10
        )
        assert self.socket.recv().startswith('0{')
        if version == '4':
            self.socket.send('40')
        assert self.socket.recv().startswith('40')

    def receive(self) -> Any:
        """Return the next event."""
        while not (packet := self.socket.recv()).startswith('42'):
            assert packet, 'the connection has ended'
        return json.loads(packet[2:])


@pytest.fixture(params=VERSIONS)
def raw(page, request):
    client = RawClient(page.server.port, request.param)
    client.version = request.param
    yield client
    client.socket.close()


@pytest.mark.parametrize(
    'message',
    [
        '4',
        '42',
        '42[]',
        '42[5]',
        '42[{}]',
        '42{}',
        '42"x"',
        '42["set_job",{"part',
        '49["x"]',
        '4x',
        '459-["x"]',
        '42' + '[' * 100_000,
    ],
)
def test_a_broken_message_gets_a_status_and_the_next_event_is_answered(raw, message):
    raw.socket.send(message)
    raw.socket.send('42["ping_test",{"msg":"x"}]')
    event, payload = raw.receive()
    assert event == 'status' and payload['msg'].startswith('unreadable message: ')
    assert raw.receive() == ['pong_test', {'msg': 'x'}]


def test_binary_data_that_no_event_announced_gets_a_status(raw):
    raw.socket.send_binary(b'\x00\x01\x02' if raw.version == '4' else b'\x04\x00\x01\x02')
    raw.socket.send('42["ping_test",{"msg":"x"}]')
    assert raw.receive() == ['status', {'msg': 'unreadable message: binary data without an event before it'}]
    assert raw.receive() == ['pong_test', {'msg': 'x'}]


def test_a_placeholder_without_its_attachment_costs_one_event(raw):
    raw.socket.send('451-["set_job",{"_placeholder":true,"num":7}]')
    raw.socket.send_binary(b'ab' if raw.version == '4' else b'\x04ab')
    raw.socket.send('42["ping_test",{"msg":"x"}]')
    assert raw.receive()[1]['msg'].startswith('unreadable message: ')
    assert raw.receive() == ['pong_test', {'msg': 'x'}]


def test_a_second_connect_of_one_client_does_not_take_another_place(raw, page):
    for _ in range(100):
        raw.socket.send('40')
    raw.socket.send('42["ping_test",{"msg":"x"}]')
    assert raw.receive() == ['pong_test', {'msg': 'x'}]
    assert len(page.server.clients) == 1


@pytest.mark.parametrize('version', VERSIONS)
def test_every_event_of_a_long_polling_request_is_taken(page, version):
    """A page that was away sends all that it has gathered in one request; the library takes 16 packets and drops the rest."""
    url, query = f'http://127.0.0.1:{page.server.port}/socket.io/', {'EIO': version, 'transport': 'polling'}
    opened = requests.get(url, params=query, timeout=30).text
    query['sid'] = json.loads(opened[opened.index('{') : opened.rindex('}') + 1].split(SEPARATOR)[0].split('}')[0] + '}')['sid']
    messages = [f'42["ping_test",{{"msg":"{number}"}}]' for number in range(500)]
    if version == '4':
        assert requests.post(url, params=query, data='40', timeout=30).ok
        body = SEPARATOR.join(messages)
    else:
        body = ''.join(f'{len(message)}:{message}' for message in messages)
    assert requests.post(url, params=query, data=body, headers={'Content-Type': 'text/plain'}, timeout=30).ok
    answers = ''

    def answered() -> bool:
        nonlocal answers
        answers += requests.get(url, params=query, timeout=30).text
        return answers.count('pong_test') == 500

    wait_until(answered, 15.0, 'every pong')


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['python-socketio 4', 'python-socketio 5'])
def test_a_polling_client_takes_a_burst_of_events(page, background, kind):
    """python-socketio disconnects at a response with more than 16 packets."""
    with ForeignClient(kind, page.server.port, 'polling') as client:

        async def burst() -> None:
            for number in range(200):
                await page.on_reload(f'PART-{number}')

        background.run(burst(), 30.0)
        client.wait('reload_required', 200)
        parts = {payload['part'] for payload in client.all('reload_required')}  # release 4 has a thread for each: no order
        assert parts == {f'PART-{number}' for number in range(200)}
        assert not client.all('disconnect')


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['socket.io-client 2', 'socket.io-client 4'])
def test_a_page_may_be_first_and_what_was_pressed_before_does_not_move_the_robot(serve, background, link, kind):
    """The order of starting does not matter: page, then this server, then the stock. The page gathers events meanwhile."""
    port = free_port()
    client = ForeignClient(kind, port)
    job = {'part_number': 'EM1-2U1', 'quantity': 1}
    client.send_all(
        [['start_robot', job], ['set_benchmark', {'part_number': 'EM1-2U1'}], ['reset_inventory'], ['set_job', job]]
    )
    client.wait('failure')
    page = PageServer(SocketIoSettings('127.0.0.1', port, replay_s=60.0), link)
    serve(page.server)
    with client:
        client.wait('status', 4)
        refused = [status['msg'] for status in client.all('status') if 'while the page was not connected' in status['msg']]
        assert [text.split(':')[0] for text in refused] == ['start_robot', 'set_benchmark', 'reset_inventory']
        assert link.commands == [('set_job', 'EM1-2U1', 1)]
        assert not client.all('update_inventory')
        background.run(page.on_stock(STOCK), 30.0)
        assert client.wait('update_inventory') == LIST


def test_a_command_that_is_given_later_is_carried_out(serve, link, connect):
    client = connect(serve(PageServer(SocketIoSettings('127.0.0.1', 0, replay_s=0.2), link).server).port)
    connected = time.monotonic()
    wait_until(lambda: time.monotonic() - connected > 0.3)
    client.send('start_robot')
    client.wait('status')
    assert link.commands == [('start', False)]
