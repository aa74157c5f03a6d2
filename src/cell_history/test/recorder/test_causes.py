"""Rejects, raised alarms and new stops are causes; everything else, and a stop that lasts, is none."""

from __future__ import annotations

from cell_history.recorder.causes import CauseFinder

from cell_interfaces.msg import AlarmEvent, InventoryEvent, JobState, RobotState


def test_a_reject_names_job_and_piece():
    found = CauseFinder().of_booking(InventoryEvent(kind=InventoryEvent.REJECT, job_id='j', piece=7, reason='wrong part'))
    assert found is not None and (found.kind, found.job_id, found.piece) == ('reject', 'j', 7) and 'wrong part' in found.text
    assert CauseFinder().of_booking(InventoryEvent(kind=InventoryEvent.PLACE)) is None


def test_an_alarm_counts_when_it_is_raised():
    finder = CauseFinder()
    assert finder.of_alarm(AlarmEvent(kind=AlarmEvent.RAISED, source='robot', key='stop')) is not None
    assert finder.of_alarm(AlarmEvent(kind=AlarmEvent.CLEARED)) is None


def test_a_stop_of_the_robot_counts_once():
    finder = CauseFinder()
    states = [RobotState.SAFETY_NORMAL, RobotState.SAFETY_PROTECTIVE_STOP, RobotState.SAFETY_PROTECTIVE_STOP]
    found = [finder.of_robot(RobotState(safety_mode=mode)) for mode in states]
    assert [item.text if item else '' for item in found] == ['', 'protective stop', '']


def test_a_job_counts_when_it_stops_running():
    finder = CauseFinder()
    states = [JobState.PAUSED, JobState.RUNNING, JobState.PAUSED, JobState.PAUSED]
    assert [finder.of_job(JobState(state=state)) is not None for state in states] == [False, False, True, False]
