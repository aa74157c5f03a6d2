"""From every state that a job can reach, an operator can end it, even while robot and ledger refuse everything."""

from collections import deque
from dataclasses import replace

import pytest
from cell_common.gripper_sensor import GripperSensor
from cell_coordinator.job import events as ev
from cell_coordinator.job.events import OcrReading, Resolution, RobotOutcome
from cell_coordinator.job.machine import CommandRejected, JobMachine, JobRules
from cell_coordinator.job.model import JobState, JobStep, MatchVerdict, PickJob, PieceOutcome, VerdictKind

PART = 'G8NB-17SR'
MACHINE = JobMachine(JobRules(read_attempts=2, max_consecutive_rejects=2))
DEEPEST = 12
"""Commands and refused effects until the end."""
COMMANDS = [
    ev.Start(0),
    ev.Pause(0),
    ev.Resume(0),
    *(ev.Cancel(0, sensor=sensor) for sensor in GripperSensor),
    *(ev.Resolve(0, answer, overrule=True) for answer in Resolution),
]


def mark(job):
    """What distinguishes states, without counters, texts and times."""
    verdict = job.verdict and job.verdict.kind
    return (
        *(job.state, job.step, job.trigger, job.unresolved, job.uncertain == job.step_mark, job.pause_requested),
        *(job.cancel_requested, job.outcome, job.booking_refused, verdict, min(job.placed, 2), min(job.consecutive_rejects, 2)),
    )


def answers(job, now):
    """Return every answer that the effect under way can get."""
    n = job.effect_id
    kinds = (VerdictKind.MATCH, VerdictKind.MISMATCH)
    return [
        *(ev.TriggerFinished(now, n, outcome, 'it stopped') for outcome in RobotOutcome),
        *(ev.StockReceived(now, n, trays) for trays in (((1, 3),), ((1, 0),))),
        ev.ReadFinished(now, n, OcrReading(now)),
        ev.ReadFinished(now, n, OcrReading(0)),
        *(ev.VerdictReceived(now, n, MatchVerdict(kind, PART, job.frame_ns, PART)) for kind in kinds),
        ev.BookingConfirmed(now, n),
        ev.EffectFailed(now, n, 'down'),
        ev.EffectFailed(now, n, 'recorded otherwise', refused=True),
        ev.StockChanged(now),
        ev.CoordinatorRestarted(now),
        ev.StorageFailed(now, 'the disk is full'),
    ]


def advance(job, event):
    try:
        return MACHINE.advance(job, event)
    except CommandRejected:
        return None


def reachable():
    """Return one job of every reachable state."""
    first = PickJob('job', PART, 2)
    found = {mark(first): first}
    waiting = deque([first])
    now = 1
    while waiting:
        job = waiting.popleft()
        now += 1
        for event in [*(replace(command, now_ns=now) for command in COMMANDS), *answers(job, now)]:
            following = advance(job, event)
            if following is not None and mark(following.job) not in found:
                found[mark(following.job)] = following.job
                waiting.append(following.job)
    return list(found.values())


STATES = reachable()


def refused(job, effects):
    """Return the job after robot, vision and ledger refused its effects, for good."""
    for effect in effects:
        if isinstance(effect, ev.SendTrigger):
            return MACHINE.advance(job, ev.TriggerFinished(9, effect.effect_id, RobotOutcome.REFUSED, 'no')).job
        if isinstance(effect, ev.AnsweredEffect):
            return MACHINE.advance(job, ev.EffectFailed(9, effect.effect_id, 'no', refused=True)).job
    return job


def shortest_way_out(job):
    """Return the commands with which an operator ends a job; None if there are none."""
    waiting, seen = deque([(job, ())]), {mark(job)}
    while waiting:
        at, commands = waiting.popleft()
        if at.finished:
            return commands
        if len(commands) >= DEEPEST:
            continue
        # What is under way ends by itself: an effect is refused, a trigger gets no answer in time.
        ends = (
            ev.TriggerFinished(9, at.effect_id, RobotOutcome.UNKNOWN, 'no answer')
            if at.trigger and not at.unresolved
            else ev.EffectFailed(9, at.effect_id, 'no', refused=True)
        )
        for event in (ends, *COMMANDS):
            following = advance(at, event)
            if following is None:
                continue
            after = refused(following.job, following.effects)
            if mark(after) not in seen:
                seen.add(mark(after))
                name = () if event is ends else (type(event).__name__,)
                waiting.append((after, (*commands, *name)))
    return None


def test_many_states_are_looked_at():
    assert len(STATES) > 200
    assert {(job.state, job.step) for job in STATES} >= {
        (JobState.PAUSED, step) for step in JobStep if step is not JobStep.MATCH
    }
    assert any(job.booking_refused for job in STATES)


def test_every_state_has_a_way_out():
    stuck = [mark(job) for job in STATES if shortest_way_out(job) is None]
    assert not stuck


@pytest.mark.parametrize('command', [ev.Cancel(9), ev.Resume(9)])
def test_a_piece_that_the_ledger_holds_with_another_outcome_is_a_decision_of_the_operator(command):
    job = PickJob(
        'job', PART, 2, state=JobState.RUNNING, step=JobStep.BOOK, outcome=PieceOutcome.PLACED, piece=1, tray=1, effect_id=4
    )
    paused = MACHINE.advance(job, ev.EffectFailed(8, 4, 'piece 1 is booked already as REJECT', refused=True)).job
    assert paused.state is JobState.PAUSED and 'correct the tray count' in paused.reason
    following = MACHINE.advance(paused, command)
    if isinstance(command, ev.Cancel):
        assert following.job.state is JobState.CANCELLED and 'recorded otherwise' in following.job.reason
        assert not following.effects
    else:
        assert isinstance(following.effects[0], ev.BookPiece), 'tried again'


def test_a_booking_that_only_fails_is_not_given_up():
    job = PickJob('job', PART, 2, state=JobState.PAUSED, step=JobStep.BOOK, outcome=PieceOutcome.PLACED, piece=1, effect_id=4)
    following = MACHINE.advance(job, ev.Cancel(9))
    assert not following.job.finished and isinstance(following.effects[0], ev.BookPiece)
