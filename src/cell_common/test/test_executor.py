"""What rclpy's executor promises holds for ours: each kind of entity, coroutines, groups, errors, times and ends."""

import contextlib
import threading
import time

import pytest
import rclpy.executors
from cell_common.actions import LowLatencyActionServer
from cell_common.calls import call_service, wait_for
from cell_common.executor import CachedWaitSetExecutor
from cell_common.inbox import ExecutorQueue
from cell_common.testing import wait_until
from rclpy.action.client import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from std_msgs.msg import String

from cell_interfaces.action import TriggerRobot
from cell_interfaces.srv import RobotCommand

LONGEST_S = 10.0


class Spinning:
    """A node that is spun by hand."""

    def __init__(self, domain):
        self.context = Context()
        self.context.init(domain_id=domain)
        self.node = Node('spun', context=self.context)
        self.executor = CachedWaitSetExecutor(context=self.context)
        self.executor.add_node(self.node)

    def until(self, true):
        deadline = time.monotonic() + LONGEST_S
        while not true():
            assert time.monotonic() < deadline, 'it did not come true'
            self.executor.spin_once(1.0)

    @contextlib.contextmanager
    def without_end(self):
        """Spin in a thread of its own, as the runner does, until the context ends."""

        def spin():
            with contextlib.suppress(rclpy.executors.ExternalShutdownException):
                self.executor.spin()

        spinner = threading.Thread(target=spin)
        spinner.start()
        yield
        self.context.try_shutdown()
        spinner.join(LONGEST_S)
        assert not spinner.is_alive()

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def spinning(domain):
    there = Spinning(domain)
    yield there
    there.close()


def test_the_methods_it_overrides_are_there_in_rclpy():
    for name in (
        '_wait_for_ready_callbacks',
        '_make_handler',
        '_take_timer',
        '_take_subscription',
        '_take_guard_condition',
        '_take_client',
        '_take_service',
        '_take_waitable',
        'wake',
        'create_task',
        'shutdown',
    ):
        assert callable(getattr(rclpy.executors.Executor, name)), name


def test_a_timer_a_subscription_and_a_guard_condition_are_carried_out(spinning):
    node, seen = spinning.node, []
    node.create_timer(0.01, lambda: seen.append('timer'))
    node.create_subscription(String, 'text', lambda text: seen.append(text.data), 10)
    publisher = node.create_publisher(String, 'text', 10)
    guard = node.create_guard_condition(lambda: seen.append('guard'))
    guard.trigger()
    publisher.publish(String(data='text'))
    spinning.until(lambda: {'timer', 'text', 'guard'} <= set(seen))


def test_a_cancelled_timer_is_not_carried_out(spinning):
    seen = []
    timer = spinning.node.create_timer(0.001, lambda: seen.append(1))
    timer.cancel()
    spinning.executor.spin_once(0.05)
    assert seen == []


def test_a_callback_may_wait_for_a_service_of_its_own_node(spinning):
    node, group = spinning.node, ReentrantCallbackGroup()
    client = node.create_client(RobotCommand, 'inner', callback_group=group)

    def inner(_request, response):
        response.message = 'from inside'
        return response

    async def outer(_request, response):
        response.message = (await call_service(node, client, RobotCommand.Request(), 5.0)).message
        return response

    node.create_service(RobotCommand, 'inner', inner, callback_group=group)
    node.create_service(RobotCommand, 'outer', outer, callback_group=group)
    asking = node.create_client(RobotCommand, 'outer', callback_group=group)
    assert asking.wait_for_service(5.0)
    answer = asking.call_async(RobotCommand.Request())
    spinning.until(answer.done)
    assert answer.result().message == 'from inside'


def test_a_wait_ends_at_its_time(spinning):
    late = spinning.executor.create_task(wait_for(spinning.node, Future(executor=spinning.executor), 0.02))
    spinning.until(late.done)
    assert late.result() is False


def test_a_mutually_exclusive_group_waits_for_its_coroutine(spinning):
    node, seen, gate = spinning.node, [], Future(executor=spinning.executor)
    alone = MutuallyExclusiveCallbackGroup()

    async def first():
        if 'first begins' not in seen:
            seen.append('first begins')
            await gate
            seen.append('first ends')

    node.create_guard_condition(first, callback_group=alone).trigger()
    spinning.until(lambda: seen)
    node.create_guard_condition(lambda: seen.append('second'), callback_group=alone).trigger()
    spinning.executor.spin_once(0.05)
    spinning.executor.spin_once(0.05)
    assert seen == ['first begins']
    gate.set_result(None)
    spinning.until(lambda: 'second' in seen)
    assert seen == ['first begins', 'first ends', 'second']


