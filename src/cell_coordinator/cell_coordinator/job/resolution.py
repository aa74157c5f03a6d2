"""Rules for an operator's answer about a piece, and for a cancellation while the arm stands still.

Pure: no ROS, sockets, files or clock.

The gripper's sensor checks both. An answer that the sensor contradicts needs an overrule, which is recorded.

An answer may be corrected until the piece is booked: `PickJob.uncertain` keeps the step whose outcome was in doubt, also after
the first answer.
"""

from __future__ import annotations

from dataclasses import replace

from cell_common.alarm_texts import ALARM_TEXTS
from cell_common.gripper_sensor import GripperSensor

from cell_coordinator.job.events import Resolution
from cell_coordinator.job.model import STEPS_WITH_PIECE, JobState, JobStep, PickJob

__all__ = ['answer_error', 'cancel_texts', 'contradiction', 'piece_is_open', 'step_after_not_done']

LEFT_IN_GRIPPER = 'left in the gripper when the job was canceled'
NOT_IN_GRIPPER = 'not in the gripper when the job was canceled'
REMOVE_PIECE = ALARM_TEXTS['coordinator/canceled_holding'].reason()
FIND_PIECE = ALARM_TEXTS['coordinator/canceled_empty'].reason()
LOOK_AT_GRIPPER = ALARM_TEXTS['coordinator/canceled_no_sensor'].reason()

BOOKED_OTHERWISE = 'is recorded otherwise in the ledger. Correct the count of its tray.'

_HOLDS_AFTER = {
    (JobStep.PICK, Resolution.DONE): True,
    (JobStep.PLACE, Resolution.NOT_DONE): True,
    (JobStep.REJECT, Resolution.NOT_DONE): True,
}
"""(step, answer) -> the gripper then holds a piece; all other answers mean that it is empty."""


def piece_is_open(job: PickJob) -> bool:
    """Return True if a piece was moved, and its outcome is not booked yet.

    A pick that is in doubt counts, too: the piece may be in the gripper.
    """
    return job.step in STEPS_WITH_PIECE or (job.step is JobStep.PICK and _is_uncertain(job, JobStep.PICK))


def answer_error(job: PickJob, resolution: Resolution) -> str:
    """Return why an answer is not possible now; "" if it is.

    Args:
        job: The current job.
        resolution: The operator's answer about its step in doubt.
    """
    if job.state is not JobState.PAUSED or not (job.unresolved or piece_is_open(job)):
        return 'no answer about a piece is expected now'
    if resolution is Resolution.REMOVED:
        picked = job.step is not JobStep.START
        return '' if picked else 'no piece was picked yet: answer Completed or Not completed'
    if job.unresolved or _is_uncertain(job, job.step):
        return ''
    if resolution is Resolution.NOT_DONE and _repeats_pick(job):
        return ''
    return f'{job.step.name} is not in doubt: press Resume, or remove the piece and answer Piece removed'


def contradiction(job: PickJob, resolution: Resolution, sensor: GripperSensor) -> str:
    """Return how the gripper's sensor contradicts an answer; "" if it does not, or if there is no sensor.

    Args:
        job: Its step says what the answer means for the gripper, see `_HOLDS_AFTER`.
        resolution: The operator's answer.
        sensor: State of the sensor when the answer was given.
    """
    if sensor is GripperSensor.UNKNOWN or job.step is JobStep.START:
        return ''
    holds = _HOLDS_AFTER.get((job.step, resolution), False)
    if holds == (sensor is GripperSensor.HOLDS):
        return ''
    return f'The gripper sensor reports "{sensor.value}". This contradicts the answer "{resolution.value}"'


def cancel_texts(sensor: GripperSensor) -> tuple[str, str]:
    """Return the ledger's reason and the operator's instruction for a piece that is open when the job is canceled.

    Args:
        sensor: State of the sensor; without one the operator must look.
    """
    if sensor is GripperSensor.EMPTY:
        return NOT_IN_GRIPPER, FIND_PIECE
    return LEFT_IN_GRIPPER, REMOVE_PIECE if sensor is GripperSensor.HOLDS else LOOK_AT_GRIPPER


def step_after_not_done(job: PickJob) -> JobStep:
    """Return the step that Resume repeats after the answer NOT_DONE.

    Normally that is the step in doubt. Before the reading it may be the pick: the operator first answered DONE, and corrects
    it.
    """
    return JobStep.PICK if _repeats_pick(job) else job.step


def _is_uncertain(job: PickJob, step: JobStep) -> bool:
    """Return True if this step of the current piece had an unknown outcome, whether it was answered or not."""
    return job.piece > 0 and job.uncertain == replace(job, step=step).step_mark


def _repeats_pick(job: PickJob) -> bool:
    """Return True while a piece is to be read whose pick was in doubt: NOT_DONE then means that there is no piece."""
    return job.step in (JobStep.READ, JobStep.MATCH) and _is_uncertain(job, JobStep.PICK)
