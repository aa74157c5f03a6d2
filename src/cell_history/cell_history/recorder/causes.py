"""Which messages are a reason to cut a clip."""

from __future__ import annotations

from cell_common.time import to_ns

from cell_history.recorder.clips import Cause
from cell_interfaces.msg import AlarmEvent, InventoryEvent, JobState, RobotState

__all__ = ['CauseFinder']

STOPS = {
    RobotState.SAFETY_PROTECTIVE_STOP: 'protective stop',
    RobotState.SAFETY_SAFEGUARD_STOP: 'safeguard stop',
    RobotState.SAFETY_SYSTEM_EMERGENCY_STOP: 'emergency stop of the system',
    RobotState.SAFETY_ROBOT_EMERGENCY_STOP: 'emergency stop of the robot',
    RobotState.SAFETY_VIOLATION: 'safety violation',
    RobotState.SAFETY_FAULT: 'safety fault',
}


class CauseFinder:
    """Finds rejects, alarms and stops; a state that lasts is one cause."""

    def __init__(self) -> None:
        """Begin without a known state."""
        self._safety = RobotState.SAFETY_UNKNOWN
        self._job_state = JobState.NONE

    def of_booking(self, event: InventoryEvent) -> Cause | None:
        """Return the cause that an entry of the ledger is; None for none."""
        if event.kind != InventoryEvent.REJECT:
            return None
        text = f'piece {event.piece} rejected: {event.reason}'
        return Cause('reject', to_ns(event.stamp), text, event.job_id, int(event.piece))

    def of_alarm(self, event: AlarmEvent) -> Cause | None:
        """Return the cause that an alarm's event is; None for none."""
        if event.kind != AlarmEvent.RAISED:
            return None
        return Cause('alarm', to_ns(event.stamp), f'{event.source}/{event.key}: {event.text}')

    def of_robot(self, state: RobotState) -> Cause | None:
        """Return the cause that a state of the robot is, when it is a new stop."""
        before, self._safety = self._safety, state.safety_mode
        if state.safety_mode not in STOPS or before == state.safety_mode:
            return None
        return Cause('stop', to_ns(state.stamp), STOPS[state.safety_mode])

    def of_job(self, job: JobState) -> Cause | None:
        """Return the cause that a state of the job is, when it was just paused or has failed."""
        before, self._job_state = self._job_state, job.state
        if job.state not in (JobState.PAUSED, JobState.FAILED) or before != JobState.RUNNING:
            return None
        return Cause('stop', to_ns(job.stamp), f'job stopped: {job.reason}', job.job_id, int(job.piece))
