"""What rclpy's action server promises holds for ours; goal ids cost little to write."""

import numpy as np
import pytest
from action_msgs.msg import GoalStatus, GoalStatusArray
from cell_common.actions import HexGoalId, LowLatencyActionServer
from cell_common.testing import wait_until
from rclpy.action.client import ActionClient
from rclpy.action.server import ActionServer, GoalResponse
from rclpy.node import Node
from rclpy.qos import qos_profile_action_status_default
from unique_identifier_msgs.msg import UUID

from cell_interfaces.action import TriggerRobot


class Acting(Node):
    """Serves an action and asks for it."""

    def __init__(self, **options):
        super().__init__('acting', **options)
        self.ids, self.states = [], []
        self.create_subscription(GoalStatusArray, 'do/_action/status', self._see, qos_profile_action_status_default)

    def serve(self, **options):
        self.server = LowLatencyActionServer(self, TriggerRobot, 'do', self._carry_out, **options)
        self.client = ActionClient(self, TriggerRobot, 'do')
        assert self.client.wait_for_server(5.0)

    def ask(self, name, **options):
        return self.wait(self.client.send_goal_async(TriggerRobot.Goal(trigger_id=name), **options))

    def wait(self, future):
        wait_until(future.done)
        return future.result()

    def until(self, state):
        wait_until(lambda: state in self.states, what=f'{state} in {self.states}')

    def destroy_node(self):
        self.server.destroy()
        self.client.destroy()
        super().destroy_node()

    def _carry_out(self, goal):
        self.ids.append(f'{goal.goal_id.uuid}')
        goal.succeed()
        return TriggerRobot.Result(message=goal.request.trigger_id)

    def _see(self, message):
        self.states += [status.status for status in message.status_list]


@pytest.fixture
def acting(graph):
    return graph.add(Acting(**graph.options()))


def test_the_method_it_overrides_is_there_in_rclpy():
    assert callable(ActionServer._execute_goal_request)


def test_a_goal_id_is_written_as_hexadecimal_digits():
    identity = np.arange(16, dtype=np.uint8).view(HexGoalId)
    assert f'{identity}' == '000102030405060708090a0b0c0d0e0f'
    assert bytes(identity) == bytes(range(16))


def test_two_goals_are_carried_out_and_a_result_is_given_again(acting):
    acting.serve()
    for name in ('one', 'other'):
        handle = acting.ask(name)
        assert handle.accepted
        assert [acting.wait(handle.get_result_async()).result.message for _ in range(2)] == [name, name]
        assert acting.ids[-1] == bytes(handle.goal_id.uuid).hex()
    acting.until(GoalStatus.STATUS_SUCCEEDED)
    assert GoalStatus.STATUS_ACCEPTED not in acting.states


def test_a_goal_that_waits_is_published_as_accepted_and_begins_later(acting):
    waiting = []
    acting.serve(handle_accepted_callback=waiting.append)
    handle = acting.ask('later')
    acting.until(GoalStatus.STATUS_ACCEPTED)
    assert acting.ids == []
    waiting[0].execute()
    assert acting.wait(handle.get_result_async()).result.message == 'later'


def test_a_goal_that_is_rejected_never_begins(acting):
    acting.serve(goal_callback=lambda _goal: GoalResponse.REJECT)
    assert not acting.ask('no').accepted
    assert acting.ids == acting.states == []


def test_a_goal_whose_id_is_known_is_rejected(acting):
    acting.serve()
    identity = UUID(uuid=range(16))
    first = acting.ask('one', goal_uuid=identity)
    assert acting.wait(first.get_result_async()).result.message == 'one'
    assert not acting.ask('other', goal_uuid=identity).accepted
