import sqlite3

import pytest
from cell_common.database import open_database
from cell_common.error_code import ErrorCode
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import RobotOutcome
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules
from cell_coordinator.job.model import NO_JOB, JobState, JobStep, MatchVerdict, PickJob, VerdictKind
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import JobStore
from sqlalchemy import text

PART = 'G8NB-17SR'


class RunnerUnderTest(JobRunner):
    """Keeps the executed effects, with the trigger id that the database held at that time."""

    def __init__(self, engine, **options):
        self.executed = []
        self.published = []
        store = JobStore(engine)
        super().__init__(
            JobMachine(JobRules()),
            store,
            on_change=lambda job, effects: self.published.append((job, effects)),
            execute=lambda effect: self.executed.append((effect, store.latest().trigger_id)),
            **options,
        )


@pytest.fixture
def runner(engine):
    return RunnerUnderTest(engine)


def break_database(engine, broken):
    names = ('pick_job', 'away') if broken else ('away', 'pick_job')
    with engine.begin() as connection:
        connection.execute(text(f'ALTER TABLE {names[0]} RENAME TO {names[1]}'))


def test_an_empty_database_has_no_job(runner):
    assert runner.job == NO_JOB
    runner.restore(1)
    assert runner.job == NO_JOB and not runner.executed


def test_the_snapshot_is_stored_before_the_effect_is_executed(runner):
    runner.set_job(PickJob('a', PART, 1, created_ns=1))
    runner.dispatch(ev.Start(2))
    [(effect, stored)] = runner.executed
    assert effect.trigger_id == stored
    assert runner.published[-1] == (runner.job, (effect,))


def test_a_closed_runner_ignores_answers(runner):
    runner.set_job(PickJob('a', PART, 1, created_ns=1))
    runner.dispatch(ev.Start(2))
    runner.close()
    before = runner.job
    runner.dispatch(ev.TriggerFinished(3, runner.job.effect_id, RobotOutcome.UNKNOWN))
    assert runner.job == before


def test_the_newest_job_is_restored(runner, engine):
    for number in (1, 2, 3):
        runner.set_job(PickJob(f'job{number}', PART, 1, created_ns=5))
    assert RunnerUnderTest(engine).job.job_id == 'job3'


@pytest.mark.parametrize('jump', [-86_400 * 10**9, -1, 0, 1, 86_400 * 10**9])
def test_the_job_that_was_set_last_is_restored_whatever_the_clock_says(runner, engine, jump):
    noon = 100_000 * 10**9
    runner.set_job(PickJob('first', PART, 1, created_ns=noon))
    runner.set_job(PickJob('last', PART, 1, created_ns=noon + jump))
    runner.dispatch(ev.Start(noon + jump))
    restarted = RunnerUnderTest(engine)
    restarted.restore(noon + 2 * jump)
    assert (restarted.job.job_id, restarted.job.state, restarted.job.unresolved) == ('last', JobState.PAUSED, True)


def test_a_reset_clears_a_job_once_whatever_the_clock_says(runner, engine):
    runner.set_job(PickJob('a', PART, 1, created_ns=500))
    runner.clear('r0', 600, 'first')
    assert runner.job == NO_JOB
    runner.set_job(PickJob('b', PART, 1, created_ns=9000))
    runner.clear('r1', 20, 'the clock was set back')
    assert runner.job == NO_JOB
    runner.set_job(PickJob('c', PART, 1, created_ns=3))
    runner.clear('r1', 20, 'latched, received again')
    restarted = RunnerUnderTest(engine)
    restarted.clear('r1', 20, 'latched, received again')
    assert (runner.job.job_id, restarted.job.job_id) == ('c', 'c')
    restarted.clear('r2', 1, 'another')
    assert restarted.job == NO_JOB and RunnerUnderTest(engine).job == NO_JOB


def test_an_active_job_stays_after_a_reset_and_has_seen_it(runner, engine):
    runner.set_job(PickJob('a', PART, 1, created_ns=5))
    runner.dispatch(ev.Start(6))
    runner.clear('r1', 7, 'reset')
    assert runner.job.state is JobState.RUNNING
    restarted = RunnerUnderTest(engine)
    restarted.clear('r1', 7, 'latched')
    assert restarted.job.job_id == 'a'


def test_a_job_set_after_the_start_stays_when_an_old_reset_arrives(runner):
    runner.set_job(PickJob('a', PART, 1, created_ns=5))
    runner.clear('r1', 4, 'of yesterday')
    assert runner.job.job_id == 'a'


def test_a_command_that_cannot_be_stored_is_rejected_and_changes_nothing(runner, engine):
    runner.set_job(PickJob('a', PART, 1, created_ns=1))
    break_database(engine, True)
    with pytest.raises(CommandRejected) as error:
        runner.dispatch(ev.Start(2))
    assert error.value.code == ErrorCode.STORAGE_FAILED and runner.storage_error
    assert runner.job.state is JobState.READY and not runner.executed
    with pytest.raises(CommandRejected):
        runner.set_job(PickJob('b', PART, 1, created_ns=2))
    break_database(engine, False)
    runner.dispatch(ev.Start(3))
    assert runner.job.state is JobState.RUNNING and not runner.storage_error


def test_an_answer_that_cannot_be_stored_pauses_the_job_as_it_stands_in_the_database(runner, engine):
    runner.set_job(PickJob('a', PART, 1, created_ns=1))
    runner.dispatch(ev.Start(2))
    break_database(engine, True)
    runner.dispatch(ev.TriggerFinished(3, runner.job.effect_id, RobotOutcome.SUCCEEDED))
    assert (runner.job.state, runner.job.step, runner.job.unresolved) == (JobState.PAUSED, JobStep.START, True)
    assert len(runner.executed) == 1 and 'restarted' not in runner.job.reason
    break_database(engine, False)
    restarted = RunnerUnderTest(engine)
    restarted.restore(4)
    assert restarted.job.unresolved and restarted.job.step is JobStep.START


