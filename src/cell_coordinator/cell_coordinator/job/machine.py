"""The life of a pick job: events in, effects out. No ROS, no clock, no database.

For each piece: look at the stock, choose the lowest-numbered tray that is not empty, let the robot pick and show the piece,
read, judge, then place it on a MATCH or put it into the reject tray, and book it. The caller stores the new job before it
carries out an effect, so after a crash the snapshot tells what may have been sent.

Two rules stand above all: PLACE is reached only with a MATCH of this very piece on a frame taken after it was picked, and a
trigger is never sent again by itself when nobody knows whether it was carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Effect, Event, Resolution, TriggerOutcome
from cell_coordinator.job.model import IN_HAND, Job, Outcome, State, Step, Verdict, VerdictKind
from cell_interfaces.msg import ResultCode

RESTARTED = 'the coordinator was restarted: check the cell, then go on'
OLD_FRAME = 'the frame that was read is older than the pick: compare the clocks of the computers'
LEFT_IN_HAND = 'left in the gripper when the job was cancelled'
TAKE_OUT = 'the job was cancelled with a piece in the gripper: take it out by hand'
_TRIGGERS = {Step.START: 'START_PROGRAM', Step.PLACE: 'PLACE', Step.REJECT: 'REJECT'}


class Refused(Exception):
    """A command is not allowed now; `code` is a ResultCode and the text says what is."""

    def __init__(self, code: int, message: str) -> None:
        """Take the code and the sentence for the answer."""
        super().__init__(message)
        self.code = code


class UnverifiedPieceError(Exception):
    """A defect of this module: it was about to place a piece that was not verified."""


@dataclass(frozen=True)
class JobRules:
    """What a deployment chooses."""

    read_attempts: int = 3
    most_rejects_in_row: int = 3
    settle_ns: int = 0
    """How long after the robot's "done" a frame may still show motion."""


@dataclass(frozen=True)
class Transition:
    """The job after an event, and what to do then."""

    job: Job
    effects: tuple[Effect, ...] = ()