def test_an_action_is_carried_out_with_its_feedback(spinning):
    node, heard = spinning.node, []

    async def carry_out(goal):
        goal.publish_feedback(TriggerRobot.Feedback(state=TriggerRobot.Feedback.ACKNOWLEDGED))
        goal.succeed()
        return TriggerRobot.Result(message='done')

    server = LowLatencyActionServer(node, TriggerRobot, 'do', carry_out, callback_group=ReentrantCallbackGroup())
    client = ActionClient(node, TriggerRobot, 'do', callback_group=ReentrantCallbackGroup())
    assert client.wait_for_server(5.0)
    goal = client.send_goal_async(TriggerRobot.Goal(), feedback_callback=lambda message: heard.append(message.feedback.state))
    spinning.until(goal.done)
    result = goal.result().get_result_async()
    spinning.until(lambda: result.done() and heard)
    assert result.result().result.message == 'done'
    assert heard == [TriggerRobot.Feedback.ACKNOWLEDGED]
    server.destroy()


def test_a_subscription_whose_qos_does_not_fit_is_told(spinning):
    told = []
    fussy = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
    careless = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    spinning.node.create_publisher(String, 'text', careless)
    spinning.node.create_subscription(
        String, 'text', print, fussy, event_callbacks=SubscriptionEventCallbacks(incompatible_qos=told.append)
    )
    spinning.until(lambda: told)
    assert told[0].total_count == 1
    spinning.executor.spin_once(1.5)
    assert len(told) == 1


def test_what_another_thread_puts_in_wakes_a_spin_without_end(spinning):
    seen = []
    inbox = ExecutorQueue(spinning.node, seen.append)
    with spinning.without_end():
        for number in range(100):
            inbox.put(number)
        wait_until(lambda: len(seen) == 100, LONGEST_S)
    assert seen == list(range(100))


def test_a_task_of_another_thread_wakes_a_spin_without_end(spinning):
    done = threading.Event()
    with spinning.without_end():
        spinning.executor.create_task(done.set)
        assert done.wait(LONGEST_S)


def test_entities_made_and_destroyed_by_a_callback_are_seen_at_once(spinning):
    node, seen = spinning.node, []

    def once():
        node.destroy_timer(first)
        node.create_timer(0.001, lambda: seen.append('second'))
        seen.append('first')

    first = node.create_timer(0.001, once)
    spinning.until(lambda: seen.count('second') == 3)
    assert seen.count('first') == 1


def test_an_entity_made_by_another_thread_is_seen_by_a_spin_without_end(spinning):
    done = threading.Event()
    with spinning.without_end():
        spinning.node.create_timer(0.01, done.set)
        assert done.wait(LONGEST_S)


def test_an_error_of_a_callback_comes_out_of_spin(spinning):
    def broken():
        raise ZeroDivisionError

    spinning.node.create_timer(0.001, broken)
    with pytest.raises(ZeroDivisionError):
        spinning.until(lambda: False)


def test_a_spin_ends_at_its_time_when_nothing_comes(spinning):
    spinning.executor.spin_once(0.0)
    began = time.monotonic()
    spinning.executor.spin_once(0.05)
    assert time.monotonic() - began >= 0.04


def test_a_spin_until_a_future_ends_with_it(spinning):
    future = Future(executor=spinning.executor)
    spinning.node.create_timer(0.01, lambda: future.done() or future.set_result('there'))
    spinning.executor.spin_until_future_complete(future, LONGEST_S)
    assert future.result() == 'there'


def test_a_spin_until_a_future_that_never_comes_ends_at_its_time(spinning):
    future = Future(executor=spinning.executor)
    spinning.executor.spin_until_future_complete(future, 0.05)
    assert not future.done()


def test_after_a_shutdown_nothing_is_carried_out(spinning):
    seen = []
    spinning.node.create_timer(0.001, lambda: seen.append(1))
    spinning.executor.shutdown()
    spinning.executor.spin()
    assert seen == []
