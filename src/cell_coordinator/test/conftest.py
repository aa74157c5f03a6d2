from collections import deque

import pytest
import yaml
from cell_common.qos import events, latched
from cell_common.testing import domain, graph, node_switch_interval, wait_until
from cell_coordinator.node import CoordinatorNode
from cell_inventory.node import InventoryNode
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.action.client import ActionClient
from rclpy.action.server import ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sqlalchemy import create_engine, text

from cell_interfaces.action import RunJob, TriggerRobot
from cell_interfaces.msg import (
    CellStatus,
    CommandInfo,
    ComponentCaptured,
    JobState,
    MatchResult,
    OcrResult,
    PreflightCheck,
    ResultCode,
    RobotState,
    TextReading,
)
from cell_interfaces.srv import (
    AdjustStock,
    ControlJob,
    GetBenchmarks,
    GetInventory,
    KeepFrame,
    MatchPart,
    ReadText,
    RobotCommand,
    RobotPreflight,
    SetBenchmark,
    SetJob,
    StoreBenchmark,
)

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
PARTS = {
    'parts': [
        {'part_number': PART, 'letter': 'A', 'trays': [{'count': count, 'capacity': 10, 'low': 1} for count in (2, 3, 0, 0)]},
        {'part_number': OTHER, 'letter': 'C', 'trays': [{'count': 5, 'capacity': 10, 'low': 1}] * 4},
    ]
}
SUCCEEDED, NOT_SENT, REFUSED, UNKNOWN = range(4)
SILENT = 'silent'
REPORTING_NODES = ('camera', 'ocr', 'part_matcher', 'robot', 'inventory')


class FakeRobot(Node):
    """Executes triggers immediately; `script` holds other outcomes by event."""

    def __init__(self, **options):
        super().__init__('robot', **options)
        self.sent = []
        self.script = {}
        self.in_gripper = None
        self.trays = {}
        self.supply = deque()
        self.before_result = {}
        self.placed, self.rejected = [], []
        group = ReentrantCallbackGroup()
        self.server = ActionServer(self, TriggerRobot, 'robot/trigger', self.trigger, callback_group=group)
        self.states = self.create_publisher(RobotState, 'robot/state', latched())
        self.create_service(RobotCommand, 'robot/start_program', self.start_program)
        self.create_service(RobotPreflight, 'robot/preflight', self.preflight)
        self.started = 0
        self.failing = ''
        """The failing line of the preflight checks; "" = none."""
        self.sensor = 'no sensor'
        """Message of the line about the gripper's sensor."""

    def destroy_node(self):
        self.server.destroy()
        super().destroy_node()

    def start_program(self, request, response):
        self.started += 1
        response.message = 'started'
        return response

    def preflight(self, _request, response):
        response.code = ResultCode.PREFLIGHT_FAILED if self.failing else ResultCode.OK
        response.message = self.failing
        response.checks = [PreflightCheck(name='gripper sensor', ok=True, message=self.sensor)]
        return response

    async def trigger(self, goal):
        event = goal.request.event
        self.sent.append((event, goal.request.tray, goal.request.trigger_id))
        answers = self.script.get(event.split('_')[0], [])
        outcome = answers.pop(0) if answers else SUCCEEDED
        if outcome == SILENT:
            await Future(executor=self.executor)
        self.before_result.get(event, lambda: None)()
        if outcome == SUCCEEDED:
            self.act(event)
            goal.succeed()
        else:
            goal.abort()
        return TriggerRobot.Result(outcome=outcome, code=200 if outcome else 0, message='as scripted' if outcome else '')

    def act(self, event):
        if event.startswith('PART_') or event == 'BENCHMARK':
            self.in_gripper = self.supply.popleft() if self.supply else PART
        elif event in ('PLACE', 'REJECT'):
            (self.placed if event == 'PLACE' else self.rejected).append(self.in_gripper)
            self.in_gripper = None

    def events(self):
        return [event for event, _, _ in self.sent]


class FakeVision(Node):
    """Fake of OCR and matcher; it reads the number of the piece that the fake robot presents."""

    def __init__(self, robot, **options):
        super().__init__('vision', **options)
        self.robot = robot
        self.read_broken = 0
        self.asked = []
        self.age_ns = 0
        self.create_service(ReadText, 'ocr/read', self.read)
        self.create_service(MatchPart, 'matching/match', self.match)
        self.create_service(StoreBenchmark, 'matching/store_benchmark', self.store)
        self.benchmarks = []
        self.kept = []
        self.keeping = self.create_service(KeepFrame, 'ocr/keep_frame', self.keep)

    def offer_benchmarks(self):
        self.create_service(GetBenchmarks, 'matching/benchmarks', self.list_benchmarks)

    def list_benchmarks(self, _request, response):
        response.benchmarks = self.benchmarks
        return response

    def read(self, request, response):
        self.asked.append(request)
        if self.read_broken:
            self.read_broken -= 1
            response.code, response.message = ResultCode.ENGINE_FAILED, 'the OCR worker died'
            return response
        newer = request.newer_than.sec * 10**9 + request.newer_than.nanosec
        stamp = max(self.get_clock().now().nanoseconds, newer + 1) - self.age_ns
        result = OcrResult(status=OcrResult.OK, read_time=0.05, request_id=request.request_id, frames=max(1, request.frames))
        result.header.stamp.sec, result.header.stamp.nanosec = divmod(stamp, 10**9)
        number = self.robot.in_gripper or ''
        result.status = OcrResult.OK if number else OcrResult.NO_TEXT
        result.texts = [TextReading(text=number, score=0.9)] if number else []
        response.result = result
        return response

    def match(self, request, response):
        number = request.ocr.texts[0].text if request.ocr.texts else ''
        result = MatchResult(
            header=request.ocr.header,
            request_id=request.request_id,
            text=number,
            score=0.9,
            expected_part_number=request.expected_part_number,
        )
        result.verdict, result.part_number = MatchResult.UNKNOWN, ''
        if not number:
            result.verdict = MatchResult.UNREADABLE
        elif '?' in number:
            result.verdict, result.reason = MatchResult.AMBIGUOUS, f'{number} may be two parts'
        elif number in (PART, OTHER):
            result.part_number = number
            result.verdict = MatchResult.MATCH if number == request.expected_part_number else MatchResult.MISMATCH
        response.result = result
        return response

    def keep(self, request, response):
        self.kept.append(request)
        response.code, response.message = ResultCode.STORAGE_FAILED, 'the disk is full'
        return response

    def store(self, request, response):
        response.version = 1
        return response


