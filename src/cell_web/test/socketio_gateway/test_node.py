"""The node itself, with fakes of the cell's services: foreign clients, and nodes that end and come back."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from cell_common.qos import events, latched, sensor_stream
from cell_common.testing import NodeGraph, wait_until
from cell_web.socketio_gateway.node import SocketIoGatewayNode
from foreign_clients import CLIENTS, ForeignClient
from legacy_contract import HUB_SCRIPT, IMAGE, JOB, JPEG, LIST, PAGE_SCRIPT, PART, STOCK, play
from rclpy.action.server import ActionServer
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import Trigger

from cell_interfaces.action import RunJob, TriggerRobot
from cell_interfaces.msg import (
    BenchmarkSet,
    ComponentCaptured,
    Inventory,
    JobInvalid,
    MatchResult,
    OcrResult,
    PartStock,
    ReloadRequired,
    TextReading,
    TrayStock,
)
from cell_interfaces.srv import CaptureComponent, ResetStock, SetBenchmark, SetJob

SAID = 'done as asked'
PARAMETERS = {'page_port': 0, 'hub_port': 0, 'command_timeout': 1.5, 'motion_timeout': 2.0, 'replay_window': 0.0}


class FakeCoordinator(Node):
    """Does as asked: coordinator, ledger, camera and robot in one node."""

    def __init__(self, **options: Any) -> None:
        super().__init__('coordinator', **options)
        self.commands: list[tuple[Any, ...]] = []
        self.operators: set[str] = set()
        self.robot_answers = True
        self.job_id = ''
        self.reset_to: Inventory | None = None
        for kind, name, describe in (
            (SetJob, 'set_job', lambda r: ('set_job', r.part_number, r.quantity)),
            (SetBenchmark, 'set_benchmark', lambda r: ('set_benchmark', r.part_number)),
            (CaptureComponent, 'capture_component', lambda _: ('capture',)),
            (ResetStock, 'inventory/reset', lambda _: ('reset_stock',)),
        ):
            self.create_service(kind, name, self._answering(describe))
        for name, running in (('camera/start', True), ('camera/stop', False)):
            self.create_service(Trigger, name, self._camera(running))
        self._robot = ActionServer(self, TriggerRobot, 'robot/trigger', self._trigger)
        self._jobs = ActionServer(self, RunJob, 'run_job', self._run)
        self._stock = self.create_publisher(Inventory, 'inventory', latched())
        self._frames = self.create_publisher(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
        self._overlays = self.create_publisher(CompressedImage, 'ocr/overlay/compressed', sensor_stream())
        self._captures = self.create_publisher(ComponentCaptured, 'component_captured', events())
        self._benchmarks = self.create_publisher(BenchmarkSet, 'benchmark_set', latched())
        self._refusals = self.create_publisher(JobInvalid, 'job_invalid', events())
        self._reloads = self.create_publisher(ReloadRequired, 'reload_required', events())

    def destroy_node(self) -> None:
        self._robot.destroy()
        self._jobs.destroy()
        super().destroy_node()

    def _answering(self, describe: Any) -> Any:
        def answer(request: Any, response: Any) -> Any:
            self.commands.append(describe(request))
            self.operators.add(request.command.operator_id)
            response.message = SAID
            if isinstance(response, SetJob.Response):
                response.job_id = self.job_id
            if isinstance(response, ResetStock.Response) and self.reset_to is not None:
                response.inventory = self.reset_to
            return response

        return answer

    def _camera(self, running: bool) -> Any:
        def answer(_request: Any, response: Any) -> Any:
            self.commands.append(('set_camera', running))
            response.success, response.message = True, SAID
            return response

        return answer

    async def _trigger(self, goal: Any) -> Any:
        self.commands.append(('trigger', goal.request.event))
        if not self.robot_answers:
            await Future(executor=self.executor)
        goal.publish_feedback(TriggerRobot.Feedback(state=TriggerRobot.Feedback.ACKNOWLEDGED))
        goal.succeed()
        return TriggerRobot.Result(message=SAID)

    async def _run(self, goal: Any) -> Any:
        self.commands.append(('run_job', goal.request.job_id) if goal.request.job_id else ('run_job',))
        goal.succeed()
        return RunJob.Result(message=SAID)

    def stock(self, stock: dict[str, dict[int, int]]) -> None:
        self._stock.publish(self.inventory(stock))

    @staticmethod
    def inventory(stock: dict[str, dict[int, int]], sequence: int = 0) -> Inventory:
        parts = [
            PartStock(part_number=part, trays=[TrayStock(tray=tray, count=count) for tray, count in trays.items()])
            for part, trays in stock.items()
        ]
        return Inventory(parts=parts, sequence=sequence)

    def frame(self, jpeg: bytes) -> None:
        self._watched(self._frames).publish(CompressedImage(format='jpeg', data=jpeg))

    def capture(self, texts: list[str], match: bool, score: float, image: bytes) -> None:
        message = ComponentCaptured(ocr=OcrResult(texts=[TextReading(text=text) for text in texts]))
        message.match = MatchResult(verdict=MatchResult.MATCH if match else MatchResult.MISMATCH, score=score)
        message.ocr.header.stamp = self.overlay(image, self.get_clock().now().to_msg())
        self._watched(self._captures).publish(message)

    def benchmark(self, part_number: str, texts: list[str], image: bytes) -> None:
        self.benchmark_of(part_number, texts, self.overlay(image, self.get_clock().now().to_msg()))

    def benchmark_of(self, part_number: str, texts: list[str], stamp: Any) -> None:
        self._watched(self._benchmarks).publish(BenchmarkSet(stamp=stamp, part_number=part_number, texts=texts))

    def overlay(self, image: bytes, stamp: Any) -> Any:
        message = CompressedImage(format='jpeg', data=image)
        message.header.stamp = stamp
        self._watched(self._overlays).publish(message)
        return stamp

    @staticmethod
    def _watched(publisher: Any) -> Any:
        wait_until(publisher.get_subscription_count, 10.0, f'a subscription of {publisher.topic_name}')
        return publisher

    def refuse_job(self, part_number: str, requested: int, available: int) -> None:
        self._watched(self._refusals).publish(JobInvalid(part_number=part_number, requested=requested, available=available))

    def reload(self, part_number: str) -> None:
        self._watched(self._reloads).publish(ReloadRequired(part_number=part_number))


@pytest.fixture
def cell(graph: NodeGraph) -> FakeCoordinator:
    cell = graph.add(FakeCoordinator(**graph.options()))
    cell.stock(STOCK)
    return cell


@pytest.fixture
def alone(graph: NodeGraph, tmp_path: Path) -> SocketIoGatewayNode:
    """The node before any other one has started."""
    trays = ', '.join(f'{{count: {count}, capacity: 24, low: 1}}' for count in (2, 0, 1, 7))
    catalogue = tmp_path / 'parts.yaml'
    catalogue.write_text(
        f"parts:\n  - {{part_number: {PART}, description: relay, letter: 'F', unit_weight: 0, trays: [{trays}]}}\n"
    )
    node = graph.add(SocketIoGatewayNode(**graph.options(**PARAMETERS, catalogue_file=str(catalogue))))
    wait_until(lambda: node.page.server.port and node.hub.server.port, 10.0, 'both ports')
    return node


@pytest.fixture
def gateway(cell: FakeCoordinator, alone: SocketIoGatewayNode) -> SocketIoGatewayNode:
    return alone


def test_the_order_of_starting_does_not_matter(graph, alone):
    """Page and backend are there before inventory, coordinator and robot, whose stock then arrives unasked."""
    with (
        ForeignClient('socket.io-client 2', alone.page.server.port) as page,
        ForeignClient('python-socketio 4', alone.hub.server.port) as backend,
    ):
        page.send('get_inventory')
        assert 'not known yet' in page.wait('status')['msg']
        cell = graph.add(FakeCoordinator(**graph.options()))
        cell.stock(STOCK)
        assert page.wait('update_inventory') == LIST
        assert backend.wait('update_inventory') == {PART: [2, 0, 1, 7]}
        backend.send('send_trigger', {'trigger': 'D', 'event': 'program_started', 'part_number': ''})
        assert backend.wait('ack') == {'event': 'program_started'}


def test_the_log_joins_a_trigger_with_its_acknowledgement_by_an_id(gateway, cell, capfd):
    with ForeignClient('python-socketio 5', gateway.hub.server.port) as backend:
        for count in (1, 2):
            backend.send('send_trigger', {'trigger': 'F', 'event': f'PART_{PART}', 'part_number': PART})
            backend.wait('ack', count)
    log = capfd.readouterr().err
    sent = re.findall(f'hub 127.0.0.1: trigger (\\S+) for PART_{PART}\n', log)
    acknowledged = re.findall(f'hub 127.0.0.1: trigger (\\S+) for PART_{PART} acknowledged\n', log)
    assert len(set(sent)) == 2 and acknowledged == sent
    assert log.count(f'hub port: F (PART_{PART}) acknowledged to 127.0.0.1') == 2


def test_every_client_exchanges_every_event_with_the_node(gateway, cell):
    for kind in CLIENTS:
        with ForeignClient(kind, gateway.page.server.port) as page:
            play(page, cell, PAGE_SCRIPT)
            cell.stock(STOCK)
            page.wait('update_inventory', len(page.all('update_inventory')) + 1)
            with ForeignClient(kind, gateway.hub.server.port) as hub:
                play(hub, cell, HUB_SCRIPT)
            cell.stock(STOCK)
            wait_until(lambda page=page: page.all('update_inventory')[-1] == LIST, 5.0, 'the first stock again')
    assert cell.operators == {'page 127.0.0.1', 'hub 127.0.0.1'}


def test_an_image_that_is_drawn_late_is_in_the_event_all_the_same(gateway, cell):
    """Node ocr loads what draws its images when one is wanted for the first time."""
    stamp = cell.get_clock().now().to_msg()
    with ForeignClient('python-socketio 5', gateway.page.server.port) as page:
        page.wait('update_inventory')
        drawn = threading.Timer(1.0, cell.overlay, (JPEG, stamp))
        drawn.start()
        cell.benchmark_of(PART, [PART], stamp)
        assert page.wait('benchmark_set')['image'] == IMAGE
        drawn.join()


def test_commands_are_answered_while_the_nodes_are_down_and_work_when_they_are_back(graph, gateway, cell):
    """Each command gets a status that names what is missing; the stock stays there for a page that reloads."""
    port = gateway.page.server.port
    with ForeignClient('python-socketio 5', port) as page, ForeignClient('python-socketio 5', gateway.hub.server.port) as hub:
        page.wait('update_inventory')
        graph.remove(cell)
        commands = [['set_job', JOB], ['capture_component'], ['set_benchmark', {'part_number': PART}], ['reset_inventory']]
        page.send_all([*commands, ['start_camera'], ['start_robot']])
        hub.send('send_trigger', {'trigger': 'D', 'event': 'program_started', 'part_number': ''})
        page.wait('status', 6, 30.0)  # one after the other, each after its own deadline
        texts = [status['msg'] for status in page.all('status')]
        for missing in ('set_job', 'capture_component', 'set_benchmark', 'inventory/reset', 'camera/start', 'robot'):
            assert any(missing in text for text in texts), (missing, texts)
        assert 'not sent' in hub.wait('status')['msg'] and not hub.all('ack')
        with ForeignClient('socket.io-client 2', port) as reloaded:
            assert reloaded.wait('update_inventory') == LIST

        back = graph.add(FakeCoordinator(**graph.options()))
        page.send('set_job', JOB)
        assert page.wait('status', 7)['msg'] == SAID and back.commands == [('set_job', PART, 3)]
        hub.send('send_trigger', {'trigger': 'D', 'event': 'program_started', 'part_number': ''})
        hub.wait('ack')


def test_a_start_right_after_a_job_runs_that_job_and_a_reset_has_its_own_counts(gateway, cell):
    """The topics with the job and the counts arrive later than the answers, or as here not at all."""
    cell.job_id, cell.reset_to = 'job 7', cell.inventory({PART: {1: 24}}, sequence=5)
    with ForeignClient('python-socketio 5', gateway.page.server.port) as page:
        page.wait('update_inventory')
        page.send_all([['set_job', JOB], ['start_robot']])
        page.wait('status', 2)
        assert cell.commands == [('set_job', PART, 3), ('run_job', 'job 7')]
        page.send('reset_inventory')
        assert page.wait('update_inventory', 2)['inventory'][0]['tray1'] == 24
        cell.stock(STOCK)  # sent before the reset, and late
        page.send('reset_inventory')
        assert page.wait('update_inventory', 3)['inventory'][0]['tray1'] == 24


def test_a_robot_node_that_ends_in_a_trigger_leaves_it_unknown_without_an_acknowledgement(graph, gateway, cell):
    cell.robot_answers = False
    with ForeignClient('python-socketio 5', gateway.hub.server.port) as hub:
        hub.send('send_trigger', {'trigger': 'F', 'event': f'PART_{PART}', 'part_number': PART})
        wait_until(lambda: cell.commands == [('trigger', f'PART_{PART}')], 10.0, 'the trigger at the robot node')
        graph.remove(cell)
        assert 'outcome unknown' in hub.wait('status')['msg'] and not hub.all('ack')


def test_each_backend_gets_its_own_acknowledgements(gateway, cell):
    port = gateway.hub.server.port
    with ForeignClient('python-socketio 4', port) as first, ForeignClient('python-socketio 5', port) as second:
        for _ in range(3):
            first.send('send_trigger', {'trigger': 'D', 'event': 'program_started', 'part_number': ''})
            second.send('send_trigger', {'trigger': 'F', 'event': f'PART_{PART}', 'part_number': PART})
        first.wait('ack', 3)
        second.wait('ack', 3)
        assert first.all('ack') == [{'event': 'program_started'}] * 3
        assert second.all('ack') == [{'event': f'PART_{PART}'}] * 3
