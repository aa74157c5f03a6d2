"""The life of one trigger, with a clock that the test turns."""

from __future__ import annotations

import pytest
from cell_common.error_code import ErrorCode
from cell_robot.backends.letters.protocol import ProgramReply, ReplyKind
from cell_robot.backends.letters.session import Deadlines, TriggerMachine, TriggerUpdate, outcome_of
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase

DEADLINES = Deadlines(acknowledge=1.0, done=30.0)


def sent(numbered=True, single=False):
    machine = TriggerMachine(DEADLINES, numbered=numbered, acknowledge_is_done=single)
    assert machine.sent('7', 100.0).phase is TriggerPhase.SENT
    return machine


def reply(machine, kind, trigger_id='7', now=100.5, reason=''):
    step = machine.reply(ProgramReply(kind, trigger_id, reason), now)
    return step.phase if step else None


def test_acknowledged_and_done():
    machine = sent()
    assert machine.deadline == 101.0
    assert reply(machine, ReplyKind.ACK) is TriggerPhase.ACKNOWLEDGED
    assert machine.deadline == 130.5
    assert reply(machine, ReplyKind.ACK) is None
    assert reply(machine, ReplyKind.DONE) is TriggerPhase.DONE
    assert machine.deadline is None


def test_a_done_with_the_right_id_counts_without_an_acknowledgement():
    assert reply(sent(), ReplyKind.DONE) is TriggerPhase.DONE


def test_a_refusal_carries_its_reason():
    step = sent().reply(ProgramReply(ReplyKind.ERR, '7', 'door open'), 100.1)
    assert (step.phase, step.reason) == (TriggerPhase.REFUSED, 'door open')
    assert sent().reply(ProgramReply(ReplyKind.ERR, '7'), 100.1).reason == 'no reason given'


def test_replies_to_another_trigger_change_nothing():
    machine = sent()
    assert [reply(machine, kind, '6') for kind in (ReplyKind.ACK, ReplyKind.DONE, ReplyKind.ERR)] == [None] * 3
    assert machine.on_timeout(100.9) is None
    assert machine.on_timeout(101.0).phase is TriggerPhase.UNKNOWN


def test_without_an_acknowledgement_the_letter_must_be_made_void():
    machine = sent()
    step = machine.on_timeout(101.0)
    assert (step.phase, step.reset) == (TriggerPhase.UNKNOWN, True)
    assert machine.on_timeout(200.0) is None, 'said once'


def test_acknowledged_but_never_done_stays_open_at_the_robot():
    machine = sent()
    reply(machine, ReplyKind.ACK, now=100.5)
    assert machine.on_timeout(130.4) is None
    step = machine.on_timeout(130.5)
    assert (step.phase, step.reset, machine.late) == (TriggerPhase.UNKNOWN, False, '7')
    assert reply(machine, ReplyKind.ACK, now=131.0) is None
    assert machine.late == '7', 'an acknowledgement does not end it'
    assert reply(machine, ReplyKind.DONE, now=140.0) is None, 'too late to change the outcome'
    assert machine.late == ''


def test_a_lost_connection_ends_it_as_unknown():
    machine = sent()
    assert machine.on_disconnect('cable').reason == 'cable'
    assert machine.on_disconnect('cable') is None
    assert reply(machine, ReplyKind.DONE) is None


def test_bare_done_counts_only_after_ack():
    machine = sent(numbered=False)
    assert reply(machine, ReplyKind.ACK, '') is TriggerPhase.ACKNOWLEDGED
    assert reply(machine, ReplyKind.DONE, '') is TriggerPhase.DONE
    assert machine.stray == ''


@pytest.mark.parametrize(
    ('single', 'words', 'stray'),
    [
        (False, [ReplyKind.DONE], 'done'),
        (False, [ReplyKind.ACK, ReplyKind.ACK], 'ack'),
        (True, [ReplyKind.DONE], 'done'),
    ],
)
def test_an_answer_that_nobody_waits_for_makes_a_bare_trigger_unknown(single, words, stray):
    machine = sent(numbered=False, single=single)
    assert [reply(machine, word, '') for word in words][-1] is TriggerPhase.UNKNOWN
    assert machine.stray == stray


def test_a_late_copy_of_an_answer_is_remembered_as_stray():
    machine = sent(numbered=False, single=True)
    assert reply(machine, ReplyKind.ACK, '') is TriggerPhase.DONE
    assert reply(machine, ReplyKind.HEARTBEAT, '') is None and machine.stray == ''
    assert reply(machine, ReplyKind.ACK, '') is None
    assert machine.stray == 'ack'


def test_bare_without_ids_is_reset_whenever_it_is_late():
    machine = sent(numbered=False)
    reply(machine, ReplyKind.ACK, '', 100.1)
    assert machine.on_timeout(131.0).reset


def test_a_single_answer_has_the_time_of_the_motion():
    machine = sent(numbered=False, single=True)
    assert machine.on_timeout(101.0) is None
    assert reply(machine, ReplyKind.ACK, '', 110.0) is TriggerPhase.DONE
    late = sent(numbered=False, single=True)
    assert (late.on_timeout(130.0).phase, late.deadline) == (TriggerPhase.UNKNOWN, None)


@pytest.mark.parametrize(
    ('phase', 'code', 'part_of_message'),
    [
        (TriggerPhase.DONE, ErrorCode.OK, 'PLACE done'),
        (TriggerPhase.REFUSED, ErrorCode.ROBOT_REFUSED, 'refused PLACE: gripper empty'),
        (TriggerPhase.UNKNOWN, ErrorCode.ROBOT_OUTCOME_UNKNOWN, 'unknown whether the robot did PLACE: gripper empty'),
    ],
)
def test_the_outcome_of_a_trigger_names_event_and_reason(phase: TriggerPhase, code: ErrorCode, part_of_message: str):
    outcome = outcome_of(TriggerCommand('t1', 'PLACE'), TriggerUpdate(phase, 'gripper empty'))
    assert (outcome.phase, outcome.code) == (phase, code)
    assert part_of_message in outcome.message
