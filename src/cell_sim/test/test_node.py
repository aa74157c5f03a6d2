"""World node: data of its topics reaches the world, and no ground truth reaches the graph."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cell_common.parameters import ParameterError
from cell_common.qos import events, latched
from cell_common.runner import StartError
from cell_common.testing import NodeGraph, wait_until
from cell_sim.node import WorldNode
from cell_sim.world.ground_truth import read_ground_truth

from cell_interfaces.msg import Inventory, InventoryEvent, PartStock, ResultCode, TrayStock, WeighJob, WeighJobList
from cell_interfaces.srv import InjectFault

PART = 'EM1-2U1'


def listening() -> Iterator[socket.socket]:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        listener.settimeout(5.0)
        yield listener


robot_socket = pytest.fixture(listening)
scale_socket = pytest.fixture(listening)


@pytest.fixture
def world(
    graph: NodeGraph, catalogue_file: Path, tmp_path: Path, robot_socket: socket.socket, scale_socket: socket.socket
) -> WorldNode:
    return graph.add(
        WorldNode(
            **graph.options(
                catalogue_file=str(catalogue_file),
                robot_port=robot_socket.getsockname()[1],
                camera_port=0,
                time_scale=20.0,
                scale_port=scale_socket.getsockname()[1],
                scale_ids=['7'],
                stations=['A'],
                truth_file=str(tmp_path / 'truth.jsonl'),
            )
        )
    )


def stock(sequence: int, count: int) -> Inventory:
    tray = TrayStock(tray=1, count=count, capacity=10)
    return Inventory(sequence=sequence, parts=[PartStock(part_number=PART, trays=[tray])])


def test_the_trays_follow_the_ledger(graph: NodeGraph, world: WorldNode) -> None:
    graph.node.create_publisher(Inventory, 'inventory', latched()).publish(stock(3, 4))
    wait_until(lambda: world.simulation.world.count(PART, 1) == 4)
    entries = graph.node.create_publisher(InventoryEvent, 'inventory/events', events())
    wait_until(entries.get_subscription_count)
    entries.publish(InventoryEvent(sequence=4, kind=InventoryEvent.PLACE, part_number=PART, tray=1, delta=-1))
    entries.publish(InventoryEvent(sequence=5, kind=InventoryEvent.RELOAD, part_number=PART, tray=1, delta=6))
    wait_until(lambda: world.simulation.world.count(PART, 1) == 10)


def test_the_robot_connects_only_when_its_trays_are_filled(
    graph: NodeGraph, world: WorldNode, robot_socket: socket.socket
) -> None:
    robot_socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        robot_socket.accept()
    graph.node.create_publisher(Inventory, 'inventory', latched()).publish(stock(3, 1))
    robot_socket.settimeout(5.0)
    link, _ = robot_socket.accept()
    link.close()
    assert world.simulation.world.count(PART, 1) == 1


def test_the_robot_connects_only_when_its_trays_are_filled_or_the_time_is_over(
    graph: NodeGraph, catalogue_file: Path, robot_socket: socket.socket
) -> None:
    port = robot_socket.getsockname()[1]
    options = {'catalogue_file': str(catalogue_file), 'robot_port': port, 'camera': False, 'scale_port': 0, 'stock_wait': 0.2}
    graph.add(WorldNode(**graph.options(**options)))
    link, _ = robot_socket.accept()
    link.close()


def test_the_robot_connects_and_picks_and_the_truth_is_logged(
    graph: NodeGraph, world: WorldNode, robot_socket: socket.socket, tmp_path: Path
) -> None:
    graph.node.create_publisher(Inventory, 'inventory', latched()).publish(stock(3, 1))
    wait_until(lambda: world.simulation.world.count(PART, 1) == 1)
    link, _ = robot_socket.accept()
    with link:
        link.settimeout(5.0)
        link.sendall(b'A t1 1\n')
        received = b''
        while b'DONE t1\n' not in received:
            received += link.recv(100)
    assert [event['event'] for event in read_ground_truth(tmp_path / 'truth.jsonl')][-2:] == ['picked', 'held_up']


def test_the_camera_serves_jpegs(world: WorldNode) -> None:
    camera = world.simulation.camera
    assert camera is not None
    with urllib.request.urlopen(f'http://127.0.0.1:{camera.port}/snapshot.jpg', timeout=30) as answer:
        assert answer.read(2) == b'\xff\xd8'


def weigh_jobs(state: int) -> WeighJobList:
    return WeighJobList(jobs=[WeighJob(weigh_job_id=1, station='A', target_weight='10.00', unit='kg', state=state)])


def test_the_filler_fills_while_the_weigh_job_is_active(
    graph: NodeGraph, world: WorldNode, scale_socket: socket.socket
) -> None:
    link, _ = scale_socket.accept()
    with link:
        jobs = graph.node.create_publisher(WeighJobList, 'weighing/job', latched())
        jobs.publish(weigh_jobs(WeighJob.ACTIVE))
        link.settimeout(5.0)
        assert link.recv(100).startswith(b'7,')
        jobs.publish(weigh_jobs(WeighJob.COMPLETED))
        link.settimeout(1.0)
        with pytest.raises(TimeoutError):
            while link.recv(100):
                pass


def test_photographs_need_a_catalogue_of_their_parts(graph: NodeGraph, catalogue_file: Path, tmp_path: Path) -> None:
    (tmp_path / 'chip.png').write_bytes(b'')
    (tmp_path / 'truth.json').write_text('[{"file": "chip.png", "part_number": "74LS00"}]')
    with pytest.raises(StartError, match=r'holds none of EM1-2U1.*74LS00'):
        WorldNode(**graph.options(catalogue_file=str(catalogue_file), scene='photos', folder=str(tmp_path)))


def test_an_event_letter_that_is_none_stops_the_start(graph: NodeGraph, catalogue_file: Path) -> None:
    with pytest.raises(ParameterError, match='event_letters'):
        WorldNode(**graph.options(catalogue_file=str(catalogue_file), event_letters=['JUMP=J']))


def test_a_fault_can_be_injected(graph: NodeGraph, world: WorldNode) -> None:
    answer = graph.call(InjectFault, 'sim/fault', InjectFault.Request(device='robot', fault='refuse', value=2.0))
    assert (answer.code, answer.message) == (ResultCode.OK, 'the next triggers are refused, times: 2')


@pytest.mark.parametrize(
    ('device', 'fault', 'named'),
    [('robot', 'explode', 'no_ack'), ('toaster', 'refuse', 'camera, robot, scale:7, gripper, nest')],
)
def test_an_unknown_fault_or_device_is_refused_with_what_there_is(
    graph: NodeGraph, world: WorldNode, device: str, fault: str, named: str
) -> None:
    answer = graph.call(InjectFault, 'sim/fault', InjectFault.Request(device=device, fault=fault))
    assert answer.code == ResultCode.INVALID_ARGUMENT
    assert named in answer.message


def test_nothing_of_the_truth_is_published(graph: NodeGraph, world: WorldNode) -> None:
    topics = {name for name, _ in world.get_publisher_names_and_types_by_node('world', '/cell')}
    assert topics <= {'/diagnostics', '/rosout', '/parameter_events', '/cell/heartbeat'}


def test_a_camera_port_in_use_stops_the_start(graph: NodeGraph, catalogue_file: Path, robot_socket: socket.socket) -> None:
    options = graph.options(catalogue_file=str(catalogue_file), camera_port=robot_socket.getsockname()[1], robot_port=0)
    with pytest.raises(StartError, match='address already in use'):
        WorldNode(**options)


def test_a_missing_catalogue_stops_the_start(graph: NodeGraph) -> None:
    with pytest.raises(StartError, match='catalogue_file'):
        WorldNode(**graph.options(catalogue_file='/nowhere.yaml'))
