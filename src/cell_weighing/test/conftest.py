"""Fixtures: a database for each test, and an indicator that sends any bytes."""

import socket

import pytest
from cell_common.testing import domain, graph, migrated_database, node_switch_interval, wait_until


class FakeIndicator:
    """An indicator over a real socket; each test decides its lines and their time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=30)

    def send(self, *lines: str, end: str = '\r\n') -> None:
        self.raw(''.join(line + end for line in lines).encode())

    def raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def closed_by_bridge(self) -> bool:
        self.socket.settimeout(30)
        try:
            return self.socket.recv(1) == b''
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def database_url(tmp_path):
    return f'sqlite:///{tmp_path}/cell.db'


@pytest.fixture
def engine(database_url):
    opened = migrated_database(database_url, 'cell_weighing')
    yield opened
    opened.dispose()


@pytest.fixture
def bridge(graph, database_url):
    from cell_weighing.bridge.node import ScaleBridgeNode

    node = graph.add(ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=0, database_url=database_url)))
    wait_until(lambda: not node.listening.error)
    return node


@pytest.fixture
def indicator(bridge):
    opened = []

    def connect() -> FakeIndicator:
        opened.append(FakeIndicator(bridge.listening.port))
        return opened[-1]

    yield connect
    for device in opened:
        device.close()


@pytest.fixture
def station(graph, database_url):
    from cell_weighing.station.node import WeighStationNode

    return graph.add(WeighStationNode(**graph.options(database_url=database_url)))
