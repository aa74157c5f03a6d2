"""Whatever comes in whatever order: nothing is placed unverified, nothing is booked twice, and the books agree."""

from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Resolution, TriggerOutcome
from cell_coordinator.job.machine import JobMachine, JobRules, Refused
from cell_coordinator.job.model import IN_HAND, Job, Outcome, State, Step, Verdict, VerdictKind, from_json, to_json
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


class Life(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = 1000
        self.sent_ids = set()
        self.ledger = {}
        self.matched = {}
        self.shown_at = {}
        self.open_trigger = ''

    @initialize(quantity=st.integers(1, 8), attempts=st.integers(1, 3), rejects=st.integers(1, 3))
    def begin(self, quantity, attempts, rejects):
        self.machine = JobMachine(JobRules(attempts, rejects, settle_ns=5))
        self.job = Job('job', PART, quantity)

    def feed(self, event):
        before = self.job
        try:
            following = self.machine.advance(self.job, event)
        except Refused:
            return
        self.job = from_json(to_json(following.job))
        if getattr(event, 'ticket', before.ticket) != before.ticket:
            assert self.job == before and not following.effects
        if isinstance(event, ev.Resolve) or (
            isinstance(event, ev.TriggerEnded)
            and event.ticket == before.ticket
            and event.outcome is not TriggerOutcome.UNKNOWN
            and not before.unresolved
        ):
            self.open_trigger = ''
        if isinstance(event, ev.Judged) and self.job.ticket != before.ticket and before.step is Step.MATCH:
            self.matched[before.piece] = event.verdict
        for effect in following.effects:
            self.note(effect, before)

    def note(self, effect, before):
        if isinstance(effect, ev.SendTrigger):
            assert effect.trigger_id not in self.sent_ids and not self.open_trigger
            self.open_trigger = effect.trigger_id
            assert before.state is not State.PAUSED or self.job.state is State.RUNNING
            self.sent_ids.add(effect.trigger_id)
            if effect.event == 'PLACE':
                verdict = self.matched[self.job.piece]
                assert verdict.kind is VerdictKind.MATCH and verdict.recognised == verdict.expected == PART
                assert verdict.frame_ns > self.shown_at[self.job.piece]
        if isinstance(effect, ev.BookOut):
            assert self.ledger.setdefault(effect.piece, effect.outcome) is effect.outcome

    def tick(self):
        self.now += 10
        return self.now

    def robot(self, outcome, late=0):
        heard = outcome is TriggerOutcome.SUCCEEDED and not late and not self.job.unresolved
        if self.job.trigger.startswith('PART_') and heard:
            self.shown_at[self.job.piece] = self.now
        self.feed(ev.TriggerEnded(self.tick(), self.job.ticket - late, outcome))

    def stock(self, counts, late=0):
        self.feed(ev.StockSeen(self.tick(), self.job.ticket - late, tuple(enumerate(counts, 1))))

    def frame(self, age, late=0):
        self.feed(ev.ReadEnded(self.tick(), self.job.ticket - late, self.now - age))

    def judge(self, kind, recognised, expected=PART, other_frame=0, late=0):
        verdict = Verdict(kind, expected, self.job.frame_ns + other_frame, recognised)
        self.feed(ev.Judged(self.tick(), self.job.ticket - late, verdict))

    def go_well(self, kind):
        """Give the right answer to whatever is under way, so that long lives are reached."""
        step = self.job.step
        if self.job.unresolved:
            self.resolve(Resolution.DONE)
        elif self.job.state is State.READY:
            self.feed(ev.Start(self.tick()))
        elif self.job.trigger:
            self.robot(TriggerOutcome.SUCCEEDED)
        elif step is Step.BOOK:
            self.feed(ev.BookingDone(self.tick(), self.job.ticket))
        elif self.job.state is State.PAUSED:
            self.feed(ev.Resume(self.tick()))
        elif step is Step.PICK:
            self.stock([0, 1, 1, 0])
        elif step is Step.READ:
            self.frame(0)
        elif step is Step.MATCH:
            self.judge(kind, PART if kind is VerdictKind.MATCH else 'OTHER')

    @precondition(lambda self: not self.job.over)
    @rule(kinds=st.lists(st.sampled_from([VerdictKind.MATCH, VerdictKind.MATCH, VerdictKind.MISMATCH]), min_size=1, max_size=7))
    def go_well_for_a_while(self, kinds):
        for kind in kinds:
            self.go_well(kind)

    @precondition(lambda self: not self.job.over)
    @rule(draw=st.data(), late=st.sampled_from([0, 0, 1]))
    def go_badly(self, draw, late):
        """Give a strange answer to whatever is under way."""

        def one_of(*choices):
            return draw.draw(st.sampled_from(choices))

        step = self.job.step
        if self.job.trigger:
            self.robot(one_of(*TriggerOutcome), late)
        elif step is Step.PICK:
            self.stock(one_of([0, 0, 0, 0], [0, 0, 1, 0]), late)
        elif step is Step.READ:
            self.frame(one_of(0, 7, 100), late)
        elif step is Step.MATCH:
            self.judge(*one_of(*STRANGE_VERDICTS), late)
        else:
            self.feed(ev.BookingDone(self.tick(), self.job.ticket - late))

    @rule(late=LATE, outcome=st.sampled_from(TriggerOutcome), kind=st.sampled_from(VerdictKind))
    def everybody_answers(self, late, outcome, kind):
        self.feed(ev.BookingDone(self.tick(), self.job.ticket - late))
        self.judge(kind, PART, PART, 0, late)
        self.frame(0, late)
        self.stock([1, 0, 0, 0], late)
        self.robot(outcome, late)

    @rule(kind=st.sampled_from([ev.Pause, ev.Pause, ev.Resume, ev.Resume, ev.Resume, ev.Restarted, ev.StockChanged, ev.Cancel]))
    def something_happens(self, kind):
        self.feed(kind(self.tick()))

    @precondition(lambda self: self.job.state is State.PAUSED)
    @rule(how=st.sampled_from(Resolution))
    def resolve(self, how):
        if self.job.unresolved and self.job.step is Step.PICK and how is Resolution.DONE:
            self.shown_at[self.job.piece] = self.now
        self.feed(ev.Resolve(self.tick(), how, 'ann'))

    @precondition(lambda self: not self.job.over)
    @rule(late=LATE)
    def failed(self, late):
        self.feed(ev.EffectFailed(self.tick(), self.job.ticket - late, 'gone'))

    @invariant()
    def the_books_agree(self):
        if not hasattr(self, 'job'):
            return
        job = self.job
        placed = sum(outcome is Outcome.PLACED for outcome in self.ledger.values())
        open_booking = job.step is Step.BOOK and not job.over
        assert job.placed + job.rejected == len(self.ledger) - open_booking
        assert job.placed == placed - (open_booking and job.outcome is Outcome.PLACED)
        assert job.placed <= job.quantity
        assert (job.state is State.DONE) == (job.placed == job.quantity)
        if job.over:
            assert sorted(self.ledger) == list(range(1, job.placed + job.rejected + 1))

    @invariant()
    def a_paused_job_says_why(self):
        if hasattr(self, 'job') and self.job.state in (State.PAUSED, State.WAITING_RELOAD):
            assert self.job.reason
            assert not self.job.unresolved or self.job.trigger
        if hasattr(self, 'job') and self.job.state is State.CANCELLED:
            assert self.job.step not in IN_HAND


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
