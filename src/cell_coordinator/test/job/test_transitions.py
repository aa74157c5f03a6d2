import pytest
from cell_common.error_code import ErrorCode
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import OcrReading, Resolution, RobotOutcome
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules
from cell_coordinator.job.model import JobState, JobStep, MatchVerdict, PickJob, VerdictKind, from_json, to_json
from cell_coordinator.job.transitions import rejection_reason

PART = 'G8NB-17SR'


@pytest.mark.parametrize(
    ('kind', 'text'),
    [
        (VerdictKind.AMBIGUOUS, 'ambiguous: two parts'),
        (VerdictKind.UNREADABLE, 'no readable text'),
        (VerdictKind.UNKNOWN, 'unknown part: read "XX"'),
        (VerdictKind.MATCH, 'does not belong'),
    ],
)
def test_every_rejection_has_a_reason(kind, text):
    assert text in rejection_reason(MatchVerdict(kind, PART, 1, '', 'XX', 0.1, 'two parts'), PART)


SAFEGUARD = 'PLACE was interrupted: safeguard stop. Close and reset the safeguard, then press Continue.'


class InterruptedRun:
    """A job whose place is interrupted by the safeguard."""

    def __init__(self):
        self.machine, self.now = JobMachine(JobRules()), 0
        self.job, self.effects = PickJob('j', PART, 1), ()
        self.send(ev.Start).robot(RobotOutcome.SUCCEEDED).answer(ev.StockReceived, ((2, 5),))
        self.robot(RobotOutcome.SUCCEEDED).answer(ev.ReadFinished, OcrReading(self.now + 1))
        self.answer(ev.VerdictReceived, MatchVerdict(VerdictKind.MATCH, PART, self.job.frame_ns, PART))
        self.first = self.job.trigger_id
        self.robot(RobotOutcome.INTERRUPTED, SAFEGUARD)

    def send(self, event, *values):
        self.now += 1
        change = self.machine.advance(self.job, event(self.now, *values))
        self.job, self.effects = change.job, change.effects
        assert from_json(to_json(self.job)) == self.job
        return self

    def answer(self, event, *values):
        return self.send(event, self.job.effect_id, *values)

    def robot(self, outcome, message=''):
        return self.answer(ev.TriggerFinished, outcome, message)

    def rejection(self, event):
        with pytest.raises(CommandRejected) as error:
            self.machine.advance(self.job, event(self.now))
        return error.value.code


def test_resume_continues_an_interrupted_trigger_under_a_new_id():
    run = InterruptedRun()
    assert run.job.state is JobState.PAUSED and run.job.unresolved and run.job.interrupted == run.first
    assert 'Place of piece 1 interrupted' in run.job.reason and 'press Continue' in run.job.reason
    run.send(ev.Resume)
    (sent,) = run.effects
    assert isinstance(sent, ev.SendTrigger) and (sent.event, sent.continues) == ('PLACE', run.first)
    assert sent.trigger_id != run.first and run.job.state is JobState.RUNNING
    assert run.robot(RobotOutcome.SUCCEEDED).job.step is JobStep.BOOK
    assert run.answer(ev.BookingConfirmed).job.placed == 1


def test_a_continuation_that_was_not_sent_can_be_tried_again():
    run = InterruptedRun().send(ev.Resume).robot(RobotOutcome.NOT_SENT, 'the robot node was not found: is it running?')
    assert run.job.unresolved and run.job.interrupted == run.first
    (sent,) = run.send(ev.Resume).effects
    assert sent.continues == run.first


@pytest.mark.parametrize('ending', ['unknown', 'restarted'])
def test_a_continuation_in_doubt_is_resolved_by_the_operator(ending):
    run = InterruptedRun().send(ev.Resume)
    run.robot(RobotOutcome.UNKNOWN, 'the arm was moved') if ending == 'unknown' else run.send(ev.CoordinatorRestarted)
    assert run.job.unresolved and not run.job.interrupted
    assert run.rejection(ev.Resume) == ErrorCode.NOT_RESOLVED


def test_an_interrupted_trigger_may_be_resolved_instead():
    run = InterruptedRun()
    assert run.rejection(ev.Cancel) == ErrorCode.NOT_RESOLVED
    run.send(ev.Resolve, Resolution.NOT_DONE)
    assert not run.job.unresolved and not run.job.interrupted and run.job.step is JobStep.PLACE
    (reading,) = run.send(ev.Resume).effects
    assert isinstance(reading, ev.ReadFrame), 'the piece is read again'
