"""Answers about a piece: checked against the gripper's sensor, possible as long as the piece is not booked."""

import pytest
from cell_common.gripper_sensor import GripperSensor
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import OcrReading, Resolution, RobotOutcome
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules, SensorContradiction
from cell_coordinator.job.model import JobState, JobStep, MatchVerdict, PickJob, PieceOutcome, VerdictKind
from cell_coordinator.job.resolution import FIND_PIECE, LEFT_IN_GRIPPER, LOOK_AT_GRIPPER, NOT_IN_GRIPPER, REMOVE_PIECE

PART = 'EM1-2U1'
HOLDS, EMPTY, NO_SENSOR = GripperSensor
DONE, NOT_DONE, REMOVED = Resolution


class Run:
    """A job whose effects the test answers."""

    def __init__(self):
        self.machine = JobMachine(JobRules())
        self.job, self.effects, self.now = PickJob('j', PART, 3), (), 0
        self.send(ev.Start).robot().send_answer(ev.StockReceived, ((2, 5),))

    def send(self, event, *values, **fields):
        self.now += 1
        change = self.machine.advance(self.job, event(self.now, *values, **fields))
        self.job, self.effects = change.job, change.effects
        return self

    def send_answer(self, event, *values):
        return self.send(event, self.job.effect_id, *values)

    def robot(self, outcome=RobotOutcome.SUCCEEDED, message=''):
        return self.send_answer(ev.TriggerFinished, outcome, message)

    def matched(self):
        self.robot().send_answer(ev.ReadFinished, OcrReading(self.now + 1))
        return self.send_answer(ev.VerdictReceived, MatchVerdict(VerdictKind.MATCH, PART, self.job.frame_ns, PART))

    def at(self, step):
        run = self if step is JobStep.PICK else self.matched()
        assert run.job.step is step
        return run

    def bookings(self):
        return [(e.piece, e.tray, e.outcome) for e in self.effects if isinstance(e, ev.BookPiece)]


@pytest.mark.parametrize(
    ('step', 'answer', 'sensor'),
    [
        (JobStep.PICK, DONE, EMPTY),
        (JobStep.PICK, NOT_DONE, HOLDS),
        (JobStep.PICK, REMOVED, HOLDS),
        (JobStep.PLACE, DONE, HOLDS),
        (JobStep.PLACE, NOT_DONE, EMPTY),
        (JobStep.PLACE, REMOVED, HOLDS),
    ],
)
def test_an_answer_that_the_sensor_contradicts_needs_an_overrule_that_is_recorded(step, answer, sensor):
    run = Run().at(step).robot(RobotOutcome.UNKNOWN, 'protective stop')
    before = run.job
    with pytest.raises(SensorContradiction, match=sensor.value):
        run.send(ev.Resolve, answer, 'Ada', sensor=sensor)
    assert run.job == before
    run.send(ev.Resolve, answer, 'Ada', sensor=sensor, overrule=True)
    assert f'by Ada, gripper sensor overruled ({sensor.value})' in run.job.reason
    assert not run.job.unresolved


@pytest.mark.parametrize('answer', [DONE, NOT_DONE, REMOVED])
@pytest.mark.parametrize('step', [JobStep.PICK, JobStep.PLACE])
def test_without_a_sensor_the_operator_is_believed(step, answer):
    run = Run().at(step).robot(RobotOutcome.UNKNOWN, 'x').send(ev.Resolve, answer, 'Ada', sensor=NO_SENSOR)
    assert not run.job.unresolved and 'overruled' not in run.job.reason


def test_a_wrong_not_done_is_corrected_after_the_robot_refuses():
    run = Run().robot(RobotOutcome.UNKNOWN, 'x').send(ev.Resolve, NOT_DONE, 'Ada')
    run.send(ev.Resume).send_answer(ev.StockReceived, ((2, 5),)).robot(RobotOutcome.REFUSED, 'the gripper holds a piece')
    assert run.job.state is JobState.PAUSED and run.job.step is JobStep.PICK
    run.send(ev.Resolve, DONE, 'Ada', sensor=HOLDS)
    assert run.job.step is JobStep.READ
    run.send(ev.Resolve, REMOVED, 'Ada', sensor=EMPTY)
    assert run.bookings() == [(1, 2, PieceOutcome.REJECTED)]


def test_a_wrong_done_is_corrected_while_the_piece_is_not_booked():
    run = Run().robot(RobotOutcome.UNKNOWN, 'x').send(ev.Resolve, DONE, 'Ada')
    assert run.job.step is JobStep.READ
    run.send(ev.Resolve, NOT_DONE, 'Ada', sensor=EMPTY)
    assert run.job.step is JobStep.PICK and run.job.piece == 1


def test_a_booked_piece_is_not_answered_again():
    run = Run().robot(RobotOutcome.UNKNOWN, 'x').send(ev.Resolve, REMOVED, 'Ada').send_answer(ev.BookingConfirmed)
    assert run.job.rejected == 1
    for answer in Resolution:
        with pytest.raises(CommandRejected):
            run.send(ev.Resolve, answer, 'Ada')


def test_a_step_that_was_never_sent_is_not_declared_done():
    run = Run().robot()
    run.send_answer(ev.EffectFailed, 'no frame')
    assert run.job.state is JobState.PAUSED and run.job.step is JobStep.READ
    with pytest.raises(CommandRejected, match='READ is not in doubt'):
        run.send(ev.Resolve, DONE, 'Ada')


@pytest.mark.parametrize(
    ('sensor', 'booked', 'reason'),
    [
        (HOLDS, LEFT_IN_GRIPPER, REMOVE_PIECE),
        (EMPTY, NOT_IN_GRIPPER, FIND_PIECE),
        (NO_SENSOR, LEFT_IN_GRIPPER, LOOK_AT_GRIPPER),
    ],
)
def test_a_cancellation_says_where_the_piece_is_by_the_sensor(sensor, booked, reason):
    run = Run().matched().robot(RobotOutcome.NOT_SENT, 'no link').send(ev.Cancel, 'Ada', sensor)
    assert run.job.outcome_reason == booked
    assert run.send_answer(ev.BookingConfirmed).job.reason == reason
    assert run.job.state is JobState.CANCELLED


def test_a_cancellation_between_pieces_names_a_piece_that_the_sensor_reports():
    run = Run().matched().robot().send(ev.Pause).send_answer(ev.BookingConfirmed)
    assert run.job.step is JobStep.PICK
    run.send(ev.Cancel, 'Ada', HOLDS)
    assert run.job.state is JobState.CANCELLED and run.job.reason == REMOVE_PIECE
