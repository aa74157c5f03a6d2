"""Robot node against a UR program over a real socket."""

from __future__ import annotations

import math
import time

import pytest
from cell_common.qos import latched
from cell_common.runner import StartError
from cell_common.testing import wait_until
from cell_robot.node import RobotNode
from cell_robot.testing import FakeProgram, acknowledge, drop, finish, keep_silent, refuse
from cell_robot.testing.fake_hub import FakeHub, stay_silent
from diagnostic_msgs.msg import DiagnosticArray

from cell_interfaces.action import TriggerRobot
from cell_interfaces.msg import AlarmEvent, CommandInfo, ResultCode, RobotState
from cell_interfaces.srv import RobotCommand, RobotPreflight

RESULT = TriggerRobot.Result


def outcome(result):
    return result.outcome, result.code


SUCCEEDED = RESULT.SUCCEEDED, ResultCode.OK
UNKNOWN = RESULT.UNKNOWN, ResultCode.ROBOT_OUTCOME_UNKNOWN
NOT_CONNECTED = RESULT.NOT_SENT, ResultCode.ROBOT_NOT_CONNECTED


def test_a_trigger_is_sent_acknowledged_and_done(cell):
    cell.start()
    with FakeProgram(cell.port) as program:
        cell.connected()
        result = cell.trigger('job-1', 'PART_EM1-2U1', tray=3)
        assert outcome(result) == SUCCEEDED
        assert program.letters == ['A job-1 3']
        # Feedback is a topic of its own: it may arrive after the result.
        wait_until(lambda: TriggerRobot.Feedback.ACKNOWLEDGED in [feedback.state for feedback in cell.feedback])
        assert cell.feedback[-1].state == TriggerRobot.Feedback.ACKNOWLEDGED
        wait_until(lambda: cell.state.last_trigger_state == RobotState.TRIGGER_DONE)
        state = cell.state
        assert (state.last_trigger_id, state.last_trigger_event, state.backend) == ('job-1', 'PART_EM1-2U1', 'letters')
        assert state.last_trigger_at.sec > 0 and state.peer.startswith('127.0.0.1:') and state.message == ''
        assert state.program_state == RobotState.PROGRAM_PLAYING and state.safety_mode == RobotState.SAFETY_UNKNOWN
        assert math.isnan(state.speed_scaling)
        wait_until(lambda: cell.state.data_age < 1.0)


def test_a_refusal_comes_with_the_robots_reason(cell):
    cell.start()
    with FakeProgram(cell.port, [refuse]):
        cell.connected()
        result = cell.trigger('t1', 'PLACE')
        assert outcome(result) == (RESULT.REFUSED, ResultCode.ROBOT_REFUSED)
        assert 'gripper empty' in result.message
        assert outcome(cell.trigger('t2', 'PLACE')) == SUCCEEDED


def test_a_letter_never_acknowledged_is_unknown_and_the_connection_is_reset(cell):
    alarms = cell.graph.collect(AlarmEvent, 'alarms/events', latched(50))
    cell.start()
    with FakeProgram(cell.port, [keep_silent]) as program:
        cell.connected()
        result = cell.trigger('t1', 'PLACE')
        assert outcome(result) == UNKNOWN
        assert 'no acknowledgement' in result.message
        wait_until(lambda: cell.feedback)
        assert [feedback.state for feedback in cell.feedback] == [TriggerRobot.Feedback.SENT]
        assert program.gone.wait(30.0)
        assert program.letters == ['P t1'], 'never sent again'
    wait_until(lambda: [a for a in alarms if a.key == 'outcome_unknown' and a.kind == AlarmEvent.RAISED])
    with FakeProgram(cell.port) as program:
        cell.connected()
        assert cell.state.last_trigger_state == RobotState.TRIGGER_UNKNOWN
        assert outcome(cell.trigger('t2', 'HOME')) == SUCCEEDED
        assert program.letters == ['H t2'], 'never sent again'
    wait_until(lambda: [a for a in alarms if a.key == 'outcome_unknown' and a.kind == AlarmEvent.CLEARED])


