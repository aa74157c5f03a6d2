import pytest
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Resolution, TriggerOutcome
from cell_coordinator.job.machine import (
    LEFT_IN_HAND,
    OLD_FRAME,
    TAKE_OUT,
    JobMachine,
    JobRules,
    Refused,
    UnverifiedPieceError,
    why_rejected,
)
from cell_coordinator.job.model import Job, Outcome, State, Step, Verdict, VerdictKind, from_json, to_json

from cell_interfaces.msg import JobState, MatchResult, ResultCode
from cell_interfaces.srv import BookPiece

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
GOOD, BAD = VerdictKind.MATCH, VerdictKind.MISMATCH
DONE, NOT_SENT, REFUSED, UNKNOWN = TriggerOutcome


class Play:
    """A job with everybody it talks to played by the test."""

    def __init__(self, quantity=2, **rules):
        self.machine = JobMachine(JobRules(**{'read_attempts': 2, **rules}))
        self.job = Job('job', PART, quantity)
        self.now = 0
        self.effects = ()
        self.triggers, self.bookings = [], []

    def feed(self, kind, *arguments):
        self.now += 10
        following = self.machine.advance(self.job, kind(self.now, *arguments))
        self.job, self.effects = following.job, following.effects
        assert from_json(to_json(self.job)) == self.job
        self.triggers += [effect.event for effect in self.effects if isinstance(effect, ev.SendTrigger)]
        self.bookings += [(effect.piece, effect.outcome) for effect in self.effects if isinstance(effect, ev.BookOut)]
        return self

    def answer(self, kind, *arguments):
        return self.feed(kind, self.job.ticket, *arguments)

    def robot(self, outcome=DONE):
        return self.answer(ev.TriggerEnded, outcome, 'because')

    def stock(self, *counts):
        return self.answer(ev.StockSeen, tuple(enumerate(counts, 1)))

    def picked(self):
        if self.job.step is Step.START:
            self.feed(ev.Start).robot()
        return self.stock(0, 3, 1).robot()

    def judged(self, kind=GOOD, recognised=None, frame=None):
        frame = self.now + 5 if frame is None else frame
        self.answer(ev.ReadEnded, frame)
        recognised = recognised if recognised is not None else PART if kind is GOOD else OTHER
        return self.answer(ev.Judged, Verdict(kind, PART, frame, recognised, recognised, 0.9))

    def placed(self):
        return self.picked().judged().robot().answer(ev.BookingDone)

    def rejected(self):
        return self.picked().judged(BAD).judged(BAD).robot().answer(ev.BookingDone)

    def sees(self, state, step=None):
        assert (self.job.state, self.job.step if step is None else step) == (state, step or self.job.step), self.job
        return self

    def refuses(self, kind, *arguments):
        with pytest.raises(Refused) as refusal:
            self.machine.advance(self.job, kind(self.now, *arguments))
        assert str(refusal.value)
        return refusal.value.code


def test_numbers_are_those_of_the_messages():
    assert all(getattr(JobState, state.name) == state for state in State)
    assert all(getattr(JobState, f'STEP_{step.name}') == step for step in Step if step is not Step.START)
    assert JobState.STEP_IDLE == Step.START
    assert all(getattr(MatchResult, kind.name) == kind for kind in VerdictKind)
    assert (BookPiece.Request.PLACED, BookPiece.Request.REJECTED) == (Outcome.PLACED, Outcome.REJECTED)


def test_a_job_goes_from_start_to_done():
    play = Play(2)
    play.placed().placed().sees(State.DONE)
    assert play.triggers == ['START_PROGRAM', f'PART_{PART}', 'PLACE', f'PART_{PART}', 'PLACE']
    assert play.bookings == [(1, Outcome.PLACED), (2, Outcome.PLACED)]
    assert play.job.finished_ns and play.job.reason == ''


def test_the_lowest_tray_that_is_not_empty_is_chosen():
    play = Play().feed(ev.Start).robot().stock(0, 0, 1, 9)
    assert play.effects[0].tray == 3


def test_a_frame_older_than_the_settled_piece_is_never_judged():
    play = Play(settle_ns=100).picked()
    play.answer(ev.ReadEnded, play.job.newer_than_ns)
    play.sees(State.PAUSED, Step.READ)
    assert play.job.reason == OLD_FRAME and 'PLACE' not in play.triggers


