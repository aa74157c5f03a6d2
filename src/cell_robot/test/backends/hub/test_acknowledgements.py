import pytest
from cell_robot.backends.hub.acknowledgements import SETTLE_S, AckKind, AckRules

TIMEOUT = 10.0


@pytest.fixture
def rules():
    return AckRules(TIMEOUT)


def unknown(rules, trigger_id='t1', event='PLACE', at=0.0):
    rules.sent(trigger_id, event, at)
    assert 'no acknowledgement within 10 s' in rules.on_timeout(at + TIMEOUT)


def test_the_events_own_ack_ends_the_trigger(rules):
    rules.sent('t1', 'PLACE', 5.0)
    assert rules.on_timeout(14.9) is None and rules.deadline == 15.0
    report = rules.acknowledge('PLACE', 7.0)
    assert (report.kind, report.trigger_id, report.seconds) == (AckKind.DONE, 't1', 2.0)
    assert rules.deadline is None and not rules.blocked and rules.on_timeout(99.0) is None


def test_an_ack_that_never_comes_blocks_further_triggers(rules):
    unknown(rules)
    assert 'PLACE' in rules.blocked and 't1' in rules.blocked


def test_a_lost_connection_makes_the_open_trigger_unknown(rules):
    assert rules.on_disconnect('transport close') is None, 'without an open trigger'
    rules.sent('t1', 'PLACE', 0.0)
    assert 'transport close' in rules.on_disconnect('transport close')
    assert rules.blocked


def test_a_late_ack_unblocks_and_answers_nothing_else(rules):
    unknown(rules)
    report = rules.acknowledge('PLACE', 12.0)
    assert (report.kind, report.trigger_id, report.seconds) == (AckKind.LATE, 't1', 12.0)
    assert not rules.blocked


def test_a_late_ack_does_not_answer_the_same_event_sent_after_it(rules):
    unknown(rules, 't1', 'HOME')
    rules.sent('t2', 'HOME', 20.0)
    assert rules.acknowledge('HOME', 21.0).kind is AckKind.LATE
    assert rules.open_event == 'HOME', 'the second trigger still waits'
    assert rules.acknowledge('HOME', 22.0).kind is AckKind.DONE


def test_of_two_homes_one_ack_is_enough_to_be_at_home(rules):
    unknown(rules, 't1', 'HOME')
    assert not rules.is_home()
    rules.sent('t2', 'HOME', 20.0)
    rules.acknowledge('HOME', 21.0)
    assert 'may belong to a former trigger' in rules.on_timeout(30.0)
    assert rules.is_home()


def test_one_ack_of_two_placings_proves_nothing(rules):
    unknown(rules)
    rules.sent('t2', 'PLACE', 20.0)
    rules.acknowledge('PLACE', 21.0)
    assert rules.on_timeout(30.0)
    assert not rules.is_home() and rules.blocked


def test_a_repeated_ack_is_ignored_and_the_same_event_waits_for_it(rules):
    rules.sent('t1', 'HOME', 0.0)
    rules.acknowledge('HOME', 1.0)
    report = rules.acknowledge('HOME', 1.1)
    assert (report.kind, report.trigger_id) == (AckKind.DUPLICATE, 't1')
    assert not rules.blocked
    assert rules.wait_before('HOME', 1.2) == pytest.approx(1.1 + SETTLE_S - 1.2)
    assert rules.wait_before('PLACE', 1.2) == 0.0
    assert rules.wait_before('HOME', 3.0) == 0.0


@pytest.mark.parametrize('event', ['PLACE', 'PART_EM1-2U1', 'HOME'])
def test_a_foreign_ack_blocks_and_ends_no_trigger(rules, event):
    rules.sent('t1', 'REJECT', 0.0)
    assert rules.acknowledge(event, 1.0).kind is AckKind.FOREIGN
    assert rules.open_event == 'REJECT'
    assert event in rules.blocked and 'Stop every other program' in rules.blocked
    assert rules.acknowledge('REJECT', 2.0).kind is AckKind.DONE
    assert rules.blocked, 'the robot was moved by another program'


def test_an_ack_of_a_former_event_long_after_its_end_is_foreign(rules):
    rules.sent('t1', 'PLACE', 0.0)
    rules.acknowledge('PLACE', 1.0)
    assert rules.acknowledge('PLACE', 1.0 + SETTLE_S + 0.1).kind is AckKind.FOREIGN
    assert rules.blocked


def test_a_recovery_unblocks(rules):
    unknown(rules)
    rules.acknowledge('OTHER', 11.0)
    rules.recovered()
    assert not rules.blocked
