"""No request ends a node. Slow: the tests bring up nodes."""

import pytest
import rclpy
from cell_common.services import ActionCallbacks, create_action_server, create_client, create_service, guard_services
from cell_common.testing import wait_until
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.action.client import ActionClient
from rclpy.action.server import CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import Trigger

from cell_interfaces.action import RunJob
from cell_interfaces.msg import ResultCode
from cell_interfaces.srv import SetJob

pytestmark = pytest.mark.slow


@pytest.fixture
def node(graph):
    return graph.add(rclpy.create_node('server', context=graph.context, namespace='cell', **parameters()))


def parameters(**values):
    return {'parameter_overrides': [rclpy.parameter.Parameter(name, value=value) for name, value in values.items()]}


def serve(node, callback, kind=SetJob):
    create_service(node, kind, 'set_job', callback, ReentrantCallbackGroup())


def test_an_answer_passes_unchanged(graph, node):
    def answer(request, response):
        response.code, response.message = 7, request.part_number
        return response

    serve(node, answer)
    response = graph.call(SetJob, 'set_job', SetJob.Request(part_number='ü€😀'))
    assert (response.code, response.message) == (7, 'ü€😀')


def test_a_defect_is_answered_with_an_id_that_the_log_explains(graph, node, capfd):
    def fail(_request, response):
        response.available = 5
        raise OverflowError('int too large')

    serve(node, fail)
    response = graph.call(SetJob, 'set_job', SetJob.Request())
    assert (response.code, response.available) == (ResultCode.INTERNAL, 0)
    error_id = response.message.split()[2].rstrip(':')
    log = capfd.readouterr().err
    assert log.count(error_id) == 1 and 'OverflowError: int too large' in log
    assert graph.call(SetJob, 'set_job', SetJob.Request()).code == ResultCode.INTERNAL, 'the node still answers'


def test_a_defect_in_a_coroutine_and_an_answer_that_cannot_be_sent(graph, node):
    async def fail(_request, _response):
        raise RuntimeError('\ud800')

    def surrogate(_request, response):
        response.message = 'file \udcff'
        return response

    serve(node, fail)
    create_service(node, Trigger, 'trigger', surrogate)
    assert graph.call(SetJob, 'set_job', SetJob.Request()).code == ResultCode.INTERNAL
    assert graph.call(Trigger, 'trigger', Trigger.Request()).message == 'file ?'


def test_a_service_of_ros_without_a_code_reports_failure(graph, node):
    def fail(_request, _response):
        raise KeyError('x')

    create_service(node, Trigger, 'trigger', fail)
    response = graph.call(Trigger, 'trigger', Trigger.Request())
    assert not response.success and 'internal error' in response.message


def test_a_value_outside_the_limits_never_reaches_the_callback(graph, node):
    reached = []
    serve(node, lambda request, response: reached.append(request) or response)
    response = graph.call(SetJob, 'set_job', SetJob.Request(part_number='x' * 1_000_000))
    assert response.code == ResultCode.INVALID_ARGUMENT and response.message.startswith('part_number has 1000000 characters')
    assert not reached


def test_parameter_services_of_ros_itself_are_guarded(graph, node):
    guard_services(node)
    request = SetParameters.Request(parameters=[Parameter(name='x', value=ParameterValue(type=77))])
    assert graph.call(SetParameters, 'server/set_parameters', request).results == []
    assert graph.call(SetParameters, 'server/set_parameters', SetParameters.Request()).results == []


def test_all_of_many_requests_at_once_are_answered(graph, node):
    serve(node, lambda _request, response: response)
    client = create_client(graph.node, SetJob, 'set_job')
    wait_until(client.service_is_ready)
    futures = [client.call_async(SetJob.Request()) for _ in range(300)]
    wait_until(lambda: all(future.done() for future in futures))


def test_the_depth_of_the_queue_is_a_parameter(graph):
    node = graph.add(rclpy.create_node('small', context=graph.context, namespace='cell', **parameters(service_queue_depth=20)))
    serve(node, lambda _request, response: response)
    assert node.get_parameter('service_queue_depth').value == 20
    with pytest.raises(ValueError, match='service_queue_depth'):
        serve(rclpy.create_node('none', context=graph.context, **parameters(service_queue_depth=0)), None)


def send(graph, goal):
    client = ActionClient(graph.node, RunJob, 'run_job')
    wait_until(client.server_is_ready)
    sent = graph.request(lambda: client.send_goal_async(goal))
    wait_until(sent.done)
    handle = sent.result()
    if not handle.accepted:
        return None
    done = graph.request(handle.get_result_async)
    wait_until(done.done)
    return done.result().result


def act(node, execute, **callbacks):
    group = ReentrantCallbackGroup()
    return create_action_server(node, RunJob, 'run_job', execute, ActionCallbacks(**callbacks), group)


def test_an_action_returns_its_result(graph, node):
    async def execute(goal):
        goal.succeed()
        return RunJob.Result(code=3, message='\udcff')

    act(node, execute, goal=lambda _: GoalResponse.ACCEPT, cancel=lambda _: CancelResponse.ACCEPT)
    result = send(graph, RunJob.Goal())
    assert (result.code, result.message) == (3, '?')


def test_a_defect_in_any_callback_of_an_action_leaves_the_node_alive(graph, node):
    def fail(_argument):
        raise ValueError('defect')

    act(node, fail, accepted=fail)
    assert send(graph, RunJob.Goal()).code == ResultCode.INTERNAL
    assert send(graph, RunJob.Goal(part_number='x' * 1_000_000)).code == ResultCode.INVALID_ARGUMENT


def test_a_defect_while_a_goal_is_judged_rejects_the_goal(graph, node):
    def fail(_argument):
        raise ValueError('defect')

    act(node, fail, goal=fail)
    assert send(graph, RunJob.Goal()) is None
