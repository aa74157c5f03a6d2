"""Changes of a pick job that several transitions of the state machine share.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import replace

from cell_coordinator.job.model import JobState, PickJob

__all__ = ['attributed', 'finished', 'paused', 'unresolved']


def paused(job: PickJob, reason: str, *, fault: bool = True) -> PickJob:
    """Return the job PAUSED with a reason; `fault` says that something failed, not that an operator asked."""
    return replace(job, state=JobState.PAUSED, pause_requested=False, paused_by_fault=fault, reason=reason)


def unresolved(job: PickJob, message: str) -> PickJob:
    """Return the job PAUSED with a trigger of unknown outcome, which an operator resolves."""
    piece = f' of piece {job.piece}' if job.piece else ''
    reason = (
        f'{job.trigger}{piece} has an unknown outcome ({message}): look at the cell, then choose Completed, '
        'Not completed or Piece removed'
    )
    return paused(replace(job, unresolved=True), reason)


def finished(job: PickJob, state: JobState, now_ns: int) -> PickJob:
    """Return the job in a terminal state."""
    reason = '' if state is JobState.DONE else job.reason
    return replace(job, state=state, finished_ns=now_ns, pause_requested=False, paused_by_fault=False, reason=reason)


def attributed(action: str, operator_id: str) -> str:
    """Return an action with the operator who asked for it, for a reason text."""
    return f'{action} by {operator_id}' if operator_id else action
