"""Services and actions over a real WebSocket."""

import threading

import pytest
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import qos_profile_services_default
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.action import LookupTransform

SUCCEEDED, CANCELED, ABORTED = 4, 5, 6
KIND = 'tf2_msgs/action/LookupTransform'


@pytest.fixture
def service(bench):
    """A service that answers when `release` is set; the first value tells whether it waits."""
    release = threading.Event()

    def answer(request, response):
        if not request.data:
            release.wait(10.0)
        response.success, response.message = True, 'waited' if not request.data else 'at once'
        return response

    bench.node.create_service(SetBool, '/switch', answer, callback_group=ReentrantCallbackGroup())
    yield release
    release.set()


def test_a_service_is_called_right_after_connecting(peer, service):
    peer.send(op='call_service', service='/switch', args={'data': True}, id='c1')
    assert peer.receive() == {
        'op': 'service_response',
        'service': '/switch',
        'id': 'c1',
        'result': True,
        'values': {'success': True, 'message': 'at once'},
    }


def test_arguments_may_be_a_list(peer, service):
    peer.send(op='call_service', service='/switch', args=[True])
    assert peer.receive()['values']['message'] == 'at once'
    peer.send(op='call_service', service='/switch', args=[True, True])
    assert peer.receive()['values'].endswith('has 1 fields, but 2 values were given')


def test_a_slow_call_does_not_hold_up_others(peer, service):
    peer.send(op='call_service', service='/switch', args={'data': False}, id='slow')
    peer.send(op='call_service', service='/switch', args={'data': True}, id='quick')
    assert peer.receive()['id'] == 'quick'
    service.set()
    assert (answer := peer.receive())['id'] == 'slow' and answer['values']['message'] == 'waited'


def test_a_service_that_is_not_there_is_reported(peer):
    peer.send(op='call_service', service='/nobody', id='c')
    assert peer.receive() == {
        'op': 'service_response',
        'service': '/nobody',
        'id': 'c',
        'result': False,
        'values': 'Service /nobody does not exist',
    }


def test_a_service_that_does_not_answer_in_time_is_reported(bench, peer, service):
    peer.send(op='call_service', service='/switch', args={'data': False}, timeout=0.1)
    assert peer.receive()['values'] == 'Timeout exceeded while waiting for service response'
    peer = bench.peer(bench.serve(default_call_service_timeout=0.1))
    peer.send(op='call_service', service='/switch', args={'data': False})
    assert peer.receive()['result'] is False


@pytest.mark.parametrize('args', [{'data': 1}, {'date': True}, 'yes'])
def test_arguments_that_do_not_fit_are_reported(peer, service, args):
    peer.send(op='call_service', service='/switch', args=args, id='c')
    answer = peer.receive()
    assert answer['result'] is False
    assert 'dat' in answer['values'] or 'object' in answer['values']


@pytest.mark.parametrize('name', ['a b', '', '/x//y'])
def test_a_service_name_that_is_none_is_reported(peer, name):
    peer.send(op='call_service', service=name)
    assert peer.receive()['result'] is False


def test_a_service_that_comes_back_is_called_again(bench, peer):
    client = bench.node.create_client(Trigger, '/again')
    for text in ('first', 'second'):

        def answer(_request, response, text=text):
            response.message = text
            return response

        service = bench.node.create_service(Trigger, '/again', answer, qos_profile=qos_profile_services_default)
        peer.send(op='call_service', service='/again')
        assert peer.receive()['values']['message'] == text
        bench.node.destroy_service(service)
        bench.until(lambda: not client.service_is_ready())


