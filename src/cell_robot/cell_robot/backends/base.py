"""Contract between the robot node and a backend.

A backend does its device work in its own threads and answers with futures. Its callbacks may come from any thread.

An outcome is never better than what is known: a backend that cannot confirm the end of an event reports UNKNOWN. A message
names the fact and the remedy; it is shown to the operator as it is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from cell_common.error_code import ErrorCode

from cell_robot.backends.trigger import TriggerCommand, TriggerOutcome, TriggerPhase
from cell_robot.motion.poses import Matrix
from cell_robot.motion.recipe import CellRecipe
from cell_robot.robot_modes import ProgramState, RobotMode, SafetyMode


@dataclass(frozen=True)
class CommandResult:
    """End of a stop or a recovery."""

    code: ErrorCode
    message: str
    """Result or fault for the operator, with the remedy."""


@dataclass(frozen=True)
class PreflightCheck:
    """One line of the checks before a job."""

    name: str
    """Subject, for example "remote control"."""
    ok: bool
    """The check passed, or this backend cannot tell."""
    message: str
    """PlaceFinding for the operator, with the remedy when it failed."""


ProgressCallback = Callable[[str, int, int], None]
"""Arguments: message for the operator, step number from 1, number of steps."""


@dataclass(frozen=True)
class JointPositions:
    """Joint state, in the order of the robot's joints from base to wrist."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    """Radians."""
    velocities: tuple[float, ...] = ()
    """Radians per second."""


@dataclass(frozen=True)
class LinkState:
    """Current state of the robot as seen by a backend; unknown fields keep their defaults."""

    connected: bool = False
    peer: str = ''
    """Address of the robot's end, "" when not connected."""
    robot_mode: int = RobotMode.UNKNOWN
    safety_mode: int = SafetyMode.UNKNOWN
    """A value of SafetyMode, or a higher number of the controller."""
    program_state: ProgramState = ProgramState.UNKNOWN
    speed_scaling: float = math.nan
    """0..1."""
    data_age: float = math.nan
    """Seconds since the last data from the robot."""
    message: str = ''
    """Fault and remedy for the operator; "" without a fault."""
    blocked: bool = False
    """Nothing moves before an operator has followed `message`."""
    joints: JointPositions | None = None
    tool: tuple[float, ...] = ()
    """Tool center point in the controller's base frame: meters and a rotation vector; () = unknown."""
    step_times: str = ''
    """Durations of the steps of the last event, as a text for the operator; "" before the first one."""


@dataclass(frozen=True)
class ArmReading:
    """Where a standing arm is, with the recipe's tool."""

    joints: tuple[float, ...]
    """Radians, base to wrist."""
    tool: Matrix
    """Pose of the recipe's tool center point in the controller's base frame, by the controller's own kinematics."""


@dataclass(frozen=True)
class ArmDetails:
    """Facts about an arm and its controller; unknown fields keep their defaults."""

    joints: tuple[float, ...] = ()
    """Radians."""
    tool: tuple[float, ...] = ()
    """Tool center point by the controller: meters and a rotation vector."""
    tool_speed: float = math.nan
    """m/s."""
    payload: float = math.nan
    """kg, as set on the controller."""
    recipe_payload: float = math.nan
    """kg."""
    model: str = ''
    recipe_model: str = ''
    serial_number: str = ''
    software: str = ''
    agree: bool | None = None
    """The recipe's kinematics and the controller's agree; None = unknown."""
    distance: float = math.nan
    """Meters between both flanges."""
    kinematics_text: str = ''
    """How they differ, with the remedy."""


class TeachError(Exception):
    """The arm's pose cannot be taken now; the text gives the reason and the remedy."""


class Teaching(Protocol):
    """What a backend offers for teaching; its calls may come from any thread."""

    @property
    def freedrive(self) -> bool:
        """The arm can be moved by hand."""

    def reading(self) -> ArmReading:
        """Return where the arm stands.

        Raises:
            TeachError: It moves, or its pose cannot be trusted.
        """

    def set_freedrive(self, on: bool, seconds: float) -> Future[CommandResult]:
        """Let the arm be moved by hand for some seconds, or hold it again."""

    def use_recipe(self, recipe: CellRecipe) -> None:
        """Plan with another recipe of the same arm, tool, gripper and motion limits."""

    def details(self) -> Future[ArmDetails]:
        """Return facts about arm and controller."""


class Logger(Protocol):
    """Part of the ROS logger interface that backends use, from any thread."""

    def info(self, message: str) -> object: ...  # noqa: D102
    def warning(self, message: str) -> object: ...  # noqa: D102
    def error(self, message: str) -> object: ...  # noqa: D102


class Backend(ABC):
    """Connection to one robot.

    Life: constructor, `start` once, any number of calls, `close` once. Nothing connects before `start`. The node passes one
    trigger at a time and no recovery during a trigger; stop, preflight and state may come at any time.
    """

    name: str
    """Value of parameter `backend`."""
    disconnected_advice = 'Start the program on the pendant; check the network cable.'
    """Remedy when the robot is not connected."""
    continues_triggers = False
    """Whether an interrupted trigger can be continued."""
    reports_joints = True
    """Whether `state` has joints and tool pose; the node publishes their topics only then."""

    @property
    def teaching(self) -> Teaching | None:
        """Teaching; None where the arm's program has waypoints of its own."""
        return None

    @abstractmethod
    def start(self, on_change: Callable[[], None]) -> None:
        """Start connecting to the robot; `on_change` is called after each change of `state`.

        Args:
            on_change: From any thread; must return at once.
        """

    @abstractmethod
    def trigger(self, command: TriggerCommand, progress: Callable[[TriggerPhase], None]) -> Future[TriggerOutcome]:
        """Execute an event; the node sends one trigger at a time.

        Args:
            command: Event to execute.
            progress: Called with SENT and ACKNOWLEDGED, before the future is done.

        Returns:
            A future that always ends with an outcome, never with an exception of the device.
        """

    @abstractmethod
    def stop(self) -> Future[CommandResult]:
        """Stop the arm, if the backend can."""

    @abstractmethod
    def recover(self, on_step: ProgressCallback) -> Future[CommandResult]:
        """Recover the robot after a stop; the operator has confirmed that the area is clear.

        Args:
            on_step: Called at the start of each step, from any thread.

        Returns:
            A future with the result. The arm may have moved a little in either case, e.g. to retract.
        """

    @abstractmethod
    def preflight(self) -> Future[list[PreflightCheck]]:
        """Check whether a job may start; nothing moves. Returns all lines, in the order they were checked."""

    @abstractmethod
    def state(self) -> LinkState:
        """Return the current state without waiting."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection and end the backend's threads. An active trigger may stay without an end."""


def completed(code: ErrorCode, message: str) -> Future[CommandResult]:
    """Return a future that already has its result, for commands that a backend answers without its device.

    Args:
        code: OK, or the reason of a refusal.
        message: For the operator; for OK it says what was done.
    """
    future: Future[CommandResult] = Future()
    future.set_result(CommandResult(code, message))
    return future


def backend_failed(error: BaseException) -> TriggerOutcome:
    """Return the outcome of a trigger whose backend raised: the state of the robot is unknown.

    Args:
        error: A defect; devices report their faults as outcomes.
    """
    return TriggerOutcome(
        TriggerPhase.UNKNOWN,
        ErrorCode.INTERNAL,
        f'The robot backend failed ({error!r}). Look where the robot is, and see the log.',
    )