@pytest.mark.parametrize(
    'verdict',
    [
        {'frame': 1},
        {'expected': OTHER},
        {'recognised': OTHER},
        {'recognised': ''},
        {'kind': VerdictKind.AMBIGUOUS},
        {'kind': VerdictKind.UNREADABLE},
        {'kind': VerdictKind.UNKNOWN},
    ],
)
def test_only_a_match_of_this_part_on_this_frame_is_placed(verdict):
    play = Play(read_attempts=1).picked()
    frame = play.now + 5
    play.answer(ev.ReadEnded, frame)
    play.answer(
        ev.Judged,
        Verdict(
            verdict.get('kind', GOOD),
            verdict.get('expected', PART),
            verdict.get('frame', frame),
            verdict.get('recognised', PART),
        ),
    )
    assert play.triggers[-1] == 'REJECT'


def test_the_machine_itself_refuses_to_place_without_a_match():
    play = Play().picked()
    with pytest.raises(UnverifiedPieceError):
        play.machine._go(Job(**{**vars(play.job), 'step': Step.PLACE}), 0)


def test_a_wrong_part_is_read_again_then_rejected_with_the_reason():
    play = Play().picked()
    assert isinstance(play.effects[-1], ev.ReadFrame) and not play.effects[-1].careful
    play.judged(BAD)
    assert isinstance(play.effects[-1], ev.ReadFrame) and play.effects[-1].newer_than_ns == play.job.frame_ns
    assert play.effects[-1].careful
    play.judged(BAD)
    assert play.job.outcome_reason == f'wrong part: read {OTHER}, ordered {PART}'
    play.robot().answer(ev.BookingDone).sees(State.RUNNING, Step.PICK)
    assert play.bookings == [(1, Outcome.REJECTED)] and play.job.piece == 2


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
    assert text in why_rejected(Verdict(kind, PART, 1, '', 'XX', 0.1, 'two parts'), PART)


def test_too_many_rejects_in_a_row_pause_the_job():
    play = Play(5, most_rejects_in_row=2)
    play.rejected().placed().rejected().sees(State.RUNNING).rejected().sees(State.PAUSED, Step.PICK)
    assert '2 pieces in a row' in play.job.reason and play.job.fault
    play.feed(ev.Resume, 'ann').sees(State.RUNNING).rejected().sees(State.RUNNING)


def test_empty_trays_wait_for_a_reload_and_go_on():
    play = Play().placed().stock(0, 0, 0, 0).sees(State.WAITING_RELOAD)
    assert play.effects == (ev.AskReload((1, 2, 3, 4), 1),)
    play.feed(ev.StockChanged)
    assert isinstance(play.effects[0], ev.LookUpStock)
    play.stock(0, 0, 0, 0).sees(State.WAITING_RELOAD)
    play.feed(ev.StockChanged).stock(0, 4).sees(State.RUNNING)
    assert play.triggers[-1] == f'PART_{PART}'


@pytest.mark.parametrize('outcome', [NOT_SENT, REFUSED])
@pytest.mark.parametrize('step', [Step.START, Step.PICK, Step.PLACE, Step.REJECT])
def test_what_the_robot_did_not_do_pauses_and_is_done_again_on_resume(step, outcome):
    play = Play(read_attempts=1)
    before = to_step(play, step).triggers[-1]
    play.robot(outcome).sees(State.PAUSED, step)
    assert 'because' in play.job.reason and not play.job.unresolved
    play.feed(ev.Resume)
    if step is Step.PICK:
        play.stock(1)
    if step is Step.PLACE:
        play.judged()
    assert play.triggers[-1] == before and play.triggers.count(before) == 2


def to_step(play, step):
    play.feed(ev.Start)
    if step is not Step.START:
        play.robot().stock(2)
    if step in (Step.PLACE, Step.REJECT):
        play.robot().judged(GOOD if step is Step.PLACE else BAD)
    return play


RESOLVED = [
    (Step.START, Resolution.DONE, Step.PICK, None),
    (Step.START, Resolution.NOT_DONE, Step.START, None),
    (Step.PICK, Resolution.DONE, Step.READ, None),
    (Step.PICK, Resolution.NOT_DONE, Step.PICK, None),
    (Step.PICK, Resolution.REMOVED, Step.BOOK, Outcome.REJECTED),
    (Step.PLACE, Resolution.DONE, Step.BOOK, Outcome.PLACED),
    (Step.PLACE, Resolution.NOT_DONE, Step.PLACE, None),
    (Step.PLACE, Resolution.REMOVED, Step.BOOK, Outcome.REJECTED),
    (Step.REJECT, Resolution.DONE, Step.BOOK, Outcome.REJECTED),
    (Step.REJECT, Resolution.NOT_DONE, Step.REJECT, None),
    (Step.REJECT, Resolution.REMOVED, Step.BOOK, Outcome.REJECTED),
]


