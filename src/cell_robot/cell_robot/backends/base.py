"""What the robot node asks of a link to the robot; the node knows nothing else of it.

A backend does its device work in threads of its own and answers with futures. Its callbacks may come from any thread.
"""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from cell_interfaces.msg import ResultCode, RobotState


class Phase(enum.Enum):
    """Where a trigger stands."""

    NOT_SENT = 'not sent'
    """Nothing left the node: it is safe to try again."""
    SENT = 'sent'
    ACKNOWLEDGED = 'acknowledged'
    """The robot has taken it and is busy."""
    DONE = 'done'
    REFUSED = 'refused'
    """The robot said that it did not do it."""
    UNKNOWN = 'unknown'
    """It was sent and never confirmed: a person resolves it."""


@dataclass(frozen=True)
class Command:
    """One event for the robot to carry out."""

    trigger_id: str
    """Correlation id, unique."""
    event: str
    """START_PROGRAM, PART_<part number>, PLACE, REJECT, BENCHMARK, HOME or, where allowed, MOVE_<named pose>."""
    tray: int = 0
    """1..4; 0 = none is given."""


@dataclass(frozen=True)
class Outcome:
    """How a trigger ended."""

    phase: Phase
    """NOT_SENT, DONE, REFUSED or UNKNOWN."""
    code: int
    """A ResultCode."""
    message: str
    """For people: what was done, or what is wrong and what to do."""


@dataclass(frozen=True)
class Answer:
    """How a stop or a recovery ended."""

    code: int
    """A ResultCode."""
    message: str
    """For people: what was done, or what is wrong and what to do."""


@dataclass(frozen=True)
class Check:
    """One line of the checks before a job."""

    name: str
    """What is checked, e.g. "remote control"."""
    ok: bool
    """It holds, or this link cannot tell."""
    message: str
    """For people: what was found, and what to do when it is not ok."""


Step = Callable[[str, int, int], None]
"""Is told (a sentence for people, number of this step from 1, steps in all)."""


@dataclass(frozen=True)
class Joints:
    """Joint state, in the order of the robot's joints from base to wrist."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    """Radians."""
    velocities: tuple[float, ...] = ()
    """Radians per second."""


@dataclass(frozen=True)
class LinkState:
    """What a link knows of the robot now; fields without knowledge keep their defaults."""

    connected: bool = False
    peer: str = ''
    """Address of the robot's end, "" when not connected."""
    robot_mode: int = RobotState.MODE_UNKNOWN
    safety_mode: int = RobotState.SAFETY_UNKNOWN
    program_state: int = RobotState.PROGRAM_UNKNOWN
    speed_scaling: float = math.nan
    """0..1."""
    data_age: float = math.nan
    """Seconds since the robot was last heard."""
    message: str = ''
    """For people: what is wrong and what to do; "" when all is well."""
    blocked: bool = False
    """Nothing moves before a person has done what `message` says."""
    joints: Joints | None = None


class Backend(ABC):
    """One link to one robot."""

    name: str
    """As in the parameter `backend`."""
    advice = 'Start the program on the pendant; check the network cable.'
    """What to do when the robot is missing."""

    @abstractmethod
    def start(self, changed: Callable[[], None]) -> None:
        """Begin to look for the robot; `changed` is called after each change of `state`."""

    @abstractmethod
    def trigger(self, command: Command, progress: Callable[[Phase], None]) -> Future[Outcome]:
        """Let the robot carry out an event; the node sees to it that there is one at a time.

        Args:
            command: What to do.
            progress: Called with SENT and ACKNOWLEDGED, before the future is done.

        Returns:
            A future that always ends, with an outcome and never with an exception of the device.
        """

    @abstractmethod
    def stop(self) -> Future[Answer]:
        """Stop the arm, where the link can do that."""

    @abstractmethod
    def recover(self, step: Step) -> Future[Answer]:
        """Bring the robot back after a stop; the node has asked whether the area is clear.

        Args:
            step: Called at the begin of each step.
        """

    @abstractmethod
    def preflight(self) -> Future[list[Check]]:
        """Check whether a job may begin; nothing moves. Every line is there, in the order in which it was checked."""

    @abstractmethod
    def state(self) -> LinkState:
        """Return what is known now; returns at once."""

    @abstractmethod
    def close(self) -> None:
        """Give up the link and end the backend's threads."""


def done(code: int, message: str) -> Future[Answer]:
    """Return a future that holds an answer already."""
    future: Future[Answer] = Future()
    future.set_result(Answer(code, message))
    return future


def checked(checks: list[Check]) -> Future[list[Check]]:
    """Return a future that holds checks already."""
    future: Future[list[Check]] = Future()
    future.set_result(checks)
    return future


def not_sent(code: int, message: str) -> Outcome:
    """Return the outcome of a trigger that never left."""
    return Outcome(Phase.NOT_SENT, code, message)


def failed(error: BaseException) -> Outcome:
    """Return the outcome of a trigger whose backend broke: nobody knows what the robot did."""
    return Outcome(
        Phase.UNKNOWN, ResultCode.INTERNAL, f'The robot link failed ({error!r}). Look where the robot is, and see the log.'
    )
