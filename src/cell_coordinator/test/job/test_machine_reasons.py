"""Reasons of a pause, as the operator reads them."""

from __future__ import annotations

import pytest
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import RobotOutcome
from cell_coordinator.job.machine import JobMachine, JobRules
from cell_coordinator.job.model import JobState, PickJob


@pytest.mark.parametrize(
    ('outcome', 'message', 'cause'),
    [
        (RobotOutcome.REFUSED, 'The robot refused START: gripper empty.', 'Gripper empty.'),
        (RobotOutcome.REFUSED, 'No piece in slot 3.', 'No piece in slot 3.'),
        (RobotOutcome.NOT_SENT, 'Nothing was sent. The robot is in local mode.', 'The robot is in local mode.'),
        (RobotOutcome.NOT_SENT, 'No tray holds it.', 'No tray holds it.'),
    ],
)
def test_a_reason_states_a_fact_once(outcome: RobotOutcome, message: str, cause: str) -> None:
    machine = JobMachine(JobRules(read_attempts=2))
    job = machine.advance(PickJob('job', 'G8NB-17SR', 2), ev.Start(1)).job
    job = machine.advance(job, ev.TriggerFinished(2, job.effect_id, outcome, message)).job
    assert job.state is JobState.PAUSED and cause in job.reason.splitlines()
    assert job.reason.lower().count('refused') <= 1 and 'nothing was sent' not in job.reason.lower()
