"""Conversion between the job's values and ROS messages.

The pure modules import no generated messages. Where both have an enumeration, the numbers are equal, so conversion is a cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from builtin_interfaces.msg import Time
from cell_common.ros_time import to_msg
from cell_common.time import to_ns

from cell_coordinator.health import SubsystemStatus
from cell_coordinator.job.events import BookPiece, MatchReading, OcrReading, RequestReload
from cell_coordinator.job.model import MatchVerdict, PickJob, VerdictKind
from cell_interfaces import msg
from cell_interfaces.srv import BookPiece as BookPieceService


def reading_from_msg(result: msg.OcrResult) -> OcrReading:
    """Return a reading for the state machine; the message travels inside it."""
    return OcrReading(to_ns(result.header.stamp), result)


def verdict_from_msg(result: msg.MatchResult) -> MatchVerdict:
    """Return the verdict for the state machine.

    Raises:
        ValueError: The matcher is of another release and reports a verdict that this one does not know.
    """
    return MatchVerdict(
        VerdictKind(result.verdict),
        result.expected_part_number,
        to_ns(result.header.stamp),
        result.part_number,
        result.text,
        float(result.score),
        result.reason,
        result.request_id,
    )


def verdict_to_msg(verdict: MatchVerdict | None) -> msg.MatchResult:
    """Return a stored verdict; candidates and polygon are not stored. None gives an empty message."""
    if verdict is None:
        return msg.MatchResult()
    message = msg.MatchResult(
        request_id=verdict.request_id,
        expected_part_number=verdict.expected,
        verdict=int(verdict.kind),
        part_number=verdict.recognized,
        score=verdict.score,
        text=verdict.text,
        reason=verdict.reason,
    )
    message.header.stamp = to_msg(verdict.frame_ns)
    return message


def capture_to_msg(effect: MatchReading, reading: msg.OcrResult, match: msg.MatchResult) -> msg.ComponentCaptured:
    """Return a reading of the job with its verdict, for topic component_captured.

    Args:
        effect: Gives job, piece and attempt.
        reading: The OCR node's reading.
        match: The matcher's verdict on it.
    """
    return msg.ComponentCaptured(
        stamp=reading.header.stamp,
        job_id=effect.job_id,
        piece=effect.piece,
        attempt=effect.attempt,
        ocr=reading,
        match=match,
    )


def booking_to_msg(effect: BookPiece) -> BookPieceService.Request:
    """Return the request that books a piece out of its tray."""
    return BookPieceService.Request(
        job_id=effect.job_id,
        piece=effect.piece,
        part_number=effect.part_number,
        tray=effect.tray,
        outcome=int(effect.outcome),
        reason=effect.reason,
        evidence=effect.evidence,
    )


def reload_to_msg(effect: RequestReload, job: PickJob, stamp: Time) -> msg.ReloadRequired:
    """Return the request to refill the trays, for topic reload_required.

    Args:
        effect: Trays of the part, and the pieces that the job still needs.
        job: Job that waits.
        stamp: ROS time.
    """
    return msg.ReloadRequired(
        stamp=stamp,
        job_id=job.job_id,
        part_number=job.part_number,
        trays=list(effect.trays),
        missing=effect.missing,
    )


def job_to_msg(job: PickJob, last_match: msg.MatchResult, read_times: Sequence[float]) -> msg.JobState:
    """Return the job for topic job and the feedback of run_job.

    Args:
        job: The job.
        last_match: Verdict on the latest piece.
        read_times: Duration of each reading of this job in seconds, oldest first.
    """
    return msg.JobState(
        stamp=to_msg(job.changed_ns or job.created_ns),
        job_id=job.job_id,
        part_number=job.part_number,
        quantity=job.quantity,
        placed=job.placed,
        rejected=job.rejected,
        operator_id=job.operator_id,
        created_at=to_msg(job.created_ns),
        finished_at=to_msg(job.finished_ns),
        state=int(job.state),
        step=int(job.step),
        piece=job.piece,
        tray=job.tray,
        attempt=job.attempt,
        unresolved_trigger=job.unresolved,
        can_continue=bool(job.unresolved and job.interrupted),
        reason=job.reason,
        last_match=last_match,
        last_read_time=read_times[-1] if read_times else 0.0,
        median_read_time=median(read_times) if read_times else 0.0,
    )


def status_to_msg(statuses: Sequence[SubsystemStatus], ready: bool, stamp: Time) -> msg.CellStatus:
    """Return the health of the cell, for topic status.

    Args:
        statuses: One for each subsystem, in the order of the page.
        ready: Whether a job may start.
        stamp: ROS time.
    """
    subsystems = [
        msg.Subsystem(level=min(status.level, msg.Subsystem.STALE), name=status.name, message=status.message)
        for status in statuses
    ]
    return msg.CellStatus(stamp=stamp, ready=ready, subsystems=subsystems)
