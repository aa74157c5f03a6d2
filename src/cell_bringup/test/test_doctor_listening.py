import socket
import subprocess
import sys

import pytest
from cell_bringup.doctor_facts import Facts
from cell_bringup.doctor_listening import Listener, check_addresses, is_simulated, judge, listeners_of

PROGRAM = """
import socket, sys
opened = socket.create_server(('127.0.0.1', 0))
print(opened.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def node():
    """A process that looks like node /plant/scale_bridge, and its open port."""
    command = [sys.executable, '-c', PROGRAM, '--ros-args', '-r', '__node:=scale_bridge', '-r', '__ns:=/plant']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.stdin.close()


def test_open_ports_of_the_cells_processes_are_found(node):
    assert listeners_of(['/plant/scale_bridge', '/plant/ocr']) == [Listener('scale_bridge', '127.0.0.1', node)]
    assert check_addresses(Facts(nodes=['/plant/scale_bridge'])).text == f'scale_bridge 127.0.0.1:{node}'


def test_processes_of_other_cells_and_programs_are_left_out(node):
    with socket.create_server(('127.0.0.1', 0)):
        assert listeners_of(['/no_such_cell/scale_bridge']) == []
    assert 'no process of the cell' in check_addresses(Facts(nodes=['/no_such_cell/scale_bridge'])).text


@pytest.mark.parametrize('address', ['0.0.0.0', '::', '10.0.0.5'])
def test_internal_ports_must_be_on_this_machine_only(address):
    finding = judge([Listener('rosbridge_websocket', address, 9090), Listener('web_gateway', address, 8080)])
    assert not finding.ok and 'rosbridge_websocket' in finding.text and 'web_gateway' not in finding.text


def test_devices_may_listen_in_the_network_and_simulated_ones_may_not():
    bridge = Listener('scale_bridge', '0.0.0.0', 10001)
    assert judge([bridge]).ok
    assert not judge([bridge, Listener('world', '127.0.0.1', 8090)]).ok
    assert judge([Listener('scale_bridge', '::1', 10001), Listener('world', '127.0.0.1', 8090)]).ok


def test_a_cell_with_node_world_is_simulated():
    assert is_simulated(Facts(nodes=['/cell/world'])) and not is_simulated(Facts(nodes=['/cell/robot']))
