"""Every service and action of every node is driven with extreme values; all are answered, and every node lives on."""

from __future__ import annotations

import importlib
import math
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_common.services import create_client, guard_services
from cell_common.testing import NodeGraph, free_port, wait_until
from cell_coordinator.alarms.node import AlarmsNode
from cell_coordinator.node import CoordinatorNode
from cell_inventory.node import InventoryNode
from cell_robot.node import RobotNode
from cell_sim.node import WorldNode
from cell_sim.ur_driver.node import UrDriverNode
from cell_vision.camera.node import CameraNode
from cell_vision.matching.node import MatcherNode
from cell_vision.ocr.node import OcrNode
from cell_weighing.station.node import WeighStationNode
from domain_coordinator import domain_id
from rclpy.action.client import ActionClient
from rclpy.action.graph import get_action_server_names_and_types_by_node

from cell_interfaces.msg import ResultCode

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = str(ROOT / 'config' / 'parts.yaml')
ANSWER_S = 30.0
SEED = 19
RANDOM_REQUESTS = 6
WITHOUT_SERVICES = {
    f'{name}.py'
    for name in ('bridge/node', 'diagnostics_aggregator/node', 'gateway_node', 'recorder/node', 'replay/node', 'scene/node')
} | {'socketio_gateway/node.py'}
"""Modules of nodes that create no service."""
RANGES = {
    **{f'uint{bits}': (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f'int{bits}': (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
}
TEXTS = [
    '',
    ' ',
    'x' * 1_000_000,
    '\u202eEM1-2U1\u202c',
    'e\u0301\U0001f600\ufffe\u2028\ufeff',
    '\x01\x1b[31m\x7f\r\n\t',
    "'; DROP TABLE stock_ledger; --",
    '{"a": [' * 500,
    '../' * 50,
    'EM1-2U1',
    '1',
    '-1e999',
    'NaN',
]
ROS_OWN = 'get_type_description'
ROS_QUEUE = 5
"""A service that rclpy makes without a choice of its queue, whose depth is 10."""
FLOATS = [0.0, -0.0, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf]
Chooser = Callable[[str], Any]


def nodes(graph: NodeGraph, folder: Path) -> Iterator[Any]:
    """Yield every node that has services, with devices that do not answer."""
    database = f'sqlite:///{folder}/cell.db'
    yield InventoryNode(**graph.options(database_url=database, catalogue_file=CATALOGUE))
    yield CoordinatorNode(**graph.options(database_url=database, call_timeout=0.5, retry_time=0.5, read_timeout=0.5))
    yield AlarmsNode(**graph.options(database_url=database))
    yield MatcherNode(**graph.options(database_url=database, catalogue_file=CATALOGUE))
    yield CameraNode(**graph.options(source=f'http://127.0.0.1:{free_port()}/', autostart=False))
    yield OcrNode(**graph.options(read_timeout=0.5, kept_frames_folder=str(folder / 'kept')))
    yield RobotNode(**graph.options(catalogue_file=CATALOGUE, port=free_port(), reconnect_timeout=1.0))
    yield WeighStationNode(**graph.options(database_url=database, scale_ids=['1'], stations=['A']))
    yield WorldNode(**graph.options(catalogue_file=CATALOGUE, camera=False, scale_port=0, robot_port=free_port()))
    yield UrDriverNode(**graph.options(robot_ip='127.0.0.1') | {'namespace': 'cell/driver'})


@pytest.fixture(scope='module')
def cell(tmp_path_factory):
    with domain_id() as number:
        graph = NodeGraph(int(number))
        try:
            for node in nodes(graph, tmp_path_factory.mktemp('fuzz')):
                guard_services(node)
                graph.add(node)
            yield graph
        finally:
            graph.close()


def servers(graph: NodeGraph) -> Iterator[tuple[str, Any, bool]]:
    """Yield (name, type, is an action) of everything that takes requests."""
    for node in graph.nodes[1:]:
        own = [s for s in node.services if node is graph.nodes[1] or is_of_cell(s)]
        yield from ((service.service_name, service.srv_type, False) for service in own)
        for name, kinds in get_action_server_names_and_types_by_node(graph.node, node.get_name(), node.get_namespace()):
            package, _, kind = kinds[0].split('/')
            yield name, getattr(importlib.import_module(f'{package}.action'), kind), True


def is_of_cell(service: Any) -> bool:
    """Return True unless rclpy gave the service to the node: these are the same everywhere, so one node's are enough."""
    return not service.srv_type.__module__.startswith(('rcl_interfaces', 'type_description_interfaces'))


def fill(message: Any, choose: Chooser) -> Any:
    """Set every field of a message, and of the messages in it, to chosen values."""
    for name, kind in message.get_fields_and_field_types().items():
        array = re.fullmatch(r'(?:sequence<(.+?)(?:, \d+)?>|(.+)\[(\d+)\])', kind)
        if array is None:
            setattr(message, name, value_of(kind, choose))
        else:
            length = int(array[3]) if array[3] else choose('length')
            setattr(message, name, [value_of(array[1] or array[2], choose) for _ in range(length)])
    return message


def value_of(kind: str, choose: Chooser) -> Any:
    if '/' not in kind:
        return choose(re.sub(r'<.*', '', kind))
    package, name = kind.split('/')
    return fill(getattr(importlib.import_module(f'{package}.msg'), name)(), choose)


def constant(number: Callable[[tuple[int, int]], int], text: str, real: float, length: int) -> Chooser:
    def choose(kind: str) -> Any:
        if kind in RANGES:
            return number(RANGES[kind])
        if kind == 'octet':
            return bytes([number((0, 255))])
        return {'string': text, 'boolean': True, 'length': length}.get(kind, float(min(max(real, -3e38), 3e38)))

    return choose


def drawn(generator: random.Random) -> Chooser:
    def choose(kind: str) -> Any:
        if kind in RANGES:
            low, high = RANGES[kind]
            return generator.choice([low, high, min(1, high), generator.randint(low, high)])
        if kind == 'octet':
            return b'\x00'
        if kind in ('float', 'double'):
            value = generator.choice(FLOATS)
            return value if kind == 'double' or abs(value) < 3e38 or not math.isfinite(value) else 3e38
        return {'string': generator.choice(TEXTS), 'boolean': generator.random() < 0.5, 'length': generator.choice([0, 1, 3])}[
            kind
        ]

    return choose


def choosers(name: str) -> Iterator[Chooser]:
    yield constant(lambda r: 0, '', 0.0, 0)
    yield constant(lambda r: r[1], 'EM1-2U1', math.inf, 1)
    yield constant(lambda r: r[0], 'A', -math.inf, 2)
    for text in TEXTS:
        yield constant(lambda r: min(1, r[1]), text, 1.0, 1)
    generator = random.Random(f'{SEED} {name}')
    yield from (drawn(generator) for _ in range(RANDOM_REQUESTS))


def call_all(graph: NodeGraph, name: str, kind: Any) -> list[Any]:
    client = create_client(graph.node, kind, name)
    wait_until(client.service_is_ready, what=name)
    requests = [fill(kind.Request(), choose) for choose in choosers(name)]
    at_once = ROS_QUEUE if name.endswith(ROS_OWN) else len(requests)
    answers = []
    while requests:
        futures = [client.call_async(request) for request in requests[:at_once]]
        wait_until(lambda: all(future.done() for future in futures), ANSWER_S, f'{name} answers {len(futures)} requests')  # noqa: B023
        answers += [future.result() for future in futures]
        requests = requests[at_once:]
    return answers


def run_all(graph: NodeGraph, name: str, kind: Any) -> list[Any]:
    client = ActionClient(graph.node, kind, name)
    wait_until(client.server_is_ready, what=name)
    goals = [fill(kind.Goal(), choose) for choose in choosers(name)]
    sent = [graph.request(lambda goal=goal: client.send_goal_async(goal)) for goal in goals]
    wait_until(lambda: all(future.done() for future in sent), ANSWER_S, f'{name} judges {len(sent)} goals')
    handles = [handle for future in sent if (handle := future.result()).accepted]
    results = [graph.request(handle.get_result_async) for handle in handles]
    wait_until(lambda: all(future.done() for future in results), ANSWER_S, f'{name} ends {len(results)} goals')
    return [future.result().result for future in results]


@pytest.mark.timeout(240)
def test_every_service_and_action_answers_extreme_requests(cell):
    seen = set()
    internal = []
    for name, kind, is_action in list(servers(cell)):
        seen.add(kind.__name__)
        for answer in (run_all if is_action else call_all)(cell, name, kind):
            if getattr(answer, 'code', ResultCode.OK) == ResultCode.INTERNAL:
                internal.append(f'{name}: {answer.message}')
    folder = ROOT / 'src' / 'cell_interfaces'
    assert seen >= {path.stem for kind in ('srv', 'action') for path in (folder / kind).iterdir()}
    assert not internal


def test_every_node_module_with_services_is_driven():
    modules = {path for path in (ROOT / 'src').glob('*/cell_*/**/*node.py') if 'test' not in path.parts}
    driven = {Path(importlib.import_module(kind.__module__).__file__).resolve() for kind in driven_nodes()}
    missing = {str(path) for path in modules - driven if not str(path).endswith(tuple(WITHOUT_SERVICES))}
    assert not missing


def driven_nodes() -> list[type]:
    return [
        InventoryNode, CoordinatorNode, AlarmsNode, MatcherNode, CameraNode, OcrNode, RobotNode, WeighStationNode, WorldNode,
        UrDriverNode,
    ]  # fmt: skip
