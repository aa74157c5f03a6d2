"""Inputs (events) and outputs (effects and records) of the job's state machine.

Pure: no ROS, sockets, files or clock.

Every event carries its time, `now_ns`: ROS time in nanoseconds. An effect that expects an answer has an `effect_id`, and its
answer carries the same. The machine ignores an answer to any effect but the latest, so a late answer cannot change a later
step.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from cell_common.gripper_sensor import GripperSensor

from cell_coordinator.job.model import MatchVerdict, PieceOutcome


class RobotOutcome(enum.IntEnum):
    """Outcome of a robot trigger; numbers of cell_interfaces/action/TriggerRobot."""

    SUCCEEDED = 0
    NOT_SENT = 1
    REFUSED = 2
    UNKNOWN = 3
    INTERRUPTED = 4


class Resolution(enum.Enum):
    """What the operator found after a trigger with an unknown outcome.

    DONE and NOT_DONE are about the step. REMOVED says that the piece has left the cell, and books it as rejected.
    """

    DONE = 'completed'
    NOT_DONE = 'not completed'
    REMOVED = 'piece removed'


@dataclass(frozen=True)
class OcrReading:
    """One reading of the OCR node, passed from `ReadFinished` to `MatchReading`."""

    frame_ns: int
    """Stamp of the frame, ROS time in nanoseconds."""
    message: object = None
    """The OcrResult message; the rules never look into it."""


# Operator commands. The machine may reject them.


@dataclass(frozen=True)
class Start:
    """Start a job that is READY."""

    now_ns: int


@dataclass(frozen=True)
class Pause:
    """Pause after the current step; between pieces at once."""

    now_ns: int
    operator_id: str = ''


@dataclass(frozen=True)
class Resume:
    """Resume a paused job, or withdraw a pause request. Not allowed while a trigger is unresolved."""

    now_ns: int
    operator_id: str = ''


@dataclass(frozen=True)
class Cancel:
    """End the job; a piece in the gripper is rejected.

    Attributes:
        now_ns: ROS time in nanoseconds.
        operator_id: For the reason text; "" = not known.
        sensor: Gripper sensor at that time; decides where the open piece is said to be.
    """

    now_ns: int
    operator_id: str = ''
    sensor: GripperSensor = GripperSensor.UNKNOWN


@dataclass(frozen=True)
class Resolve:
    """Report the outcome of an unresolved trigger."""

    now_ns: int
    resolution: Resolution
    operator_id: str = ''
    sensor: GripperSensor = GripperSensor.UNKNOWN
    overrule: bool = False
    """The operator insists on the answer although the gripper's sensor contradicts it."""


# Answers to effects.


@dataclass(frozen=True)
class TriggerFinished:
    """The robot finished a trigger, or its outcome is unknown."""

    now_ns: int
    effect_id: int
    outcome: RobotOutcome
    message: str = ''


@dataclass(frozen=True)
class StockReceived:
    """Stock of the job's part in the ledger, the answer to `QueryStock`."""

    now_ns: int
    effect_id: int
    trays: tuple[tuple[int, int], ...]
    """(tray number, pieces) of each tray."""


@dataclass(frozen=True)
class ReadFinished:
    """A frame was read; the reading may contain no text."""

    now_ns: int
    effect_id: int
    reading: OcrReading


@dataclass(frozen=True)
class VerdictReceived:
    """The matcher compared a reading with the ordered part."""

    now_ns: int
    effect_id: int
    verdict: MatchVerdict


@dataclass(frozen=True)
class BookingConfirmed:
    """The ledger stored the piece, now or at an earlier call."""

    now_ns: int
    effect_id: int


@dataclass(frozen=True)
class EffectFailed:
    """An effect other than a trigger failed, retries included.

    Nothing has moved, so the step can be repeated. A trigger reports its failure as a TriggerFinished.
    """

    now_ns: int
    effect_id: int
    message: str
    refused: bool = False
    """The other node refused: the same request will fail again."""


# Other events.


@dataclass(frozen=True)
class StockChanged:
    """The ledger has a new entry; a job that waits for a reload queries the stock again."""

    now_ns: int


@dataclass(frozen=True)
class CoordinatorRestarted:
    """The coordinator started and found this job in its database.

    Also used when a transition cannot be stored: the job then goes on from the stored snapshot, as after a crash.
    """

    now_ns: int


@dataclass(frozen=True)
class StorageFailed:
    """The job could not be stored, so it goes on from what the database holds."""

    now_ns: int
    message: str


Command = Start | Pause | Resume | Cancel | Resolve
Event = (
    Command
    | TriggerFinished
    | StockReceived
    | ReadFinished
    | VerdictReceived
    | BookingConfirmed
    | EffectFailed
    | StockChanged
    | CoordinatorRestarted
    | StorageFailed
)


# Effects. They are executed after the snapshot is stored.


@dataclass(frozen=True)
class SendTrigger:
    """Send a trigger to the robot. No trigger id is sent twice."""

    effect_id: int
    trigger_id: str
    event: str
    tray: int
    continues: str = ''
    """Id of the interrupted trigger whose rest is to be executed; "" = a new event."""


@dataclass(frozen=True)
class QueryStock:
    """Query the ledger for the stock of the part."""

    effect_id: int
    part_number: str


@dataclass(frozen=True)
class ReadFrame:
    """Read a frame with a stamp later than `after_ns` that shows a part which came into view after `picked_ns`.

    Both conditions together keep a frame of the previous piece, or of a part that lay in view before, from deciding about this
    one.
    """

    effect_id: int
    after_ns: int
    picked_ns: int = 0
    shown_ns: int = 0
    """When the robot reported that it shows the part; 0 = unknown."""
    careful: bool = False
    """Read in several ways, which takes seconds: an earlier reading of this piece was not decisive."""


@dataclass(frozen=True)
class MatchReading:
    """Compare a reading with the ordered part."""

    effect_id: int
    job_id: str
    piece: int
    attempt: int
    part_number: str
    reading: OcrReading


@dataclass(frozen=True)
class BookPiece:
    """Book the piece out of its tray. Idempotent under the key (job_id, piece)."""

    effect_id: int
    job_id: str
    piece: int
    part_number: str
    tray: int
    outcome: PieceOutcome
    reason: str
    evidence: str = ''
    """Verdict and text of the reading that decided; "" = none."""


@dataclass(frozen=True)
class ArchiveReject:
    """Keep the frame of a piece that goes into the reject tray. Best effort, without an answer."""

    verdict: MatchVerdict
    job_id: str
    piece: int


@dataclass(frozen=True)
class RequestReload:
    """Ask the operator to fill the empty trays."""

    trays: tuple[int, ...]
    missing: int
    """Pieces that the job still needs."""


# Records. They are stored in the history in the same transaction as the snapshot.


@dataclass(frozen=True)
class PieceRecord:
    """Destination of one piece and its evidence: the verdict of its last reading, None if it was not read."""

    piece: int
    tray: int
    outcome: PieceOutcome
    reason: str
    verdict: MatchVerdict | None
    now_ns: int


@dataclass(frozen=True)
class ReadingRecord:
    """One reading with its verdict; a piece has up to `read_attempts` of them."""

    piece: int
    attempt: int
    verdict: MatchVerdict
    now_ns: int


AnsweredEffect = SendTrigger | QueryStock | ReadFrame | MatchReading | BookPiece
Effect = AnsweredEffect | ArchiveReject | RequestReload | PieceRecord | ReadingRecord
