from __future__ import annotations

import json
from typing import Any

import pytest
from cell_web.allow_list import AllowList
from cell_web.roles import OPERATOR, VIEWER, Role

OPERATORS = AllowList(OPERATOR, '/cell')


def judge(allow: AllowList, **message: Any) -> Any:
    return allow.judge(json.dumps(message))


@pytest.mark.parametrize(
    'message',
    [
        {
            'op': 'subscribe',
            'topic': '/cell/job',
            'type': 'cell_interfaces/msg/JobState',
            'throttle_rate': 200,
            'queue_length': 1,
        },
        {'op': 'unsubscribe', 'topic': '/cell/job'},
        {'op': 'call_service', 'service': '/cell/inventory/reload', 'args': {}},
        {'op': 'send_action_goal', 'action': '/cell/run_job', 'args': {}},
        {'op': 'cancel_action_goal', 'action': '/cell/run_job', 'id': 'x'},
    ],
)
def test_messages_of_the_page_pass_unchanged(message: dict[str, Any]) -> None:
    decision = judge(OPERATORS, **message)
    assert json.loads(decision.forward) == message
    assert decision.answer == ''


@pytest.mark.parametrize(
    'message',
    [
        {'op': 'publish', 'topic': '/cell/job', 'msg': {}},
        {'op': 'advertise', 'topic': '/cell/job'},
        {'op': 'advertise_service', 'service': '/cell/set_job'},
        {'op': 'fragment', 'data': '{', 'num': 0, 'total': 2},
        {'op': 'auth'},
        {'op': 'subscribe', 'topic': '/cell/camera/image_raw'},
        {'op': 'subscribe', 'topic': 'cell/job'},
        {'op': 'subscribe', 'topic': '/cell//job'},
        {'op': 'subscribe', 'topic': ['/cell/job']},
        {'op': 'subscribe', 'topic': '/cell/job', 'compression': 'cbor-raw'},
        {'op': 'subscribe', 'topic': '/cell/job', 'fragment_size': 1},
        {'op': 'call_service', 'service': '/rosapi/set_param'},
        {'op': 'call_service', 'service': '/cell/run_job/_action/cancel_goal'},
        {'op': 'call_service', 'service': '/cell2/set_job'},
        {'op': 'send_action_goal', 'action': '/cell/robot/trigger'},
        {'op': ['subscribe']},
        {},
    ],
)
def test_unlisted_messages_never_pass(message: dict[str, Any]) -> None:
    decision = judge(OPERATORS, **message)
    assert decision.forward == ''
    assert decision.reason
    assert json.loads(decision.answer)['op'] in ('status', 'service_response', 'action_result')


@pytest.mark.parametrize('text', ['', 'null', '[]', '{"op":', '{"op":"subscribe","x":NaN}', '[' * 100_000, b'{}'])
def test_malformed_messages_never_pass(text: str | bytes) -> None:
    assert OPERATORS.judge(text).forward == ''


def test_the_message_is_forwarded_as_it_was_checked() -> None:
    decision = OPERATORS.judge('{"op":"call_service","service":"/rosapi/set_param","service":"/cell/set_job"}')
    assert decision.forward == '{"op":"call_service","service":"/cell/set_job"}'


def test_a_refused_call_is_answered_like_a_failed_call() -> None:
    answer = json.loads(judge(OPERATORS, op='call_service', id='c1', service='/cell/x').answer)
    assert (answer['op'], answer['id'], answer['result']) == ('service_response', 'c1', False)
    assert 'not allowed' in answer['values']


def test_a_refused_goal_is_answered_like_a_failed_goal() -> None:
    answer = json.loads(judge(OPERATORS, op='send_action_goal', id='g1', action='/cell/x').answer)
    assert (answer['op'], answer['id'], answer['result'], answer['status']) == ('action_result', 'g1', False, 6)


@pytest.mark.parametrize('identity', ['[1]', '{"a":1}', 'true', '1e999', '1' + '0' * 400])
@pytest.mark.parametrize('operation', ['call_service', 'send_action_goal', 'subscribe'])
def test_an_id_that_no_client_can_match_is_refused_without_it(operation: str, identity: str) -> None:
    text = f'{{"op":"{operation}","id":{identity},"service":"/cell/set_job","action":"/cell/run_job","topic":"/cell/status"}}'
    decision = OPERATORS.judge(text)
    assert not decision.forward and 'must be text or a number' in decision.reason
    assert 'id' not in json.loads(decision.answer)


@pytest.mark.parametrize('value', ['1e999', '-1e999', '1' + '0' * 400])
def test_endless_numbers_are_refused(value: str) -> None:
    decision = OPERATORS.judge(f'{{"op":"subscribe","topic":"/cell/status","queue_length":{value}}}')
    assert not decision.forward and 'queue_length' in decision.reason


def test_refused_calls_without_an_id_or_with_a_number_are_answered_like_failed_calls() -> None:
    answer = json.loads(judge(OPERATORS, op='call_service', service='/cell/x').answer)
    assert (answer['op'], answer['result'], 'id' in answer) == ('service_response', False, False)
    answer = json.loads(judge(OPERATORS, op='send_action_goal', id=7, action='/cell/x').answer)
    assert (answer['op'], answer['id']) == ('action_result', 7)


def test_a_viewer_sees_and_changes_nothing() -> None:
    viewer = AllowList(VIEWER, '/cell')
    assert judge(viewer, op='subscribe', topic='/cell/status').forward
    assert not judge(viewer, op='call_service', service='/cell/control_job').forward


def test_an_empty_role_may_do_nothing() -> None:
    assert not judge(AllowList(Role('nobody'), '/cell'), op='subscribe', topic='/cell/status').forward


def test_a_cell_without_namespace_has_names_at_the_root() -> None:
    assert judge(AllowList(VIEWER, '/'), op='subscribe', topic='/status').forward


@pytest.mark.parametrize(
    'operation',
    [{'op': 'call_service', 'service': '/cell/inventory/undo'}, {'op': 'send_action_goal', 'action': '/cell/run_job'}],
)
def test_a_command_gets_the_role_and_address_of_its_session(operation: dict[str, Any]) -> None:
    forged = {'operator_id': 'ann', 'role': 'supervisor', 'origin': 'nowhere'}
    allow = AllowList(OPERATOR, '/cell', '10.0.0.7')
    sent = json.loads(judge(allow, **operation, args={'sequence': 3, 'command': forged}).forward)
    assert sent['args'] == {'sequence': 3, 'command': {'operator_id': 'ann', 'role': 'operator', 'origin': '10.0.0.7'}}
    logged_in = AllowList(OPERATOR, '/cell', '10.0.0.7', 'bob')
    sent = json.loads(judge(logged_in, **operation, args={'command': forged}).forward)
    assert sent['args']['command'] == {'operator_id': 'bob', 'role': 'operator', 'origin': '10.0.0.7'}


@pytest.mark.parametrize('arguments', [[{'role': 'supervisor'}], 'command', 7])
def test_a_command_cannot_hide_in_a_list(arguments: object) -> None:
    decision = judge(OPERATORS, op='call_service', service='/cell/inventory/undo', args=arguments)
    assert not decision.forward and 'args' in decision.reason


def test_a_request_without_a_command_passes_unchanged() -> None:
    for arguments in ({}, {'part_number': 'X'}, [], None, {'command': None}):
        message = {'op': 'call_service', 'service': '/cell/inventory/get', 'args': arguments}
        assert json.loads(judge(OPERATORS, **message).forward) == message
