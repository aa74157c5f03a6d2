"""Runs the state machine: stores each transition in the database, then publishes and executes it.

The order is the crash safety of the cell. A trigger is in the database before it is sent, so a restarted coordinator knows
that it may have moved the arm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from cell_common.database import StorageBusyError, StorageFailedError
from cell_common.error_code import ErrorCode

from cell_coordinator.job.events import Command, CoordinatorRestarted, Effect, Event, StorageFailed
from cell_coordinator.job.machine import CommandRejected, JobMachine
from cell_coordinator.job.model import NO_JOB, JobState, PickJob
from cell_coordinator.job.store import JobStore


class JobRunner:
    """Owner of the active job, or of the last one.

    All methods are called in the executor's thread. `on_change` and `execute` must not call `dispatch` directly: the effects
    of the outer transition would then follow those of the inner one.

    Attributes:
        job: The job as it was stored last, or NO_JOB.
    """

    def __init__(
        self,
        machine: JobMachine,
        store: JobStore,
        *,
        on_change: Callable[[PickJob, tuple[Effect, ...]], None],
        execute: Callable[[Effect], None],
        on_storage: Callable[[str], None] = lambda _error: None,
        longest_lock_s: float = 0.0,
    ) -> None:
        """Load the newest job of the database.

        Args:
            machine: Computes the transitions.
            store: Stores job and history.
            on_change: Called with the stored job and its effects, before they are executed.
            execute: Called with each effect.
            on_storage: Called after each write with its error, "" if it succeeded.
            longest_lock_s: How long an answer waits for a locked database before the job is paused; `retry` tries it again.

        Raises:
            StorageFailedError: The database failed.
        """
        self._machine = machine
        self._store = store
        self._on_change = on_change
        self._execute = execute
        self._closed = False
        latest = store.latest()
        self.job = NO_JOB if latest.cleared else latest
        self._reset_id = latest.reset_id
        self._set_here = False
        self._resets_received = 0
        self._on_storage = on_storage
        self._longest_lock_s = longest_lock_s
        self._waiting: deque[Event] = deque()
        self._give_up_at_s: float | None = None
        self.storage_error = ''
        """Why the last snapshot could not be stored; "" if it was stored."""

    def close(self) -> None:
        """Ignore further events. In-flight work is reconciled at the next start."""
        self._closed = True

    def restore(self, now_ns: int) -> None:
        """Resume work on the persisted job; a job that was running comes back PAUSED."""
        self.dispatch(CoordinatorRestarted(now_ns))

    def set_job(self, job: PickJob) -> None:
        """Replace a finished job, or one that was not started.

        Raises:
            CommandRejected: A job is active, or the database failed.
        """
        if not self.job.finished and self.job.state is not JobState.READY:
            raise CommandRejected(
                ErrorCode.JOB_ACTIVE, f'a job for {self.job.part_number} is {self.job.state.name}: finish or cancel it first'
            )
        try:
            if self.job.state is JobState.READY:
                reason = 'replaced by another job before it was started'
                self._store.save(replace(self.job, state=JobState.CANCELLED, finished_ns=job.created_ns, reason=reason))
            job = replace(job, reset_id=self._reset_id)
            self._store.save(job)
        except StorageFailedError as error:
            raise self._storage_failed(error) from error
        self._set_here = True
        self._report_storage('')
        self._apply(job, ())

    def clear(self, reset_id: str, reset_ns: int, reason: str) -> None:
        """Forget a job after a reset of the stock: one that is READY is canceled, one that has ended is no longer shown.

        An active job stays, and so does a job that was set after the reset. The reset is latched and arrives again after each
        start: a reset that the job has seen is ignored.

        Args:
            reset_id: Unique id of the reset.
            reset_ns: ROS time of the reset, in nanoseconds.
            reason: For the history.

        Raises:
            CommandRejected: The database failed; the job stays.
        """
        job = self.job
        self._resets_received += 1
        if self._closed or reset_id == self._reset_id:
            return
        if job.state is JobState.NONE:
            self._reset_id = reset_id
            return
        ready = job.state is JobState.READY
        # Only the first reset after a start may be older than a job set since the start; only then the clock decides.
        later = self._set_here and self._resets_received == 1 and job.created_ns > reset_ns
        clears = (ready or job.finished) and not later
        ended = replace(job, reset_id=reset_id, cleared=clears)
        if clears and ready:
            ended = replace(ended, state=JobState.CANCELLED, finished_ns=reset_ns, changed_ns=reset_ns, reason=reason)
        try:
            self._store.save(ended)
        except StorageFailedError as error:
            raise self._storage_failed(error) from error
        self._reset_id = reset_id
        self._report_storage('')
        if clears:
            self._apply(NO_JOB, ())
        else:
            self.job = ended

    def dispatch(self, event: Event) -> None:
        """Apply an event: compute the transition, store it, publish it, execute its effects.

        An answer waits for a database that another program has locked. If it cannot be stored otherwise, the job is paused as
        it stands in the database. Its step is then repeated, or its trigger is resolved by the operator.

        Args:
            event: Any event; answers to earlier effects change nothing.

        Raises:
            CommandRejected: The event is a command that is not allowed now, or that cannot be stored.
        """
        if self._closed:
            return
        if self._waiting and not isinstance(event, Command):
            self._waiting.append(event)  # in the order of their arrival
            return
        try:
            if self._waiting:
                raise StorageBusyError(self.storage_error)
            self._store_and_apply(event)
        except StorageFailedError as error:
            # A command has an operator who reads the rejection. An answer has none, and the arm may have moved already.
            rejection = self._storage_failed(error)
            if isinstance(event, Command):
                raise rejection from error
            if isinstance(error, StorageBusyError) and self._longest_lock_s:
                self._waiting.append(event)
            else:
                self._pause_as_stored(event, error)

    def retry(self, steady_s: float) -> None:
        """Apply the answers that wait for a locked database; the job is paused when it stays locked for too long.

        Args:
            steady_s: Steady time.
        """
        while self._waiting and not self._closed:
            event = self._waiting[0]
            try:
                self._store_and_apply(event)
            except StorageFailedError as error:
                self._storage_failed(error)
                self._give_up_at_s = self._give_up_at_s or steady_s + self._longest_lock_s
                if isinstance(error, StorageBusyError) and steady_s < self._give_up_at_s:
                    return
                self._waiting.clear()
                self._pause_as_stored(event, error)
            else:
                self._waiting.popleft()
        self._give_up_at_s = None

    def _store_and_apply(self, event: Event) -> None:
        """Compute the transition of an event, store it and execute its effects.

        Raises:
            CommandRejected: The event is a command that is not allowed now.
            StorageFailedError: Nothing was stored, and the job is as before.
        """
        following = self._machine.advance(self.job, event)
        if following.job == self.job and not following.effects:
            return
        self._store.save(following.job, following.effects, event)
        self._report_storage('')
        self._apply(following.job, following.effects)

    def _pause_as_stored(self, event: Event, error: StorageFailedError) -> None:
        """Pause the job as it stands in the database, with the database's error as the reason."""
        self._apply(self._machine.advance(self.job, StorageFailed(event.now_ns, str(error))).job, ())

    def _apply(self, job: PickJob, effects: tuple[Effect, ...]) -> None:
        self.job = job
        self._on_change(job, effects)
        for effect in effects:
            self._execute(effect)

    def _storage_failed(self, error: StorageFailedError) -> CommandRejected:
        self._report_storage(str(error))
        return CommandRejected(ErrorCode.STORAGE_FAILED, self.storage_error)

    def _report_storage(self, error: str) -> None:
        self.storage_error = error
        self._on_storage(error)
