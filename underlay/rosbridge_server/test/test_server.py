"""The server as a socket: bad input, limits, parameters."""

import asyncio
import json
import socket

import aiohttp
import pytest
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String


@pytest.mark.parametrize('text', ['{', '[]', '"x"', '{"op": 3}', '{"no": "op"}', '{"op": "fly"}', '[' * 100_000, ''])
def test_malformed_messages_are_answered_and_the_client_stays(peer, text):
    peer.text(text)
    assert peer.receive()['level'] == 'error'
    peer.send(op='subscribe', topic='/words', type='nope/Nope')
    assert 'nope/Nope' in peer.receive()['msg']


@pytest.mark.parametrize(
    'message',
    [
        {'op': 'subscribe'},
        {'op': 'subscribe', 'topic': 5},
        {'op': 'subscribe', 'topic': 'a b', 'type': 'std_msgs/String'},
        {'op': 'advertise', 'topic': '/x'},
        {'op': 'publish'},
        {'op': 'call_service'},
        {'op': 'send_action_goal', 'action': '/x'},
        {'op': 'subscribe', 'topic': '/x', 'throttle_rate': 'fast'},
        {'op': 'cancel_action_goal', 'id': 1},
    ],
)
def test_missing_and_wrong_fields_are_named(peer, message):
    peer.send(**message, **({} if 'id' in message else {'id': 'i'}))
    status = peer.receive()
    assert (status['op'], status['level'], status['id']) == ('status', 'error', message.get('id', 'i'))


@pytest.mark.parametrize('op', ['advertise_service', 'fragment', 'png', 'advertise_action'])
def test_what_is_not_covered_says_so(peer, op):
    peer.send(op=op)
    assert 'not supported' in peer.receive()['msg']


@pytest.mark.parametrize('compression', ['cbor', 'cbor-raw', 'png'])
def test_a_compression_that_is_not_covered_says_so(peer, compression):
    peer.send(op='subscribe', topic='/x', type='std_msgs/String', compression=compression)
    assert f"compression '{compression}' is not supported" in peer.receive()['msg']


def test_binary_messages_are_answered(peer):
    peer.run(peer.socket.send_bytes(b'\x00'))
    assert 'Binary' in peer.receive()['msg']


def test_levels_choose_the_status_messages(peer):
    peer.send(op='set_level', level='none')
    peer.send(op='fly')
    peer.send(op='set_level', level='loud')  # dropped
    peer.send(op='set_level', level='error')
    peer.send(op='walk')
    assert 'walk' in peer.receive()['msg']


def test_a_message_over_the_limit_closes_the_connection(bench):
    peer = bench.peer(bench.serve(max_message_size=1000))
    peer.text(json.dumps({'op': 'fly', 'padding': 'x' * 2000}))
    assert peer.run(peer.socket.receive()).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


def test_globs_limit_topics_services_and_actions(bench):
    peer = bench.peer(bench.serve(topics_glob='[/cell/*]', services_glob="['/cell/*']", actions_glob='[/cell/*]'))
    peer.send(op='subscribe', topic='/other', type='std_msgs/String')
    assert 'topics_glob' in peer.receive()['msg']
    peer.send(op='publish', topic='/other', msg={})
    assert 'topics_glob' in peer.receive()['msg']
    peer.send(op='call_service', service='/other', id='s')
    assert peer.receive()['result'] is False
    peer.send(op='send_action_goal', action='/other', action_type='x/Y', id='a')
    assert peer.receive()['result'] is False
    peer.subscribe('/cell/words', type='std_msgs/String')


def image_stream(bench, size):
    made = bench.node.create_publisher(CompressedImage, '/camera', 1)
    message = CompressedImage(data=bytes(size))
    bench.until(made.get_subscription_count)
    return lambda: made.publish(message)


def test_a_client_that_stops_reading_is_dropped_past_the_limit_and_others_go_on(bench):
    server = bench.serve(backlog_limit=2_000_000)
    slow, good = bench.peer(server), bench.peer(server)
    slow.subscribe('/camera', type='sensor_msgs/CompressedImage')
    good.subscribe('/camera', type='sensor_msgs/CompressedImage', queue_length=1)
    publish = image_stream(bench, 200_000)

    def dropped():
        publish()
        good.receive()
        return server.connections == 1

    bench.until(dropped)


def test_a_client_with_a_short_queue_that_stops_reading_costs_no_memory_and_gets_the_newest(bench):
    server = bench.serve(backlog_limit=2_000_000)
    slow, good = bench.peer(server), bench.peer(server)
    for peer in (slow, good):
        peer.subscribe('/words', type='std_msgs/String', queue_length=1)
    words = bench.node.create_publisher(String, '/words', 1)
    bench.until(words.get_subscription_count)
    for number in range(200):
        words.publish(String(data=f'{number} ' + 'x' * 100_000))
        good.receive()
    received = [slow.receive()['msg']['data'].split()[0]]
    while received[-1] != '199':
        received.append(slow.receive()['msg']['data'].split()[0])
    assert len(received) < 150  # the kernel's buffers hold some; the server holds one


