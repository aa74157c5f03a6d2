import pytest
from cell_common.error_code import ErrorCode
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import OcrReading, Resolution, RobotOutcome
from cell_coordinator.job.machine import (
    CommandRejected,
    JobMachine,
    JobRules,
    Transition,
    UnverifiedPieceError,
    require_verified,
)
from cell_coordinator.job.model import JobState, JobStep, MatchVerdict, PickJob, PieceOutcome, VerdictKind, from_json, to_json
from cell_coordinator.job.resolution import LEFT_IN_GRIPPER, LOOK_AT_GRIPPER

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
GOOD, BAD = VerdictKind.MATCH, VerdictKind.MISMATCH
DONE, NOT_SENT, REFUSED, UNKNOWN, _ = RobotOutcome


class JobRun:  # a job whose effects the test answers
    def __init__(self, quantity=2, **rules):
        self.machine = JobMachine(JobRules(**{'read_attempts': 2, **rules}))
        self.job = PickJob('job', PART, quantity)
        self.now = 0
        self.effects = ()
        self.triggers, self.bookings = [], []

    def dispatch(self, kind, *arguments):
        self.now += 10
        following = self.machine.advance(self.job, kind(self.now, *arguments))
        self.job, self.effects = following.job, following.effects
        assert from_json(to_json(self.job)) == self.job
        self.triggers += [effect.event for effect in self.effects if isinstance(effect, ev.SendTrigger)]
        self.bookings += [(effect.piece, effect.outcome) for effect in self.effects if isinstance(effect, ev.BookPiece)]
        return self

    def answer(self, kind, *arguments):
        return self.dispatch(kind, self.job.effect_id, *arguments)

    def robot(self, outcome=DONE):
        return self.answer(ev.TriggerFinished, outcome, 'because')

    def stock(self, *counts):
        return self.answer(ev.StockReceived, tuple(enumerate(counts, 1)))

    def picked(self):
        if self.job.step is JobStep.START:
            self.dispatch(ev.Start).robot()
        return self.stock(0, 3, 1).robot()

    def matched(self, kind=GOOD, recognized=None, frame=None):
        frame = self.now + 5 if frame is None else frame
        self.answer(ev.ReadFinished, OcrReading(frame))
        recognized = recognized if recognized is not None else PART if kind is GOOD else OTHER
        return self.answer(ev.VerdictReceived, MatchVerdict(kind, PART, frame, recognized, recognized, 0.9))

    def placed(self):
        return self.picked().matched().robot().answer(ev.BookingConfirmed)

    def rejected(self):
        return self.picked().matched(BAD).matched(BAD).robot().answer(ev.BookingConfirmed)

    def expect(self, state, step=None):
        assert (self.job.state, self.job.step if step is None else step) == (state, step or self.job.step), self.job
        return self

    def rejection(self, kind, *arguments):
        with pytest.raises(CommandRejected) as error:
            self.machine.advance(self.job, kind(self.now, *arguments))
        assert str(error.value)
        return error.value.code


def test_a_job_runs_from_start_to_done():
    run = JobRun(2).placed().placed().expect(JobState.DONE)
    assert run.triggers == ['START_PROGRAM', f'PART_{PART}', 'PLACE', f'PART_{PART}', 'PLACE']
    assert run.bookings == [(1, PieceOutcome.PLACED), (2, PieceOutcome.PLACED)]
    assert run.job.finished_ns and run.job.reason == ''


def test_the_lowest_tray_that_is_not_empty_is_chosen():
    run = JobRun().dispatch(ev.Start).robot().stock(0, 0, 1, 9)
    assert run.effects[0].tray == 3


def test_a_frame_taken_before_the_piece_has_settled_does_not_count():
    run = JobRun(settle_ns=100).picked()
    run.answer(ev.ReadFinished, OcrReading(run.job.frame_after_ns))
    run.expect(JobState.PAUSED, JobStep.READ)
    assert 'older than the pick' in run.job.reason and 'PLACE' not in run.triggers


