"""Runs the state machine: stores each transition in the database, then publishes and executes it.

The order is the crash safety of the cell. A trigger is in the database before it is sent, so a restarted coordinator knows
that it may have moved the arm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cell_common.database import StorageFailedError
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
    ) -> None:
        """Load the newest job of the database.

        Args:
            machine: Computes the transitions.
            store: Stores job and history.
            on_change: Called with the stored job and its effects, before they are executed.
            execute: Called with each effect.
            on_storage: Called after each write with its error, "" if it succeeded.

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

        If an answer cannot be stored, the job is paused as it stands in the database. Its step is then repeated, or its
        trigger is resolved by the operator.

        Args:
            event: Any event; answers to earlier effects change nothing.

        Raises:
            CommandRejected: The event is a command that is not allowed now, or that cannot be stored.
        """
        if self._closed:
            return
        following = self._machine.advance(self.job, event)
        if following.job == self.job and not following.effects:
            return
        try:
            self._store.save(following.job, following.effects)
        except StorageFailedError as error:
            # A command has an operator who reads the rejection. An answer has none, and the arm may have moved already.
            rejection = self._storage_failed(error)
            if isinstance(event, Command):
                raise rejection from error
            self._apply(self._machine.advance(self.job, StorageFailed(event.now_ns, str(error))).job, ())
            return
        self._report_storage('')
        self._apply(following.job, following.effects)

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