def test_the_port_that_was_opened_is_a_parameter(server):
    assert server.get_parameter('actual_port').value == server.port > 0


def test_a_port_that_is_taken_is_tried_again(bench):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = bench.serve(port=port, retry_startup_delay=0.05)
        assert not server.has_parameter('actual_port')
    bench.until(lambda: server.port == port)
    bench.peer(server).send(op='set_level', level='info')


def test_bson_is_refused_at_the_start(bench):
    with pytest.raises(ValueError, match='BSON'):
        bench.serve(bson_only_mode=True)


ODD_IDS = ['[1]', '{"a": 1}', 'true', 'NaN', '1e999', '[NaN]']
HUGE = '1' + '0' * 400
X = '"topic": "/x", "type": "std_msgs/String"'


@pytest.mark.parametrize(
    ('text', 'op'),
    [
        (f'"op": "subscribe", {X}', 'status'),
        ('"op": "unsubscribe", "topic": "/x"', 'status'),
        ('"op": "cancel_action_goal", "action": "/x"', 'status'),
        ('"op": "call_service", "service": "/x"', 'service_response'),
        ('"op": "send_action_goal", "action": "/x", "action_type": "x/X"', 'action_result'),
    ],
)
def test_an_id_that_is_no_key_is_refused_and_the_session_goes_on(peer, text, op):
    for identity in ODD_IDS:
        peer.text(f'{{{text}, "id": {identity}}}')
        answer = peer.receive(op)
        assert 'id' not in answer and "field 'id' must be text or a number" in (answer.get('msg') or answer['values'])
    peer.subscribe('/after', type='std_msgs/String')


@pytest.mark.parametrize('field', ['queue_length', 'throttle_rate'])
def test_extreme_numbers_of_a_subscription_are_limited(peer, field):
    peer.send(op='set_level', level='info')
    for value in ('1e999', '-1e999', HUGE, f'-{HUGE}', '1e308', '0.5', '-1'):
        peer.text(f'{{"op": "subscribe", {X}, "{field}": {value}}}')
        assert peer.receive()['msg'] == 'Subscribed to /x'


def test_numbers_that_are_none_are_named(peer):
    for value in ('NaN', '"3"', '[]', 'true', '1' * 5000):
        peer.text(f'{{"op": "subscribe", {X}, "queue_length": {value}}}')
        assert peer.receive()['level'] == 'error'
    peer.subscribe('/after', type='std_msgs/String')


def test_a_call_with_an_extreme_timeout_gets_a_response(peer):
    for value in ('1e999', HUGE, 'NaN', '-5'):
        peer.text(f'{{"op": "call_service", "service": "/none", "id": "c", "timeout": {value}}}')
    assert [peer.receive('service_response')['result'] for _ in range(4)] == [False] * 4


def test_a_refused_call_or_goal_gets_the_response_that_the_client_waits_for(peer):
    for message in (
        {'op': 'call_service', 'service': 7, 'id': 1},
        {'op': 'call_service', 'service': '/x', 'compression': 'cbor', 'id': 2.5},
        {'op': 'call_service', 'service': '\ud800', 'id': 'c'},
        {'op': 'send_action_goal', 'action': '/x', 'id': 'g'},
        {'op': 'send_action_goal', 'action': '/x', 'action_type': 'x/X', 'compression': 'png', 'id': 3},
    ):
        peer.send(**message)
        answer = peer.receive('service_response' if message['op'] == 'call_service' else 'action_result')
        assert (answer['id'], answer['result']) == (message['id'], False) and answer['values']


def handshake(server, **headers):
    """Return the status of a WebSocket handshake: 101 when the client may connect."""

    async def connect():
        async with aiohttp.ClientSession() as http:
            try:
                async with http.ws_connect(f'http://127.0.0.1:{server.port}/', headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    return asyncio.run(asyncio.wait_for(connect(), 30.0))


def test_a_page_of_a_foreign_origin_may_not_connect(server):
    assert handshake(server) == 101
    for origin in ('http://evil.example', f'http://127.0.0.1:{server.port}', 'null', 'http://[', 'x' * 5000):
        assert handshake(server, Origin=origin) == 403


def test_listed_origins_may_connect(bench):
    server = bench.serve(allowed_origins='[http://panel.example:8080]')
    assert handshake(server, Origin='http://panel.example:8080') == 101
    assert handshake(server, Origin='http://panel.example') == 403
    assert handshake(bench.serve(allowed_origins='[*]'), Origin='http://any.example') == 101


def test_with_a_secret_only_those_who_know_it_may_connect(bench, monkeypatch):
    monkeypatch.setenv('ROSBRIDGE_SECRET', 'open sesame')
    server = bench.serve()
    assert handshake(server) == 403
    assert handshake(server, **{'X-Rosbridge-Secret': 'open'}) == 403
    assert handshake(server, **{'X-Rosbridge-Secret': 'open sesame'}) == 101


def test_without_an_address_one_port_serves_both_families(bench):
    server = bench.serve(address='')
    for host in ('127.0.0.1', '::1'):
        socket.create_connection((host, server.port), 2.0).close()
