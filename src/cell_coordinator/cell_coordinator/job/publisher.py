"""Publishes the job's topics and raises its alarms.

Topic `job` is transient local and carries the whole job, so a page that opens late shows the truth without a query.
"""

from __future__ import annotations

from collections.abc import Callable

from cell_common.alarms import AlarmReporter
from cell_common.qos import events, latched
from rclpy.node import Node

from cell_coordinator.job.conversions import job_to_msg, reload_to_msg, verdict_to_msg
from cell_coordinator.job.events import Effect, PieceRecord, RequestReload
from cell_coordinator.job.model import JobState, PickJob, PieceOutcome
from cell_interfaces import msg


class JobPublisher:
    """Publisher of job, component_captured, reload_required and job_invalid, and of the job's alarms.

    Reading times and the last match are not part of the stored job. They are collected here, for the current job only, and
    start empty after a restart.
    """

    def __init__(self, node: Node) -> None:
        """Create the publishers on a node."""
        self._node = node
        self._alarms = AlarmReporter(node)
        self._job = node.create_publisher(msg.JobState, 'job', latched())
        self._captured = node.create_publisher(msg.ComponentCaptured, 'component_captured', events())
        self._reload = node.create_publisher(msg.ReloadRequired, 'reload_required', events())
        self._invalid = node.create_publisher(msg.JobInvalid, 'job_invalid', events())
        self._last_match = msg.MatchResult()
        self._read_times: list[float] = []
        self._job_id = ''
        self._listeners: list[Callable[[msg.JobState], None]] = []
        self.last_state = msg.JobState()
        """The job as it was published last."""

    def add_listener(self, listener: Callable[[msg.JobState], None]) -> None:
        """Call a listener with each published job, in the executor's thread; it must not block or raise."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[msg.JobState], None]) -> None:
        """Stop calling a listener."""
        self._listeners.remove(listener)

    def publish_initial(self, job: PickJob) -> None:
        """Publish the persisted job."""
        self.publish(job, ())

    def publish(self, job: PickJob, effects: tuple[Effect, ...]) -> None:
        """Publish the job, the reload requests among the effects, and the alarms that follow from both.

        Args:
            job: The job as it was stored.
            effects: Effects of the transition that led to it.
        """
        if job.job_id != self._job_id:
            # The stored verdict has no candidates, but the page shows it until the next reading.
            self._job_id, self._read_times, self._last_match = job.job_id, [], verdict_to_msg(job.verdict)
        self.last_state = job_to_msg(job, self._last_match, self._read_times)
        self._job.publish(self.last_state)
        for effect in effects:
            if isinstance(effect, RequestReload):
                self._reload.publish(reload_to_msg(effect, job, self._node.get_clock().now().to_msg()))
            elif isinstance(effect, PieceRecord):
                self._on_piece_recorded(job, effect)
        self._update_alarms(job)
        # A copy: a listener removes itself when the job has finished.
        for listener in list(self._listeners):
            listener(self.last_state)

    def publish_capture(self, capture: msg.ComponentCaptured) -> None:
        """Publish a reading with its verdict. One of the current job is part of its next published state.

        Args:
            capture: `job_id` is "" for a reading outside a job.
        """
        self._captured.publish(capture)
        if capture.job_id and capture.job_id == self._job_id:
            self._last_match = capture.match
            self._read_times.append(float(capture.ocr.read_time))

    def publish_invalid(self, code: int, message: str, part_number: str, requested: int, available: int) -> None:
        """Publish that a job was rejected before its start.

        Args:
            code: ResultCode of the rejection.
            message: For the operator.
            part_number: As requested; may be unknown.
            requested: Number of pieces as requested.
            available: Pieces in the trays of the part, 0 if unknown.
        """
        self._invalid.publish(
            msg.JobInvalid(
                stamp=self._node.get_clock().now().to_msg(),
                code=code,
                part_number=part_number,
                requested=requested,
                available=available,
                message=message,
            )
        )

    def _on_piece_recorded(self, job: PickJob, record: PieceRecord) -> None:
        """Raise an alarm of its own for each rejected piece: it stays on the operator's list until it is acknowledged.

        The alarm is cleared at once, because there is no condition that lasts. ISA-18.2 then calls it RETURNED, and only an
        operator closes it.
        """
        if record.outcome is PieceOutcome.PLACED:
            return
        request_id = record.verdict.request_id if record.verdict else ''
        instance = f'{record.piece}/{request_id or job.job_id}'
        reason = record.reason.removeprefix('wrong part: ').removeprefix('unknown part: ').split(': ')[0]
        self._alarms.raise_known(
            'part_rejected', instance=instance, piece=record.piece, reason=reason, tray=record.tray, part=job.part_number
        )
        self._alarms.clear_alarm(f'part_rejected/{instance}')

    def _update_alarms(self, job: PickJob) -> None:
        """Raise or clear the alarms that follow from the state of the job."""
        if job.state is JobState.PAUSED and job.paused_by_fault:
            self._alarms.raise_known('job_paused')
        else:
            self._alarms.clear_alarm('job_paused')
        if job.state is JobState.WAITING_RELOAD:
            self._alarms.raise_known('reload_required', part=job.part_number, missing=job.quantity - job.placed)
        else:
            self._alarms.clear_alarm('reload_required')