@pytest.mark.parametrize(('step', 'how', 'due', 'booked'), RESOLVED)
@pytest.mark.parametrize('crashed', [False, True])
def test_an_unknown_trigger_waits_for_a_person_and_is_never_repeated_by_itself(step, how, due, booked, crashed):
    play = to_step(Play(read_attempts=1), step)
    sent = list(play.triggers)
    play.feed(ev.Restarted) if crashed else play.robot(UNKNOWN)
    play.sees(State.PAUSED, step)
    assert play.job.unresolved and play.effects == ()
    assert play.refuses(ev.Resume) == play.refuses(ev.Cancel) == ResultCode.NOT_RESOLVED
    play.robot(DONE).sees(State.PAUSED, step)
    play.feed(ev.Resolve, how, 'ann').sees(State.PAUSED, due)
    assert play.triggers == sent
    assert play.bookings == ([(1, booked)] if booked else [])
    if booked:
        play.answer(ev.BookingDone).sees(State.PAUSED, Step.PICK)
        assert play.job.placed + play.job.rejected == 1
    play.feed(ev.Resume).sees(State.RUNNING)


def test_a_piece_is_looked_at_again_before_it_is_placed_on_resume():
    play = to_step(Play(), Step.PLACE).robot(UNKNOWN).feed(ev.Resolve, Resolution.NOT_DONE).feed(ev.Resume)
    play.sees(State.RUNNING, Step.READ)
    play.judged(BAD).judged(BAD)
    assert play.triggers[-1] == 'REJECT' and play.triggers.count('PLACE') == 1


def test_removed_makes_no_sense_before_a_piece_was_picked():
    play = to_step(Play(), Step.START).robot(UNKNOWN)
    assert play.refuses(ev.Resolve, Resolution.REMOVED) == ResultCode.WRONG_STATE


def test_a_paused_job_with_a_piece_in_the_hand_accepts_that_it_was_removed():
    play = to_step(Play(), Step.PLACE).robot(REFUSED).feed(ev.Resolve, Resolution.REMOVED, 'ann')
    assert play.bookings == [(1, Outcome.REJECTED)] and 'ann' in play.job.outcome_reason
    assert Play().picked().refuses(ev.Resolve, Resolution.REMOVED) == ResultCode.WRONG_STATE


def test_pause_takes_effect_after_the_step():
    play = Play().picked().feed(ev.Pause, 'ann').sees(State.RUNNING)
    play.answer(ev.ReadEnded, play.now).sees(State.PAUSED, Step.MATCH)
    assert play.effects == () and play.job.reason == 'paused by ann' and not play.job.fault
    play.feed(ev.Resume).sees(State.RUNNING, Step.READ)


def test_a_pause_is_taken_back_by_resume():
    play = Play().picked().feed(ev.Pause).feed(ev.Resume)
    assert not play.job.pausing and play.effects == ()


def test_pausing_never_leaves_a_moved_piece_unbooked():
    play = Play().picked().judged().feed(ev.Pause).robot()
    assert play.bookings == [(1, Outcome.PLACED)]
    play.answer(ev.BookingDone).sees(State.PAUSED, Step.PICK)


def test_cancel_while_running_puts_the_piece_in_hand_into_the_reject_tray():
    play = Play().picked().feed(ev.Cancel, 'ann').sees(State.RUNNING)
    play.answer(ev.ReadEnded, play.now)
    assert play.triggers[-1] == 'REJECT'
    play.robot().answer(ev.BookingDone).sees(State.CANCELLED)
    assert play.bookings == [(1, Outcome.REJECTED)] and play.job.reason == 'cancelled by ann'


def test_cancel_at_rest_moves_nothing_and_books_what_stays_in_the_gripper():
    play = to_step(Play(), Step.PLACE).robot(NOT_SENT)
    sent = list(play.triggers)
    play.feed(ev.Cancel).answer(ev.BookingDone).sees(State.CANCELLED)
    assert play.triggers == sent and play.bookings == [(1, Outcome.REJECTED)]
    assert play.job.reason == TAKE_OUT and play.job.outcome_reason == LEFT_IN_HAND


