import pytest
from cell_coordinator.job.events import RobotOutcome
from cell_coordinator.job.model import (
    JobState,
    JobStep,
    MatchVerdict,
    PickJob,
    PieceOutcome,
    VerdictKind,
    from_json,
    to_json,
)

from cell_interfaces import msg
from cell_interfaces.action import TriggerRobot
from cell_interfaces.srv import BookPiece


def test_the_enumerations_have_the_numbers_of_the_messages():
    assert all(getattr(msg.JobState, state.name) == state for state in JobState)
    assert all(getattr(msg.JobState, f'STEP_{step.name}') == step for step in JobStep if step is not JobStep.START)
    assert msg.JobState.STEP_IDLE == JobStep.START
    assert all(getattr(msg.MatchResult, kind.name) == kind for kind in VerdictKind)
    assert all(getattr(TriggerRobot.Result, outcome.name) == outcome for outcome in RobotOutcome)
    assert (BookPiece.Request.PLACED, BookPiece.Request.REJECTED) == (PieceOutcome.PLACED, PieceOutcome.REJECTED)


def test_a_job_survives_the_database():
    job = PickJob('a', 'G8NB-17SR', 3, verdict=MatchVerdict(VerdictKind.MISMATCH, 'G8NB-17SR', 5, 'G8NB-17SU'))
    assert from_json(to_json(job)) == job


@pytest.mark.parametrize('snapshot', ['{}', '{"verdict": null, "state": 1}'])
def test_a_snapshot_of_an_incompatible_release_is_rejected(snapshot):
    with pytest.raises(ValueError, match='not understood'):
        from_json(snapshot)
