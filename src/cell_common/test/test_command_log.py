"""A command is executed once. Slow: the tests bring up nodes."""

import pytest
import rclpy
from cell_common.command_log import arguments_of, open_command_log
from cell_common.command_store import CommandFilter, CommandStore
from cell_common.database import open_database
from cell_common.database_worker import DatabaseWorker
from cell_common.services import ActionCallbacks, create_action_server, create_client, create_service
from cell_common.testing import wait_until
from rclpy.action.client import ActionClient
from rclpy.action.server import CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from sqlalchemy import text

from cell_interfaces.action import RunJob
from cell_interfaces.msg import CommandInfo, ResultCode
from cell_interfaces.srv import RobotCommand, UndoStock

pytestmark = pytest.mark.slow


class Server:
    """A node with one command, that counts how often it is executed."""

    def __init__(self, graph, url, **service):
        self.node = graph.add(rclpy.create_node('server', context=graph.context, namespace='cell'))
        self.engine = open_database(url)
        self.worker = DatabaseWorker(self.node)
        self.commands = open_command_log(self.node, self.engine, self.worker)
        self.executed = 0
        self.code = ResultCode.OK
        self.hold = None
        group = ReentrantCallbackGroup()
        create_service(self.node, UndoStock, 'inventory/undo', self.run, group, self.commands, **service)

    async def run(self, request, response):
        self.executed += 1
        if self.hold is not None:
            await self.hold
        response.code, response.message = self.code, f'execution {self.executed}'
        return response

    def log(self, **wanted):
        self.worker.close(finish_queue=True)
        return CommandStore(self.engine).read(CommandFilter(**wanted))


@pytest.fixture
def url(tmp_path):
    return f'sqlite:///{tmp_path}/cell.db'


@pytest.fixture
def server(graph, url):
    return Server(graph, url)


def request(request_id, reason='', operator='ann'):
    command = CommandInfo(request_id=request_id, operator_id=operator, role='operator', origin='10.0.0.7')
    return UndoStock.Request(command=command, reason=reason)


def undo(graph, *arguments):
    return graph.call(UndoStock, 'inventory/undo', request(*arguments))


def test_a_request_id_is_answered_with_its_first_answer(graph, server):
    assert [undo(graph, 'a').message for _ in range(3)] == ['execution 1'] * 3
    assert undo(graph, 'b').message == 'execution 2'
    assert server.executed == 2 and len(server.log()) == 2


def test_a_request_without_an_id_is_executed_each_time_and_audited(graph, server):
    assert [undo(graph, '').message for _ in range(2)] == ['execution 1', 'execution 2']
    first, second = server.log()
    assert first.entry.request_id != second.entry.request_id


def test_a_new_process_gives_the_first_answer_too(graph, server, url):
    undo(graph, 'a')
    server.worker.close(finish_queue=True)
    graph.remove(server.node)
    again = Server(graph, url)
    assert undo(graph, 'a').message == 'execution 1' and again.executed == 0


def test_a_request_that_a_dead_process_has_begun_is_not_executed_again(graph, server, url):
    server.hold = Future()
    client = create_client(graph.node, UndoStock, 'inventory/undo')
    wait_until(client.service_is_ready)
    client.call_async(request('a'))
    wait_until(lambda: server.executed)
    graph.remove(server.node)
    again = Server(graph, url)
    answer = undo(graph, 'a')
    assert answer.code == ResultCode.INTERNAL and 'outcome is unknown' in answer.message and again.executed == 0


def test_a_request_sent_again_while_it_is_executed_waits_for_the_first_answer(graph, server):
    server.hold = Future(executor=graph.executor)
    client = create_client(graph.node, UndoStock, 'inventory/undo')
    wait_until(client.service_is_ready)
    futures = [client.call_async(request('a')) for _ in range(5)]
    wait_until(lambda: server.executed)
    server.hold.set_result(None)
    wait_until(lambda: all(future.done() for future in futures))
    assert {future.result().message for future in futures} == {'execution 1'} and server.executed == 1


def test_an_id_that_belongs_to_another_request_is_refused(graph, server):
    undo(graph, 'a')
    answer = undo(graph, 'a', 'another reason')
    assert answer.code == ResultCode.INVALID_ARGUMENT and server.executed == 1
    assert [item.code for item in server.log()] == [ResultCode.INVALID_ARGUMENT, ResultCode.OK]