@pytest.mark.parametrize(
    'verdict',
    [
        {'frame_ns': 1},
        {'expected': OTHER},
        {'recognized': OTHER},
        {'recognized': ''},
        {'kind': VerdictKind.AMBIGUOUS},
        {'kind': VerdictKind.UNREADABLE},
        {'kind': VerdictKind.UNKNOWN},
    ],
)
def test_only_a_match_of_this_part_on_this_frame_is_placed(verdict):
    run = JobRun(read_attempts=1).picked()
    match = {'kind': GOOD, 'expected': PART, 'frame_ns': run.now + 5, 'recognized': PART}
    run.answer(ev.ReadFinished, OcrReading(run.now + 5))
    run.answer(ev.VerdictReceived, MatchVerdict(**{**match, **verdict}))
    assert run.triggers[-1] == 'REJECT'


def test_a_transition_that_places_without_a_match_is_a_defect():
    run = JobRun().picked()
    with pytest.raises(UnverifiedPieceError):
        require_verified(Transition(run.job, (ev.SendTrigger(1, 'id', 'PLACE', 0),)))


def test_a_wrong_part_is_read_again_carefully_then_rejected_with_the_reason():
    run = JobRun().picked()
    assert isinstance(run.effects[-1], ev.ReadFrame) and not run.effects[-1].careful
    run.matched(BAD)
    assert isinstance(run.effects[-1], ev.ReadFrame) and run.effects[-1].after_ns == run.job.frame_ns
    assert run.effects[-1].careful
    run.matched(BAD)
    assert run.job.outcome_reason == f'wrong part: read {OTHER}, ordered {PART}'
    assert isinstance(run.effects[-2], ev.ArchiveReject) and run.effects[-2].verdict == run.job.verdict
    run.robot().answer(ev.BookingConfirmed).expect(JobState.RUNNING, JobStep.PICK)
    assert run.bookings == [(1, PieceOutcome.REJECTED)] and run.job.piece == 2


def test_the_first_reading_of_each_piece_is_not_careful():
    run = JobRun().rejected().picked()
    assert isinstance(run.effects[0], ev.ReadFrame) and not run.effects[0].careful


def test_a_reading_needs_a_part_that_came_into_view_after_its_own_pick():
    run = JobRun().rejected()
    rejected_ns = run.now
    run.picked()
    effect = run.effects[0]
    assert isinstance(effect, ev.ReadFrame)
    assert rejected_ns <= effect.picked_ns < effect.shown_ns == run.job.frame_after_ns


def test_after_a_pause_the_piece_may_have_been_exchanged_so_when_it_was_shown_is_unknown():
    run = JobRun().picked()
    picked_ns = run.job.picked_ns
    run.dispatch(ev.Pause).answer(ev.ReadFinished, OcrReading(run.now)).dispatch(ev.Resume)
    effect = run.effects[0]
    assert isinstance(effect, ev.ReadFrame) and (effect.picked_ns, effect.shown_ns) == (picked_ns, 0)


def test_a_reading_after_a_pause_is_not_careful_and_counts_from_one():
    run = JobRun().picked().matched(BAD).dispatch(ev.Pause)
    run.answer(ev.ReadFinished, OcrReading(run.now)).expect(JobState.PAUSED).dispatch(ev.Resume)
    assert run.job.attempt == 1 and not run.effects[0].careful


def test_the_reading_is_passed_on_to_the_matcher():
    reading = OcrReading(1000, message='what was read')
    run = JobRun().picked().answer(ev.ReadFinished, reading)
    assert run.effects == (ev.MatchReading(run.job.effect_id, 'job', 1, 1, PART, reading),)


def test_no_frame_is_archived_for_a_piece_without_a_verdict():
    run = JobRun().picked().dispatch(ev.Cancel).answer(ev.EffectFailed, 'no frame')
    assert run.triggers[-1] == 'REJECT'
    assert not any(isinstance(effect, ev.ArchiveReject) for effect in run.effects)


def test_too_many_rejects_in_a_row_pause_the_job():
    run = JobRun(5, max_consecutive_rejects=2)
    run.rejected().placed().rejected().expect(JobState.RUNNING).rejected().expect(JobState.PAUSED, JobStep.PICK)
    assert '2 pieces in a row' in run.job.reason and run.job.paused_by_fault
    run.dispatch(ev.Resume, 'ann').expect(JobState.RUNNING).rejected().expect(JobState.RUNNING)