class LookupServer:
    """Ends a goal as its target frame says; 'wait' runs until it is cancelled."""

    def __init__(self, bench):
        self.cancelled, self.ended = threading.Event(), threading.Event()
        self.until = bench.until
        self.server = ActionServer(
            bench.node,
            LookupTransform,
            '/lookup',
            self.execute,
            goal_callback=self.decide,
            cancel_callback=self.cancel,
            callback_group=ReentrantCallbackGroup(),
        )

    def decide(self, goal):
        return GoalResponse.REJECT if goal.target_frame == 'reject' else GoalResponse.ACCEPT

    def cancel(self, _goal):
        self.cancelled.set()
        return CancelResponse.ACCEPT

    def execute(self, goal):
        goal.publish_feedback(LookupTransform.Feedback())
        result = LookupTransform.Result()
        result.transform.child_frame_id = goal.request.source_frame
        if goal.request.target_frame == 'wait':
            if not self.ended.wait(0) and self.cancelled.wait(10.0):
                self.until(lambda: goal.is_cancel_requested or self.ended.is_set())
            goal.canceled() if goal.is_cancel_requested else goal.abort()
        elif goal.request.target_frame == 'abort':
            goal.abort()
        else:
            goal.succeed()
        return result


@pytest.fixture
def lookup(bench):
    made = LookupServer(bench)
    yield made
    made.ended.set()  # a goal that nobody cancelled must not keep the test run from ending
    made.cancelled.set()
    made.server.destroy()


def send_goal(peer, target, **more):
    peer.send(
        op='send_action_goal',
        action='/lookup',
        action_type=KIND,
        id='g',
        args={'target_frame': target, 'source_frame': 'tool0'},
        **more,
    )


def test_a_goal_gives_feedback_and_a_result(peer, lookup):
    send_goal(peer, 'base', feedback=True)
    assert peer.receive() == {'op': 'action_feedback', 'action': '/lookup', 'values': {}, 'id': 'g'}
    result = peer.receive()
    assert (result['op'], result['id'], result['action']) == ('action_result', 'g', '/lookup')
    assert (result['status'], result['result']) == (SUCCEEDED, True)
    assert result['values']['transform']['child_frame_id'] == 'tool0'


def test_feedback_comes_only_when_asked_for(peer, lookup):
    send_goal(peer, 'base')
    assert peer.receive()['op'] == 'action_result'


def test_an_aborted_goal_says_so_in_its_status(peer, lookup):
    send_goal(peer, 'abort')
    result = peer.receive()
    assert (result['status'], result['result']) == (ABORTED, True)


def test_a_goal_is_cancelled(peer, lookup):
    send_goal(peer, 'wait', feedback=True)
    peer.receive('action_feedback')
    peer.send(op='cancel_action_goal', action='/lookup', id='g')
    assert peer.receive('action_result')['status'] == CANCELED


def test_a_goal_is_cancelled_before_it_was_accepted(peer, lookup):
    send_goal(peer, 'wait')
    peer.send(op='cancel_action_goal', action='/lookup', id='g')
    assert peer.receive('action_result')['status'] == CANCELED


def test_cancelling_what_is_not_in_progress_is_a_warning(peer, lookup):
    peer.send(op='set_level', level='warning')
    peer.send(op='cancel_action_goal', action='/lookup', id='other')
    assert peer.receive()['level'] == 'warning'


@pytest.mark.parametrize(('target', 'reason'), [('reject', 'rejected'), (5, "field 'target_frame'")])
def test_a_goal_that_is_not_taken_ends_with_the_reason(peer, lookup, target, reason):
    send_goal(peer, target)
    result = peer.receive()
    assert (result['result'], result['status']) == (False, 0)
    assert reason in result['values']


def test_an_action_that_is_not_there_and_a_type_that_is_none_are_reported(peer):
    send_goal(peer, 'base')
    assert 'not available' in peer.receive()['values']
    peer.send(op='send_action_goal', action='/lookup', action_type='x/Y', id='h')
    assert 'x/Y' in peer.receive()['values']


def test_a_goal_outlives_the_client_that_sent_it(bench, server, peer, lookup):
    send_goal(peer, 'wait', feedback=True)
    peer.receive('action_feedback')
    peer.run(peer.socket.close())
    bench.until(lambda: server.connections == 0)
    assert not lookup.cancelled.is_set()
    lookup.cancelled.set()


def test_two_goals_with_one_id_are_refused(peer, lookup):
    send_goal(peer, 'wait')
    send_goal(peer, 'base')
    assert 'in progress' in peer.receive('status')['msg']
    peer.send(op='cancel_action_goal', action='/lookup', id='g')
    peer.receive('action_result')
