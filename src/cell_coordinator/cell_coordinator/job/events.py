"""What goes into the job's state machine (events) and what comes out of it (effects, records)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from cell_coordinator.job.model import Outcome, Verdict


class TriggerOutcome(enum.IntEnum):
    """Numbers as in cell_interfaces/action/TriggerRobot."""

    SUCCEEDED = 0
    NOT_SENT = 1
    REFUSED = 2
    UNKNOWN = 3


class Resolution(enum.Enum):
    """What a person found after a trigger of unknown outcome."""

    DONE = 'done'
    NOT_DONE = 'not done'
    REMOVED = 'piece removed'


# Commands of people. The machine may refuse them.


@dataclass(frozen=True)
class Start:
    """Begin a job that is READY."""

    now_ns: int


@dataclass(frozen=True)
class Pause:
    """Pause after the step being done."""

    now_ns: int
    who: str = ''


@dataclass(frozen=True)
class Resume:
    """Go on."""

    now_ns: int
    who: str = ''


@dataclass(frozen=True)
class Cancel:
    """End the job."""

    now_ns: int
    who: str = ''


@dataclass(frozen=True)
class Resolve:
    """Say what became of the piece."""

    now_ns: int
    how: Resolution
    who: str = ''


# Answers to effects, by ticket.


@dataclass(frozen=True)
class TriggerEnded:
    """A trigger ended, or nobody knows whether it did."""

    now_ns: int
    ticket: int
    outcome: TriggerOutcome
    message: str = ''


@dataclass(frozen=True)
class StockSeen:
    """What the ledger has of the job's part: (tray, pieces)."""

    now_ns: int
    ticket: int
    trays: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ReadEnded:
    """A frame was read, with or without text in it."""

    now_ns: int
    ticket: int
    frame_ns: int


@dataclass(frozen=True)
class Judged:
    """The matcher gave its verdict."""

    now_ns: int
    ticket: int
    verdict: Verdict


@dataclass(frozen=True)
class BookingDone:
    """The ledger has the piece."""

    now_ns: int
    ticket: int


@dataclass(frozen=True)
class EffectFailed:
    """An effect other than a trigger could not be carried out, retries included."""

    now_ns: int
    ticket: int
    message: str


# Things that happen.


@dataclass(frozen=True)
class StockChanged:
    """The ledger has a new entry."""

    now_ns: int


@dataclass(frozen=True)
class Restarted:
    """The coordinator has come up again with this job in its database."""

    now_ns: int


Event = (
    Start
    | Pause
    | Resume
    | Cancel
    | Resolve
    | TriggerEnded
    | StockSeen
    | ReadEnded
    | Judged
    | BookingDone
    | EffectFailed
    | StockChanged
    | Restarted
)


# Effects: carried out after the snapshot is stored.


@dataclass(frozen=True)
class SendTrigger:
    """Let the robot do something. Never sent twice under one id."""

    ticket: int
    trigger_id: str
    event: str
    tray: int


@dataclass(frozen=True)
class LookUpStock:
    """Ask the ledger what the trays hold."""

    ticket: int
    part_number: str


@dataclass(frozen=True)
class ReadFrame:
    """Read a frame with a stamp later than newer_than_ns."""

    ticket: int
    newer_than_ns: int
    careful: bool = False
    """The piece was read before without a decision: read the frame in several ways."""


@dataclass(frozen=True)
class JudgeReading:
    """Judge the latest reading against the part."""

    ticket: int
    part_number: str


@dataclass(frozen=True)
class BookOut:
    """Book the piece out of its tray. Idempotent by (job_id, piece)."""

    ticket: int
    job_id: str
    piece: int
    part_number: str
    tray: int
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class AskReload:
    """Tell people that the trays are empty."""

    trays: tuple[int, ...]
    missing: int


@dataclass(frozen=True)
class PieceRecord:
    """For the history: where a piece went. Stored together with the snapshot."""

    piece: int
    tray: int
    outcome: Outcome
    reason: str
    verdict: Verdict | None
    now_ns: int


@dataclass(frozen=True)
class ReadingRecord:
    """For the history: one judged frame. Stored together with the snapshot."""

    piece: int
    attempt: int
    verdict: Verdict
    now_ns: int


Effect = SendTrigger | LookUpStock | ReadFrame | JudgeReading | BookOut | AskReload | PieceRecord | ReadingRecord
