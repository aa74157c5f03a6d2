"""Goal ids cost little to write and stay what they are."""

import numpy as np
from cell_common.actions import CellActionServer, GoalId
from cell_common.executor import CellExecutor
from rclpy.action.client import ActionClient
from rclpy.context import Context
from rclpy.node import Node

from cell_interfaces.action import TriggerRobot


def test_a_goal_id_is_written_as_hexadecimal_digits():
    identity = np.arange(16, dtype=np.uint8).view(GoalId)
    assert f'{identity}' == '000102030405060708090a0b0c0d0e0f'
    assert bytes(identity) == bytes(range(16))


def test_two_goals_are_carried_out_and_a_result_is_given_again(domain):
    context = Context()
    context.init(domain_id=domain)
    node, executor, seen = Node('acting', context=context), CellExecutor(context=context), []
    executor.add_node(node)

    def carry_out(goal):
        seen.append(f'{goal.goal_id.uuid}')
        goal.succeed()
        return TriggerRobot.Result(message=goal.request.trigger_id)

    def wait(future):
        executor.spin_until_future_complete(future, 10.0)
        return future.result()

    server, client = CellActionServer(node, TriggerRobot, 'do', carry_out), ActionClient(node, TriggerRobot, 'do')
    assert client.wait_for_server(5.0)
    for name in ('one', 'other'):
        handle = wait(client.send_goal_async(TriggerRobot.Goal(trigger_id=name)))
        assert handle.accepted
        assert [wait(handle.get_result_async()).result.message for _ in range(2)] == [name, name]
        assert seen[-1] == bytes(handle.goal_id.uuid).hex()
    server.destroy()
    executor.shutdown()
    node.destroy_node()
    context.try_shutdown()
