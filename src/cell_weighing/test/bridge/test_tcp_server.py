"""Indicators that stream, are asked, or are not who they say they are, over real sockets."""

import json
import socket
import threading

import pytest
from cell_common.parameters import ParameterError
from cell_common.qos import events, latched
from cell_common.testing import free_port, matched_subscribers, wait_until
from cell_weighing.bridge.node import ScaleBridgeNode

from cell_interfaces.msg import AlarmEvent, ScaleList, ScaleReading

FAST = {'capture_count': 2, 'capture_time': 0.0}


@pytest.fixture
def start(graph, database_url):
    readings = graph.collect(ScaleReading, 'weighing/weight', events())

    def start(**parameters):
        options = graph.options(listen_address='127.0.0.1', port=0, database_url=database_url, **parameters)
        node = graph.add(ScaleBridgeNode(**options))
        wait_until(lambda: not node.listening.error)
        wait_until(lambda: matched_subscribers(node, 'weighing/weight') == 1)
        return node, readings

    return start


class SmaScale:
    """Answers W with the weight it is set to."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=30)
        self.weight, self.questions = '    0.00', 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while data := self.socket.recv(64):
            for _ in range(data.count(b'W\r')):
                self.questions += 1
                self.socket.sendall(f'\n 1G  {self.weight:>10}kg \r'.encode())

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.socket.close()


def test_an_sma_scale_is_asked_and_each_bag_is_one_reading(start):
    node, readings = start(peers=['127.0.0.1 id=8 codec=sma capture=streaming'], ask_period=0.05, **FAST)
    scale = SmaScale(node.listening.port)
    for weight in ('12.34', '5.00'):
        scale.weight, asked = '0.00', scale.questions
        wait_until(lambda asked=asked: scale.questions > asked + 2)
        scale.weight, asked = weight, scale.questions
        wait_until(lambda asked=asked: scale.questions > asked + 5)
    wait_until(lambda: len(readings) == 2)
    assert [(r.scale_id, r.weight, r.stability) for r in readings] == [
        ('8', '12.34', ScaleReading.STABLE),
        ('8', '5.00', ScaleReading.STABLE),
    ]
    scale.close()


def test_the_list_shows_the_live_weight_of_a_stream_that_is_not_a_bag_yet(graph, start):
    node, readings = start(capture='streaming', capture_count=1000)
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    with socket.create_connection(('127.0.0.1', node.listening.port)) as device:
        device.sendall(b'3,5.1 kg\r\n3,7.25 kg\r\n')
        wait_until(lambda: lists and any(s.last_weight == '7.25' and s.connected for s in lists[-1].scales))
    assert not readings


def test_a_bag_on_the_scale_while_the_bridge_restarts_is_not_counted_again(graph, start):
    node, readings = start(capture='streaming', **FAST)
    with socket.create_connection(('127.0.0.1', node.listening.port)) as device:
        device.sendall(b'3,0 kg\r\n' + b'3,5.1 kg\r\n' * 3)
        wait_until(lambda: len(readings) == 1)
    graph.remove(node)
    again, _ = start(capture='streaming', **FAST)
    with socket.create_connection(('127.0.0.1', again.listening.port)) as device:
        device.sendall(b'3,5.1 kg\r\n' * 5 + b'3,0 kg\r\n' + b'3,5.2 kg\r\n' * 3)
        wait_until(lambda: len(readings) == 2)
    assert [(r.weight, r.sequence) for r in readings] == [('5.1', 1), ('5.2', 2)]


def test_a_scale_that_sends_the_id_of_another_raises_an_alarm_and_is_malformed(graph, start):
    received = graph.collect(AlarmEvent, 'alarms/events', latched(50))
    node, readings = start(peers=['127.0.0.1 id=3'])
    with socket.create_connection(('127.0.0.1', node.listening.port)) as device:
        device.sendall(b'4,5.1 kg\r\n')
        wait_until(lambda: readings)
    assert (readings[0].status, readings[0].scale_id) == (ScaleReading.MALFORMED, '3')
    wait_until(lambda: any(a.key == 'identity/127.0.0.1' and 'scale 4' in a.text for a in received))


@pytest.mark.parametrize(
    'parameters',
    [{'peers': ['nonsense']}, {'codec': 'template', 'template': '{weight}'}, {'codec': 'template', 'decimal_comma': True}],
)
def test_invalid_parameters_end_the_node_with_the_cause(graph, parameters, database_url):
    with pytest.raises(ParameterError, match='Correct it in the parameter file'):
        ScaleBridgeNode(**graph.options(database_url=database_url, **parameters))


def test_host_and_port_of_the_old_server_are_used(graph, database_url, tmp_path):
    port = free_port()
    (tmp_path / 'settings.json').write_text(json.dumps({'host': '127.0.0.1', 'port': port}))
    node = graph.add(ScaleBridgeNode(**graph.options(database_url=database_url, settings_file=str(tmp_path / 'settings.json'))))
    wait_until(lambda: not node.listening.error)
    assert node.listening.port == port


def test_an_indicator_that_is_the_server_is_called_and_called_again(start, graph):
    alarms = graph.collect(AlarmEvent, 'alarms/events', events())
    with socket.create_server(('127.0.0.1', 0)) as device:
        port = device.getsockname()[1]
        _, readings = start(peers=[f'dial:127.0.0.1:{port} id=4 codec=mt-sics'], ask_period=0.05)
        for weight in (b'12.345', b'12.350'):
            device.settimeout(10)
            connection, _ = device.accept()
            with connection:
                connection.settimeout(5)
                assert connection.recv(4) == b'SI\r\n'
                connection.sendall(b'S S     ' + weight + b' kg\r\n')
                wait_until(lambda: readings and readings[-1].weight.encode() == weight)  # noqa: B023
    assert {reading.scale_id for reading in readings} == {'4'}
    wait_until(lambda: any(a.key.startswith('unreachable/') and a.kind == AlarmEvent.RAISED for a in alarms))


def test_scales_behind_one_device_server_differ_by_port(start, graph):
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    ports = free_port(), free_port()
    peers = [f'port:{ports[0]} id=5 codec=and', f'port:{ports[1]} id=6 codec=ohaus']
    _, readings = start(peers=peers)
    for port, line in zip(ports, (b'ST,GS,+00012.50kg\r\n', b'     7.25 lb     \r\n'), strict=True):
        wait_until(lambda: is_open(port))  # noqa: B023
        with socket.create_connection(('127.0.0.1', port)) as indicator:
            before = len(readings)
            indicator.sendall(line)
            wait_until(lambda: len(readings) > before)  # noqa: B023
    assert [(r.scale_id, r.weight, r.unit) for r in readings] == [('5', '12.50', 'kg'), ('6', '7.25', 'lb')]
    wait_until(lambda: lists and {s.scale_id: s.format for s in lists[-1].scales} == {'5': 'and', '6': 'ohaus'})


def is_open(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
    except OSError:
        return False
    return True


def test_an_indicator_without_line_ends_is_listed_as_such(start, graph):
    lists = graph.collect(ScaleList, 'weighing/scales', latched())
    node, _ = start(record_silence=0.05)
    with socket.create_connection(('127.0.0.1', node.listening.port)) as indicator:
        indicator.sendall(b'1,27.5 lb')
        wait_until(lambda: lists and lists[-1].scales and lists[-1].scales[0].readings == 1)
        indicator.sendall(b'1,27.6 lb')
        wait_until(lambda: lists[-1].scales[0].needs_silence and lists[-1].scales[0].last_weight == '27.6')
