"""For events in any order: no unverified piece is placed, no piece is booked twice, job and ledger agree."""

from cell_coordinator.job import events as ev
from cell_coordinator.job.events import OcrReading, Resolution, RobotOutcome
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules
from cell_coordinator.job.model import (
    STEPS_WITH_PIECE,
    JobState,
    JobStep,
    MatchVerdict,
    PickJob,
    PieceOutcome,
    VerdictKind,
    from_json,
    to_json,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

PART = 'G8NB-17SR'
LATE = st.sampled_from([0, 0, 0, 0, 1, 2])

STRANGE_VERDICTS = [
    (VerdictKind.MATCH, 'OTHER', PART, 0),
    (VerdictKind.MATCH, '', PART, 0),
    (VerdictKind.MATCH, PART, 'X', 0),
    (VerdictKind.MATCH, PART, PART, -500),
    (VerdictKind.MISMATCH, PART, PART, 0),
    (VerdictKind.AMBIGUOUS, PART, PART, 0),
    (VerdictKind.UNREADABLE, '', PART, 0),
]


class JobMachineProperties(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = 1000
        self.sent_ids = set()
        self.ledger = {}
        self.matched = {}
        self.shown_at = {}
        self.open_trigger = ''

    @initialize(quantity=st.integers(1, 8), attempts=st.integers(1, 3), rejects=st.integers(1, 3))
    def create_job(self, quantity, attempts, rejects):
        self.machine = JobMachine(JobRules(attempts, rejects, settle_ns=5))
        self.job = PickJob('job', PART, quantity)

    def dispatch(self, event):
        before = self.job
        try:
            following = self.machine.advance(self.job, event)
        except CommandRejected:
            return
        self.job = from_json(to_json(following.job))
        if getattr(event, 'effect_id', before.effect_id) != before.effect_id:
            assert self.job == before and not following.effects
        if isinstance(event, ev.Resolve) or (
            isinstance(event, ev.TriggerFinished)
            and event.effect_id == before.effect_id
            and event.outcome is not RobotOutcome.UNKNOWN
            and not before.unresolved
        ):
            self.open_trigger = ''
        if isinstance(event, ev.VerdictReceived) and self.job.effect_id != before.effect_id and before.step is JobStep.MATCH:
            self.matched[before.piece] = event.verdict
        for effect in following.effects:
            self.check_effect(effect, before)

    def check_effect(self, effect, before):
        if isinstance(effect, ev.SendTrigger):
            assert effect.trigger_id not in self.sent_ids and not self.open_trigger
            self.open_trigger = effect.trigger_id
            assert before.state is not JobState.PAUSED or self.job.state is JobState.RUNNING
            self.sent_ids.add(effect.trigger_id)
            if effect.event == 'PLACE':
                verdict = self.matched[self.job.piece]
                assert verdict.kind is VerdictKind.MATCH and verdict.recognized == verdict.expected == PART
                assert verdict.frame_ns > self.shown_at[self.job.piece]
        if isinstance(effect, ev.BookPiece):
            assert self.ledger.setdefault(effect.piece, effect.outcome) is effect.outcome

    def tick(self):
        self.now += 10
        return self.now

    def robot(self, outcome, late=0):
        presented = outcome is RobotOutcome.SUCCEEDED and not late and not self.job.unresolved
        if self.job.trigger.startswith('PART_') and presented:
            self.shown_at[self.job.piece] = self.now
        self.dispatch(ev.TriggerFinished(self.tick(), self.job.effect_id - late, outcome))

    def stock(self, counts, late=0):
        self.dispatch(ev.StockReceived(self.tick(), self.job.effect_id - late, tuple(enumerate(counts, 1))))

    def frame(self, age, late=0):
        self.dispatch(ev.ReadFinished(self.tick(), self.job.effect_id - late, OcrReading(self.now - age)))

    def verdict(self, kind, recognized, expected=PART, other_frame=0, late=0):
        verdict = MatchVerdict(kind, expected, self.job.frame_ns + other_frame, recognized)
        self.dispatch(ev.VerdictReceived(self.tick(), self.job.effect_id - late, verdict))

    def good_answer(self, kind):
        """Give the good answer to the current effect, so that long jobs are reached."""
        step = self.job.step
        if self.job.unresolved:
            self.resolve(Resolution.DONE)
        elif self.job.state is JobState.READY:
            self.dispatch(ev.Start(self.tick()))
        elif self.job.trigger:
            self.robot(RobotOutcome.SUCCEEDED)
        elif step is JobStep.BOOK:
            self.dispatch(ev.BookingConfirmed(self.tick(), self.job.effect_id))
        elif self.job.state is JobState.PAUSED:
            self.dispatch(ev.Resume(self.tick()))
        elif step is JobStep.PICK:
            self.stock([0, 1, 1, 0])
        elif step is JobStep.READ:
            self.frame(0)
        elif step is JobStep.MATCH:
            self.verdict(kind, PART if kind is VerdictKind.MATCH else 'OTHER')

    @precondition(lambda self: not self.job.finished)
    @rule(kinds=st.lists(st.sampled_from([VerdictKind.MATCH, VerdictKind.MATCH, VerdictKind.MISMATCH]), min_size=1, max_size=7))
    def several_good_answers(self, kinds):
        for kind in kinds:
            self.good_answer(kind)

    @precondition(lambda self: not self.job.finished)
    @rule(draw=st.data(), late=st.sampled_from([0, 0, 1]))
    def bad_answer(self, draw, late):
        """Give an unusual answer to the current effect."""

        def one_of(*choices):
            return draw.draw(st.sampled_from(choices))

        step = self.job.step
        if self.job.trigger:
            self.robot(one_of(*RobotOutcome), late)
        elif step is JobStep.PICK:
            self.stock(one_of([0, 0, 0, 0], [0, 0, 1, 0]), late)
        elif step is JobStep.READ:
            self.frame(one_of(0, 7, 100), late)
        elif step is JobStep.MATCH:
            self.verdict(*one_of(*STRANGE_VERDICTS), late)
        else:
            self.dispatch(ev.BookingConfirmed(self.tick(), self.job.effect_id - late))

    @rule(late=LATE, outcome=st.sampled_from(RobotOutcome), kind=st.sampled_from(VerdictKind))
    def all_answers_arrive(self, late, outcome, kind):
        self.dispatch(ev.BookingConfirmed(self.tick(), self.job.effect_id - late))
        self.verdict(kind, PART, PART, 0, late)
        self.frame(0, late)
        self.stock([1, 0, 0, 0], late)
        self.robot(outcome, late)

    @rule(
        kind=st.sampled_from(
            [ev.Pause, ev.Pause, ev.Resume, ev.Resume, ev.Resume, ev.CoordinatorRestarted, ev.StockChanged, ev.Cancel]
        )
    )
    def something_happens(self, kind):
        self.dispatch(kind(self.tick()))

    @precondition(lambda self: self.job.state is JobState.PAUSED)
    @rule(how=st.sampled_from(Resolution))
    def resolve(self, how):
        in_doubt = self.job.unresolved or self.job.uncertain == self.job.step_mark
        if in_doubt and self.job.step is JobStep.PICK and how is Resolution.DONE:
            self.shown_at[self.job.piece] = self.now
        self.dispatch(ev.Resolve(self.tick(), how, 'ann'))

    @precondition(lambda self: not self.job.finished)
    @rule(late=LATE)
    def failed(self, late):
        self.dispatch(ev.EffectFailed(self.tick(), self.job.effect_id - late, 'gone'))

    @invariant()
    def job_and_ledger_agree(self):
        if not hasattr(self, 'job'):
            return
        job = self.job
        placed = sum(outcome is PieceOutcome.PLACED for outcome in self.ledger.values())
        open_booking = job.step is JobStep.BOOK and not job.finished
        assert job.placed + job.rejected == len(self.ledger) - open_booking
        assert job.placed == placed - (open_booking and job.outcome is PieceOutcome.PLACED)
        assert job.placed <= job.quantity
        assert (job.state is JobState.DONE) == (job.placed == job.quantity)
        if job.finished:
            assert sorted(self.ledger) == list(range(1, job.placed + job.rejected + 1))

    @invariant()
    def a_paused_job_says_why(self):
        if hasattr(self, 'job') and self.job.state in (JobState.PAUSED, JobState.WAITING_RELOAD):
            assert self.job.reason
            assert not self.job.unresolved or self.job.trigger
        if hasattr(self, 'job') and self.job.state is JobState.CANCELLED:
            assert self.job.step not in STEPS_WITH_PIECE


TestJobMachine = JobMachineProperties.TestCase
TestJobMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
