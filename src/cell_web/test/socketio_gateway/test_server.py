import pytest
import requests
import socketio
from cell_common.testing import free_port, wait_until
from cell_web.socketio_gateway.page_server import PageServer
from cell_web.socketio_gateway.server import MAX_PAYLOAD, SocketIoSettings

pytestmark = pytest.mark.slow


def poll(port: int, origin: str | None = None, version: str = '4') -> requests.Response:
    headers = {'Origin': origin} if origin else {}
    url = f'http://127.0.0.1:{port}/socket.io/'
    return requests.get(url, params={'EIO': version, 'transport': 'polling'}, headers=headers, timeout=30)


@pytest.mark.parametrize('version', ['3', '4'])
def test_a_page_of_the_same_host_and_a_program_may_connect(page, version):
    assert poll(page.server.port, version=version).ok
    assert poll(page.server.port, f'http://127.0.0.1:{page.server.port}', version).ok


@pytest.mark.parametrize('version', ['3', '4'])
def test_a_page_of_the_same_host_may_connect_by_its_name(page, version):
    headers = {'Host': 'cell.plant:5001', 'Origin': 'http://cell.plant:5001'}
    url = f'http://127.0.0.1:{page.server.port}/socket.io/'
    assert requests.get(url, params={'EIO': version, 'transport': 'polling'}, headers=headers, timeout=30).ok


@pytest.mark.parametrize('event', ['connect', 'disconnect'])
@pytest.mark.parametrize('payload', [None, {'a': 1}, ('a', 'b', 'c')])
def test_a_client_that_sends_a_reserved_event_stays_connected(page, connect, event, payload):
    client = connect(page.server.port)
    client.send(event, payload)
    assert 'is not known here' in client.wait('status')['msg']
    assert len(page.server.clients) == 1
    client.send('ping_test', {'msg': 'x'})
    client.wait('pong_test')


def test_binary_data_of_an_old_client_does_not_swallow_the_next_event(page):
    url = f'http://127.0.0.1:{page.server.port}/socket.io/'
    query = {'EIO': '3', 'transport': 'polling'}
    opened = requests.get(url, params=query, timeout=30).text
    query['sid'] = opened.split('"sid": "')[1].split('"')[0]
    announced = '451-["ping_test",{"_placeholder":true,"num":0}]'
    follows = '42["ping_test",{"msg":"x"}]'
    body = f'{len(announced)}:{announced}6:b4AQI={len(follows)}:{follows}'
    assert requests.post(url, params=query, data=body, headers={'Content-Type': 'text/plain'}, timeout=30).ok
    seen: list[str] = []

    def answered() -> bool:
        seen.append(requests.get(url, params=query, timeout=30).text)
        return 'pong_test' in seen[-1]

    wait_until(answered, 10.0, 'the answer to the event after the binary data')
    assert 'expected {msg}' in ''.join(seen)


@pytest.mark.parametrize('version', ['3', '4'])
@pytest.mark.parametrize('origin', ['http://evil.example', 'null', 'http://127.0.0.1:1'])
def test_a_foreign_page_is_refused(page, origin, version):
    assert poll(page.server.port, origin, version).status_code in {400, 403}


@pytest.mark.parametrize('version', ['3', '4'])
@pytest.mark.parametrize('allowed', ['http://10.0.0.5:5000', '*'])
def test_an_allowed_page_may_connect_and_read_the_answer(serve, link, allowed, version):
    server = serve(PageServer(SocketIoSettings('127.0.0.1', 0, origins=[allowed]), link).server)
    response = poll(server.port, 'http://10.0.0.5:5000', version)
    assert response.ok and response.headers['Access-Control-Allow-Origin'] in {'http://10.0.0.5:5000', '*'}


def test_an_old_client_is_named_by_its_own_address(page):
    with requests.Session() as session:
        session.get_adapter('http://').init_poolmanager(1, 1, source_address=('127.0.0.9', 0))
        url = f'http://127.0.0.1:{page.server.port}/socket.io/'
        assert session.get(url, params={'EIO': '3', 'transport': 'polling'}, timeout=30).ok
        wait_until(lambda: [client.name for client in page.server.clients.values()] == ['page 127.0.0.9'], 5.0, 'the name')


def test_a_client_cannot_claim_another_address(page, connect):
    connect(page.server.port, headers={'X-Engine-Io-3-Peer': 'guess 10.0.0.1'})
    assert [client.name for client in page.server.clients.values()] == ['page 127.0.0.1']


@pytest.mark.parametrize('version', ['2', '5', ''])
def test_another_protocol_is_refused_with_a_remedy(page, version, caplog):
    response = poll(page.server.port, version=version)
    assert response.status_code == 400 and 'use a Socket.IO client of release 1 to 4' in response.text
    assert 'is not served' in caplog.text


def test_another_namespace_is_refused_at_once_and_named_in_the_log(page, caplog):
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(f'http://127.0.0.1:{page.server.port}', namespaces=['/control'], wait_timeout=30)
    assert 'page port: client 127.0.0.1 refused: namespace \'/control\' is not served: connect to "/"' in caplog.text
    assert not page.server.clients


def test_a_session_that_may_only_watch_gets_a_status(serve, link, connect):
    settings = SocketIoSettings('127.0.0.1', 0, may_command=lambda _request: False)
    client = connect(serve(PageServer(settings, link).server).port)
    client.send('start_robot')
    assert 'log in as an operator' in client.wait('status')['msg']
    client.send('ping_test', {'msg': 'x'})
    client.wait('pong_test')
    assert link.commands == []


def test_more_clients_than_allowed_are_refused(serve, link, connect):
    server = serve(PageServer(SocketIoSettings('127.0.0.1', 0, max_clients=1), link).server)
    connect(server.port)
    with pytest.raises(socketio.exceptions.ConnectionError):
        connect(server.port)


def test_a_payload_above_the_limit_ends_its_connection_and_no_other(page, connect):
    greedy, other = connect(page.server.port), connect(page.server.port)
    greedy.send('ping_test', {'msg': 'x' * (MAX_PAYLOAD + 1)})
    wait_until(lambda: len(page.server.clients) == 1, 10.0, 'the connection ended')
    other.send('ping_test', {'msg': 'x'})
    other.wait('pong_test')


def test_a_port_in_use_is_reported_and_tried_again(serve, link, background):
    port = free_port()
    first = PageServer(SocketIoSettings('127.0.0.1', port), link).server
    running = background.submit(first.run())
    wait_until(lambda: first.port, 5.0, 'the first server')
    second = PageServer(SocketIoSettings('127.0.0.1', port), link).server
    background.submit(second.run())
    wait_until(lambda: 'in use by another program' in second.error, 5.0, 'the error')
    running.cancel()
    wait_until(lambda: second.port == port and not second.error, 10.0, 'the second server')
