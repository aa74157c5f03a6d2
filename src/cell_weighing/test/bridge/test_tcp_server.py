"""Indicators that stream, are asked, or are not who they say they are, over real sockets."""

import json
import socket
import threading

import pytest
from cell_common.parameters import ParameterError
from cell_common.qos import events, latched
from cell_common.testing import free_port, wait_until
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
        wait_until(lambda: node.subscriber_count == 1)
        return node, readings

    return start


class SmaScale:
    """Answers W with the weight it is set to."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=5)
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
    wait_until(lambda: any(a.key == 'identity_127.0.0.1' and 'scale 4' in a.text for a in received))


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
