"""Packets and requests that are not of Engine.IO 4 end their client, and nothing else."""

import contextlib
import json
import socket

import pytest
import requests
import websocket
from cell_common.testing import wait_until
from cell_web.socketio_gateway.checked_packet import LARGEST_EVENT
from cell_web.socketio_gateway.server import MAX_PAYLOAD


def opened(port: int) -> websocket.WebSocket:
    client = websocket.create_connection(f'ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket', timeout=10)
    client.send('40')
    assert client.recv().startswith('0{') and client.recv().startswith('40')
    return client


@pytest.fixture
def polling(page):
    """A client that polls: url, query with its session."""
    url, query = f'http://127.0.0.1:{page.server.port}/socket.io/', {'EIO': '4', 'transport': 'polling'}
    query['sid'] = json.loads(requests.get(url, params=query, timeout=30).text[1:])['sid']
    assert requests.post(url, params=query, data='40', timeout=30).ok
    wait_until(lambda: page.server.clients, 5.0, 'the client')
    return url, query


@pytest.mark.parametrize('packet', ['x', '', '9', '4' + '[' * 100_000])
def test_a_malformed_packet_ends_its_client_at_once_without_a_traceback(page, caplog, packet):
    client, other = opened(page.server.port), opened(page.server.port)
    client.send(packet)
    wait_until(lambda: len(page.server.clients) == 1, 2.0, 'the client gone')
    while client.recv():
        pass
    client.close()
    other.send('42["ping_test",{"msg":"x"}]')
    assert other.recv() == '42["pong_test",{"msg":"x"}]'
    assert 'page port: client 127.0.0.1 disconnected: it sent what is not a packet of Engine.IO 4' in caplog.text
    assert 'Traceback' not in caplog.text
    other.close()


@pytest.mark.parametrize('body', [b'x', b'9', b'40\x1e', b'\xff', b'd=', b'4' + b'[' * 100_000])
def test_a_malformed_request_ends_its_client_at_once_without_a_traceback(page, polling, caplog, body):
    url, query = polling
    assert requests.post(url, params=query, data=body, timeout=30).status_code == 400
    wait_until(lambda: not page.server.clients, 2.0, 'the client gone')
    assert 'not a packet of Engine.IO 4' in caplog.text and 'Traceback' not in caplog.text


def test_a_malformed_request_without_a_session_is_refused(page, polling):
    url, query = polling
    assert requests.post(url, params={**query, 'sid': 'guess'}, data=b'x', timeout=30).status_code == 400
    assert len(page.server.clients) == 1


def test_a_request_of_many_pieces_is_read_to_its_end(page, polling):
    """The library takes what has arrived so far for all of it."""
    url, query = polling
    body = '\x1e'.join(['42["ping_test",{"msg":"x"}]'] * 400 + [f'42["ping_test",{{"msg":"{"y" * 200}"}}]'] * 800)
    assert len(body) > 100_000
    assert requests.post(url, params=query, data=body, timeout=30).ok
    answers = ''

    def answered() -> bool:
        nonlocal answers
        answers += requests.get(url, params=query, timeout=30).text
        return answers.count('pong_test') == 1200

    wait_until(answered, 15.0, 'every pong')


def test_an_event_that_is_too_large_is_refused_with_a_status_and_the_client_stays(page):
    client = opened(page.server.port)
    client.send('42["ping_test",{"msg":"' + 'x' * LARGEST_EVENT + '"}]')
    status = 'unreadable message: ping_test has more than 1 MB: send images and files another way'
    assert json.loads(client.recv()[2:]) == ['status', {'msg': status}]
    client.send('42["ping_test",{"msg":"x"}]')
    assert client.recv() == '42["pong_test",{"msg":"x"}]'
    client.close()


def test_a_message_that_is_too_large_ends_its_client_with_a_sentence_in_the_log(page, caplog):
    client = opened(page.server.port)
    with contextlib.suppress(ConnectionError):  # the server closes before it has read all
        client.send('42["ping_test",{"msg":"' + 'x' * MAX_PAYLOAD + '"}]')
    wait_until(lambda: not page.server.clients, 5.0, 'the client gone')
    client.close()
    assert caplog.text.count('it sent more than 8 MB at once. Send images and files another way.') == 1


def test_a_request_that_is_too_large_is_logged_with_its_remedy(page, polling, caplog):
    url, query = polling
    assert requests.post(url, params=query, data=b'4' + b'x' * MAX_PAYLOAD, timeout=30).status_code == 400
    wait_until(lambda: not page.server.clients, 5.0, 'the client gone')
    assert caplog.text.count('it sent more than 8 MB at once') == 1


@pytest.mark.parametrize('version', ['3', '4'])
@pytest.mark.parametrize('header', [b'Host: \xff', b'Host: x\r\nOrigin: http://\xff\xfe', b'Host: x\r\nCookie: a=\xe4'])
def test_a_header_that_is_not_utf_8_is_a_bad_request(page, caplog, version, header):
    with socket.create_connection(('127.0.0.1', page.server.port), timeout=30) as connection:
        connection.sendall(b'GET /socket.io/?EIO=%s&transport=polling HTTP/1.1\r\n%s\r\n\r\n' % (version.encode(), header))
        assert connection.recv(100).startswith(b'HTTP/1.1 400 ')
    assert 'Traceback' not in caplog.text
