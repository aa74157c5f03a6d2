"""Jobs and verdicts as ROS messages, and back."""

from __future__ import annotations

from statistics import median

from builtin_interfaces.msg import Time
from cell_common.time import NS_PER_S, to_ns

from cell_coordinator.health import Line
from cell_coordinator.job.model import Job, Verdict, VerdictKind
from cell_interfaces.msg import CellStatus, JobState, MatchResult, Subsystem


def time_message(stamp_ns: int) -> Time:
    """Return nanoseconds as a ROS time."""
    return Time(sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def verdict_of(result: MatchResult) -> Verdict:
    """Return what the state machine needs of a matcher's result."""
    return Verdict(
        VerdictKind(result.verdict),
        result.expected_part_number,
        to_ns(result.header.stamp),
        result.part_number,
        result.text,
        float(result.score),
        result.reason,
    )


def match_message(verdict: Verdict | None) -> MatchResult:
    """Return a verdict that was kept in the database, without what only the matcher knew."""
    if verdict is None:
        return MatchResult()
    message = MatchResult(
        expected_part_number=verdict.expected,
        verdict=int(verdict.kind),
        part_number=verdict.recognised,
        score=verdict.score,
        text=verdict.text,
        reason=verdict.reason,
    )
    message.header.stamp = time_message(verdict.frame_ns)
    return message


def job_message(job: Job, last_match: MatchResult, read_times: list[float]) -> JobState:
    """Return the job for `job` and the feedback of run_job.

    Args:
        job: The job.
        last_match: Verdict on the latest piece.
        read_times: Seconds of each reading of this job, in order.
    """
    return JobState(
        stamp=time_message(job.changed_ns or job.created_ns),
        job_id=job.job_id,
        part_number=job.part_number,
        quantity=job.quantity,
        placed=job.placed,
        rejected=job.rejected,
        operator_id=job.operator_id,
        created_at=time_message(job.created_ns),
        finished_at=time_message(job.finished_ns),
        state=int(job.state),
        step=int(job.step),
        piece=job.piece,
        tray=job.tray,
        attempt=job.attempt,
        unresolved_trigger=job.unresolved,
        reason=job.reason,
        last_match=last_match,
        last_read_time=read_times[-1] if read_times else 0.0,
        median_read_time=median(read_times) if read_times else 0.0,
    )


def status_message(lines: list[Line], ready: bool, stamp: Time) -> CellStatus:
    """Return the cell's health."""
    subsystems = [Subsystem(level=min(line.level, Subsystem.STALE), name=line.name, message=line.message) for line in lines]
    return CellStatus(stamp=stamp, ready=ready, subsystems=subsystems)