def test_a_job_with_empty_trays_waits_for_a_reload():
    run = JobRun().placed().stock(0, 0, 0, 0).expect(JobState.WAITING_RELOAD)
    assert run.effects == (ev.RequestReload((1, 2, 3, 4), 1),)
    run.dispatch(ev.StockChanged)
    assert isinstance(run.effects[0], ev.QueryStock)
    run.stock(0, 0, 0, 0).expect(JobState.WAITING_RELOAD)
    run.dispatch(ev.StockChanged).stock(0, 4).expect(JobState.RUNNING)
    assert run.triggers[-1] == f'PART_{PART}'


@pytest.mark.parametrize('outcome', [NOT_SENT, REFUSED])
@pytest.mark.parametrize('step', [JobStep.START, JobStep.PICK, JobStep.PLACE, JobStep.REJECT])
def test_a_trigger_that_was_not_done_pauses_the_job_and_is_sent_again_on_resume(step, outcome):
    run = JobRun(read_attempts=1)
    before = to_step(run, step).triggers[-1]
    run.robot(outcome).expect(JobState.PAUSED, step)
    assert 'Because' in run.job.reason and not run.job.unresolved
    run.dispatch(ev.Resume)
    if step is JobStep.PICK:
        run.stock(1)
    if step is JobStep.PLACE:
        run.matched()
    assert run.triggers[-1] == before and run.triggers.count(before) == 2


def to_step(run, step):
    run.dispatch(ev.Start)
    if step is not JobStep.START:
        run.robot().stock(2)
    if step in (JobStep.PLACE, JobStep.REJECT):
        run.robot().matched(GOOD if step is JobStep.PLACE else BAD)
    return run


RESOLVED = [
    (JobStep.START, Resolution.DONE, JobStep.PICK, None),
    (JobStep.START, Resolution.NOT_DONE, JobStep.START, None),
    (JobStep.PICK, Resolution.DONE, JobStep.READ, None),
    (JobStep.PICK, Resolution.NOT_DONE, JobStep.PICK, None),
    (JobStep.PICK, Resolution.REMOVED, JobStep.BOOK, PieceOutcome.REJECTED),
    (JobStep.PLACE, Resolution.DONE, JobStep.BOOK, PieceOutcome.PLACED),
    (JobStep.PLACE, Resolution.NOT_DONE, JobStep.PLACE, None),
    (JobStep.PLACE, Resolution.REMOVED, JobStep.BOOK, PieceOutcome.REJECTED),
    (JobStep.REJECT, Resolution.DONE, JobStep.BOOK, PieceOutcome.REJECTED),
    (JobStep.REJECT, Resolution.NOT_DONE, JobStep.REJECT, None),
    (JobStep.REJECT, Resolution.REMOVED, JobStep.BOOK, PieceOutcome.REJECTED),
]


@pytest.mark.parametrize(('step', 'how', 'due', 'booked'), RESOLVED)
@pytest.mark.parametrize('crashed', [False, True])
def test_a_trigger_with_unknown_outcome_waits_for_the_operator(step, how, due, booked, crashed):
    run = to_step(JobRun(read_attempts=1), step)
    sent = list(run.triggers)
    run.dispatch(ev.CoordinatorRestarted) if crashed else run.robot(UNKNOWN)
    run.expect(JobState.PAUSED, step)
    assert run.job.unresolved and run.effects == ()
    assert run.rejection(ev.Resume) == run.rejection(ev.Cancel) == ErrorCode.NOT_RESOLVED
    run.robot(DONE).expect(JobState.PAUSED, step)
    run.dispatch(ev.Resolve, how, 'ann').expect(JobState.PAUSED, due)
    assert run.triggers == sent
    assert run.bookings == ([(1, booked)] if booked else [])
    if booked:
        run.answer(ev.BookingConfirmed).expect(JobState.PAUSED, JobStep.PICK)
        assert run.job.placed + run.job.rejected == 1
    run.dispatch(ev.Resume).expect(JobState.RUNNING)


