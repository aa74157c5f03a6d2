from cell_common.calls import ServiceCallError, call_service
from cell_common.testing import wait_until
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from std_srvs.srv import Trigger


def ask(graph, name, seconds):
    """Call a service from a coroutine of the graph's executor; return the response or the error."""
    client = graph.node.create_client(Trigger, name, callback_group=ReentrantCallbackGroup())
    results = []

    async def work():
        try:
            results.append(await call_service(graph.node, client, Trigger.Request(), seconds))
        except ServiceCallError as problem:
            results.append(problem)

    graph.executor.create_task(work)
    wait_until(lambda: results, 10)
    return results[0]


def test_the_response_comes_back(graph):
    def answer(_request, response):
        response.success = True
        return response

    graph.node.create_service(Trigger, 'yes', answer)
    assert ask(graph, 'yes', 2.0).success


def test_a_missing_service_is_told_within_the_deadline(graph):
    problem = ask(graph, 'nobody', 0.3)
    assert isinstance(problem, ServiceCallError)
    assert 'is not there' in str(problem)


def test_a_service_that_does_not_answer_is_told_within_the_deadline(graph):
    async def stuck(_request, response):
        await Future(executor=graph.executor)
        return response

    graph.node.create_service(Trigger, 'stuck', stuck, callback_group=ReentrantCallbackGroup())
    problem = ask(graph, 'stuck', 0.5)
    assert isinstance(problem, ServiceCallError)
    assert 'did not answer within 0.5 s' in str(problem)
