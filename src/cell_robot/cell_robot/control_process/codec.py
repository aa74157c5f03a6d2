"""What the node and its control process say to each other: one JSON object a line. No ROS, no sockets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

MAX_LINE = 4096
"""Bytes."""


class ControlError(Exception):
    """A line is not of this protocol; the text says why."""


@dataclass(frozen=True)
class Setup:
    """Tell the controller what hangs at the flange."""

    tcp: tuple[float, ...]
    """From the flange: metres and a rotation vector."""
    payload: float
    """kg."""
    center_of_gravity: tuple[float, ...]
    """Metres from the flange."""


@dataclass(frozen=True)
class MoveJoints:
    """Turn the joints there."""

    joints: tuple[float, ...]
    """rad."""
    speed: float
    """rad/s of the joint that turns most."""
    acceleration: float
    """rad/s^2."""


@dataclass(frozen=True)
class MoveLine:
    """Move the tool there on a straight line."""

    pose: tuple[float, ...]
    """Base frame: metres and a rotation vector."""
    speed: float
    """m/s."""
    acceleration: float
    """m/s^2."""


@dataclass(frozen=True)
class SetOutput:
    """Switch a digital output."""

    pin: int
    """0-7 standard, 8-15 configurable, 16-17 tool."""
    on: bool


@dataclass(frozen=True)
class Stop:
    """Brake the arm; the move under way ends as not done."""

    deceleration: float
    """rad/s^2."""


@dataclass(frozen=True)
class Ready:
    """The control script runs."""


@dataclass(frozen=True)
class Beat:
    """The process is alive; it comes several times a second."""


@dataclass(frozen=True)
class Begun:
    """The controller has taken a move."""

    number: int


@dataclass(frozen=True)
class Done:
    """A request has ended."""

    number: int
    ok: bool
    text: str
    """What is wrong; "" when it was done."""


@dataclass(frozen=True)
class Failed:
    """The process ends: it cannot go on; the text says why."""

    text: str


Request = Setup | MoveJoints | MoveLine | SetOutput | Stop
Report = Ready | Beat | Begun | Done | Failed
_REQUESTS: tuple[type[Any], ...] = (Setup, MoveJoints, MoveLine, SetOutput, Stop)
_REPORTS: tuple[type[Any], ...] = (Ready, Beat, Begun, Done, Failed)


def encode_request(number: int, request: Request) -> bytes:
    """Return the line of a request; `number` names it in the reports."""
    return _line(request, number=number)


def encode_report(report: Report) -> bytes:
    """Return the line of a report."""
    return _line(report)


def decode_request(line: bytes) -> tuple[int, Request]:
    """Return number and request of a line.

    Raises:
        ControlError: It is none.
    """
    values = _object(line)
    number = values.pop('number', None)
    if not isinstance(number, int):
        raise ControlError('a request without a number')
    request: Request = _made(values, _REQUESTS)
    return number, request


def decode_report(line: bytes) -> Report:
    """Return the report of a line.

    Raises:
        ControlError: It is none.
    """
    report: Report = _made(_object(line), _REPORTS)
    return report


def _line(message: Any, **more: Any) -> bytes:
    return json.dumps({'kind': type(message).__name__, **more, **asdict(message)}).encode() + b'\n'


def _object(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError as problem:
        raise ControlError(f'a line is no JSON: {problem}') from problem
    if not isinstance(values, dict):
        raise ControlError('a line is no object')
    return values


def _made(values: dict[str, Any], kinds: Sequence[type[Any]]) -> Any:
    name = values.pop('kind', None)
    kind = next((kind for kind in kinds if kind.__name__ == name), None)
    if kind is None or set(values) != {field.name for field in fields(kind)}:
        raise ControlError(f'a line of kind {name!r} with {sorted(values)} is not known')
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
