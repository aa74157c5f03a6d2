"""The life of one trigger, with a clock that the test turns."""

from __future__ import annotations

from cell_robot.backends.base import Phase
from cell_robot.backends.letters.codec import Kind, Reply
from cell_robot.backends.letters.trigger import Deadlines, TriggerMachine

DEADLINES = Deadlines(acknowledge=1.0, done=30.0)


def sent(numbered=True, single=False):
    machine = TriggerMachine(DEADLINES, numbered=numbered, acknowledge_is_done=single)
    assert machine.sent('7', 100.0).phase is Phase.SENT
    return machine


def reply(machine, kind, trigger_id='7', now=100.5, reason=''):
    step = machine.reply(Reply(kind, trigger_id, reason), now)
    return step.phase if step else None


def test_acknowledged_and_done():
    machine = sent()
    assert machine.deadline == 101.0
    assert reply(machine, Kind.ACK) is Phase.ACKNOWLEDGED
    assert machine.deadline == 130.5
    assert reply(machine, Kind.ACK) is None
    assert reply(machine, Kind.DONE) is Phase.DONE
    assert machine.deadline is None


def test_a_done_with_the_right_id_counts_without_an_acknowledgement():
    assert reply(sent(), Kind.DONE) is Phase.DONE


def test_a_refusal_carries_its_reason():
    step = sent().reply(Reply(Kind.ERR, '7', 'door open'), 100.1)
    assert (step.phase, step.reason) == (Phase.REFUSED, 'door open')
    assert sent().reply(Reply(Kind.ERR, '7'), 100.1).reason == 'no reason given'


def test_replies_to_another_trigger_change_nothing():
    machine = sent()
    assert [reply(machine, kind, '6') for kind in (Kind.ACK, Kind.DONE, Kind.ERR)] == [None] * 3
    assert machine.tick(100.9) is None
    assert machine.tick(101.0).phase is Phase.UNKNOWN


def test_without_an_acknowledgement_the_letter_must_be_made_void():
    machine = sent()
    step = machine.tick(101.0)
    assert (step.phase, step.reset) == (Phase.UNKNOWN, True)
    assert machine.tick(200.0) is None, 'said once'


def test_acknowledged_but_never_done_stays_open_at_the_robot():
    machine = sent()
    reply(machine, Kind.ACK, now=100.5)
    assert machine.tick(130.4) is None
    step = machine.tick(130.5)
    assert (step.phase, step.reset, machine.late) == (Phase.UNKNOWN, False, '7')
    assert reply(machine, Kind.ACK, now=131.0) is None
    assert machine.late == '7', 'an acknowledgement does not end it'
    assert reply(machine, Kind.DONE, now=140.0) is None, 'too late to change the outcome'
    assert machine.late == ''


def test_a_lost_connection_ends_it_as_unknown():
    machine = sent()
    assert machine.lost('cable').reason == 'cable'
    assert machine.lost('cable') is None
    assert reply(machine, Kind.DONE) is None


def test_bare_done_counts_only_after_ack():
    machine = sent(numbered=False)
    assert reply(machine, Kind.DONE, '') is None, 'it may belong to what was before'
    assert reply(machine, Kind.ACK, '') is Phase.ACKNOWLEDGED
    assert reply(machine, Kind.DONE, '') is Phase.DONE


def test_bare_without_ids_is_reset_whenever_it_is_late():
    machine = sent(numbered=False)
    reply(machine, Kind.ACK, '', 100.1)
    assert machine.tick(131.0).reset


def test_a_single_answer_has_the_time_of_the_motion():
    machine = sent(numbered=False, single=True)
    assert machine.tick(101.0) is None
    assert reply(machine, Kind.ACK, '', 110.0) is Phase.DONE
    late = sent(numbered=False, single=True)
    assert (late.tick(130.0).phase, late.deadline) == (Phase.UNKNOWN, None)