def test_a_late_done_is_not_taken_for_the_next_trigger(cell):
    cell.start()
    with FakeProgram(cell.port, [acknowledge, acknowledge]) as program:
        cell.connected()
        assert outcome(cell.trigger('t1', 'PLACE')) == UNKNOWN
        busy = cell.trigger('t2', 'PLACE')
        assert outcome(busy) == (RESULT.NOT_SENT, ResultCode.ROBOT_BUSY), 'the robot may still move for the first one'
        assert 't1' in busy.message
        program.reply('DONE', 't1')
        second = wait_until(lambda: begin_when_free(cell, program))
        program.reply('DONE', 't1')
        assert outcome(cell.result(second)) == UNKNOWN, 'a DONE of another trigger proves nothing'


def begin_when_free(cell, program):
    """Send a trigger; returns its future, None when it was refused as busy."""
    future = cell.begin(f'n{time.monotonic_ns()}', 'PLACE')
    wait_until(lambda: future.done() or len(program.letters) == 2)
    return None if future.done() else future


def test_a_connection_lost_during_a_trigger_makes_its_outcome_unknown_immediately(cell):
    cell.start(done_timeout=60.0)
    with FakeProgram(cell.port, [drop]):
        cell.connected()
        began = time.monotonic()
        result = cell.trigger('t1', 'PLACE')
    assert outcome(result) == UNKNOWN
    assert 'connection was lost' in result.message
    assert time.monotonic() - began < 30, 'it does not wait for the end that will not come'
    cell.missing()


def test_a_program_that_falls_silent_is_lost(cell):
    cell.start(heartbeat_timeout=0.4)
    with FakeProgram(cell.port, heartbeat=0) as program:
        program.reply('HB')
        cell.connected()
        assert program.gone.wait(30.0)
    cell.missing()


def test_without_a_robot_nothing_is_sent_and_an_alarm_is_raised(cell):
    alarms = cell.graph.collect(AlarmEvent, 'alarms/events', latched(50))
    health = cell.graph.collect(DiagnosticArray, '/diagnostics')
    cell.start()
    result = cell.trigger('t1', 'HOME')
    assert outcome(result) == NOT_CONNECTED
    assert 'Start the program' in result.message
    wait_until(lambda: [a for a in alarms if a.key == 'not_connected' and a.kind == AlarmEvent.RAISED])
    wait_until(lambda: health)
    assert (health[-1].status[0].name, health[-1].status[0].level) == ('cell/robot: link', b'\x02')
    with FakeProgram(cell.port):
        cell.connected()
        wait_until(lambda: [a for a in alarms if a.key == 'not_connected' and a.kind == AlarmEvent.CLEARED])
        assert outcome(cell.trigger('t1', 'HOME')) == SUCCEEDED, 'an id that was never sent may be used'


def test_a_trigger_id_is_never_used_twice(cell):
    cell.start()
    with FakeProgram(cell.port) as program:
        cell.connected()
        assert outcome(cell.trigger('t1')) == SUCCEEDED
        again = cell.trigger('t1')
        assert outcome(again) == (RESULT.NOT_SENT, ResultCode.INVALID_ARGUMENT)
        assert 'used before' in again.message
        assert program.letters == ['H t1']


@pytest.mark.parametrize(
    ('trigger_id', 'event', 'tray', 'code'),
    [
        ('', 'HOME', 0, ResultCode.INVALID_ARGUMENT),
        ('a b', 'HOME', 0, ResultCode.INVALID_ARGUMENT),
        ('a\nP x', 'HOME', 0, ResultCode.INVALID_ARGUMENT),
        ('x' * 65, 'HOME', 0, ResultCode.INVALID_ARGUMENT),
        ('t1', 'PART_NONE', 1, ResultCode.UNKNOWN_EVENT),
        ('t1', '', 0, ResultCode.UNKNOWN_EVENT),
    ],
)
def test_an_invalid_trigger_is_not_sent(cell, trigger_id, event, tray, code):
    cell.start()
    with FakeProgram(cell.port) as program:
        cell.connected()
        assert outcome(cell.trigger(trigger_id, event, tray)) == (RESULT.NOT_SENT, code)
        assert program.letters == []


