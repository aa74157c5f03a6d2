"""Jobs in a database, for tests of packages that read them."""

from __future__ import annotations

from collections.abc import Sequence

from cell_common.database import migrate, open_database

from cell_coordinator.job.model import JobState, PickJob
from cell_coordinator.job.store import JobStore

__all__ = ['JobState', 'store_job']

S = 10**9


def store_job(url: str, now_ns: int, states: Sequence[tuple[JobState, int]], reason: str = '') -> None:
    """Store job "a" for two pieces of X1 with its states, as the coordinator does.

    Args:
        url: SQLAlchemy URL; the tables are made.
        now_ns: ROS time in nanoseconds.
        states: Each state of the job, and how many seconds ago it began. The first is that of the start.
        reason: Of a pause.
    """
    engine = open_database(url)
    migrate(engine, 'cell_coordinator')
    store = JobStore(engine)
    started_ns = now_ns - states[0][1] * S
    for state, age in states:
        job = PickJob(
            'a', 'X1', 2, 'ann', started_ns, started_ns, now_ns - 1 if state is JobState.DONE else 0, now_ns - age * S
        )
        store.save(PickJob(**{**vars(job), 'state': state, 'reason': reason, 'paused_by_fault': True}))
    engine.dispose()
