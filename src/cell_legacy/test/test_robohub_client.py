import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import socketio
from aiohttp import web
from cell_common.testing import free_port, wait_until
from cell_legacy.robohub_client import RoboHubClient


class Hub:
    """A hub on a real socket; acknowledges while `acknowledge` is set."""

    def __init__(self, port: int) -> None:
        self.port, self.acknowledge = port, True
        self.received: list[dict] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(30.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = socketio.AsyncServer(async_mode='aiohttp')
        app = web.Application()
        server.attach(app)

        @server.on('send_trigger')
        async def send_trigger(sid, data):
            self.received.append(data)
            if self.acknowledge:
                await server.emit('ack', {'event': data['event']}, to=sid)

        @server.on('noise')
        async def noise(sid, data):
            several = isinstance(data, dict) and 'arguments' in data
            await server.emit('ack', tuple(data['arguments']) if several else data, to=sid)

        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self._loop.run_until_complete(self._runner.setup())
        self._loop.run_until_complete(web.TCPSite(self._runner, '127.0.0.1', self.port).start())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(server.shutdown())
        self._loop.run_until_complete(self._runner.cleanup())
        for task in (tasks := asyncio.all_tasks(self._loop)):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def hub(port):
    hub = Hub(port)
    yield hub
    hub.stop()


@pytest.fixture
def client(port):
    client = RoboHubClient(f'http://127.0.0.1:{port}')
    yield client
    client.disconnect()


@pytest.fixture
def hub_again(port, client):
    """The hub after a restart; the client has lost its connection to the first one."""
    first = Hub(port)
    assert client.connect()
    first.stop()
    wait_until(lambda: not client.connected, 10.0, 'the connection lost')
    second = Hub(port)
    yield second
    client.disconnect()
    second.stop()


def test_the_hub_is_looked_for_on_port_5002():
    client = RoboHubClient()
    assert client.hub_url == 'http://127.0.0.1:5002' and client.acks == {} and isinstance(client.sio, socketio.Client)


def test_it_connects_to_the_root_namespace(hub, client):
    assert client.connect() is True and client.connected
    assert client.connect() is True


def test_without_a_hub_the_connection_is_false(client):
    assert client.connect(timeout=1.0) is False
    assert client.send_trigger('START_PROGRAM') is False


def test_a_logical_event_is_sent_as_its_letter_and_acknowledged(hub, client):
    client.connect()
    client.send_trigger('program_started')
    assert client.wait_for_ack('program_started', timeout=30) is True
    assert hub.received == [{'trigger': 'D', 'event': 'program_started', 'part_number': ''}]


def test_a_parts_letter_carries_the_event_of_its_part(hub, client):
    client.connect()
    client.send_part_code('B', 'EM1-2U1')
    assert client.wait_for_ack('PART_EM1-2U1', timeout=30)
    assert hub.received == [{'trigger': 'B', 'event': 'PART_EM1-2U1', 'part_number': 'EM1-2U1'}]


def test_an_emit_connects_first(hub, client):
    assert client.send_part_code('B', 'X') is True
    assert client.wait_for_ack('PART_X', timeout=30)


def test_a_missing_acknowledgement_is_false_after_the_timeout(hub, client):
    hub.acknowledge = False
    client.send_part_code('B', 'X')
    assert client.wait_for_ack('PART_X', timeout=0.2) is False
    assert client.acks == {'PART_X': False}


def test_an_acknowledgement_of_the_last_time_does_not_count_again(hub, client):
    client.send_part_code('B', 'X')
    assert client.wait_for_ack('PART_X', timeout=30)
    hub.acknowledge = False
    client.send_part_code('B', 'X')
    assert client.wait_for_ack('PART_X', timeout=0.2) is False


def test_it_connects_again_only_when_the_former_connection_has_ended(hub, client):
    client.connect()
    client.disconnect()
    ended = threading.Event()
    client.sio.eio.read_loop_task = threading.Thread(target=ended.wait)
    client.sio.eio.read_loop_task.start()
    try:
        assert client.connect(timeout=0.1) is False
    finally:
        ended.set()
    assert client.connect() is True


def test_it_reconnects_after_the_hub_was_away(hub_again, client):
    wait_until(lambda: client.send_part_code('C', 'Y'), 10.0, 'the connection back')
    assert client.wait_for_ack('PART_Y', timeout=30)


@pytest.mark.parametrize('data', [None, 'x', {}, {'event': 5}, [], {'arguments': ['a', 'b']}, {'arguments': []}])
def test_an_acknowledgement_without_an_event_is_ignored(hub, client, data):
    client.connect()
    client.sio.emit('noise', data)
    client.send_part_code('B', 'X')
    assert client.wait_for_ack('PART_X', timeout=30)
    assert client.acks == {'PART_X': True}


def test_an_event_without_a_letter_is_refused_with_the_known_ones(client):
    with pytest.raises(ValueError, match='START_PROGRAM, program_started'):
        client.send_trigger('fly')


@pytest.mark.parametrize('letter', ['', 'AB', None, 5, ' ', 'é', '7'])
def test_a_part_code_that_is_no_letter_is_refused(client, letter):
    with pytest.raises(ValueError, match='must be one letter A to Z'):
        client.send_part_code(letter, 'X')


def test_a_part_code_without_a_part_number_has_an_empty_one(hub, client):
    assert client.send_part_code('F', None) and client.wait_for_ack('PART_', timeout=30)
    assert hub.received == [{'trigger': 'F', 'event': 'PART_', 'part_number': ''}]


def send_at_once(client, count):
    """Send from several threads at the same moment; return what each send returned."""
    ready = threading.Barrier(count)

    def send(number):
        ready.wait(5)
        return client.send_part_code('F', str(number)) and client.wait_for_ack(f'PART_{number}', timeout=30)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(send, range(count)))


def test_the_first_sends_of_several_threads_share_one_connection(hub, client):
    assert send_at_once(client, 4) == [True] * 4
    assert sorted(data['part_number'] for data in hub.received) == ['0', '1', '2', '3']


def test_sends_of_several_threads_arrive_after_the_hub_came_back(hub_again, client):
    assert send_at_once(client, 3) == [True] * 3
    assert sorted(data['part_number'] for data in hub_again.received) == ['0', '1', '2']


def test_it_connects_again_by_itself(port, client):
    first = Hub(port)
    assert client.connect()
    first.stop()
    second = Hub(port)
    try:
        wait_until(lambda: client.connected, 10.0, 'the connection back')
    finally:
        client.disconnect()
        second.stop()
    assert not client.connected


def test_a_connection_that_ends_during_the_send_is_no_success(hub, client, monkeypatch):
    client.connect()
    monkeypatch.setattr(client.sio, 'emit', lambda *_, **__: client.sio.disconnect())
    assert client.send_part_code('F', 'X') is False


def test_a_port_that_never_answers_takes_no_longer_than_the_timeout():
    with socket.create_server(('127.0.0.1', 0)) as mute:
        client = RoboHubClient(f'http://127.0.0.1:{mute.getsockname()[1]}')
        began = time.monotonic()
        assert client.connect(timeout=0.2) is False
        assert time.monotonic() - began < 3.0