def test_there_is_one_trigger_at_a_time(cell):
    cell.start(done_timeout=20.0)
    with FakeProgram(cell.port, [acknowledge]) as program:
        cell.connected()
        first = cell.begin('t1', 'PLACE')
        wait_until(lambda: cell.state.last_trigger_state == RobotState.TRIGGER_ACKNOWLEDGED)
        second = cell.trigger('t2', 'PLACE')
        assert outcome(second) == (RESULT.NOT_SENT, ResultCode.ROBOT_BUSY)
        assert cell.recover(area_is_clear=True).code == ResultCode.ROBOT_BUSY
        program.reply('DONE', 't1')
        assert outcome(cell.result(first)) == SUCCEEDED
        assert program.letters == ['P t1']


def test_start_program_sends_the_reserved_letter(cell):
    cell.start()
    with FakeProgram(cell.port) as program:
        cell.connected()
        response = cell.graph.call(RobotCommand, 'robot/start_program', RobotCommand.Request())
        assert response.code == ResultCode.OK
        assert program.letters[0].startswith('D ')


@pytest.mark.parametrize('service', ['robot/start_program', 'robot/stop'])
def test_an_expired_command_is_refused(cell, service):
    cell.start()
    with FakeProgram(cell.port) as program:
        cell.connected()
        command = CommandInfo()
        command.issued_at.sec, command.valid_for.sec = 1, 1
        response = cell.graph.call(RobotCommand, service, RobotCommand.Request(command=command))
        assert response.code == ResultCode.EXPIRED
        assert cell.recover(command=command, area_is_clear=True).code == ResultCode.EXPIRED
        assert program.letters == []


def test_stop_names_the_pendant(cell):
    cell.start()
    response = cell.graph.call(RobotCommand, 'robot/stop', RobotCommand.Request())
    assert response.code == ResultCode.NOT_SUPPORTED
    assert 'pendant' in response.message


def test_recovery_gets_a_new_connection_and_goes_home(cell):
    cell.start()
    with FakeProgram(cell.port, [acknowledge]) as stuck:
        cell.connected()
        assert outcome(cell.trigger('t1', 'PLACE')) == UNKNOWN
        recovering = cell.begin_recovery(area_is_clear=True)
        assert stuck.gone.wait(30.0)
        with FakeProgram(cell.port) as fresh:
            assert cell.result(recovering).code == ResultCode.OK
            assert [letter[0] for letter in fresh.letters] == ['H']
        wait_until(lambda: getattr(cell.feedback[-1], 'step', '') == 'Sending HOME.')


def test_recovery_is_refused_until_the_area_is_confirmed_clear(cell):
    cell.start()
    with FakeProgram(cell.port) as program:
        cell.connected()
        result = cell.recover(area_is_clear=False)
        assert result.code == ResultCode.INVALID_ARGUMENT
        assert 'area' in result.message
        assert program.letters == []


def test_recovery_without_a_robot_names_the_manual_steps(cell):
    cell.start(reconnect_timeout=0.2)
    result = cell.recover(area_is_clear=True)
    assert result.code == ResultCode.ROBOT_NOT_CONNECTED
    assert 'pendant' in result.message


