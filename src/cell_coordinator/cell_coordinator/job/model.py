"""A pick job as a value: everything that must survive a crash, and nothing else."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass
from typing import Any


class State(enum.IntEnum):
    """Numbers as in cell_interfaces/msg/JobState."""

    NONE = 0
    READY = 1
    RUNNING = 2
    PAUSED = 3
    WAITING_RELOAD = 4
    DONE = 5
    CANCELLED = 6
    FAILED = 7


OVER = (State.NONE, State.DONE, State.CANCELLED, State.FAILED)


class Step(enum.IntEnum):
    """Numbers as in cell_interfaces/msg/JobState; START is STEP_IDLE there."""

    START = 0
    PICK = 1
    READ = 2
    MATCH = 3
    PLACE = 4
    REJECT = 5
    BOOK = 6


IN_HAND = (Step.READ, Step.MATCH, Step.PLACE, Step.REJECT)
"""Steps that begin with a piece in the gripper."""


class Outcome(enum.IntEnum):
    """Where a piece went; numbers as in cell_interfaces/srv/BookPiece."""

    NONE = 0
    PLACED = 1
    REJECTED = 2


class VerdictKind(enum.IntEnum):
    """Numbers as in cell_interfaces/msg/MatchResult."""

    MATCH = 0
    MISMATCH = 1
    AMBIGUOUS = 2
    UNREADABLE = 3
    UNKNOWN = 4


@dataclass(frozen=True)
class Verdict:
    """What the matcher said of one frame."""

    kind: VerdictKind
    expected: str
    """Part number that it was judged against."""
    frame_ns: int
    """Stamp of the frame, ROS time in nanoseconds."""
    recognised: str = ''
    """Part number that was recognised, "" when none."""
    text: str = ''
    score: float = 0.0
    reason: str = ''


@dataclass(frozen=True)
class Job:
    """A pick job between two transitions."""

    job_id: str
    part_number: str
    quantity: int
    operator_id: str = ''
    created_ns: int = 0
    started_ns: int = 0
    finished_ns: int = 0
    changed_ns: int = 0
    """When it came to this state."""
    state: State = State.READY
    step: Step = Step.START
    """The step being done, or to be done next."""
    placed: int = 0
    rejected: int = 0
    rejects_in_row: int = 0
    piece: int = 0
    tray: int = 0
    attempt: int = 0
    ticket: int = 0
    """Number of the latest effect. An answer that carries another one is too late and is not heard."""
    trigger: str = ''
    """Event of the trigger that was sent and has not ended; "" = none."""
    unresolved: bool = False
    """That trigger's outcome is unknown: a person must say what happened."""
    newer_than_ns: int = 0
    """Only a frame with a later stamp may judge the piece in hand."""
    frame_ns: int = 0
    """Stamp of the frame that was read last."""
    verdict: Verdict | None = None
    """Of the piece in hand; None until it was judged."""
    outcome: Outcome = Outcome.NONE
    """To be booked."""
    outcome_reason: str = ''
    pausing: bool = False
    cancelling: bool = False
    fault: bool = False
    """It is paused because something went wrong, not because a person wanted it."""
    reason: str = ''

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.state in OVER

    @property
    def trigger_id(self) -> str:
        """Correlation id of the trigger under way: never the same twice in a job."""
        return f'{self.job_id}-{self.ticket}'


NO_JOB = Job('', '', 0, state=State.NONE)


def to_json(job: Job) -> str:
    """Return the snapshot kept in the database."""
    return json.dumps(asdict(job))


def from_json(text: str) -> Job:
    """Return the job of a snapshot.

    Raises:
        ValueError: It was not written by a release that this one understands.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        verdict = data.pop('verdict')
        if verdict is not None:
            verdict = Verdict(**{**verdict, 'kind': VerdictKind(verdict['kind'])})
        data.update(state=State(data['state']), step=Step(data['step']), outcome=Outcome(data['outcome']))
        return Job(**data, verdict=verdict)
    except (KeyError, TypeError) as problem:
        raise ValueError(f'job snapshot not understood: {problem}') from problem
