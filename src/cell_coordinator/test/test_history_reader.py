import pytest
from cell_common.history_page import HistoryFilter, PageRequest
from cell_common.testing import migrated_database
from cell_coordinator.alarms.book import AlarmBook, AlarmRaise
from cell_coordinator.alarms.store import AlarmStore
from cell_coordinator.history_reader import read_alarms, read_piece, read_readings, read_triggers
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import OcrReading, Resolution, RobotOutcome
from cell_coordinator.job.machine import JobMachine, JobRules
from cell_coordinator.job.model import MatchVerdict, PickJob, VerdictKind
from cell_coordinator.job.runner import JobRunner
from cell_coordinator.job.store import JobStore

DONE = RobotOutcome.SUCCEEDED


@pytest.fixture
def engine(database_url):
    engine = migrated_database(database_url, 'cell_coordinator')
    yield engine
    engine.dispose()


@pytest.fixture
def runner(engine):
    """A runner at the pick of piece 1 of job "a", whose trigger was sent at 30."""
    runner = JobRunner(JobMachine(JobRules()), JobStore(engine), on_change=lambda *_: None, execute=lambda _: None)
    runner.set_job(PickJob('a', 'X1', 1, created_ns=1))
    runner.dispatch(ev.Start(10))
    runner.dispatch(ev.TriggerFinished(20, runner.job.effect_id, DONE))
    runner.dispatch(ev.StockReceived(30, runner.job.effect_id, ((1, 5),)))
    return runner


def triggers(engine, piece=1):
    with engine.connect() as connection:
        return [(item.event, item.outcome, item.sent_ns, item.finished_ns) for item in read_triggers(connection, 'a', piece)]


def test_a_piece_has_its_triggers_with_times_and_its_readings_with_their_ids(runner, engine):
    runner.dispatch(ev.TriggerFinished(40, runner.job.effect_id, DONE))
    runner.dispatch(ev.ReadFinished(50, runner.job.effect_id, OcrReading(45)))
    verdict = MatchVerdict(VerdictKind.MATCH, 'X1', 45, 'X1', 'X1', 0.9, 'by catalogue', 'reading-1')
    runner.dispatch(ev.VerdictReceived(60, runner.job.effect_id, verdict))
    runner.dispatch(ev.TriggerFinished(70, runner.job.effect_id, DONE))
    runner.dispatch(ev.BookingConfirmed(80, runner.job.effect_id))
    with engine.connect() as connection:
        piece, (reading,) = read_piece(connection, 'a', 1), read_readings(connection, 'a', 1)
    assert (piece.part_number, piece.request_id, piece.booked_ns) == ('X1', 'reading-1', 80)
    assert (reading.request_id, reading.reason, reading.matched_ns) == ('reading-1', 'by catalogue', 60)
    assert triggers(engine) == [('PART_X1', 'SUCCEEDED', 30, 40), ('PLACE', 'SUCCEEDED', 60, 70)]
    assert triggers(engine, 0) == [('START_PROGRAM', 'SUCCEEDED', 10, 20)]


def test_an_unknown_outcome_is_replaced_by_what_the_operator_found(runner, engine):
    assert triggers(engine) == [('PART_X1', '', 30, 0)]
    runner.dispatch(ev.TriggerFinished(40, runner.job.effect_id, RobotOutcome.UNKNOWN, 'no answer'))
    assert triggers(engine) == [('PART_X1', 'UNKNOWN', 30, 40)]
    runner.dispatch(ev.Resolve(50, Resolution.NOT_DONE, 'ann'))
    assert triggers(engine)[0] == ('PART_X1', 'RESOLVED_NOT_DONE', 30, 50)


def test_an_alarm_keeps_when_it_was_cleared_and_forgets_it_when_it_is_raised_again(engine):
    book, raised = AlarmBook(), AlarmRaise('robot', 'lost', 2, 'lost', '', '')
    book.raise_alarm(raised, 'id', 5)
    (cleared,) = book.clear('robot', 'lost', 6)
    assert cleared.cleared_ns == 6 and book.raise_alarm(raised, 'id', 7)[0].cleared_ns == 0
    AlarmStore(engine).save([cleared])
    with engine.connect() as connection:
        (alarm,) = read_alarms(connection, HistoryFilter(faults=True), PageRequest()).items
    assert (alarm.state, alarm.raised_ns, alarm.cleared_ns) == ('RETURNED', 5, 6)
