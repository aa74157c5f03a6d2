"""Changes of a pick job that several transitions of the state machine share.

Pure: no ROS, sockets, files or clock.

Functions return a changed job, or a `Transition` where an effect goes with the change. Each effect that expects an answer gets
the next `effect_id` of the job.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cell_common.alarm_text import short_cause
from cell_common.alarm_texts import ALARM_TEXTS

from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Effect
from cell_coordinator.job.model import JobState, JobStep, MatchVerdict, PickJob, PieceOutcome, VerdictKind

__all__ = [
    'Transition',
    'attributed',
    'book',
    'continue_trigger',
    'enter_step',
    'evidence_of',
    'expect_booking',
    'failed',
    'finished',
    'interrupted',
    'is_between_pieces',
    'is_verified',
    'paused',
    'query_stock',
    'rejection_reason',
    'send_trigger',
    'step_name',
    'unresolved',
    'with_effect',
    'without_fact',
]

_TRIGGERS = {JobStep.START: 'START_PROGRAM', JobStep.PLACE: 'PLACE', JobStep.REJECT: 'REJECT'}

_FACT = re.compile(r'(the robot refused [^:]{1,80}: |nothing was sent(?: to the robot)?[.:] )', re.IGNORECASE)


_STEP_NAMES = {
    JobStep.START: 'Start program',
    JobStep.PICK: 'Pick',
    JobStep.READ: 'Reading',
    JobStep.MATCH: 'Match',
    JobStep.PLACE: 'Place',
    JobStep.REJECT: 'Reject',
    JobStep.BOOK: 'Stock entry',
}


@dataclass(frozen=True)
class Transition:
    """The next job, and the effects to execute after it is stored."""

    job: PickJob
    effects: tuple[Effect, ...] = ()


def without_fact(message: str) -> str:
    """Return a message of the robot without the fact that the title of the reason states already, unless nothing is left.

    Args:
        message: Such as "The robot refused PLACE: gripper empty." or "Nothing was sent. The arm is held."
    """
    rest = _FACT.sub('', message, count=1)
    return f'{rest[0].upper()}{rest[1:]}' if rest else message


def paused(job: PickJob, reason: str, *, fault: bool = True) -> PickJob:
    """Return the job PAUSED with a reason.

    Args:
        job: The active job.
        reason: For the operator.
        fault: Something failed; False = an operator asked. Only a fault raises an alarm.
    """
    return replace(job, state=JobState.PAUSED, pause_requested=False, paused_by_fault=fault, reason=reason)


def unresolved(job: PickJob, message: str) -> PickJob:
    """Return the job PAUSED with a trigger of unknown outcome, which an operator resolves.

    Args:
        job: Its `trigger` is the one in doubt and stays set.
        message: Of the robot node; its cause leads the reason if it is short, or follows as a detail.
    """
    text = ALARM_TEXTS['coordinator/step_not_confirmed']
    cause = short_cause(message)
    detail = '' if cause else message.split('. ', maxsplit=1)[0]
    reason = text.reason(detail, cause=cause, step=step_name(job))
    job = replace(job, unresolved=True, uncertain=job.step_mark, interrupted='', continues='')
    return paused(job, reason)


def interrupted(job: PickJob, trigger_id: str, message: str) -> PickJob:
    """Return the job PAUSED with a trigger that Resume continues; an operator may resolve it instead.

    Args:
        job: The job.
        trigger_id: Id of the interrupted trigger.
        message: Reason and remedy from the robot node.
    """
    fact, _, remedy = message.partition('. ')
    text = ALARM_TEXTS['coordinator/step_interrupted']
    remedy = (remedy.partition('. ')[0] or fact).rstrip('.')
    reason = text.reason(fact.rpartition(': ')[2], step=step_name(job), remedy=remedy)
    job = replace(job, unresolved=True, uncertain=job.step_mark, interrupted=trigger_id, continues='')
    return paused(job, reason)


def failed(job: PickJob, key: str, message: str = '', **values: object) -> PickJob:
    """Return the job PAUSED by a fault, with a reason of `REASONS`.

    Args:
        job: The active job.
        key: Key of the text in `ALARM_TEXTS`, without the source.
        message: Of the node that failed: the fact, then its remedy.
        values: Values of the text besides `step` and `piece`.
    """
    text = ALARM_TEXTS[f'coordinator/{key}']
    return paused(job, text.reason(message, step=step_name(job), piece=job.piece, **values))


def step_name(job: PickJob) -> str:
    """Return the current step for the operator, e.g. "Place of piece 5"."""
    return _STEP_NAMES[job.step] + (f' of piece {job.piece}' if job.piece else '')


def finished(job: PickJob, state: JobState, now_ns: int) -> PickJob:
    """Return the job in a terminal state.

    Args:
        job: The active job.
        state: DONE, CANCELLED or FAILED.
        now_ns: ROS time of its end.
    """
    reason = '' if state is JobState.DONE else job.reason
    return replace(job, state=state, finished_ns=now_ns, pause_requested=False, paused_by_fault=False, reason=reason)


def attributed(action: str, operator_id: str) -> str:
    """Return an action with the operator who asked for it, for a reason text; without an id the action alone.

    Args:
        action: In the past tense, e.g. "paused".
        operator_id: Id of the command; "" for the node itself.
    """
    return f'{action} by {operator_id}' if operator_id else action


def evidence_of(verdict: MatchVerdict | None) -> str:
    """Return the verdict on a piece for its ledger entry, e.g. "MATCH 0.93: EM1-2U1"; "" if there is none."""
    return f'{verdict.kind.name} {verdict.score:.2f}: {verdict.text}' if verdict is not None else ''


def rejection_reason(verdict: MatchVerdict, ordered: str) -> str:
    """Return why a piece is rejected, for the operator and the ledger.

    The words before ": " are also the title of the alarm, see `JobPublisher`.

    Args:
        verdict: Of the last reading.
        ordered: Part number of the job.
    """
    if verdict.kind is VerdictKind.MISMATCH:
        return f'wrong part: read {verdict.recognized}, ordered {ordered}'
    if verdict.kind is VerdictKind.AMBIGUOUS:
        return f'ambiguous: {verdict.reason}'
    if verdict.kind is VerdictKind.UNREADABLE:
        return f'no readable text: {verdict.reason}' if verdict.reason else 'no readable text'
    if verdict.kind is VerdictKind.UNKNOWN:
        return f'unknown part: read "{verdict.text}", ordered {ordered}'
    return 'the verdict does not belong to this reading'


def is_between_pieces(job: PickJob) -> bool:
    """Return True if the job only waits for the stock: no trigger is running and the gripper is empty."""
    return job.step is JobStep.PICK and not job.trigger


def is_verified(job: PickJob) -> bool:
    """Return True if the current piece may be placed: a MATCH with the ordered part, on the frame read after the pick.

    The verdict names the part that it was asked about and the frame that it judged. Both are compared with the job, so a
    verdict of another reading or another job never counts.
    """
    verdict = job.verdict
    return (
        verdict is not None
        and verdict.kind is VerdictKind.MATCH
        and verdict.expected == job.part_number
        and verdict.recognized == job.part_number
        and verdict.frame_ns == job.frame_ns
        and verdict.frame_ns > job.frame_after_ns
    )


def send_trigger(job: PickJob, event: str) -> Transition:
    """Return the job with a new trigger for its step, and the effect that sends it.

    Args:
        job: Its effect_id becomes part of the trigger's id.
        event: Event of the robot; stored until its outcome is known.
    """
    job = replace(job, effect_id=job.effect_id + 1, trigger=event)
    tray = job.tray if job.step is JobStep.PICK else 0
    return Transition(job, (ev.SendTrigger(job.effect_id, job.trigger_id, event, tray, job.continues),))


def continue_trigger(job: PickJob) -> Transition:
    """Send the trigger again under a new id: the robot executes the rest of the interrupted one."""
    job = replace(job, state=JobState.RUNNING, unresolved=False, paused_by_fault=False, reason='')
    return send_trigger(replace(job, continues=job.interrupted, interrupted=''), job.trigger)


def query_stock(job: PickJob) -> Transition:
    """Return the job that asks for the stock of its part, and the effect that asks."""
    job = replace(job, effect_id=job.effect_id + 1)
    return Transition(job, (ev.QueryStock(job.effect_id, job.part_number),))


def book(job: PickJob) -> Transition:
    """Return the job that books its piece, and the effect that books it.

    The booking may be repeated at will: the ledger knows the piece by (job_id, piece).
    """
    job = replace(job, effect_id=job.effect_id + 1)
    booked = (job.job_id, job.piece, job.part_number, job.tray, job.outcome, job.outcome_reason, evidence_of(job.verdict))
    effect = ev.BookPiece(job.effect_id, *booked)
    return Transition(job, (effect,))


def with_effect(effect: Effect, following: Transition) -> Transition:
    """Return a transition with another effect, executed first.

    Args:
        effect: A record, which must be stored before the arm moves on.
        following: The transition.
    """
    return replace(following, effects=(effect, *following.effects))


def expect_booking(job: PickJob, outcome: PieceOutcome, reason: str) -> PickJob:
    """Return the job with a piece whose outcome is to be booked.

    Args:
        job: The job; its trigger has ended.
        outcome: PLACED or REJECTED.
        reason: For the ledger; "" for a placed piece.
    """
    return replace(job, step=JobStep.BOOK, outcome=outcome, outcome_reason=reason, booking_refused=False)


def enter_step(job: PickJob) -> Transition:
    """Return the transition with the effect of the job's step: a query, a trigger, a reading or a booking."""
    if job.step is JobStep.BOOK:
        return book(job)
    if job.step is JobStep.READ:
        job = replace(job, effect_id=job.effect_id + 1)
        effect = ev.ReadFrame(job.effect_id, job.frame_after_ns, job.picked_ns, job.shown_ns, careful=job.attempt > 1)
        return Transition(job, (effect,))
    if job.step is JobStep.PICK:
        job = replace(job, piece=job.placed + job.rejected + 1, attempt=0, verdict=None)
        return query_stock(replace(job, outcome=PieceOutcome.NONE, outcome_reason=''))
    sent = send_trigger(job, _TRIGGERS[job.step])
    verdict = job.verdict
    if job.step is JobStep.REJECT and verdict is not None and verdict.kind is not VerdictKind.MATCH:
        return with_effect(ev.ArchiveReject(verdict, job.job_id, job.piece), sent)
    return sent