class Lock:
    """Another program that holds the write lock of a database."""

    def __init__(self, url):
        self.connection = sqlite3.connect(url.database, isolation_level=None, check_same_thread=False)

    def __enter__(self):
        self.connection.execute('BEGIN IMMEDIATE')

    def __exit__(self, *_):
        self.connection.execute('ROLLBACK')


@pytest.fixture
def impatient(engine):
    impatient = open_database(engine.url.render_as_string(), 0.01)
    yield RunnerUnderTest(impatient, longest_lock_s=20.0)
    impatient.dispose()


def started(runner):
    runner.set_job(PickJob('a', PART, 1, created_ns=1))
    runner.dispatch(ev.Start(2))
    runner.dispatch(ev.TriggerFinished(3, runner.job.effect_id, RobotOutcome.SUCCEEDED))
    assert runner.job.step is JobStep.PICK
    return runner


def test_answers_wait_for_a_locked_database_and_the_job_goes_on(impatient, engine):
    runner = started(impatient)
    stock = ev.StockReceived(4, runner.job.effect_id, ((1, 5),))
    with Lock(engine.url):
        runner.dispatch(stock)
        runner.dispatch(ev.StockChanged(5))
        for second in range(15):
            runner.retry(100.0 + second)
        assert runner.job.state is JobState.RUNNING and not runner.job.trigger
        assert 'another program holds the lock' in runner.storage_error
        with pytest.raises(CommandRejected, match='another program holds the lock'):
            runner.dispatch(ev.Pause(6))
    runner.retry(116.0)
    assert runner.job.trigger == f'PART_{PART}' and not runner.storage_error
    assert JobStore(engine).latest() == runner.job
    runner.dispatch(ev.Pause(7))
    assert runner.job.pause_requested


def test_a_database_that_stays_locked_pauses_the_job_with_the_true_reason(impatient, engine):
    runner = started(impatient)
    with Lock(engine.url):
        runner.dispatch(ev.StockReceived(4, runner.job.effect_id, ((1, 5),)))
        runner.retry(100.0)
        runner.retry(121.0)
        assert runner.job.state is JobState.PAUSED and 'Another program holds the lock' in runner.job.reason
    runner.retry(122.0)
    runner.dispatch(ev.Resume(8))
    assert runner.job.state is JobState.RUNNING


def test_a_job_that_waits_when_the_node_ends_is_judged_by_the_next_start(impatient, engine):
    runner = started(impatient)
    with Lock(engine.url):
        runner.dispatch(ev.StockReceived(4, runner.job.effect_id, ((1, 5),)))
        runner.close()
    runner.retry(100.0)
    restarted = RunnerUnderTest(engine)
    restarted.restore(9)
    assert restarted.job.state is JobState.PAUSED and not restarted.job.unresolved


class ClockedCell:
    """A cell whose answers come at once; its clock is set at a chosen event."""

    def __init__(self, moment, jump):
        self.moment, self.jump = moment, jump
        self.events = 0

    def now(self):
        self.events += 1
        return 10**18 + self.events + (self.jump if self.events >= self.moment else 0)

    def answer(self, effect):
        number = effect.effect_id
        match effect:
            case ev.SendTrigger():
                return ev.TriggerFinished(self.now(), number, RobotOutcome.SUCCEEDED)
            case ev.QueryStock():
                return ev.StockReceived(self.now(), number, ((1, 99),))
            case ev.ReadFrame():
                return ev.ReadFinished(self.now(), number, ev.OcrReading(self.now()))
            case ev.MatchReading():
                frame_ns = effect.reading.frame_ns
                return ev.VerdictReceived(self.now(), number, MatchVerdict(VerdictKind.MATCH, PART, frame_ns, PART))
            case ev.BookPiece():
                return ev.BookingConfirmed(self.now(), number)


@pytest.mark.parametrize('jump', [-86_400 * 10**9, 86_400 * 10**9])
@pytest.mark.parametrize('moment', range(2, 22, 2))
def test_a_clock_that_is_set_at_any_moment_of_a_job_changes_no_count(runner, engine, moment, jump):
    """Moments: start, each step of the first piece, and of the second. Each piece is moved, read and booked once."""
    cell = ClockedCell(moment, jump)
    runner.set_job(PickJob('first', PART, 1, created_ns=cell.now()))
    runner.set_job(PickJob('a', PART, 2, created_ns=cell.now()))
    runner.dispatch(ev.Start(cell.now()))
    pauses = 0
    while not runner.job.finished:
        if runner.executed:
            effect, _ = runner.executed.pop(0)
            if isinstance(effect, ev.AnsweredEffect):
                runner.dispatch(cell.answer(effect))
        else:  # a frame of the time before the clock was set back does not count: an operator looks, then resumes
            assert 'Compare the clocks' in runner.job.reason
            pauses += 1
            runner.dispatch(ev.Resume(cell.now()))
    assert (runner.job.job_id, runner.job.state, runner.job.placed, runner.job.rejected) == ('a', JobState.DONE, 2, 0)
    assert pauses <= 1
    with engine.connect() as connection:
        pieces = connection.execute(text('SELECT piece, outcome FROM pick_piece ORDER BY piece')).all()
    assert [tuple(row) for row in pieces] == [(1, 'PLACED'), (2, 'PLACED')]
    assert JobStore(engine).latest() == runner.job
