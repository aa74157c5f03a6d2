"""Admission of triggers."""

from __future__ import annotations

from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase
from cell_robot.trigger_admission import TriggerAdmission

from cell_interfaces.msg import ResultCode


def test_one_trigger_is_admitted_at_a_time():
    admission = TriggerAdmission()
    assert admission.admit(TriggerCommand('1', 'HOME')) is None
    assert admission.admit(TriggerCommand('2', 'HOME')).code == ResultCode.ROBOT_BUSY
    admission.progress(TriggerPhase.SENT, 5)
    admission.finish(TriggerOutcome(TriggerPhase.DONE, 0, ''), 6)
    assert (admission.busy, admission.last.phase, admission.last.sent_at_ns) == (False, TriggerPhase.DONE, 5)
    assert admission.admit(TriggerCommand('1', 'HOME')).code == ResultCode.INVALID_ARGUMENT
    assert admission.admit(TriggerCommand('2', 'HOME')) is None


def test_the_id_of_a_trigger_that_was_never_sent_may_be_reused():
    admission = TriggerAdmission()
    admission.admit(TriggerCommand('1', 'HOME'))
    admission.finish(TriggerOutcome(TriggerPhase.NOT_SENT, 200, ''), 6)
    assert admission.last is None
    assert admission.admit(TriggerCommand('1', 'HOME')) is None


def test_a_backend_that_broke_counts_as_having_sent():
    admission = TriggerAdmission()
    admission.admit(TriggerCommand('1', 'HOME'))
    admission.finish(TriggerOutcome(TriggerPhase.UNKNOWN, 6, ''), 6)
    assert admission.last.phase is TriggerPhase.UNKNOWN
    assert admission.admit(TriggerCommand('1', 'HOME')).code == ResultCode.INVALID_ARGUMENT
