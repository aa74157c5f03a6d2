from cell_coordinator.job.model import JobState, PickJob
from cell_coordinator.job.store import JobStore
from sqlalchemy import text


def test_a_snapshot_of_an_incompatible_release_comes_back_failed(engine):
    JobStore(engine).save(PickJob('a', 'G8NB-17SR', 3, created_ns=1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE pick_job SET snapshot = '{}'"))
    job = JobStore(engine).latest()
    assert (job.state, job.quantity) == (JobState.FAILED, 3) and 'not understood' in job.reason
