"""The pick job as an immutable value that is stored as JSON.

Pure: no ROS, sockets, files or clock.

`PickJob` holds everything that must survive a crash, and nothing else. The enumerations have the numbers of the messages'
constants; `test_model.py` compares them.

A new field needs a default: snapshots of earlier releases do not have it.
"""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass
from typing import Any


class JobState(enum.IntEnum):
    """State of the job; numbers of cell_interfaces/msg/JobState.

    NONE is the absence of a job, see NO_JOB. WAITING_RELOAD continues after a refill; PAUSED needs an operator.
    """

    NONE = 0
    READY = 1
    RUNNING = 2
    PAUSED = 3
    WAITING_RELOAD = 4
    DONE = 5
    CANCELLED = 6
    FAILED = 7


TERMINAL_STATES = (JobState.NONE, JobState.DONE, JobState.CANCELLED, JobState.FAILED)


class JobStep(enum.IntEnum):
    """Step of the current piece; numbers of cell_interfaces/msg/JobState, where START is called STEP_IDLE.

    START comes once per job. The others follow each other for every piece; PLACE and REJECT are alternatives.
    """

    START = 0
    PICK = 1
    READ = 2
    MATCH = 3
    PLACE = 4
    REJECT = 5
    BOOK = 6


STEPS_WITH_PIECE = (JobStep.READ, JobStep.MATCH, JobStep.PLACE, JobStep.REJECT)
"""Steps that start with a piece in the gripper."""


class PieceOutcome(enum.IntEnum):
    """Destination of a piece; numbers of cell_interfaces/srv/BookPiece."""

    NONE = 0
    PLACED = 1
    REJECTED = 2


class VerdictKind(enum.IntEnum):
    """Decision of the matcher; numbers of cell_interfaces/msg/MatchResult."""

    MATCH = 0
    MISMATCH = 1
    AMBIGUOUS = 2
    UNREADABLE = 3
    UNKNOWN = 4


@dataclass(frozen=True)
class MatchVerdict:
    """Verdict of the matcher on one reading.

    It says nothing about when the piece was picked: `transitions.is_verified` compares its frame with the pick.
    """

    kind: VerdictKind
    expected: str
    """Part number that the reading was compared with."""
    frame_ns: int
    """Stamp of the frame, ROS time in nanoseconds."""
    recognized: str = ''
    """Part number that was recognized, "" if none was."""
    text: str = ''
    score: float = 0.0
    reason: str = ''
    request_id: str = ''
    """Id of the reading; the OCR node keeps its frame under this id for a while."""


@dataclass(frozen=True)
class PickJob:
    """A pick job between two transitions.

    Times are ROS time in nanoseconds, 0 = not yet. Counters: `placed`, `rejected` and `consecutive_rejects` count booked
    pieces; `piece` and `attempt` are numbers from 1, and 0 before the first.
    """

    job_id: str
    part_number: str
    quantity: int
    operator_id: str = ''
    created_ns: int = 0
    started_ns: int = 0
    finished_ns: int = 0
    changed_ns: int = 0
    """Time of the last change of `state`."""
    state: JobState = JobState.READY
    step: JobStep = JobStep.START
    """The current step, or the next one if nothing is running."""
    placed: int = 0
    rejected: int = 0
    consecutive_rejects: int = 0
    piece: int = 0
    tray: int = 0
    attempt: int = 0
    effect_id: int = 0
    """Number of the latest effect. An answer to an earlier effect is ignored."""
    trigger: str = ''
    """Event of the trigger that was sent and has no outcome yet; "" = none."""
    uncertain: str = ''
    """`step_mark` of the latest trigger with an unknown outcome; its answer may be corrected until the piece is booked."""
    unresolved: bool = False
    """The outcome of that trigger is unknown: an operator must resolve it."""
    interrupted: str = ''
    """Id of the unresolved trigger that a stop has interrupted, and that Resume continues; "" = none."""
    continues: str = ''
    """Id of the interrupted trigger that the latest one continues; "" = none."""
    picked_ns: int = 0
    """When the pick of the current piece was commanded."""
    shown_ns: int = 0
    """When the robot reported that it shows the piece; 0 = unknown, as after a pause."""
    frame_after_ns: int = 0
    """Only a frame with a later stamp counts for the current piece."""
    frame_ns: int = 0
    """Stamp of the frame that was read last."""
    verdict: MatchVerdict | None = None
    """Verdict on the current piece; None before the first."""
    outcome: PieceOutcome = PieceOutcome.NONE
    """Outcome of the current piece that is to be booked."""
    outcome_reason: str = ''
    booking_refused: bool = False
    """The ledger refused to book this piece: it holds another entry for it."""
    pause_requested: bool = False
    cancel_requested: bool = False
    paused_by_fault: bool = False
    """The job was paused by a fault, not by an operator."""
    reason: str = ''
    """For the operator: why the job is paused, waiting or failed."""
    reset_id: str = ''
    """Id of the latest reset of the stock that this job has seen; a reset counts once, whatever the clocks say."""
    cleared: bool = False
    """A reset of the stock cleared the job: it is history, and no job is shown."""

    @property
    def finished(self) -> bool:
        """True if the job is in a terminal state."""
        return self.state in TERMINAL_STATES

    @property
    def step_mark(self) -> str:
        """Name of the current step of the current piece, e.g. "PICK/3"."""
        return f'{self.step.name}/{self.piece}'

    @property
    def trigger_id(self) -> str:
        """Correlation id of the latest trigger; unique within the job.

        It can be computed from the stored job alone. So a restarted coordinator knows the id of a trigger that may have been
        sent.
        """
        return f'{self.job_id}-{self.effect_id}'


NO_JOB = PickJob('', '', 0, state=JobState.NONE)


def to_json(job: PickJob) -> str:
    """Return the snapshot that is stored in the database."""
    return json.dumps(asdict(job))


def from_json(text: str) -> PickJob:
    """Return the job of a snapshot.

    Raises:
        ValueError: The snapshot was written by an incompatible release: a required field is missing, or one is unknown.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        verdict = data.pop('verdict')
        if verdict is not None:
            verdict = MatchVerdict(**{**verdict, 'kind': VerdictKind(verdict['kind'])})
        data.update(state=JobState(data['state']), step=JobStep(data['step']), outcome=PieceOutcome(data['outcome']))
        return PickJob(**data, verdict=verdict)
    except (KeyError, TypeError) as error:
        raise ValueError(f'job snapshot not understood: {error}') from error
