"""State machine of the pick job: one event in, the next job and its effects out.

Pure: no ROS, sockets, files or clock.

The steps of a piece are: query the stock and choose a tray that is not empty (`tray_choice`); pick and present; read; match;
place on a MATCH, else reject; book. The caller stores the new job before it executes the effects. After a crash the snapshot
therefore contains every trigger that may have been sent.

Two safety rules hold in every state:
    1. PLACE needs a MATCH of this piece, on a frame taken after it was picked. `require_verified` checks every transition.
    2. A trigger with an unknown outcome is never sent again before an operator has resolved it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cell_common.alarm_texts import ALARM_TEXTS
from cell_common.error_code import ErrorCode
from cell_common.gripper_sensor import GripperSensor

from cell_coordinator.job import events as ev
from cell_coordinator.job.events import Event, Resolution, RobotOutcome
from cell_coordinator.job.model import STEPS_WITH_PIECE, JobState, JobStep, PickJob, PieceOutcome
from cell_coordinator.job.resolution import (
    BOOKED_OTHERWISE,
    REMOVE_PIECE,
    answer_error,
    cancel_texts,
    contradiction,
    piece_is_open,
    step_after_not_done,
)
from cell_coordinator.job.transitions import (
    Transition,
    attributed,
    book,
    continue_trigger,
    enter_step,
    expect_booking,
    failed,
    finished,
    interrupted,
    is_between_pieces,
    is_verified,
    paused,
    query_stock,
    rejection_reason,
    send_trigger,
    step_name,
    unresolved,
    with_effect,
    without_fact,
)
from cell_coordinator.job.tray_choice import TrayChoice, choose_tray

PAUSE_REQUESTED = 'pause requested'
PAUSES_LATER = '. The job pauses when this step ends.'


class CommandRejected(Exception):
    """A command is not allowed now; the text tells the operator why and what is allowed."""

    def __init__(self, code: int, message: str) -> None:
        """Store the code, a ResultCode of this node or of the node that rejected."""
        super().__init__(message)
        self.code = code


class SensorContradiction(CommandRejected):
    """The gripper's sensor contradicts an answer; the operator may overrule it."""


class UnverifiedPieceError(Exception):
    """A defect of this module: a transition would place a piece that is not verified."""


@dataclass(frozen=True)
class JobRules:
    """Settings of a deployment."""

    read_attempts: int = 3
    max_consecutive_rejects: int = 3
    settle_ns: int = 0
    """Time a piece may swing after the robot has presented it; a frame taken meanwhile does not count."""
    tray_choice: TrayChoice = TrayChoice.FIRST


