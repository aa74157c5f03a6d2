"""Holds the one job: applies events, stores before acting, hands effects out. No ROS, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cell_coordinator.job.events import Cancel, Effect, Event, Pause, Resolve, Restarted, Resume, Start
from cell_coordinator.job.machine import JobMachine, Refused
from cell_coordinator.job.model import Job, State
from cell_coordinator.job.store import JobStore, StorageFailedError
from cell_interfaces.msg import ResultCode

_COMMANDS = (Start, Pause, Resume, Cancel, Resolve)


class JobRunner:
    """The active job, or the last one."""

    def __init__(self, machine: JobMachine, store: JobStore) -> None:
        """Take up the newest job of the database.

        Raises:
            StorageFailedError: The database refused.
        """
        self._machine = machine
        self._store = store
        self._closed = False
        self.job = store.latest()
        self.trouble = ''
        """Why the last snapshot could not be stored; "" = it could."""
        self.changed: Callable[[Job, tuple[Effect, ...]], None] = lambda _job, _effects: None
        """Called after each change, before the effects are carried out."""
        self.carry_out: Callable[[Effect], None] = lambda _effect: None

    def close(self) -> None:
        """Hear no more answers: the node is going, and what is still under way is for the next start to judge."""
        self._closed = True

    def take_up(self, now_ns: int) -> None:
        """Bring the job back after a start: PAUSED when it was under way. Call once `changed` and `carry_out` are set."""
        self.feed(Restarted(now_ns))

    def put(self, job: Job) -> None:
        """Set a new job.

        Raises:
            Refused: A job is active, or the database refused.
        """
        if not self.job.over and self.job.state is not State.READY:
            raise Refused(
                ResultCode.JOB_ACTIVE, f'a job for {self.job.part_number} is {self.job.state.name}: finish or cancel it first'
            )
        try:
            if self.job.state is State.READY:
                self._store.save(
                    replace(
                        self.job,
                        state=State.CANCELLED,
                        finished_ns=job.created_ns,
                        reason='replaced by another job before it began',
                    )
                )
            self._store.save(job)
        except StorageFailedError as problem:
            raise self._not_stored(problem) from problem
        self._adopt(job, ())

    def feed(self, event: Event) -> None:
        """Apply an event: store what follows, tell it, carry it out.

        When the database refuses what follows from an answer, the job stands as it does on the disk: paused, with the step to
        be done again, or with a trigger that a person resolves.

        Raises:
            Refused: The event is a command that is not allowed now, or could not be stored.
        """
        if self._closed:
            return
        following = self._machine.advance(self.job, event)
        if following.job == self.job and not following.effects:
            return
        try:
            self._store.save(following.job, following.effects)
        except StorageFailedError as problem:
            refusal = self._not_stored(problem)
            if isinstance(event, _COMMANDS):
                raise refusal from problem
            halted = self._machine.advance(self.job, Restarted(event.now_ns)).job
            self._adopt(halted if halted.unresolved else replace(halted, reason=str(problem)), ())
            return
        self.trouble = ''
        self._adopt(following.job, following.effects)

    def _adopt(self, job: Job, effects: tuple[Effect, ...]) -> None:
        self.job = job
        self.changed(job, effects)
        for effect in effects:
            self.carry_out(effect)

    def _not_stored(self, problem: StorageFailedError) -> Refused:
        self.trouble = str(problem)
        return Refused(ResultCode.STORAGE_FAILED, str(problem))
