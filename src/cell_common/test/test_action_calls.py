import threading

import pytest
from cell_common.services import ActionCallbacks, create_action_server
from cell_common.testing import wait_until
from rclpy.action.client import ActionClient
from rclpy.task import Future

from cell_interfaces.action import RunJob

pytestmark = pytest.mark.slow


class RecordingClient(ActionClient):
    """Remembers the threads that send its goals."""

    threads: list[str]

    def send_goal_async(self, *arguments):
        self.threads.append(threading.current_thread().name)
        return super().send_goal_async(*arguments)


@pytest.fixture
def client(graph):
    def execute(goal):
        goal.succeed()
        return RunJob.Result(message=goal.request.job_id)

    create_action_server(graph.node, RunJob, 'run_job', execute, ActionCallbacks())
    client = RecordingClient(graph.node, RunJob, 'run_job')
    client.threads = []
    wait_until(client.server_is_ready)
    return client


def test_many_goals_of_another_thread_all_have_their_results(graph, client):
    goals = [RunJob.Goal(job_id=str(number)) for number in range(50)]
    sent = [graph.request(lambda goal=goal: client.send_goal_async(goal)) for goal in goals]
    wait_until(lambda: all(future.done() for future in sent))
    results = [graph.request(future.result().get_result_async) for future in sent]
    wait_until(lambda: all(future.done() for future in results))
    assert [future.result().result.message for future in results] == [goal.job_id for goal in goals]
    assert set(client.threads) != {threading.current_thread().name} and len(set(client.threads)) == 1


def test_an_error_of_the_request_reaches_the_caller_and_the_executor_goes_on(graph, client):
    failed = graph.request(lambda: client.send_goal_async('no goal'))
    wait_until(failed.done)
    assert isinstance(failed.exception(), TypeError)
    failing = Future()
    relayed = graph.request(lambda: failing)
    failing.set_exception(ValueError('defect'))
    wait_until(relayed.done)
    assert isinstance(relayed.exception(), ValueError)
    again = graph.request(lambda: client.send_goal_async(RunJob.Goal()))
    wait_until(again.done)
