"""Tells the cell how the job stands: topics and alarms."""

from __future__ import annotations

from collections.abc import Callable

from cell_common.alarms import AlarmReporter
from cell_common.qos import events, latched
from rclpy.node import Node

from cell_common import alarms
from cell_coordinator.job.conversions import job_message, match_message
from cell_coordinator.job.events import AskReload, Effect, PieceRecord
from cell_coordinator.job.model import Job, Outcome, State
from cell_interfaces.msg import ComponentCaptured, JobInvalid, JobState, MatchResult, ReloadRequired

_KEYS = ('job_paused', 'reload_required', 'part_rejected')


class JobAnnouncer:
    """Publishes job, component_captured, reload_required and job_invalid, and raises the job's alarms."""

    def __init__(self, node: Node) -> None:
        """Advertise the topics on a node."""
        self._node = node
        self._alarms = AlarmReporter(node)
        self._job = node.create_publisher(JobState, 'job', latched())
        self._captured = node.create_publisher(ComponentCaptured, 'component_captured', events())
        self._reload = node.create_publisher(ReloadRequired, 'reload_required', events())
        self._invalid = node.create_publisher(JobInvalid, 'job_invalid', events())
        self._last_match = MatchResult()
        self._read_times: list[float] = []
        self._of_job = ''
        self.state = JobState()
        """The job as it was published last."""
        self.listeners: list[Callable[[JobState], None]] = []

    def begin(self, job: Job) -> None:
        """Publish the job found in the database; alarms of an earlier life of this node are over."""
        for key in _KEYS:
            self._alarms.clear_alarm(key, force=True)
        self.changed(job, ())

    def changed(self, job: Job, effects: tuple[Effect, ...]) -> None:
        """Publish the job and what happened to it."""
        if job.job_id != self._of_job:
            self._of_job, self._read_times, self._last_match = job.job_id, [], match_message(job.verdict)
        self.state = job_message(job, self._last_match, self._read_times)
        self._job.publish(self.state)
        for effect in effects:
            if isinstance(effect, AskReload):
                self._reload.publish(
                    ReloadRequired(
                        stamp=self._now(),
                        job_id=job.job_id,
                        part_number=job.part_number,
                        trays=list(effect.trays),
                        missing=effect.missing,
                    )
                )
            elif isinstance(effect, PieceRecord):
                self._piece(job, effect)
        self._standing(job)
        for listener in list(self.listeners):
            listener(self.state)

    def captured(self, capture: ComponentCaptured) -> None:
        """Publish a judged component; one of the job's becomes part of its state with the next change."""
        self._captured.publish(capture)
        if capture.job_id and capture.job_id == self._of_job:
            self._last_match = capture.match
            self._read_times.append(float(capture.ocr.read_time))

    def invalid(self, code: int, message: str, part_number: str, requested: int, available: int) -> None:
        """Publish that a job was refused before it began."""
        self._invalid.publish(
            JobInvalid(
                stamp=self._now(), code=code, part_number=part_number, requested=requested, available=available, message=message
            )
        )

    def _piece(self, job: Job, record: PieceRecord) -> None:
        if record.outcome is Outcome.PLACED:
            self._alarms.clear_alarm('part_rejected')
            return
        self._alarms.raise_alarm(
            'part_rejected',
            alarms.MEDIUM,
            f'piece {record.piece} was rejected: {record.reason}',
            consequence=f'One {job.part_number} less in tray {record.tray}; the job goes on with the next.',
            action='Look at the piece in the reject tray and at the tray it came from.',
        )

    def _standing(self, job: Job) -> None:
        if job.state is State.PAUSED and job.fault:
            self._alarms.raise_alarm(
                'job_paused',
                alarms.HIGH,
                job.reason,
                consequence='The job stands still.',
                action='Say what happened to the piece, then go on.'
                if job.unresolved
                else 'Remove the cause, then go on or cancel.',
            )
        else:
            self._alarms.clear_alarm('job_paused')
        if job.state is State.WAITING_RELOAD:
            self._alarms.raise_alarm(
                'reload_required',
                alarms.MEDIUM,
                job.reason,
                consequence='The job waits.',
                action='Fill the trays and confirm the reload. The arm then goes on by itself.',
            )
        else:
            self._alarms.clear_alarm('reload_required')
        if job.over:
            self._alarms.clear_alarm('part_rejected')

    def _now(self) -> object:
        return self._node.get_clock().now().to_msg()