def test_a_refusal_is_audited_with_who_from_where_and_why(graph, server):
    server.code = ResultCode.NOTHING_TO_UNDO
    undo(graph, 'a', 'wrong tray')
    (item,) = server.log(only_refused=True, operator_id='ann', command='inventory/', text='wrong')
    entry = item.entry
    assert (entry.node, entry.command, entry.role, entry.origin) == ('server', 'inventory/undo', 'operator', '10.0.0.7')
    assert (item.code, item.message) == (ResultCode.NOTHING_TO_UNDO, 'execution 1') and '"wrong tray"' in entry.arguments
    assert not CommandStore(server.engine).read(CommandFilter(operator_id='bob'))


def test_an_oversized_command_is_audited_in_a_length_that_can_be_stored(graph, server):
    answer = graph.call(UndoStock, 'inventory/undo', request('x' * 5000, 'y' * 20_000, 'z' * 5000))
    assert answer.code == ResultCode.INVALID_ARGUMENT and server.executed == 0
    (item,) = server.log()
    assert len(item.entry.operator_id) == 64 and len(item.entry.arguments) == 2000


def test_an_answer_that_nothing_was_stored_frees_the_id(graph, server):
    server.code = ResultCode.STORAGE_FAILED
    undo(graph, 'a')
    server.code = ResultCode.OK
    assert undo(graph, 'a').message == 'execution 2' and undo(graph, 'a').message == 'execution 2'


def test_a_failing_database_stops_no_command(graph, server):
    with server.engine.begin() as connection:
        connection.execute(text('DROP TABLE command_log'))
    assert undo(graph, 'a').code == ResultCode.OK
    assert undo(graph, 'a').message == 'execution 1', 'remembered in memory'


def test_a_stop_is_executed_each_time(graph, url):
    server = Server(graph, url, repeatable=True)
    assert [undo(graph, 'a').message for _ in range(2)] == ['execution 1', 'execution 2']
    assert len(server.log()) == 2


def test_goals_and_cancellations_of_an_action_are_audited_and_goals_are_executed_once(graph, server):
    executed = []

    async def run(goal):
        executed.append(goal)
        while not goal.is_cancel_requested and goal.request.quantity == 7:
            await wait_a_turn(server.node)
        (goal.canceled if goal.is_cancel_requested else goal.succeed)()
        return RunJob.Result(message=f'run {len(executed)}')

    callbacks = ActionCallbacks(cancel=lambda _: CancelResponse.ACCEPT, commands=server.commands)
    create_action_server(server.node, RunJob, 'run_job', run, callbacks, ReentrantCallbackGroup())
    client = ActionClient(graph.node, RunJob, 'run_job')
    wait_until(client.server_is_ready)

    def send(**goal):
        command = CommandInfo(request_id=goal.pop('id'), operator_id='ann')
        sent = graph.request(lambda: client.send_goal_async(RunJob.Goal(command=command, **goal)))
        wait_until(sent.done)
        return sent.result()

    def result(handle):
        done = graph.request(handle.get_result_async)
        wait_until(done.done)
        return done.result().result.message

    assert [result(send(id='a')), result(send(id='a'))] == ['run 1', 'run 1']
    handle = send(id='b', quantity=7)
    wait_until(lambda: len(executed) == 2)
    graph.request(handle.cancel_goal_async)
    assert result(handle) == 'run 2'
    names = [item.entry.command for item in server.log()]
    assert sorted(names) == ['run_job', 'run_job', 'run_job/cancel']


async def wait_a_turn(node):
    done = Future(executor=node.executor)
    timer = node.create_timer(0.01, lambda: done.done() or done.set_result(None))
    await done
    node.destroy_timer(timer)


def test_a_service_without_a_group_of_its_own_does_not_wait_for_itself(graph, server):
    def run(_request, response):
        response.message = 'done'
        return response

    create_service(server.node, RobotCommand, 'robot/stop', run, None, server.commands)
    command = CommandInfo(request_id='a')
    assert graph.call(RobotCommand, 'robot/stop', RobotCommand.Request(command=command)).message == 'done'
    assert graph.call(RobotCommand, 'robot/stop', RobotCommand.Request()).message == 'done'


def test_arguments_are_named_without_binary_data():
    assert arguments_of(RobotCommand.Request()) == '{}'
    assert arguments_of(UndoStock.Request(sequence=3, reason='ü')) == '{"sequence": 3, "reason": "ü"}'