class JobMachine:
    """Turns a job and an event into the next job and its effects."""

    def __init__(self, rules: JobRules) -> None:
        """Take the rules; the machine itself keeps no state."""
        self._rules = rules
        self._handlers: dict[type[Any], Callable[[Job, Any], Transition]] = {
            ev.Start: self._start,
            ev.Pause: self._pause,
            ev.Resume: self._resume,
            ev.Cancel: self._cancel,
            ev.Resolve: self._resolve,
            ev.TriggerEnded: self._trigger_ended,
            ev.StockSeen: self._stock_seen,
            ev.ReadEnded: self._read_ended,
            ev.Judged: self._judged,
            ev.BookingDone: self._booking_done,
            ev.EffectFailed: self._effect_failed,
            ev.StockChanged: self._stock_changed,
            ev.Restarted: self._restarted,
        }

    def advance(self, job: Job, event: Event) -> Transition:
        """Return what follows; the same job and no effects when the event means nothing now.

        Raises:
            Refused: The event is a command that is not allowed now.
        """
        following = self._handlers[type(event)](job, event)
        if following.job.state != job.state:
            following = replace(following, job=replace(following.job, changed_ns=event.now_ns))
        return following

    # Commands of people

    def _start(self, job: Job, event: ev.Start) -> Transition:
        if job.state is not State.READY:
            raise Refused(ResultCode.WRONG_STATE, f'the job is {job.state.name}: only a job that is READY can be started')
        return self._go(replace(job, state=State.RUNNING, step=Step.START, started_ns=event.now_ns), event.now_ns)

    def _pause(self, job: Job, event: ev.Pause) -> Transition:
        if job.state is State.WAITING_RELOAD or (job.state is State.RUNNING and _between_pieces(job)):
            return Transition(_stopped(job, _by('paused', event.who), fault=False))
        if job.state is not State.RUNNING:
            raise Refused(ResultCode.WRONG_STATE, f'the job is {job.state.name}: only a running job can be paused')
        return Transition(replace(job, pausing=True, reason=_by('pausing after this step, asked', event.who)))

    def _resume(self, job: Job, event: ev.Resume) -> Transition:
        if job.unresolved:
            raise Refused(ResultCode.NOT_RESOLVED, job.reason)
        if job.state is State.RUNNING and job.pausing:
            return Transition(replace(job, pausing=False, reason=''))
        if job.state is not State.PAUSED:
            raise Refused(ResultCode.WRONG_STATE, f'the job is {job.state.name}: only a paused job can go on')
        job = replace(job, state=State.RUNNING, rejects_in_row=0, pausing=False, fault=False, reason='', trigger='')
        if job.step in (Step.MATCH, Step.PLACE):
            # Somebody may have touched the piece since it was judged: look again.
            job = replace(job, step=Step.READ)
        if job.step is Step.READ:
            job = self._to_be_read(job, event.now_ns)
        return self._go(job, event.now_ns)

    def _cancel(self, job: Job, event: ev.Cancel) -> Transition:
        if job.over:
            raise Refused(ResultCode.NO_JOB, 'there is no job to cancel')
        if job.unresolved:
            raise Refused(ResultCode.NOT_RESOLVED, job.reason)
        job = replace(job, cancelling=True, pausing=False, reason=_by('cancelled', event.who))
        if job.state is State.RUNNING and not _between_pieces(job):
            return Transition(job)
        return self._cancel_at_rest(job, event.now_ns)

    def _resolve(self, job: Job, event: ev.Resolve) -> Transition:
        removed = event.how is Resolution.REMOVED
        if job.state is not State.PAUSED or not (job.unresolved or (removed and job.step in IN_HAND)):
            raise Refused(ResultCode.WRONG_STATE, 'there is no trigger to resolve')
        if removed and job.step is Step.START:
            raise Refused(ResultCode.WRONG_STATE, 'no piece was picked yet: say whether the program was started or not')
        job = replace(
            job,
            unresolved=False,
            trigger='',
            fault=False,
            reason=_by(f'{job.step.name} resolved as {event.how.value}', event.who),
        )
        if removed:
            job = _to_be_booked(job, Outcome.REJECTED, _by('taken out of the cell', event.who))
        elif event.how is Resolution.DONE:
            job = self._step_done(job, event.now_ns)
        if job.step is Step.BOOK:
            return self._book(job)
        return self._cancel_at_rest(job, event.now_ns) if job.cancelling else Transition(job)

    # Answers

    def _trigger_ended(self, job: Job, event: ev.TriggerEnded) -> Transition:
        if not job.trigger or job.unresolved or event.ticket != job.ticket:
            return Transition(job)
        if event.outcome is TriggerOutcome.SUCCEEDED:
            return self._go(self._step_done(replace(job, trigger=''), event.now_ns), event.now_ns)
        if event.outcome is TriggerOutcome.UNKNOWN:
            return Transition(_unresolved(job, event.message))
        job = replace(job, trigger='')
        if job.cancelling and job.step not in IN_HAND:
            return self._go(job, event.now_ns)
        what = 'the robot refused' if event.outcome is TriggerOutcome.REFUSED else 'nothing was sent to the robot'
        return Transition(_stopped(job, f'{what}: {event.message}'))

    def _stock_seen(self, job: Job, event: ev.StockSeen) -> Transition:
        if job.trigger or job.step is not Step.PICK or event.ticket != job.ticket:
            return Transition(job)
        tray = min((tray for tray, count in event.trays if count > 0), default=None)
        if job.state is not State.RUNNING and (tray is None or job.state is not State.WAITING_RELOAD):
            return Transition(job)
        if tray is None:
            trays = tuple(sorted(number for number, _ in event.trays))
            missing = job.quantity - job.placed
            reason = f'the trays of {job.part_number} are empty: {missing} more wanted. Refill and confirm the reload.'
            return Transition(replace(job, state=State.WAITING_RELOAD, reason=reason), (ev.AskReload(trays, missing),))
        if job.state is State.WAITING_RELOAD:
            job = replace(job, state=State.RUNNING, reason='')
        return self._send(replace(job, tray=tray), f'PART_{job.part_number}')

    def _read_ended(self, job: Job, event: ev.ReadEnded) -> Transition:
        if job.state is not State.RUNNING or job.step is not Step.READ or event.ticket != job.ticket:
            return Transition(job)
        if event.frame_ns <= job.newer_than_ns:
            return self._effect_failed(job, ev.EffectFailed(event.now_ns, event.ticket, OLD_FRAME))
        return self._go(replace(job, step=Step.MATCH, frame_ns=event.frame_ns), event.now_ns)

    def _judged(self, job: Job, event: ev.Judged) -> Transition:
        if job.state is not State.RUNNING or job.step is not Step.MATCH or event.ticket != job.ticket:
            return Transition(job)
        verdict = event.verdict
        record = ev.ReadingRecord(job.piece, job.attempt, verdict, event.now_ns)
        job = replace(job, verdict=verdict)
        if verified(job):
            job = replace(job, step=Step.PLACE)
        elif job.attempt < self._rules.read_attempts:
            job = replace(job, step=Step.READ, attempt=job.attempt + 1, newer_than_ns=max(job.newer_than_ns, job.frame_ns))
        else:
            job = replace(job, step=Step.REJECT, outcome_reason=why_rejected(verdict, job.part_number))
        return _before(record, self._go(job, event.now_ns))

    def _booking_done(self, job: Job, event: ev.BookingDone) -> Transition:
        if job.over or job.step is not Step.BOOK or event.ticket != job.ticket:
            return Transition(job)
        placed = job.outcome is Outcome.PLACED
        record = ev.PieceRecord(job.piece, job.tray, job.outcome, job.outcome_reason, job.verdict, event.now_ns)
        job = replace(
            job,
            step=Step.PICK,
            placed=job.placed + placed,
            rejected=job.rejected + (not placed),
            rejects_in_row=0 if placed else job.rejects_in_row + 1,
        )
        return _before(record, self._after_piece(job, event.now_ns))

    def _effect_failed(self, job: Job, event: ev.EffectFailed) -> Transition:
        if job.over or job.trigger or event.ticket != job.ticket:
            return Transition(job)
        if job.state is State.WAITING_RELOAD:
            return Transition(job)
        if job.cancelling and job.state is State.RUNNING and job.step is not Step.BOOK:
            return self._go(job, event.now_ns)
        return Transition(_stopped(job, event.message))

    # Things that happen

    def _stock_changed(self, job: Job, _event: ev.StockChanged) -> Transition:
        if job.state is not State.WAITING_RELOAD:
            return Transition(job)
        # The topic may lag behind the ledger, so it is only a hint to look.
        job = replace(job, ticket=job.ticket + 1)
        return Transition(job, (ev.LookUpStock(job.ticket, job.part_number),))

    def _restarted(self, job: Job, _event: ev.Restarted) -> Transition:
        if job.over or job.state is State.READY:
            return Transition(job)
        if job.trigger:
            return Transition(_unresolved(job, 'the coordinator was restarted while it waited for the robot'))
        if job.state is not State.PAUSED:
            job = _stopped(job, RESTARTED)
        return self._book(job) if job.step is Step.BOOK else Transition(job)

    # Steps

    def _go(self, job: Job, now_ns: int) -> Transition:
        """Begin the step that is due, or stop before it when a person asked to."""
        if job.placed >= job.quantity:
            return Transition(_ended(job, State.DONE, now_ns))
        if job.cancelling:
            if job.step in (Step.START, Step.PICK):
                return Transition(_ended(job, State.CANCELLED, now_ns))
            if job.step in IN_HAND:
                job = replace(job, step=Step.REJECT, outcome_reason=job.outcome_reason or 'job cancelled')
        elif job.pausing and job.step is not Step.BOOK:
            return Transition(_stopped(job, job.reason.replace('pausing after this step, asked', 'paused'), fault=False))
        return self._begin(job)

    def _begin(self, job: Job) -> Transition:
        if job.step is Step.PLACE and not verified(job):
            raise UnverifiedPieceError(f'piece {job.piece} of job {job.job_id}')
        if job.step in _TRIGGERS:
            return self._send(job, _TRIGGERS[job.step])
        if job.step is Step.BOOK:
            return self._book(job)
        job = replace(job, ticket=job.ticket + 1)
        if job.step is Step.READ:
            return Transition(job, (ev.ReadFrame(job.ticket, job.newer_than_ns, careful=job.attempt > 1),))
        if job.step is Step.MATCH:
            return Transition(job, (ev.JudgeReading(job.ticket, job.part_number),))
        job = replace(
            job, piece=job.placed + job.rejected + 1, attempt=0, verdict=None, outcome=Outcome.NONE, outcome_reason=''
        )
        return Transition(job, (ev.LookUpStock(job.ticket, job.part_number),))

    def _send(self, job: Job, event: str) -> Transition:
        job = replace(job, ticket=job.ticket + 1, trigger=event)
        tray = job.tray if job.step is Step.PICK else 0
        return Transition(job, (ev.SendTrigger(job.ticket, job.trigger_id, event, tray),))

    def _book(self, job: Job) -> Transition:
        job = replace(job, ticket=job.ticket + 1)
        return Transition(
            job, (ev.BookOut(job.ticket, job.job_id, job.piece, job.part_number, job.tray, job.outcome, job.outcome_reason),)
        )

    def _step_done(self, job: Job, now_ns: int) -> Job:
        """Return the job after the robot carried out the step's trigger, whoever says so."""
        if job.step is Step.START:
            return replace(job, step=Step.PICK)
        if job.step is Step.PICK:
            return self._to_be_read(replace(job, step=Step.READ), now_ns)
        return _to_be_booked(job, Outcome.PLACED if job.step is Step.PLACE else Outcome.REJECTED, job.outcome_reason)

    def _to_be_read(self, job: Job, now_ns: int) -> Job:
        return replace(job, attempt=1, verdict=None, newer_than_ns=now_ns + self._rules.settle_ns)

    def _after_piece(self, job: Job, now_ns: int) -> Transition:
        if job.placed < job.quantity and not job.cancelling:
            if job.state is State.PAUSED:
                return Transition(job)
            if job.rejects_in_row >= self._rules.most_rejects_in_row:
                return Transition(
                    _stopped(
                        job,
                        f'{job.rejects_in_row} pieces in a row were rejected, the last one: '
                        f'{job.outcome_reason}. Check the tray, then go on or cancel.',
                    )
                )
        return self._go(job, now_ns)

    def _cancel_at_rest(self, job: Job, now_ns: int) -> Transition:
        """End a job while the arm stands still: what is in the hand stays there and is booked as rejected."""
        if job.step in IN_HAND:
            job = replace(_to_be_booked(job, Outcome.REJECTED, LEFT_IN_HAND), reason=TAKE_OUT)
        if job.step is Step.BOOK:
            return self._book(job)
        return Transition(_ended(job, State.CANCELLED, now_ns))


