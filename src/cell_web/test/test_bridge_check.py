"""The end-to-end check against a fake bridge that answers, stays silent, refuses, or is not there."""

import asyncio
import time

import pytest
from cell_common.testing import free_port, wait_until
from cell_web.bridge_check import BridgeCheck, CheckSettings

NODES = ('/cell/web_gateway', '/cell/coordinator')
SILENT_S = 0.3


@pytest.fixture
def check(background):
    running = []

    def start(port, nodes=NODES):
        settings = CheckSettings(f'ws://127.0.0.1:{port}', {}, nodes, period_s=0.02, timeout_s=SILENT_S)
        made = BridgeCheck(settings)
        running.append(background.submit(made.run()))
        return made

    yield start
    for future in running:
        future.cancel()
    background.run(asyncio.sleep(0), 5)


def answer(message, **values):
    return {'op': 'service_response', 'id': message['id'], 'result': True, 'values': {'values': []}, **values}


def test_a_bridge_that_answers_for_all_nodes_is_healthy(check, rosbridge):
    rosbridge.answer = answer
    made = check(rosbridge.port)
    health = wait_until(lambda: h if (h := made.health()).ok else None)
    assert health.message == '' and set(health.round_trip_s) == set(NODES)
    assert {message['service'] for message in rosbridge.received} == {f'{node}/get_parameters' for node in NODES}


def test_a_bridge_that_accepts_sockets_and_sends_nothing_is_unhealthy(check, rosbridge):
    made = check(rosbridge.port)
    wait_until(lambda: 'sends nothing' in made.health().message)
    assert not made.health().ok
    # It connects again, because a new connection may work.
    wait_until(lambda: len(rosbridge.connections) > 1)
    rosbridge.answer = answer
    wait_until(lambda: made.health().ok)


def test_a_bridge_that_falls_silent_is_noticed(check, rosbridge):
    rosbridge.answer = answer
    made = check(rosbridge.port)
    wait_until(lambda: made.health().ok)
    rosbridge.answer = lambda message: None
    wait_until(lambda: 'sends nothing' in made.health().message)


def test_a_single_node_that_does_not_answer_is_named(check, rosbridge):
    rosbridge.answer = lambda message: answer(message) if NODES[0] in message['service'] else None
    made = check(rosbridge.port)
    wait_until(lambda: made.health().message == f'over rosbridge {NODES[1]} does not answer: is the node running?')
    assert made.health().age_s[NODES[0]] < SILENT_S + 10


def test_the_reason_of_the_bridge_is_passed_on(check, rosbridge):
    def refuse(message):
        return answer(message) if NODES[0] in message['service'] else answer(message, result=False, values='no such service')

    rosbridge.answer = refuse
    made = check(rosbridge.port)
    wait_until(lambda: 'no such service' in made.health().message)


def test_a_missing_bridge_is_named(check):
    made = check(free_port())
    wait_until(lambda: 'cannot be reached' in made.health().message)


def test_garbage_from_the_bridge_is_ignored(check, rosbridge):
    made = check(rosbridge.port)
    wait_until(lambda: rosbridge.received)
    rosbridge.send({'op': 'publish', 'topic': '/x', 'msg': {}})
    rosbridge.send({'op': 'service_response', 'id': 'another', 'result': True})
    rosbridge.answer = answer
    wait_until(lambda: made.health().ok)


def test_a_check_that_has_just_begun_says_so():
    now = [time.monotonic()]
    made = BridgeCheck(CheckSettings('ws://127.0.0.1:1', {}, NODES, timeout_s=1.0), lambda: now[0])
    assert not made.health().ok and made.health().age_s[NODES[0]] == float('inf')
    assert made.health().starting
    now[0] += 2.0
    assert not made.health().starting