class DiagnosticsPublisher(Node):
    """Reports the health of nodes that the tests do not run."""

    def __init__(self, **options):
        super().__init__('diagnostics', **options)
        self.levels = dict.fromkeys(REPORTING_NODES, 0)
        self.publisher = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_timer(0.1, self.publish)

    def publish(self):
        self.publisher.publish(
            DiagnosticArray(
                status=[
                    DiagnosticStatus(level=bytes([level]), name=f'cell/{name}: work', message='broken' if level else '')
                    for name, level in self.levels.items()
                ]
            )
        )


class Cell:
    """The coordinator with a real ledger among fakes, and the operator."""

    def __init__(self, graph, database_url, catalogue_file):
        self.graph = graph
        self.database_url = database_url
        options = graph.options()
        self.robot = graph.add(FakeRobot(**options))
        self.vision = graph.add(FakeVision(self.robot, **options))
        self.diagnostics = graph.add(DiagnosticsPublisher(**options))
        self.inventory_options = graph.options(database_url=database_url, catalogue_file=str(catalogue_file))
        self.inventory = graph.add(InventoryNode(**self.inventory_options))
        self.jobs = graph.collect(JobState, 'job', latched(100))
        self.captures = graph.collect(ComponentCaptured, 'component_captured', events())
        self.statuses = graph.collect(CellStatus, 'status', latched())
        self.runner = ActionClient(graph.node, RunJob, 'run_job')
        self.coordinator = None

    def up(self, ready=True, **parameters):
        values = {
            'database_url': self.database_url,
            'settle_time': 0.0,
            'retry_time': 1.5,
            'call_timeout': 1.0,
            'read_timeout': 0.5,
            'accept_timeout': 1.0,
            'trigger_timeout': 1.5,
            **parameters,
        }
        self.statuses.clear()
        self.coordinator = self.graph.add(CoordinatorNode(**self.graph.options(**values)))
        if ready:
            wait_until(lambda: self.statuses and self.statuses[-1].ready, what='the cell is ready')
        return self

    def crash(self):
        self.graph.remove(self.coordinator)

    def run(self, quantity=3, part=PART, job_id='', command=None):
        goal = RunJob.Goal(
            part_number=part, quantity=quantity, job_id=job_id, command=command or CommandInfo(operator_id='ann')
        )
        wait_until(self.runner.server_is_ready)
        sent = self.graph.request(lambda: self.runner.send_goal_async(goal))
        wait_until(sent.done)
        self.goal = sent.result()
        return self.graph.request(self.goal.get_result_async)

    def run_with_feedback(self, quantity, on_feedback):
        wait_until(self.runner.server_is_ready)
        goal = RunJob.Goal(part_number=PART, quantity=quantity)
        sent = self.graph.request(lambda: self.runner.send_goal_async(goal, on_feedback))
        wait_until(sent.done)

    def result(self, future, timeout=10.0):
        wait_until(future.done, timeout, 'the end of run_job')
        return future.result().result

    def control(self, action):
        return self.graph.call(
            ControlJob,
            'control_job',
            ControlJob.Request(action=getattr(ControlJob.Request, action), command=CommandInfo(operator_id='ann')),
        )

    def until(self, state, timeout=10.0):
        wanted = getattr(JobState, state)
        wait_until(
            lambda: self.jobs and self.jobs[-1].state == wanted,
            timeout,
            f'{state}; last: {[(job.state, job.step, job.reason) for job in self.jobs[-3:]]}',
        )
        return self.jobs[-1]

    def stock(self, part=PART):
        answer = self.graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=part, max_events=100))
        return [tray.count for tray in answer.inventory.parts[0].trays], [event for event in answer.events if event.job_id]

    def booked(self):
        """(kind, piece) in order; kind 1 = placed, 2 = rejected."""
        return [(event.kind, event.piece) for event in self.stock()[1]][::-1]

    def adjust(self, count, tray=1, part=PART):
        return self.graph.call(
            AdjustStock, 'inventory/adjust', AdjustStock.Request(part_number=part, tray=tray, count=count, reason='test')
        )

    def set_job(self, quantity, part=PART, **command):
        return self.graph.call(
            SetJob,
            'set_job',
            SetJob.Request(part_number=part, quantity=quantity, command=CommandInfo(operator_id='ann', **command)),
        )

    def set_benchmark(self, part=PART):
        return self.graph.call(SetBenchmark, 'set_benchmark', SetBenchmark.Request(part_number=part))

    def rows(self, query):
        """Rows of the database as tuples."""
        with create_engine(self.database_url).connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def database_url(tmp_path):
    return f'sqlite:///{tmp_path}/cell.db'


@pytest.fixture
def cell(graph, tmp_path, database_url):
    path = tmp_path / 'parts.yaml'
    path.write_text(yaml.safe_dump(PARTS))
    return Cell(graph, database_url, path)
