"""Requests and answers of a Robotiq gripper's URCap, one ASCII line each.

`SET <name> <value> ...` is answered by `ack`, `GET <name>` by `<name> <value>`. Names and values are those of the gripper's
registers. Source: Robotiq, "2F-85 and 2F-140 instruction manual", register map; the line format is that of the URCap's script.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

PORT = 63352
MAX_LINE = 256
"""Bytes."""
ACK = 'ack'
ACTIVE = 3
"""Value of STA after the activation, which an operator starts on the pendant because the fingers move."""
STATUS = ('STA', 'PRE', 'POS', 'OBJ', 'FLT')
"""Names of a status, in the order in which they are read."""
_VALUE = re.compile(r'([A-Z]{3})\s+(\d{1,3})')


class RobotiqError(Exception):
    """The gripper did not answer, or not in its protocol; the text gives the reason."""


class ObjectStatus(enum.IntEnum):
    """Value of OBJ."""

    MOVING = 0
    STOPPED_OPENING = 1
    """The fingers met something while they opened."""
    STOPPED_CLOSING = 2
    """The fingers met something while they closed."""
    ARRIVED = 3
    """The requested position was reached: there is no object, or it was lost."""


@dataclass(frozen=True)
class GripperStatus:
    """State of the gripper at one time."""

    activation: int
    """Value of STA; ACTIVE = ready."""
    requested: int
    """Position that was requested last, 0 (open) to 255."""
    position: int
    """Present position, 0..255."""
    object: int
    """A value of ObjectStatus."""
    fault: int
    """Value of FLT; 0 = no fault."""

    @property
    def message(self) -> str:
        """Fault for the operator with its remedy, "" without one."""
        if self.activation != ACTIVE:
            return 'The Robotiq gripper is not activated. Activate it on the pendant.'
        return (
            f'The Robotiq gripper reports fault {self.fault}. Look at it, then activate it on the pendant.'
            if self.fault
            else ''
        )


def encode_get(name: str) -> bytes:
    """Return the request of one value; `name` is one of STATUS."""
    return f'GET {name}\n'.encode()


def encode_move(position: int, speed: int, force: int) -> bytes:
    """Return the request to move the fingers, with GTO 1, which starts the move.

    Args:
        position: 0 (open) to 255 (closed).
        speed: 0 (slowest) to 255.
        force: 0 (weakest) to 255.
    """
    return f'SET POS {position} SPE {speed} FOR {force} GTO 1\n'.encode()


def is_value(answer: bytes) -> bool:
    """Return whether the bytes may be a whole answer to GET."""
    return _VALUE.fullmatch(answer.decode('ascii', 'replace').strip().upper()) is not None


def is_complete(answer: bytes) -> bool:
    """Return whether nothing can follow: a line end, an `ack`, or a value with all its digits."""
    text = answer.decode('ascii', 'replace')
    return text.endswith('\n') or text.lower() == ACK or (is_value(answer) and text[-3:].isdigit())


def decode_value(name: str, line: str) -> int:
    """Return the value of an answer to GET.

    Args:
        name: The requested name; an answer with another one belongs to an earlier request.
        line: Answer without regard to case and blanks around it.

    Raises:
        RobotiqError: The line is no answer to it.
    """
    found = _VALUE.fullmatch(line.strip().upper())
    if found is None or found[1] != name or int(found[2]) > 255:
        raise RobotiqError(f'the gripper answered {line.strip()[:40]!r} to GET {name}')
    return int(found[2])
