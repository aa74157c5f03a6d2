import pytest
from cell_common.calls import ServiceCallError, call_service, wait_for
from cell_common.testing import wait_until
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from std_srvs.srv import Trigger

from cell_interfaces.msg import CommandInfo
from cell_interfaces.srv import BookPiece, GetInventory, SetJob


def ask(graph, name, seconds, kind=Trigger, request=None):
    """Call a service from a coroutine of the graph's executor; return the response or the error."""
    client = graph.node.create_client(kind, name, callback_group=ReentrantCallbackGroup())
    results = []

    async def work():
        try:
            results.append(await call_service(graph.node, client, request or kind.Request(), seconds))
        except ServiceCallError as error:
            results.append(error)

    graph.executor.create_task(work)
    wait_until(lambda: results, 10)
    return results[0]


def test_the_response_comes_back(graph):
    def answer(_request, response):
        response.success = True
        return response

    graph.node.create_service(Trigger, 'yes', answer)
    assert ask(graph, 'yes', 2.0).success


def test_a_missing_service_is_an_error_within_the_timeout(graph):
    error = ask(graph, 'nobody', 0.3)
    assert isinstance(error, ServiceCallError)
    assert 'is not available' in str(error)


def test_a_service_that_does_not_respond_is_an_error_within_the_timeout(graph):
    async def stuck(_request, response):
        await Future(executor=graph.executor)
        return response

    graph.node.create_service(Trigger, 'stuck', stuck, callback_group=ReentrantCallbackGroup())
    error = ask(graph, 'stuck', 0.5)
    assert isinstance(error, ServiceCallError)
    assert 'did not respond within 0.5 s' in str(error)


def test_a_reading_request_whose_answer_is_lost_is_sent_again(graph):
    asked = []

    async def answer_the_second(request, response):
        asked.append(request)
        if len(asked) == 1:
            await Future(executor=graph.executor)
        response.message = f'request {len(asked)}'
        return response

    graph.node.create_service(GetInventory, 'lossy', answer_the_second, callback_group=ReentrantCallbackGroup())
    assert ask(graph, 'lossy', 30.0, GetInventory).message == 'request 2'
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ('kind', 'request_'), [(BookPiece, BookPiece.Request()), (SetJob, SetJob.Request(command=CommandInfo(request_id='a')))]
)
def test_a_request_that_would_be_executed_twice_is_sent_once(graph, kind, request_):
    asked = []

    async def stuck(request, response):
        asked.append(request)
        await Future(executor=graph.executor)
        return response

    graph.node.create_service(kind, 'stuck', stuck, callback_group=ReentrantCallbackGroup())
    assert isinstance(ask(graph, 'stuck', 0.5, kind, request_), ServiceCallError)
    assert len(asked) == 1


def test_a_callback_may_wait_for_a_service_of_its_own_node(graph):
    group = ReentrantCallbackGroup()
    client = graph.node.create_client(Trigger, 'inner', callback_group=group)

    def inner(_request, response):
        response.message = 'from inside'
        return response

    async def outer(_request, response):
        response.message = (await call_service(graph.node, client, Trigger.Request(), 5.0)).message
        return response

    graph.node.create_service(Trigger, 'inner', inner, callback_group=group)
    graph.node.create_service(Trigger, 'outer', outer, callback_group=group)
    assert ask(graph, 'outer', 5.0).message == 'from inside'


def test_a_wait_ends_at_its_timeout(graph):
    waiting = graph.executor.create_task(wait_for(graph.node, Future(executor=graph.executor), 0.02))
    wait_until(waiting.done)
    assert waiting.result() is False


def test_a_wait_for_a_completed_future_returns_without_waiting(graph):
    future = Future(executor=graph.executor)
    future.set_result(None)
    waiting = graph.executor.create_task(wait_for(graph.node, future, 60.0))
    wait_until(waiting.done)
    assert waiting.result() is True