class JobMachine:
    """Computes transitions; it has no state of its own."""

    def __init__(self, rules: JobRules) -> None:
        """Store the limits of a job; the machine itself has no state, so one serves any number of jobs."""
        self._rules = rules
        self._handlers: dict[type[Event], Callable[[PickJob, Any], Transition]] = {
            ev.Start: self._start,
            ev.Pause: self._pause,
            ev.Resume: self._resume,
            ev.Cancel: self._cancel,
            ev.Resolve: self._resolve,
            ev.TriggerFinished: self._trigger_finished,
            ev.StockReceived: self._stock_received,
            ev.ReadFinished: self._read_finished,
            ev.VerdictReceived: self._verdict_received,
            ev.BookingConfirmed: self._booking_confirmed,
            ev.EffectFailed: self._effect_failed,
            ev.StockChanged: self._stock_changed,
            ev.CoordinatorRestarted: self._coordinator_restarted,
            ev.StorageFailed: self._storage_failed,
        }

    def advance(self, job: PickJob, event: Event) -> Transition:
        """Apply an event. An event without a meaning in this state returns the same job and no effects.

        Answers carry the id of the effect that they answer: a late one of an earlier step is such an event.

        Args:
            job: Not changed.
            event: Command of an operator, or answer to an effect; its `now_ns` is the only clock.

        Returns:
            The job after the event, and the effects to execute once it is stored.

        Raises:
            CommandRejected: The event is a command that is not allowed now.
            UnverifiedPieceError: A defect; the transition must not be executed.
        """
        following = self._handlers[type(event)](job, event)
        require_verified(following)
        if following.job.state != job.state:
            following = replace(following, job=replace(following.job, changed_ns=event.now_ns))
        return following

    # Operator commands

    def _start(self, job: PickJob, event: ev.Start) -> Transition:
        if job.state is not JobState.READY:
            raise CommandRejected(
                ErrorCode.WRONG_STATE, f'the job is {job.state.name}: only a job that is READY can be started'
            )
        return self._advance(replace(job, state=JobState.RUNNING, step=JobStep.START, started_ns=event.now_ns), event.now_ns)

    def _pause(self, job: PickJob, event: ev.Pause) -> Transition:
        """Pause at once where the arm stands between two pieces, otherwise after the step that is under way."""
        if job.state is JobState.WAITING_RELOAD or (job.state is JobState.RUNNING and is_between_pieces(job)):
            return Transition(paused(job, attributed('paused', event.operator_id), fault=False))
        if job.state is not JobState.RUNNING:
            raise CommandRejected(ErrorCode.WRONG_STATE, f'the job is {job.state.name}: only a running job can be paused')
        return Transition(
            replace(job, pause_requested=True, reason=attributed(PAUSE_REQUESTED, event.operator_id) + PAUSES_LATER)
        )

    def _resume(self, job: PickJob, event: ev.Resume) -> Transition:
        """Continue an interrupted trigger, take back a pause that was not reached, or enter the step again."""
        if job.unresolved and job.interrupted and job.state is JobState.PAUSED:
            return continue_trigger(job)
        # Nothing moves while it is unknown where the arm and the piece are.
        if job.unresolved:
            raise CommandRejected(ErrorCode.NOT_RESOLVED, job.reason)
        if job.state is JobState.RUNNING and job.pause_requested:
            return Transition(replace(job, pause_requested=False, reason=''))
        if job.state is not JobState.PAUSED:
            raise CommandRejected(ErrorCode.WRONG_STATE, f'the job is {job.state.name}: only a paused job can be resumed')
        job = replace(
            job,
            state=JobState.RUNNING,
            consecutive_rejects=0,
            pause_requested=False,
            paused_by_fault=False,
            reason='',
            trigger='',
        )
        if job.step in (JobStep.MATCH, JobStep.PLACE):
            # The piece may have been moved or exchanged during the pause, so its verdict no longer counts.
            job = replace(job, step=JobStep.READ)
        if job.step is JobStep.READ:
            job = self._expect_reading(replace(job, shown_ns=0), event.now_ns)
        return self._advance(job, event.now_ns)

    def _cancel(self, job: PickJob, event: ev.Cancel) -> Transition:
        """Cancel at once where nothing is under way; otherwise the piece is first finished."""
        if job.finished:
            raise CommandRejected(ErrorCode.NO_JOB, 'no job is active: nothing to cancel')
        if job.unresolved:
            raise CommandRejected(ErrorCode.NOT_RESOLVED, 'first answer whether the step was completed')
        job = replace(job, cancel_requested=True, pause_requested=False, reason=attributed('canceled', event.operator_id))
        if job.state is JobState.RUNNING and not is_between_pieces(job):
            return Transition(job)
        return self._cancel_idle(job, event)

    def _resolve(self, job: PickJob, event: ev.Resolve) -> Transition:
        """Apply an operator's answer about a step whose outcome is unknown, unless the gripper sensor contradicts it."""
        if error := answer_error(job, event.resolution):
            raise CommandRejected(ErrorCode.WRONG_STATE, error)
        contradicted = contradiction(job, event.resolution, event.sensor)
        if contradicted and not event.overrule:
            raise SensorContradiction(ErrorCode.WRONG_STATE, contradicted)
        overruled = f', gripper sensor overruled ({event.sensor.value})' if contradicted else ''
        reason = attributed(f'{step_name(job)} answered as "{event.resolution.value}"', event.operator_id) + overruled
        job = replace(job, unresolved=False, trigger='', interrupted='', continues='', paused_by_fault=False, reason=reason)
        if event.resolution is Resolution.REMOVED:
            job = expect_booking(job, PieceOutcome.REJECTED, attributed('removed from the cell', event.operator_id) + overruled)
        elif event.resolution is Resolution.DONE:
            job = replace(self._complete_step(job, event.now_ns), shown_ns=0)
        else:
            job = replace(job, step=step_after_not_done(job))
        if job.step is JobStep.BOOK:
            return book(job)
        return self._cancel_idle(job, event) if job.cancel_requested else Transition(job)

    # Answers to effects

    def _trigger_finished(self, job: PickJob, event: ev.TriggerFinished) -> Transition:
        """Complete the step, or pause with the reason; only UNKNOWN asks an operator where the piece is."""
        if not job.trigger or job.unresolved or event.effect_id != job.effect_id:
            return Transition(job)
        if event.outcome is RobotOutcome.SUCCEEDED:
            return self._advance(self._complete_step(replace(job, trigger='', continues=''), event.now_ns), event.now_ns)
        if event.outcome is RobotOutcome.UNKNOWN:
            return Transition(unresolved(job, event.message))
        # A trigger that was not sent leaves the one that it was to continue as it is.
        kept = job.continues if event.outcome is RobotOutcome.NOT_SENT else job.trigger_id
        if event.outcome is RobotOutcome.INTERRUPTED or (event.outcome is RobotOutcome.NOT_SENT and kept):
            return Transition(interrupted(job, kept, event.message))
        job = replace(job, trigger='', continues='')
        # A refused step without a piece ends a canceled job. With a piece an operator must decide.
        if job.cancel_requested and job.step not in STEPS_WITH_PIECE:
            return self._advance(job, event.now_ns)
        key = 'robot_refused' if event.outcome is RobotOutcome.REFUSED else 'not_sent'
        return Transition(failed(job, key, without_fact(event.message)))

    def _stock_received(self, job: PickJob, event: ev.StockReceived) -> Transition:
        """Trigger the pick from the first tray with pieces, or wait for a reload."""
        if job.trigger or job.step is not JobStep.PICK or event.effect_id != job.effect_id:
            return Transition(job)
        tray = choose_tray(self._rules.tray_choice, event.trays, job.tray)
        if job.state is not JobState.RUNNING and (tray is None or job.state is not JobState.WAITING_RELOAD):
            return Transition(job)
        if tray is None:
            trays = tuple(sorted(number for number, _ in event.trays))
            missing = job.quantity - job.placed
            reason = ALARM_TEXTS['coordinator/reload_required'].reason(part=job.part_number, missing=missing)
            return Transition(replace(job, state=JobState.WAITING_RELOAD, reason=reason), (ev.RequestReload(trays, missing),))
        if job.state is JobState.WAITING_RELOAD:
            job = replace(job, state=JobState.RUNNING, reason='')
        return send_trigger(replace(job, tray=tray, picked_ns=event.now_ns), f'PART_{job.part_number}')

    def _read_finished(self, job: PickJob, event: ev.ReadFinished) -> Transition:
        """Have the reading judged, if its frame is newer than the moment when the piece was presented."""
        if job.state is not JobState.RUNNING or job.step is not JobStep.READ or event.effect_id != job.effect_id:
            return Transition(job)
        # The OCR node promises newer frames. A camera with a wrong clock breaks the promise.
        if event.reading.frame_ns <= job.frame_after_ns:
            return self._effect_failed(job, ev.EffectFailed(event.now_ns, event.effect_id, ''), 'old_frame')
        job = replace(job, step=JobStep.MATCH, frame_ns=event.reading.frame_ns)
        if job.cancel_requested or job.pause_requested:
            return self._advance(job, event.now_ns)
        job = replace(job, effect_id=job.effect_id + 1)
        effect = ev.MatchReading(job.effect_id, job.job_id, job.piece, job.attempt, job.part_number, event.reading)
        return Transition(job, (effect,))

    def _verdict_received(self, job: PickJob, event: ev.VerdictReceived) -> Transition:
        """Place a verified piece, read again while attempts are left, else reject the piece."""
        if job.state is not JobState.RUNNING or job.step is not JobStep.MATCH or event.effect_id != job.effect_id:
            return Transition(job)
        verdict = event.verdict
        record = ev.ReadingRecord(job.piece, job.attempt, verdict, event.now_ns)
        job = replace(job, verdict=verdict)
        if is_verified(job):
            job = replace(job, step=JobStep.PLACE)
        elif job.attempt < self._rules.read_attempts:
            # A second attempt needs another frame: the same one would give the same verdict.
            after_ns = max(job.frame_after_ns, job.frame_ns)
            job = replace(job, step=JobStep.READ, attempt=job.attempt + 1, frame_after_ns=after_ns)
        else:
            job = replace(job, step=JobStep.REJECT, outcome_reason=rejection_reason(verdict, job.part_number))
        return with_effect(record, self._advance(job, event.now_ns))

    def _booking_confirmed(self, job: PickJob, event: ev.BookingConfirmed) -> Transition:
        """Count the piece and go on to the next one; only now does the job know that the ledger has it."""
        if job.finished or job.step is not JobStep.BOOK or event.effect_id != job.effect_id:
            return Transition(job)
        placed = job.outcome is PieceOutcome.PLACED
        record = ev.PieceRecord(job.piece, job.tray, job.outcome, job.outcome_reason, job.verdict, event.now_ns)
        job = replace(
            job,
            step=JobStep.PICK,
            uncertain='',
            placed=job.placed + placed,
            rejected=job.rejected + (not placed),
            consecutive_rejects=0 if placed else job.consecutive_rejects + 1,
        )
        return with_effect(record, self._next_piece(job, event.now_ns))

    def _effect_failed(self, job: PickJob, event: ev.EffectFailed, key: str = 'step_failed') -> Transition:
        if job.finished or job.trigger or event.effect_id != job.effect_id or job.state is JobState.WAITING_RELOAD:
            return Transition(job)
        if job.cancel_requested and job.state is JobState.RUNNING and job.step is not JobStep.BOOK:
            return self._advance(job, event.now_ns)
        if event.refused and job.step is JobStep.BOOK:
            return Transition(failed(replace(job, booking_refused=True), 'booking_refused', event.message))
        return Transition(failed(job, key, event.message))

    # Other events

    def _stock_changed(self, job: PickJob, _event: ev.StockChanged) -> Transition:
        if job.state is not JobState.WAITING_RELOAD:
            return Transition(job)
        # The topic may lag behind the ledger, so it is only a hint to query the ledger itself.
        return query_stock(job)

    def _coordinator_restarted(self, job: PickJob, _event: ev.CoordinatorRestarted) -> Transition:
        if job.finished or job.state is JobState.READY:
            return Transition(job)
        if job.trigger:
            return Transition(unresolved(job, 'the coordinator was restarted while it waited for the robot'))
        if job.state is not JobState.PAUSED:
            job = failed(job, 'restarted')
        return book(job) if job.step is JobStep.BOOK else Transition(job)

    def _storage_failed(self, job: PickJob, event: ev.StorageFailed) -> Transition:
        if job.finished or job.state is JobState.READY:
            return Transition(job)
        if job.trigger:
            return Transition(unresolved(job, event.message))
        return Transition(failed(job, 'storage_failed', event.message))

    # Steps

    def _advance(self, job: PickJob, now_ns: int) -> Transition:
        """Enter the next step, unless the job is complete, canceled or to be paused."""
        if job.placed >= job.quantity:
            return Transition(finished(job, JobState.DONE, now_ns))
        if job.cancel_requested:
            if job.step in (JobStep.START, JobStep.PICK):
                return Transition(finished(job, JobState.CANCELLED, now_ns))
            if job.step in STEPS_WITH_PIECE:
                job = replace(job, step=JobStep.REJECT, outcome_reason=job.outcome_reason or 'job canceled')
        # Not before the booking: a moved piece must be in the ledger, whatever follows.
        elif job.pause_requested and job.step is not JobStep.BOOK:
            return Transition(paused(job, _paused_by(job.reason), fault=False))
        return enter_step(job)

    def _complete_step(self, job: PickJob, now_ns: int) -> PickJob:
        """Return the job after its trigger was done, as reported by the robot or by the operator."""
        if job.step is JobStep.START:
            return replace(job, step=JobStep.PICK)
        if job.step is JobStep.PICK:
            return self._expect_reading(replace(job, step=JobStep.READ, shown_ns=now_ns), now_ns)
        placed = job.step is JobStep.PLACE
        return expect_booking(job, PieceOutcome.PLACED if placed else PieceOutcome.REJECTED, job.outcome_reason)

    def _expect_reading(self, job: PickJob, now_ns: int) -> PickJob:
        return replace(job, attempt=1, verdict=None, frame_after_ns=now_ns + self._rules.settle_ns)

    def _next_piece(self, job: PickJob, now_ns: int) -> Transition:
        """Begin the next piece or end the job; too many rejects in a row pause it."""
        if job.placed < job.quantity and not job.cancel_requested:
            if job.state is JobState.PAUSED:
                return Transition(job)
            # A wrong tray would otherwise be emptied into the reject tray, piece by piece.
            if job.consecutive_rejects >= self._rules.max_consecutive_rejects:
                values = {'count': job.consecutive_rejects, 'tray': job.tray}
                return Transition(failed(job, 'rejects_in_a_row', f'The last one: {job.outcome_reason}', **values))
        return self._advance(job, now_ns)

    def _cancel_idle(self, job: PickJob, event: ev.Cancel | ev.Resolve) -> Transition:
        """Cancel while the arm stands still: an open piece is booked as rejected, with the place that the sensor reports."""
        holds = event.sensor is GripperSensor.HOLDS
        if job.step in STEPS_WITH_PIECE or (piece_is_open(job) and holds):
            ledger_reason, reason = cancel_texts(event.sensor)
            job = replace(expect_booking(job, PieceOutcome.REJECTED, ledger_reason), reason=reason)
        elif holds:
            job = replace(job, reason=REMOVE_PIECE)
        if job.step is JobStep.BOOK:
            if not job.booking_refused:
                return book(job)
            job = replace(job, reason=f'{job.reason}\nPiece {job.piece} {BOOKED_OTHERWISE}')
        return Transition(finished(job, JobState.CANCELLED, event.now_ns))


def _paused_by(reason: str) -> str:
    """Return the reason of a pause that has begun, from that of its request: "paused by Ada"."""
    return reason.replace(PAUSE_REQUESTED, 'paused', 1).removesuffix(PAUSES_LATER)


def require_verified(transition: Transition) -> None:
    """Check the first safety rule on a transition, whichever handler made it.

    Raises:
        UnverifiedPieceError: It would place a piece that is not verified.
    """
    job = transition.job
    places = any(isinstance(effect, ev.SendTrigger) and effect.event == 'PLACE' for effect in transition.effects)
    if places and not is_verified(job):
        raise UnverifiedPieceError(f'piece {job.piece} of job {job.job_id}')