def test_a_piece_is_read_again_before_it_is_placed_on_resume():
    run = to_step(JobRun(), JobStep.PLACE).robot(UNKNOWN).dispatch(ev.Resolve, Resolution.NOT_DONE).dispatch(ev.Resume)
    run.expect(JobState.RUNNING, JobStep.READ)
    run.matched(BAD).matched(BAD)
    assert run.triggers[-1] == 'REJECT' and run.triggers.count('PLACE') == 1


def test_removed_is_rejected_before_a_piece_was_picked():
    run = to_step(JobRun(), JobStep.START).robot(UNKNOWN)
    assert run.rejection(ev.Resolve, Resolution.REMOVED) == ErrorCode.WRONG_STATE


def test_a_paused_job_accepts_that_its_piece_was_removed():
    run = to_step(JobRun(), JobStep.PLACE).robot(REFUSED).dispatch(ev.Resolve, Resolution.REMOVED, 'ann')
    assert run.bookings == [(1, PieceOutcome.REJECTED)] and 'ann' in run.job.outcome_reason
    assert JobRun().picked().rejection(ev.Resolve, Resolution.REMOVED) == ErrorCode.WRONG_STATE


def test_pause_takes_effect_after_the_step():
    run = JobRun().picked().dispatch(ev.Pause, 'ann').expect(JobState.RUNNING)
    assert run.job.reason == 'pause requested by ann. The job pauses when this step ends.'
    run.answer(ev.ReadFinished, OcrReading(run.now)).expect(JobState.PAUSED, JobStep.MATCH)
    assert run.effects == () and run.job.reason == 'paused by ann' and not run.job.paused_by_fault
    run.dispatch(ev.Resume).expect(JobState.RUNNING, JobStep.READ)


def test_resume_withdraws_a_pause_request():
    run = JobRun().picked().dispatch(ev.Pause).dispatch(ev.Resume)
    assert not run.job.pause_requested and run.effects == ()


def test_pausing_never_leaves_a_moved_piece_unbooked():
    run = JobRun().picked().matched().dispatch(ev.Pause).robot()
    assert run.bookings == [(1, PieceOutcome.PLACED)]
    run.answer(ev.BookingConfirmed).expect(JobState.PAUSED, JobStep.PICK)


def test_cancel_while_running_rejects_the_current_piece():
    run = JobRun().picked().dispatch(ev.Cancel, 'ann').expect(JobState.RUNNING)
    run.answer(ev.ReadFinished, OcrReading(run.now))
    assert run.triggers[-1] == 'REJECT'
    run.robot().answer(ev.BookingConfirmed).expect(JobState.CANCELLED)
    assert run.bookings == [(1, PieceOutcome.REJECTED)] and run.job.reason == 'canceled by ann'


def test_cancel_while_paused_moves_nothing_and_books_the_piece_in_the_gripper():
    run = to_step(JobRun(), JobStep.PLACE).robot(NOT_SENT)
    sent = list(run.triggers)
    run.dispatch(ev.Cancel).answer(ev.BookingConfirmed).expect(JobState.CANCELLED)
    assert run.triggers == sent and run.bookings == [(1, PieceOutcome.REJECTED)]
    assert run.job.reason == LOOK_AT_GRIPPER and run.job.outcome_reason == LEFT_IN_GRIPPER


@pytest.mark.parametrize(
    'prepare',
    [
        lambda run: run,
        lambda run: run.placed().stock(0),
        lambda run: run.placed(),
        lambda run: run.dispatch(ev.Start).robot(NOT_SENT),
    ],
)
def test_cancel_with_an_empty_gripper_ends_the_job_immediately(prepare):
    run = prepare(JobRun()).dispatch(ev.Cancel).expect(JobState.CANCELLED)
    assert run.rejection(ev.Cancel) == ErrorCode.NO_JOB


def test_cancel_during_a_refused_pick_ends_the_job():
    to_step(JobRun(), JobStep.PICK).dispatch(ev.Cancel).robot(REFUSED).expect(JobState.CANCELLED)


