import pytest
from action_msgs.msg import GoalStatus
from cell_common.database import migrate, open_database
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import TriggerOutcome
from cell_coordinator.job.machine import JobMachine, JobRules, Refused
from cell_coordinator.job.model import NO_JOB, Job, State, Step
from cell_coordinator.job.robot_client import _ended
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import Command, JobStore, StorageFailedError
from sqlalchemy import text

from cell_interfaces.action import TriggerRobot
from cell_interfaces.msg import ResultCode

PART = 'G8NB-17SR'


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    migrate(engine, 'cell_coordinator')
    return engine


@pytest.fixture
def runner(engine):
    runner = JobRunner(JobMachine(JobRules()), JobStore(engine))
    runner.done = []
    runner.carry_out = runner.done.append
    return runner


def break_database(engine, broken):
    names = ('pick_job', 'away') if broken else ('away', 'pick_job')
    with engine.begin() as connection:
        connection.execute(text(f'ALTER TABLE {names[0]} RENAME TO {names[1]}'))


def test_without_a_job_there_is_none(runner):
    assert runner.job == NO_JOB
    runner.take_up(1)
    assert runner.job == NO_JOB and not runner.done


def test_the_snapshot_is_stored_before_the_effect_is_carried_out(runner, engine):
    seen = []
    runner.carry_out = lambda effect: seen.append((effect.trigger_id, JobStore(engine).latest().trigger_id))
    runner.put(Job('a', PART, 1, created_ns=1))
    runner.feed(ev.Start(2))
    assert len(seen) == 1 and seen[0][0] == seen[0][1]


def test_a_node_that_goes_hears_no_more_answers(runner):
    runner.put(Job('a', PART, 1, created_ns=1))
    runner.feed(ev.Start(2))
    runner.close()
    before = runner.job
    runner.feed(ev.TriggerEnded(3, runner.job.ticket, TriggerOutcome.UNKNOWN))
    assert runner.job == before


def test_the_newest_job_is_taken_up(runner, engine):
    for number in (1, 2, 3):
        runner.put(Job(f'job{number}', PART, 1, created_ns=5))
    assert JobRunner(JobMachine(JobRules()), JobStore(engine)).job.job_id == 'job3'


def test_a_command_that_cannot_be_stored_is_refused_and_changes_nothing(runner, engine):
    runner.put(Job('a', PART, 1, created_ns=1))
    break_database(engine, True)
    with pytest.raises(Refused) as refusal:
        runner.feed(ev.Start(2))
    assert refusal.value.code == ResultCode.STORAGE_FAILED and runner.trouble
    assert runner.job.state is State.READY and not runner.done
    with pytest.raises(Refused):
        runner.put(Job('b', PART, 1, created_ns=2))
    break_database(engine, False)
    runner.feed(ev.Start(3))
    assert runner.job.state is State.RUNNING and not runner.trouble


def test_an_answer_that_cannot_be_stored_pauses_the_job_as_it_is_on_the_disk(runner, engine):
    runner.put(Job('a', PART, 1, created_ns=1))
    runner.feed(ev.Start(2))
    break_database(engine, True)
    runner.feed(ev.TriggerEnded(3, runner.job.ticket, TriggerOutcome.SUCCEEDED))
    assert (runner.job.state, runner.job.step, runner.job.unresolved) == (State.PAUSED, Step.START, True)
    assert len(runner.done) == 1
    break_database(engine, False)
    again = JobRunner(JobMachine(JobRules()), JobStore(engine))
    again.take_up(4)
    assert again.job.unresolved and again.job.step is Step.START


def test_a_snapshot_of_another_release_comes_back_failed(runner, engine):
    runner.put(Job('a', PART, 3, created_ns=1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE pick_job SET snapshot = '{}'"))
    job = JobStore(engine).latest()
    assert (job.state, job.quantity) == (State.FAILED, 3) and 'not understood' in job.reason


def test_an_audit_that_fails_says_so(engine):
    with engine.begin() as connection:
        connection.execute(text('DROP TABLE command_audit'))
    with pytest.raises(StorageFailedError):
        JobStore(engine).audit(Command(1, 'set_job', 'id', 'ann', 1, '', 0, ''))


@pytest.mark.parametrize(
    ('status', 'outcome', 'told'),
    [
        (GoalStatus.STATUS_SUCCEEDED, 0, TriggerOutcome.SUCCEEDED),
        (GoalStatus.STATUS_ABORTED, 1, TriggerOutcome.NOT_SENT),
        (GoalStatus.STATUS_ABORTED, 2, TriggerOutcome.REFUSED),
        (GoalStatus.STATUS_ABORTED, 3, TriggerOutcome.UNKNOWN),
        (GoalStatus.STATUS_UNKNOWN, 0, TriggerOutcome.UNKNOWN),
        (GoalStatus.STATUS_ABORTED, 0, TriggerOutcome.UNKNOWN),
        (GoalStatus.STATUS_SUCCEEDED, 2, TriggerOutcome.UNKNOWN),
        (GoalStatus.STATUS_CANCELED, 0, TriggerOutcome.UNKNOWN),
    ],
)
def test_a_trigger_succeeded_only_when_goal_and_result_say_so(status, outcome, told):
    response = TriggerRobot.Impl.GetResultService.Response(status=status, result=TriggerRobot.Result(outcome=outcome))
    assert _ended(response).outcome is told