@pytest.mark.parametrize(
    'prepare',
    [
        lambda play: play,
        lambda play: play.placed().stock(0),
        lambda play: play.placed(),
        lambda play: play.feed(ev.Start).robot(NOT_SENT),
    ],
)
def test_cancel_without_a_piece_in_hand_ends_at_once(prepare):
    play = prepare(Play()).feed(ev.Cancel).sees(State.CANCELLED)
    assert play.refuses(ev.Cancel) == ResultCode.NO_JOB


def test_cancel_during_a_pick_that_the_robot_refuses_ends_the_job():
    to_step(Play(), Step.PICK).feed(ev.Cancel).robot(REFUSED).sees(State.CANCELLED)


def test_cancel_of_the_last_piece_being_placed_is_a_finished_job():
    Play(1).picked().judged().feed(ev.Cancel).robot().answer(ev.BookingDone).sees(State.DONE)


def test_cancel_and_an_unknown_trigger_end_after_it_is_resolved():
    play = to_step(Play(), Step.PICK).feed(ev.Cancel).robot(UNKNOWN)
    play.feed(ev.Resolve, Resolution.DONE).answer(ev.BookingDone).sees(State.CANCELLED)
    assert play.bookings == [(1, Outcome.REJECTED)] and play.triggers[-1] == f'PART_{PART}'


@pytest.mark.parametrize(
    'prepare',
    [
        lambda play: play.feed(ev.Start).robot(),
        lambda play: play.picked(),
        lambda play: play.picked().answer(ev.ReadEnded, play.now + 1),
        lambda play: play.picked().judged().robot(),
    ],
)
def test_a_node_that_does_not_answer_pauses_the_job_and_resume_tries_again(prepare):
    play = prepare(Play())
    kind = type(play.effects[0])
    play.answer(ev.EffectFailed, 'it is gone').sees(State.PAUSED)
    assert play.job.reason == 'it is gone' and play.job.fault
    play.feed(ev.Resume).sees(State.RUNNING)
    assert type(play.effects[0]) is (ev.ReadFrame if kind is ev.JudgeReading else kind)


def test_a_failing_booking_keeps_a_cancelled_job_open_until_it_is_booked():
    play = Play().picked().judged().feed(ev.Cancel).robot().answer(ev.EffectFailed, 'ledger away').sees(State.PAUSED, Step.BOOK)
    play.feed(ev.Cancel).answer(ev.BookingDone).sees(State.CANCELLED)
    assert play.job.placed == 1


def test_a_reading_that_fails_while_cancelling_goes_to_the_reject_tray():
    assert Play().picked().feed(ev.Cancel).answer(ev.EffectFailed, 'no frame').triggers[-1] == 'REJECT'


@pytest.mark.parametrize(
    ('prepare', 'step'),
    [
        (lambda play: play.picked(), Step.READ),
        (lambda play: play.placed().stock(0), Step.PICK),
        (lambda play: play.placed(), Step.PICK),
    ],
)
def test_a_job_comes_back_paused_after_a_crash(prepare, step):
    play = prepare(Play()).feed(ev.Restarted).sees(State.PAUSED, step)
    assert play.effects == () and 'restarted' in play.job.reason


def test_a_piece_moved_before_a_crash_is_booked_after_it():
    play = Play().picked().judged().robot().feed(ev.Restarted).sees(State.PAUSED, Step.BOOK)
    assert play.bookings == [(1, Outcome.PLACED)] * 2
    play.answer(ev.BookingDone).sees(State.PAUSED, Step.PICK)
    assert play.job.placed == 1


def test_a_job_that_was_not_begun_or_is_over_stays_as_it_is():
    Play().feed(ev.Restarted).sees(State.READY)
    Play(1).placed().feed(ev.Restarted).sees(State.DONE)


def test_commands_out_of_place_are_refused():
    play = Play()
    assert play.refuses(ev.Pause) == play.refuses(ev.Resume) == ResultCode.WRONG_STATE
    assert play.refuses(ev.Resolve, Resolution.DONE) == ResultCode.WRONG_STATE
    assert play.feed(ev.Start).refuses(ev.Start) == ResultCode.WRONG_STATE


def test_a_waiting_job_can_be_paused_and_goes_on():
    play = Play().placed().stock(0).feed(ev.Pause, 'ann').sees(State.PAUSED)
    play.feed(ev.StockChanged).sees(State.PAUSED)
    play.feed(ev.Resume).sees(State.RUNNING, Step.PICK)