def test_cancel_while_the_last_piece_is_placed_still_completes_the_job():
    JobRun(1).picked().matched().dispatch(ev.Cancel).robot().answer(ev.BookingConfirmed).expect(JobState.DONE)


def test_cancel_with_an_unknown_trigger_ends_after_it_is_resolved():
    run = to_step(JobRun(), JobStep.PICK).dispatch(ev.Cancel).robot(UNKNOWN)
    run.dispatch(ev.Resolve, Resolution.DONE).answer(ev.BookingConfirmed).expect(JobState.CANCELLED)
    assert run.bookings == [(1, PieceOutcome.REJECTED)] and run.triggers[-1] == f'PART_{PART}'


@pytest.mark.parametrize(
    'prepare',
    [
        lambda run: run.dispatch(ev.Start).robot(),
        lambda run: run.picked(),
        lambda run: run.picked().answer(ev.ReadFinished, OcrReading(run.now + 1)),
        lambda run: run.picked().matched().robot(),
    ],
)
def test_a_failed_effect_pauses_the_job_and_resume_repeats_it(prepare):
    run = prepare(JobRun())
    kind = type(run.effects[0])
    run.answer(ev.EffectFailed, 'it is gone').expect(JobState.PAUSED)
    assert '\nIt is gone.\n' in run.job.reason and run.job.paused_by_fault
    run.dispatch(ev.Resume).expect(JobState.RUNNING)
    assert type(run.effects[0]) is (ev.ReadFrame if kind is ev.MatchReading else kind)


def test_a_failing_booking_keeps_a_canceled_job_open_until_it_is_booked():
    run = (
        JobRun()
        .picked()
        .matched()
        .dispatch(ev.Cancel)
        .robot()
        .answer(ev.EffectFailed, 'ledger away')
        .expect(JobState.PAUSED, JobStep.BOOK)
    )
    run.dispatch(ev.Cancel).answer(ev.BookingConfirmed).expect(JobState.CANCELLED)
    assert run.job.placed == 1


def test_a_reading_that_fails_while_canceling_goes_to_the_reject_tray():
    assert JobRun().picked().dispatch(ev.Cancel).answer(ev.EffectFailed, 'no frame').triggers[-1] == 'REJECT'


@pytest.mark.parametrize(
    ('prepare', 'step'),
    [
        (lambda run: run.picked(), JobStep.READ),
        (lambda run: run.placed().stock(0), JobStep.PICK),
        (lambda run: run.placed(), JobStep.PICK),
    ],
)
def test_a_job_comes_back_paused_after_a_crash(prepare, step):
    run = prepare(JobRun()).dispatch(ev.CoordinatorRestarted).expect(JobState.PAUSED, step)
    assert run.effects == () and 'restarted' in run.job.reason


def test_a_piece_moved_before_a_crash_is_booked_after_it():
    run = JobRun().picked().matched().robot().dispatch(ev.CoordinatorRestarted).expect(JobState.PAUSED, JobStep.BOOK)
    assert run.bookings == [(1, PieceOutcome.PLACED)] * 2
    run.answer(ev.BookingConfirmed).expect(JobState.PAUSED, JobStep.PICK)
    assert run.job.placed == 1


def test_a_restart_does_not_change_a_job_that_is_ready_or_finished():
    JobRun().dispatch(ev.CoordinatorRestarted).expect(JobState.READY)
    JobRun(1).placed().dispatch(ev.CoordinatorRestarted).expect(JobState.DONE)


def test_commands_are_rejected_in_the_wrong_state():
    run = JobRun()
    assert run.rejection(ev.Pause) == run.rejection(ev.Resume) == ErrorCode.WRONG_STATE
    assert run.rejection(ev.Resolve, Resolution.DONE) == ErrorCode.WRONG_STATE
    assert run.dispatch(ev.Start).rejection(ev.Start) == ErrorCode.WRONG_STATE


def test_a_waiting_job_can_be_paused_and_resumed():
    run = JobRun().placed().stock(0).dispatch(ev.Pause, 'ann').expect(JobState.PAUSED)
    run.dispatch(ev.StockChanged).expect(JobState.PAUSED)
    run.dispatch(ev.Resume).expect(JobState.RUNNING, JobStep.PICK)