def test_a_home_that_is_refused_fails_the_recovery(cell):
    cell.start()
    with FakeProgram(cell.port, [refuse]):
        cell.connected()
        result = cell.recover(area_is_clear=True)
        assert result.code == ResultCode.ROBOT_REFUSED
        assert 'gripper empty' in result.message


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'catalogue_file': ''}, 'catalogue_file'),
        ({'catalogue_file': '/nowhere.yaml'}, '/nowhere.yaml'),
        ({'allowed_peers': ['robot']}, 'allowed_peers'),
        ({'event_letters': ['PLACE=A']}, 'letter A'),
        ({'event_letters': ['PLACE=D']}, 'START_PROGRAM'),
        ({'event_letters': ['JUMP=J']}, 'JUMP'),
        ({'backend': 'hub', 'catalogue_file': ''}, 'catalogue_file'),
        ({'backend': 'hub', 'hub_url': 'hub:5002'}, 'hub_url'),
        ({'backend': 'hub', 'event_letters': ['PLACE=A']}, 'letter A'),
    ],
)
def test_an_invalid_configuration_is_reported_at_the_start(cell, parameters, words):
    with pytest.raises(StartError, match=words):
        RobotNode(**cell.graph.options(**{'catalogue_file': cell.catalogue_file, **parameters}))


def test_overridden_letters_are_used(cell):
    cell.start(event_letters=['PLACE=q'])
    with FakeProgram(cell.port) as program:
        cell.connected()
        assert outcome(cell.trigger('t1', 'PLACE')) == SUCCEEDED
        assert program.letters == ['q t1']


@pytest.mark.parametrize(
    ('reply', 'plan', 'expected'),
    [
        ('ack', acknowledge, SUCCEEDED),
        ('ack', keep_silent, UNKNOWN),
        ('ack', refuse, (RESULT.REFUSED, ResultCode.ROBOT_REFUSED)),
        ('ack_done', finish, SUCCEEDED),
        ('ack_done', acknowledge, UNKNOWN),
        ('ack_done', keep_silent, UNKNOWN),
    ],
)
def test_bare_programs_are_served_too(cell, reply, plan, expected):
    cell.start(framing='bare', bare_reply=reply)
    with FakeProgram(cell.port, [plan], framing='bare') as program:
        cell.connected()
        assert outcome(cell.trigger('t1', 'PART_G8NB-17SR', tray=2)) == expected
        assert program.letters == ['F']
        if expected == UNKNOWN:
            assert program.gone.wait(30.0), 'a late word could be mistaken for the next answer'


def preflight(cell):
    return cell.graph.call(RobotPreflight, 'robot/preflight', RobotPreflight.Request())


def test_a_letters_robot_may_begin_a_job_when_its_program_is_connected(cell):
    cell.start()
    with FakeProgram(cell.port):
        cell.connected()
        answer = preflight(cell)
    assert (answer.code, answer.message) == (ResultCode.OK, '')
    assert [(line.name, line.ok) for line in answer.checks][:2] == [('program', True), ('last trigger', True)]
    assert 'cannot tell' in answer.checks[-1].message


def test_without_a_program_the_preflight_names_the_line_that_fails(cell):
    cell.start()
    answer = preflight(cell)
    assert answer.code == ResultCode.PREFLIGHT_FAILED
    assert answer.message.startswith('program: ') and 'Start the program' in answer.message
    assert not answer.checks[0].ok


def test_a_hub_drives_the_robot_and_an_ack_that_never_comes_is_unknown(cell):
    with FakeHub(cell.port, [stay_silent]) as hub:
        cell.start(backend='hub', hub_url=hub.url, hub_ack_timeout=0.4)
        cell.connected()
        assert preflight(cell).code == ResultCode.OK
        assert outcome(cell.trigger('t1', 'PART_EM1-2U1', tray=2)) == UNKNOWN
        assert cell.state.backend == 'hub' and cell.state.peer == hub.url
        assert outcome(cell.trigger('t2', 'PLACE')) == (RESULT.NOT_SENT, ResultCode.ROBOT_BUSY)
        assert 'last trigger' in preflight(cell).message
        assert cell.recover(area_is_clear=True).code == ResultCode.OK
        assert outcome(cell.trigger('t3', 'PART_EM1-2U1')) == SUCCEEDED
        assert [payload['trigger'] for payload in hub.triggers] == ['A', 'H', 'A']
    cell.missing()