def verified(job: Job) -> bool:
    """Say whether the piece in hand may be placed: a MATCH with the ordered part, on the frame read after the pick."""
    verdict = job.verdict
    return (
        verdict is not None
        and verdict.kind is VerdictKind.MATCH
        and verdict.expected == job.part_number
        and verdict.recognised == job.part_number
        and verdict.frame_ns == job.frame_ns
        and verdict.frame_ns > job.newer_than_ns
    )


def why_rejected(verdict: Verdict, ordered: str) -> str:
    """Return the sentence for the operator and the ledger."""
    if verdict.kind is VerdictKind.MISMATCH:
        return f'wrong part: read {verdict.recognised}, ordered {ordered}'
    if verdict.kind is VerdictKind.AMBIGUOUS:
        return f'ambiguous: {verdict.reason}'
    if verdict.kind is VerdictKind.UNREADABLE:
        return 'no readable text'
    if verdict.kind is VerdictKind.UNKNOWN:
        return f'unknown part: read "{verdict.text}", ordered {ordered}'
    return 'the verdict does not belong to this reading'


def _between_pieces(job: Job) -> bool:
    """Say whether the job only looks at the stock, so that nothing is under way and nothing is in the hand."""
    return job.step is Step.PICK and not job.trigger


def _before(record: Effect, following: Transition) -> Transition:
    return replace(following, effects=(record, *following.effects))


def _to_be_booked(job: Job, outcome: Outcome, reason: str) -> Job:
    return replace(job, step=Step.BOOK, outcome=outcome, outcome_reason=reason)


def _stopped(job: Job, reason: str, *, fault: bool = True) -> Job:
    return replace(job, state=State.PAUSED, pausing=False, fault=fault, reason=reason)


def _unresolved(job: Job, message: str) -> Job:
    piece = f' of piece {job.piece}' if job.piece else ''
    reason = (
        f'{job.trigger}{piece} has an unknown outcome ({message}): look at the cell, then say whether it was done, was '
        'not done, or the piece was removed'
    )
    return _stopped(replace(job, unresolved=True), reason)


def _ended(job: Job, state: State, now_ns: int) -> Job:
    return replace(
        job, state=state, finished_ns=now_ns, pausing=False, fault=False, reason='' if state is State.DONE else job.reason
    )


def _by(what: str, who: str) -> str:
    return f'{what} by {who}' if who else what
