import json
import time

import requests
import websocket
from cell_common.testing import wait_until
from cell_web.socketio_gateway.page_server import PageServer
from cell_web.socketio_gateway.server import SocketIoSettings

EIO3 = {'EIO': '3', 'transport': 'polling'}


def test_a_poll_that_begins_while_the_client_moves_to_its_websocket_ends_at_once(page):
    address = f'127.0.0.1:{page.server.port}/socket.io/'
    opened = requests.get(f'http://{address}', params=EIO3, timeout=30).text
    query = {**EIO3, 'sid': opened.split('"sid": "')[1].split('"')[0]}

    def poll() -> str:
        return requests.get(f'http://{address}', params=query, timeout=20).text

    assert poll() == '2:40'
    moving = websocket.create_connection(f'ws://{address}?EIO=3&transport=websocket&sid={query["sid"]}', timeout=30)
    try:
        moving.send('2probe')
        assert moving.recv() == '3probe'
        began = time.monotonic()
        assert [poll(), poll(), poll()] == ['1:6'] * 3
        assert time.monotonic() - began < 15.0  # a poll that is held lasts 25 s
        moving.send('5')
        moving.send('42["ping_test",{"msg":"x"}]')
        assert moving.recv() == '42["pong_test",{"msg":"x"}]'
    finally:
        moving.close()


def test_a_client_is_disconnected_when_its_session_ends_at_the_server(serve, link, background):
    server = PageServer(SocketIoSettings('127.0.0.1', 0), link).server
    running = background.submit(server.run())
    wait_until(lambda: server.port, 5.0, 'the server')
    client = websocket.create_connection(f'ws://127.0.0.1:{server.port}/socket.io/?EIO=3&transport=websocket', timeout=30)
    assert client.recv().startswith('0{') and client.recv() == '40'
    running.cancel()
    assert client.recv() == ''
    client.close()


def test_a_refused_client_gets_the_reason(serve, link):
    server = serve(PageServer(SocketIoSettings('127.0.0.1', 0, max_clients=0), link).server)
    client = websocket.create_connection(f'ws://127.0.0.1:{server.port}/socket.io/?EIO=3&transport=websocket', timeout=30)
    assert client.recv().startswith('0{')
    assert client.recv().startswith('44')
    client.close()


def test_a_page_in_the_background_may_ping_once_a_minute(page):
    """Chrome runs the timers of a hidden page once a minute, and clients of Engine.IO 3 ping by a timer."""
    opened = requests.get(f'http://127.0.0.1:{page.server.port}/socket.io/', params=EIO3, timeout=30).text
    greeting = json.loads(opened[opened.index('{') : opened.index('}') + 1])
    assert greeting['pingInterval'] + greeting['pingTimeout'] > 60_000 + 20_000
