"""The hub backend against a real Socket.IO hub that misbehaves."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import pytest
from cell_common.runner import StartError
from cell_common.testing import free_port, wait_until
from cell_robot.backends.hub.backend import HubBackend, HubOptions, check_url
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase
from cell_robot.testing.fake_hub import (
    FakeHub,
    acknowledge_event,
    acknowledge_other,
    acknowledge_twice,
    drop_clients,
    stay_silent,
)

from cell_interfaces.msg import ResultCode

pytestmark = pytest.mark.slow

LETTERS = {'HOME': 'H', 'PLACE': 'P', 'PART_EM1-2U1': 'A', 'START_PROGRAM': 'D'}
TIMEOUT_S = 20.0
ACK_TIMEOUT_S = 0.4
NOT_CONNECTED = TriggerPhase.NOT_SENT, ResultCode.ROBOT_NOT_CONNECTED
HELD = TriggerPhase.NOT_SENT, ResultCode.ROBOT_BUSY
DONE = TriggerPhase.DONE, ResultCode.OK
UNKNOWN = TriggerPhase.UNKNOWN, ResultCode.ROBOT_OUTCOME_UNKNOWN


@dataclass
class Log:
    lines: list[str] = field(default_factory=list)

    def note(self, message):
        self.lines.append(message)

    info = warning = error = note

    def has(self, *words):
        return any(all(word in line for word in words) for line in self.lines)


class Link:
    """A hub backend and its log."""

    def __init__(self, port, ack_timeout=ACK_TIMEOUT_S):
        self.log = Log()
        self.phases: list[TriggerPhase] = []
        self.backend = HubBackend(HubOptions(f'http://127.0.0.1:{port}', ack_timeout, LETTERS, reconnect=2.0), self.log)
        self.backend.start(lambda: None)

    @property
    def state(self):
        return self.backend.state()

    def connected(self):
        wait_until(lambda: self.state.connected, TIMEOUT_S, 'hub connected')

    def lost(self):
        wait_until(lambda: not self.state.connected, TIMEOUT_S, 'hub lost')

    def begin(self, trigger_id='t1', event='PLACE'):
        return self.backend.trigger(TriggerCommand(trigger_id, event), self.phases.append)

    def trigger(self, trigger_id='t1', event='PLACE'):
        outcome = self.begin(trigger_id, event).result(TIMEOUT_S)
        self.message = outcome.message
        return outcome.phase, outcome.code

    def recover(self):
        return self.backend.recover(lambda *_: None).result(TIMEOUT_S)


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def link(port):
    made = Link(port)
    yield made
    made.backend.close()


def test_a_letter_is_sent_and_its_ack_ends_the_trigger_with_its_id_in_the_log(link, port):
    with FakeHub(port) as hub:
        link.connected()
        assert link.trigger('job-1', 'PART_EM1-2U1') == DONE
        assert hub.triggers == [{'trigger': 'A', 'event': 'PART_EM1-2U1', 'part_number': 'EM1-2U1'}]
    assert link.phases == [TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED]
    assert link.log.has('job-1', 'letter A', 'PART_EM1-2U1')
    assert link.log.has('job-1', 'acknowledged')


def test_the_program_start_is_acknowledged_under_the_hubs_name(link, port):
    with FakeHub(port) as hub:
        link.connected()
        assert link.trigger('s1', 'START_PROGRAM') == DONE
        assert hub.triggers == [{'trigger': 'D', 'event': 'program_started', 'part_number': ''}]


def test_an_ack_that_never_comes_is_unknown_and_holds_the_next_trigger(link, port):
    with FakeHub(port, [stay_silent]) as hub:
        link.connected()
        assert link.trigger('t1') == UNKNOWN
        assert 'no acknowledgement' in link.message
        assert link.state.blocked and 't1' in link.state.message
        assert link.trigger('t2', 'PART_EM1-2U1') == HELD
        assert len(hub.triggers) == 1, 'neither repeated nor followed by another'


def test_a_late_ack_frees_the_robot_and_answers_nothing_else(link, port):
    with FakeHub(port, [stay_silent]) as hub:
        link.connected()
        assert link.trigger('t1') == UNKNOWN
        hub.ack('PLACE')
        wait_until(lambda: not link.state.blocked)
        assert link.log.has('t1', 'reported as unknown')
        assert link.trigger('t2') == DONE
        assert len(hub.triggers) == 2


def test_a_late_ack_that_arrives_during_a_recovery_does_not_answer_its_home(link, port):
    with FakeHub(port, [stay_silent, stay_silent]) as hub:
        link.connected()
        assert link.trigger('t1') == UNKNOWN
        recovering = link.backend.recover(lambda *_: None)
        wait_until(lambda: len(hub.triggers) == 2)
        hub.ack('PLACE')
        assert recovering.result(TIMEOUT_S).code == ResultCode.ROBOT_OUTCOME_UNKNOWN
        assert link.trigger('t3') == HELD


def test_a_double_ack_does_not_answer_the_next_trigger_of_the_same_event(link, port):
    with FakeHub(port, [acknowledge_twice, stay_silent]) as hub:
        link.connected()
        assert link.trigger('t1', 'HOME') == DONE
        assert link.trigger('t2', 'HOME') == UNKNOWN
        assert len(hub.triggers) == 2
    assert link.log.has('t1', 'acknowledged HOME again')


def test_an_ack_of_another_event_ends_no_trigger_and_holds(link, port):
    with FakeHub(port, [acknowledge_other]) as hub:
        link.connected()
        assert link.trigger('t1') == UNKNOWN
        assert link.trigger('t2') == HELD
        assert 'SOMETHING_ELSE' in link.message and 'recover' in link.message
        assert len(hub.triggers) == 1


def test_a_robot_that_another_program_moves_is_left_alone(link, port):
    with FakeHub(port) as hub:
        link.connected()
        hub.ack('PART_G8NB-17SR')
        wait_until(lambda: link.state.blocked)
        assert link.trigger('t1') == HELD
        assert 'Stop every other program' in link.message and hub.triggers == []
        assert link.recover().code == ResultCode.OK
        assert link.trigger('t2') == DONE


@pytest.mark.parametrize(
    'payload', [(), (None,), ('PLACE',), ({'event': 5},), ({'evnt': 'PLACE'},), ({'event': 'place'},), (['PLACE'],)]
)
def test_an_ack_without_the_events_name_answers_nothing(link, port, payload):
    with FakeHub(port, [stay_silent]) as hub:
        link.connected()
        running = link.begin('t1')
        wait_until(lambda: hub.triggers)
        hub.send('ack', *payload)
        assert running.result(TIMEOUT_S).phase is TriggerPhase.UNKNOWN


def test_a_hub_lost_in_mid_trigger_makes_the_outcome_unknown_and_nothing_is_sent_again(port):
    link = Link(port, ack_timeout=60.0)
    with FakeHub(port, [drop_clients]) as hub:
        link.connected()
        assert link.trigger('t1') == UNKNOWN
        assert 'connection to the hub was lost' in link.message
        link.connected()
        assert link.trigger('t2') == HELD
        hub.ack('PLACE')
        wait_until(lambda: not link.state.blocked)
        assert link.trigger('t3') == DONE
        assert [len(hub.triggers), len(hub.clients)] == [2, 1]
    link.backend.close()


def test_a_hub_that_ends_and_comes_back_is_found_again(link, port):
    with FakeHub(port):
        link.connected()
        assert link.trigger('t1') == DONE
    link.lost()
    assert link.trigger('t2') == NOT_CONNECTED
    assert 'Nothing was sent' in link.message and 'hub_url' in link.message
    with FakeHub(port) as hub:
        link.connected()
        assert hub.triggers == [], 'nothing is kept for later'
        assert link.trigger('t3') == DONE


def test_the_order_of_starting_does_not_matter_and_waiting_is_logged_once(link, port):
    wait_until(lambda: link.log.has('not connected', 'trying again'))
    assert link.trigger('t1') == NOT_CONNECTED
    with FakeHub(port):
        link.connected()
        assert link.trigger('t1') == DONE
    assert sum('trying again' in line for line in link.log.lines) == 1


def test_a_hub_on_another_namespace_is_reported(link, port):
    with FakeHub(port, namespace='/robot'):
        wait_until(lambda: link.log.has('not connected', 'namespaces failed to connect: /'), TIMEOUT_S)
        assert not link.state.connected
        assert link.trigger('t1') == NOT_CONNECTED


def test_a_port_that_speaks_something_else_is_reported(link, port):
    with socket.create_server(('127.0.0.1', port)) as server:
        server.settimeout(TIMEOUT_S)
        with server.accept()[0] as stream:
            stream.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
            wait_until(lambda: link.log.has('not connected', 'Engine.IO 3 or 4'), TIMEOUT_S)
    assert not link.state.connected


def test_there_is_one_trigger_at_a_time(port):
    link = Link(port, ack_timeout=TIMEOUT_S)
    with FakeHub(port, [stay_silent]) as hub:
        link.connected()
        first = link.begin('t1')
        wait_until(lambda: hub.triggers)
        assert link.trigger('t2') == HELD
        assert link.recover().code == ResultCode.ROBOT_BUSY
        hub.ack('PLACE')
        assert first.result(TIMEOUT_S).phase is TriggerPhase.DONE
        assert len(hub.triggers) == 1
    link.backend.close()


def test_an_event_without_a_letter_is_not_sent(link, port):
    with FakeHub(port) as hub:
        link.connected()
        assert link.trigger('t1', 'PART_NONE') == (TriggerPhase.NOT_SENT, ResultCode.UNKNOWN_EVENT)
        assert hub.triggers == []


def test_a_recovery_sends_home_and_frees_the_robot(link, port):
    with FakeHub(port, [stay_silent]) as hub:
        link.connected()
        assert link.trigger('t1') == UNKNOWN
        assert link.recover().code == ResultCode.OK
        assert [payload['event'] for payload in hub.triggers] == ['PLACE', 'HOME']
        assert link.trigger('t2') == DONE


def test_a_home_that_was_never_acknowledged_is_recovered_by_the_next_one(link, port):
    with FakeHub(port, [stay_silent]):
        link.connected()
        assert link.trigger('t1', 'HOME') == UNKNOWN
        assert link.recover().code == ResultCode.OK
        assert link.trigger('t2') == DONE


def test_a_recovery_that_is_not_acknowledged_fails(link, port):
    with FakeHub(port, otherwise=stay_silent):
        link.connected()
        result = link.recover()
        assert result.code == ResultCode.ROBOT_OUTCOME_UNKNOWN and 'pendant' in result.message


def test_a_recovery_without_a_hub_says_what_to_do(link):
    result = link.recover()
    assert result.code == ResultCode.ROBOT_NOT_CONNECTED and 'Start the hub' in result.message


def test_preflight_names_what_is_missing(link, port):
    lines = {check.name: check for check in link.backend.preflight().result(TIMEOUT_S)}
    assert not lines['hub'].ok and 'hub_url' in lines['hub'].message
    with FakeHub(port, [stay_silent, acknowledge_event]):
        link.connected()
        assert all(check.ok for check in link.backend.preflight().result(TIMEOUT_S))
        link.trigger('t1')
        assert [check.name for check in link.backend.preflight().result(TIMEOUT_S) if not check.ok] == ['last trigger']


@pytest.mark.parametrize(
    'url', ['', '127.0.0.1:5002', 'ftp://hub', 'http://', 'http://hub:x', 'http://hub:5002/robot', 'http://h?a=1']
)
def test_a_wrong_address_is_reported_at_the_start(url):
    with pytest.raises(StartError, match='hub_url'):
        check_url(url)


def test_a_password_in_the_address_is_refused_and_not_shown():
    with pytest.raises(StartError) as error:
        check_url('http://me:secret@hub:5002')
    assert 'secret' not in str(error.value)


def test_a_trailing_slash_is_no_fault():
    assert check_url('http://hub:5002/') == 'http://hub:5002'
