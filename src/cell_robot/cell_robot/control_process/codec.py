"""Protocol between the node and its control process: one JSON object per line.

Pure: no ROS, sockets, files or clock.

Every message has a `kind`, the name of its class, and the class's fields. A request also has a `number`, which its reports
repeat. Both ends are of the same release, so an unknown message is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import NamedTuple, TypeVar

MAX_LINE = 4096
"""Bytes."""
UPLOAD_TIMEOUT_S = 8.0
"""Time for the process to upload its script again and to start it; ur_rtde waits 5 s. The arm stands meanwhile."""

ENDED = 'the program on the robot ended without a command of the cell'
"""Error of a process that has found its script ended by another client or at the pendant."""


class ControlError(Exception):
    """A line violates the protocol; the text gives the reason."""


@dataclass(frozen=True)
class SetToolAndPayload:
    """Set tool and payload on the controller."""

    tcp: tuple[float, ...]
    """Tool center point from the flange: meters and a rotation vector."""
    payload: float
    """kg."""
    center_of_gravity: tuple[float, ...]
    """Meters from the flange."""


@dataclass(frozen=True)
class MoveJoints:
    """Joint move."""

    joints: tuple[float, ...]
    """rad."""
    speed: float
    """rad/s of the leading joint."""
    acceleration: float
    """rad/s^2."""


@dataclass(frozen=True)
class MoveLine:
    """Straight line of the tool."""

    pose: tuple[float, ...]
    """Base frame: meters and a rotation vector."""
    speed: float
    """m/s."""
    acceleration: float
    """m/s^2."""


class BlendedMove(NamedTuple):
    """One move of a path."""

    line: bool
    """A straight line of the tool; otherwise a joint move."""
    end: tuple[float, ...]
    """Tool pose (meters and a rotation vector, base frame) of a line, joints (rad) of a joint move."""
    speed: float
    """m/s, or rad/s of the leading joint."""
    acceleration: float
    blend: float
    """Radius in meters within which the corner to the next move is rounded."""


@dataclass(frozen=True)
class MovePath:
    """Several moves without a stop between them. ur_rtde uploads its script again with the moves in it, then starts them."""

    moves: tuple[BlendedMove, ...]

    @property
    def entries(self) -> tuple[BlendedMove, ...]:
        """Moves as they were sent; JSON knows no tuples."""
        return tuple(BlendedMove(*move) for move in self.moves)


@dataclass(frozen=True)
class TryPath:
    """Execute a path without motion, to find out whether the controller does that; tool and watchdog stay as they are."""

    joints: tuple[float, ...]
    """Where the arm stands, rad."""


@dataclass(frozen=True)
class SetFreedrive:
    """Let the arm be moved by hand, or hold it again."""

    on: bool


@dataclass(frozen=True)
class SetOutput:
    """Switch a digital output."""

    pin: int
    """0-7 standard, 8-15 configurable, 16-17 tool."""
    on: bool


@dataclass(frozen=True)
class StopArm:
    """Brake the arm; a running move ends with an error."""

    deceleration: float
    """rad/s^2."""


@dataclass(frozen=True)
class ControlSettings:
    """Settings of a control process, on its command line."""

    address: str
    """Address of the robot."""
    watchdog: float
    """Minimum rate of the watchdog signal to the controller, Hz."""
    outputs: tuple[int, ...]
    """Digital outputs to claim: 0-7 standard, 8-15 configurable, 16-17 tool."""
    upper: bool
    """Use ur_rtde's upper range of registers."""


@dataclass(frozen=True)
class ControlReady:
    """The control script runs."""


@dataclass(frozen=True)
class Heartbeat:
    """Sign of life, several times a second; it shows that ur_rtde does not block the process."""


@dataclass(frozen=True)
class ScriptAsked:
    """The process asks the control script for a sign of life; until its answer the process may hang."""


@dataclass(frozen=True)
class ScriptAnswered:
    """The control script has answered."""


@dataclass(frozen=True)
class MoveStarted:
    """The controller has accepted a move."""

    number: int


@dataclass(frozen=True)
class RequestDone:
    """End of a request; each request gets exactly one, unless the process ends first."""

    number: int
    ok: bool
    text: str
    """Error for the operator; "" when `ok`."""


@dataclass(frozen=True)
class ControlFailed:
    """The process ends with an error."""

    text: str


ControlRequest = SetToolAndPayload | MoveJoints | MoveLine | MovePath | TryPath | SetFreedrive | SetOutput | StopArm
ControlReport = ControlReady | Heartbeat | ScriptAsked | ScriptAnswered | MoveStarted | RequestDone | ControlFailed
_REQUESTS: Mapping[str, type[ControlRequest]] = {
    kind.__name__: kind
    for kind in (SetToolAndPayload, MoveJoints, MoveLine, MovePath, TryPath, SetFreedrive, SetOutput, StopArm)
}
_REPORTS: Mapping[str, type[ControlReport]] = {
    kind.__name__: kind
    for kind in (ControlReady, Heartbeat, ScriptAsked, ScriptAnswered, MoveStarted, RequestDone, ControlFailed)
}
Fields = dict[str, object]
"""Members of a JSON object."""
T = TypeVar('T')


def encode_settings(settings: ControlSettings) -> str:
    """Return settings as one argument of the command line."""
    return json.dumps(asdict(settings))


def decode_settings(text: str) -> ControlSettings:
    """Return the settings of an argument.

    Args:
        text: Result of `encode_settings`.

    Raises:
        ControlError: The text violates the protocol.
    """
    return _build(
        {'kind': ControlSettings.__name__, **_parse_object(text.encode())}, {ControlSettings.__name__: ControlSettings}
    )


def encode_request(number: int, request: ControlRequest) -> bytes:
    """Return the line of a request.

    Args:
        number: Identifies the request in the reports; unique within one process.
        request: Any of the request types; angles in radians, lengths in meters, times in seconds.
    """
    return _encode(request, number=number)


def encode_report(report: ControlReport) -> bytes:
    """Return the line of a report."""
    return _encode(report)


def decode_request(line: bytes) -> tuple[int, ControlRequest]:
    """Return number and request of a line.

    Args:
        line: Without its line end.

    Raises:
        ControlError: The line violates the protocol.
    """
    values = _parse_object(line)
    number = values.pop('number', None)
    if not isinstance(number, int):
        raise ControlError('request without a number')
    return number, _build(values, _REQUESTS)


def decode_report(line: bytes) -> ControlReport:
    """Return the report of a line.

    Raises:
        ControlError: The line violates the protocol.
    """
    return _build(_parse_object(line), _REPORTS)


def _encode(message: ControlRequest | ControlReport, **more: int) -> bytes:
    return json.dumps({'kind': type(message).__name__, **more, **asdict(message)}).encode() + b'\n'


def _parse_object(line: bytes) -> Fields:
    """Return the members of a JSON object.

    Raises:
        ControlError: The line is none.
    """
    try:
        values = json.loads(line)
    except ValueError as error:
        raise ControlError(f'line is not JSON: {error}') from error
    if not isinstance(values, dict):
        raise ControlError('line is not a JSON object')
    return values


def _build(values: Fields, kinds: Mapping[str, type[T]]) -> T:
    """Return the message of a JSON object; its keys must be exactly the fields of its kind.

    Raises:
        ControlError: Unknown kind, or other keys.
    """
    name = values.pop('kind', None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None or set(values) != {field.name for field in fields(kind)}:  # type: ignore[arg-type]
        raise ControlError(f'unknown message {name!r} with {sorted(values)}')
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
