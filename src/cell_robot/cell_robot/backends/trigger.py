"""A trigger: one event for the robot to execute, its progress and its outcome.

Pure: no ROS, sockets, files or clock.

NOT_SENT and REFUSED are certain: nothing moved, or the robot says so. UNKNOWN is everything between a byte that may have left
and a confirmation that did not arrive.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from cell_common.error_code import ErrorCode


class TriggerPhase(enum.Enum):
    """Progress or end of a trigger."""

    NOT_SENT = 'not sent'
    """Nothing left the node: retrying is safe."""
    SENT = 'sent'
    ACKNOWLEDGED = 'acknowledged'
    """The robot has accepted the event and is busy."""
    DONE = 'done'
    REFUSED = 'refused'
    """The robot reported that it did not execute the event."""
    UNKNOWN = 'unknown'
    """Sent and never confirmed: an operator resolves it."""
    INTERRUPTED = 'interrupted'
    """Stopped during its moves, and it is certain how far it got: a trigger that continues it executes the rest."""


@dataclass(frozen=True)
class TriggerCommand:
    """One event for the robot to execute."""

    trigger_id: str
    """Unique correlation id."""
    event: str
    """START_PROGRAM, PART_<part number>, PLACE, REJECT, BENCHMARK, HOME or, where allowed, MOVE_<named pose>."""
    tray: int = 0
    """1..4; 0 = not specified."""
    continues: str = ''
    """Id of the interrupted trigger whose rest is to be executed; "" = a new event."""


@dataclass(frozen=True)
class TriggerOutcome:
    """End of a trigger."""

    phase: TriggerPhase
    """NOT_SENT, DONE, REFUSED, UNKNOWN or INTERRUPTED."""
    code: ErrorCode
    message: str
    """Result or fault for the operator, with the remedy."""
    note: str = ''
    """What the operator should look at although the event is done; "" = nothing."""


def not_sent(code: ErrorCode, message: str) -> TriggerOutcome:
    """Return the outcome of a trigger that never left the node: the arm has not moved for it, and its id may be used again.

    Args:
        code: Reason, for programs; never OK.
        message: Reason and remedy, for the operator.
    """
    return TriggerOutcome(TriggerPhase.NOT_SENT, code, message)
